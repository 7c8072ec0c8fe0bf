"""The page, in a browser without a screen: Rerun's own, on this machine only, until Ctrl-C."""

import io
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from PIL import Image

from helpers.browser import complaints_of, headless_chromium
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.viewer.recorder import Recorder, open_browser
from iterprime_ros.viewer.server import ViewerServer

PATIENCE = 300  # seconds: without a GPU the page takes its time
WEBGL = ('--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader')
HERE = ('http://127.0.0.1:', 'data:', 'blob:')


@pytest.fixture(scope='module')
def chromium():
    with headless_chromium(*WEBGL) as browser:
        yield browser


@pytest.fixture(scope='module')
def recorder():
    made = Recorder('answer')
    yield made
    made.close()


@pytest.fixture
def page(chromium):
    """A page that reaches this machine only; what it complains of is kept."""
    opened = chromium.new_page(viewport={'width': 800, 'height': 600})
    opened.set_default_timeout(PATIENCE * 1000)
    complaints = complaints_of(opened)

    def answer(route):
        """Rerun's hosts are asked for versions, examples and a font: there is none."""
        if route.request.url.startswith(HERE):
            route.continue_()
        else:
            route.fulfill(status=200, body='{}', headers={'access-control-allow-origin': '*'})

    opened.route('**/*', answer)
    opened.complaints = complaints
    yield opened
    opened.close()


def seen(page):
    """Return what the page shows, as (H, W, 3)."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert('RGB')).astype(int)


def test_the_answers_are_drawn(page, recorder, log_all, table):
    log_all(recorder)
    recorder.stream.flush()
    page.goto(recorder.url)
    empty = seen(page)
    # The table's own colours show that the image is drawn, and not only the frame of the page.
    wanted = np.median(table.rgb.reshape(-1, 3), axis=0)
    deadline = time.monotonic() + PATIENCE
    share = 0.0
    while share < 0.01:
        assert time.monotonic() < deadline, f'only {share:.3f} of the page is table'
        page.wait_for_timeout(1000)
        now = seen(page)
        share = (np.abs(now - wanted).max(axis=2) < 12).mean()
    assert (now != empty).any(axis=2).mean() > 0.3
    assert page.complaints == []


def test_it_listens_on_this_machine_only(recorder):
    server = recorder.url.split(':')[2].split('/')[0]
    found = [
        each.laddr
        for each in psutil.net_connections('tcp')
        if each.status == psutil.CONN_LISTEN and str(each.laddr.port) == server
    ]
    assert [each.ip for each in found] == ['127.0.0.1']


def test_two_pages_have_ports_of_their_own(recorder):
    second = ViewerServer('100MB')
    try:
        assert second.page_url != recorder.url
        with pytest.raises(InvalidSettingError, match=f'Port {second.web_port} is in use'):
            ViewerServer('100MB', second.web_port)
    finally:
        second.close()
    with socket.socket() as probe:
        assert probe.connect_ex(('127.0.0.1', second.web_port)) != 0


def test_a_memory_limit_that_is_none_is_one_sentence():
    with pytest.raises(InvalidSettingError, match='did not start'):
        ViewerServer('much')


@pytest.mark.parametrize('signal_number', [signal.SIGINT, signal.SIGKILL])
def test_the_page_ends_with_its_process(signal_number):
    """However it ends; Ctrl-C is an orderly end."""
    program = (
        'from iterprime_ros.viewer.recorder import Recorder\n'
        "recorder = Recorder('answer')\n"
        'recorder.wait(lambda: print(recorder.url, flush=True))\n'
        'recorder.close()\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = process.stdout.readline()
    port = int(url.split(':')[2].split('/')[0])
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal_number)
    _, problems = process.communicate(timeout=PATIENCE)
    assert process.returncode == (0 if signal_number == signal.SIGINT else -signal.SIGKILL)
    assert signal_number == signal.SIGKILL or problems == ''
    psutil.wait_procs([child], timeout=PATIENCE)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    with socket.socket() as probe:
        assert probe.connect_ex(('127.0.0.1', port)) != 0


def test_no_browser_is_opened_without_a_screen(monkeypatch):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'BROWSER'):
        monkeypatch.delenv(name, raising=False)
    assert not open_browser('http://127.0.0.1:9/')


def test_the_browser_of_the_user_is_opened(monkeypatch, tmp_path):
    script = tmp_path / 'browser'
    script.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/url\n')
    script.chmod(0o755)
    environment = {**os.environ, 'BROWSER': str(script)}
    program = (
        'from iterprime_ros.viewer.recorder import open_browser\n'
        "print(open_browser('http://127.0.0.1:9/'))\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == 'True\n'
    assert (tmp_path / 'url').read_text() == 'http://127.0.0.1:9/\n'
