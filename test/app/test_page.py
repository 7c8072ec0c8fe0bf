"""The page in a browser and by its API, against a server in a process of its own."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.browser import complaints_of, headless_chromium
from iterprime_ros.explain import answer_overlay
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

pytest.importorskip('gradio')

LIMIT = 240  # seconds; a busy machine takes a minute for the imports alone
SCENE = 4
COMMANDS = ('the capsule behind the yellow cube', 'all the capsules', 'the red mug')


class Server:
    """`iterprime app` in a process, with a temporary folder of its own."""

    def __init__(self, folder: Path, profile: Path) -> None:
        self.folder = folder
        environment = {**os.environ, 'TMPDIR': str(folder), 'PYTHONUNBUFFERED': '1'}
        self.process = subprocess.Popen(
            [
                *(sys.executable, '-m', 'iterprime_ros.cli', 'app', '--port', '0'),
                *('--profile', 'tabletop', str(profile)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        line = self.process.stdout.readline()
        found = re.search(r'http://127\.0\.0\.1:\d+', line)
        if not found:
            self.process.kill()
            raise AssertionError(line + self.process.communicate()[1])
        self.address = found[0]

    def status(self, path: str, data: bytes | None = None, **headers: str) -> int:
        request = urllib.request.Request(self.address + path, data, headers)  # noqa: S310 - http
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=LIMIT) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def own_folders(self) -> list[Path]:
        return list(self.folder.glob('iterprime-app-*'))

    def interrupt(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, errors


@pytest.fixture(scope='module')
def server(tmp_path_factory, regions):
    started = Server(tmp_path_factory.mktemp('app'), regions)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop', offline=True)


@pytest.fixture(scope='module')
def scene():
    with Renderer() as renderer:
        return renderer.render(sample_scene(SCENE))


@pytest.fixture(scope='module')
def photo(scene, tmp_path_factory):
    path = tmp_path_factory.mktemp('photos') / 'table.png'
    Image.fromarray(scene.rgb[:-1]).save(path)  # no scene as it was rendered: it has no depth
    return path


@pytest.fixture(scope='module')
def chromium():
    with headless_chromium(
        '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'
    ) as browser:
        yield browser


@pytest.fixture
def page(chromium, server):
    """The page, just opened; at the end, nothing was complained of or asked of another host."""
    opened = chromium.new_page(viewport={'width': 1400, 'height': 1000})
    opened.set_default_timeout(LIMIT * 1000)
    complaints, foreign = complaints_of(opened), []
    own = (f'{server.address}/', 'data:', f'blob:{server.address}/')
    opened.on('request', lambda asked: None if asked.url.startswith(own) else foreign.append(asked))
    opened.goto(server.address)
    opened.wait_for_selector('#find')
    opened.complaints = complaints
    yield opened
    opened.close()
    assert complaints == []
    assert foreign == []


def upload(page, path):
    page.set_input_files('#picture input[type=file]', str(path))
    page.wait_for_selector('#picture img')


def ask(page, command):
    page.fill('#command textarea', command)
    with page.expect_response(re.compile('/queue/join')):
        page.click('#find')


def wait_for(page, element, value):
    page.wait_for_function(
        '([name, value]) => document.querySelector(`#${name} textarea`).value === value',
        arg=[element, value],
    )


def picture_in(page, element):
    """Return the picture that an element shows, as its file has it."""
    source = page.get_attribute(f'#{element} img', 'src')
    body = page.context.request.get(source).body()
    return np.asarray(Image.open(io.BytesIO(body)).convert('RGB'))


def check_shown(page, image, answer):
    wait_for(page, 'text', answer.text)
    assert page.input_value('#status textarea') == answer.status.value
    page.wait_for_selector('#answer img')
    np.testing.assert_array_equal(picture_in(page, 'answer'), answer_overlay(image, answer))
    page.get_by_role('tab', name='Mask').click()
    page.wait_for_selector('#mask img')
    shown = picture_in(page, 'mask')
    np.testing.assert_array_equal(shown[..., 0] > 0, answer.mask)
    page.get_by_role('tab', name='Rounds and words').click()
    page.wait_for_selector('#rounds img')
    words = any(np.ptp(each.heatmap) > 0 for each in answer.word_heatmaps)
    drawn = len(answer.rounds) + (len(answer.word_heatmaps) if words else 0)
    assert page.locator('#rounds .grid-container img').count() == drawn
    page.get_by_role('tab', name='Candidates').click()
    page.wait_for_selector('#candidates img')
    cells = page.locator('#table').inner_text()
    for candidate in answer.candidates:
        assert f'{candidate.chance:.3f}' in cells
    page.get_by_role('tab', name='Parse').click()
    assert answer.command.text in page.input_value('#parse textarea')
    page.get_by_role('tab', name='Answer').click()


def test_an_uploaded_picture_is_answered_as_in_python(page, photo, model):
    image = np.asarray(Image.open(photo))
    upload(page, photo)
    ask(page, COMMANDS[1])
    check_shown(page, image, model.segment(image, COMMANDS[1]))
    assert 'from colour alone' in page.input_value('#notes textarea')


def test_a_scene_is_answered_with_its_depth(page, scene, model):
    page.fill('#scene input', str(SCENE))
    page.click('#show')
    page.wait_for_selector('#picture img')
    np.testing.assert_array_equal(picture_in(page, 'picture'), scene.rgb)
    ask(page, COMMANDS[0])
    frame = model.embed(scene.rgb, scene.depth, scene.pinhole)
    check_shown(page, scene.rgb, model.segment(frame, COMMANDS[0]))
    assert f'with the depth of scene {SCENE}' in page.input_value('#notes textarea')


def test_an_example_shows_its_scene(page):
    page.get_by_text('scene 3: the red mug').click()
    page.wait_for_selector('#picture img')
    assert page.input_value('#command textarea') == 'the red mug'
    assert page.input_value('#scene input') == '3'


def test_a_picture_of_the_camera(page):
    page.get_by_label('Capture from camera').click()
    page.get_by_text('Click to Access Webcam').click()
    page.wait_for_function("document.querySelector('#picture video')?.videoWidth > 0")
    page.get_by_label('capture photo').click()
    page.wait_for_selector('#picture img')
    ask(page, 'the red mug')
    page.wait_for_function("document.querySelector('#status textarea').value !== ''")


def toast(page):
    page.wait_for_selector('.toast-body')
    return page.inner_text('.toast-body')


@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('broken.png', 'broken.png is no JPEG, PNG, BMP, WebP, TIFF or PPM image'),
        ('cut.png', 'cut.png is damaged'),
        ('vast.png', 'vast.png has more than 16,588,800 pixels: scale it down first.'),
    ],
)
def test_a_picture_that_cannot_be_used(page, photo, tmp_path, name, sentence):
    path = tmp_path / name
    if name == 'broken.png':
        path.write_bytes(b'no picture')
    elif name == 'cut.png':
        path.write_bytes(photo.read_bytes()[:20_000])
    else:
        Image.new('1', (8000, 8000)).save(path)
    upload(page, path)
    ask(page, 'the red mug')
    said = toast(page)
    assert sentence in said
    assert 'Traceback' not in said
    assert str(tmp_path) not in said


def test_a_file_that_is_too_big(page, tmp_path):
    path = tmp_path / 'big.png'
    path.write_bytes(bytes(33 * 2**20))
    page.set_input_files('#picture input[type=file]', str(path))
    assert 'exceed the maximum allowed size of 32.0 Mb: "big.png"' in toast(page)


def test_without_a_picture_or_a_command(page, photo):
    ask(page, 'the red mug')
    assert 'There is no picture' in toast(page)


@pytest.mark.parametrize(
    'path',
    [
        'file=/etc/passwd',
        'file=../../../../etc/passwd',
        'file={folder}/../../../../../../../etc/passwd',
        'file={folder}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
        'file=' + str(Path(__file__)),
        'file=http://127.0.0.1:1/picture.png',
        'file=%00',
        'file/etc/passwd',
        'proxy=http://127.0.0.1:1/',
    ],
)
def test_no_other_file_is_served(server, path):
    folder = server.own_folders()[0]
    assert server.status('/gradio_api/' + path.format(folder=folder)) in (403, 404)


def test_another_host_is_not_asked(server):
    given = {'path': 'http://127.0.0.1:1/a.png', 'meta': {'_type': 'gradio.FileData'}}
    body = {'data': [given, 'the mug', 'tabletop'], 'fn_index': 0, 'session_hash': 'a'}
    sent = json.dumps(body).encode()
    kind = {'Content-Type': 'application/json'}
    assert server.status('/gradio_api/queue/join', sent, **kind) == 400
    assert server.status('/gradio_api/queue/join', b' ' * 300_000, **kind) == 413


def test_the_server_itself_refuses_what_is_too_big(server):
    start = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = start + bytes(33 * 2**20) + b'\r\n--x--\r\n'
    kind = {'Content-Type': 'multipart/form-data; boundary=x'}
    assert server.status('/gradio_api/upload', body, **kind) == 413


def test_a_name_of_the_web_that_points_here_is_refused(server):
    assert server.status('/', Host='example.com') == 400
    assert server.status('/') == 200


def test_it_is_answered_to_gradio_client(server, photo, model, tmp_path, regions):
    gradio_client = pytest.importorskip('gradio_client')
    client = gradio_client.Client(
        server.address, verbose=False, download_files=str(tmp_path), analytics_enabled=False
    )
    handed = gradio_client.handle_file(str(photo))
    image = np.asarray(Image.open(photo))
    for command in COMMANDS:
        given = client.predict(handed, command, 'tabletop', api_name='/segment')
        answer = model.segment(image, command)
        assert given[2:4] == (answer.status.value, answer.text)
        np.testing.assert_array_equal(
            np.asarray(Image.open(given[1]).convert('L')) > 0, answer.mask
        )
    other = IteRPrimE.from_profile(regions, offline=True).segment(image, 'the mug')
    given = client.predict(handed, 'the mug', str(regions), api_name='/segment')
    assert given[2:4] == (other.status.value, other.text)
    assert len(given[6]) == min(len(other.candidates), 4)
    for wrong in ('paper', '/etc/passwd'):
        with pytest.raises(Exception, match='This page has no profile'):
            client.predict(handed, 'the mug', wrong, api_name='/segment')
    with pytest.raises(Exception, match='The command is empty'):
        client.predict(handed, ' ', 'tabletop', api_name='/segment')
    rendered = client.predict(SCENE, api_name='/scene')
    assert Image.open(rendered).size == (640, 480)
    with pytest.raises(Exception, match='There is no such scene'):
        client.predict(-1, api_name='/scene')


def test_the_python_of_the_documentation(server, monkeypatch, tmp_path):
    root = Path(__file__).parents[2]
    page = (root / 'docs' / 'app.md').read_text(encoding='utf-8')
    code = re.search('```python\n(.*?)```', page, re.DOTALL)[1]
    assert 'http://127.0.0.1:7860' in code
    monkeypatch.chdir(root)
    monkeypatch.setenv('GRADIO_TEMP_DIR', str(tmp_path))
    names = {}
    exec(code.replace('http://127.0.0.1:7860', server.address), names)  # noqa: S102 - ours
    assert names['status'] == 'found'
    assert Image.open(names['scene']).size == (640, 480)


def test_ctrl_c_ends_it_and_leaves_nothing(server):
    assert len(server.own_folders()) == 1
    code, errors = server.interrupt()
    assert code == 0
    assert 'Traceback' not in errors
    assert server.own_folders() == []
