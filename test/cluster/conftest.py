"""A Ray cluster of two processors that is there for all tests, and the commands that use it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

PATIENCE_S = 600


@pytest.fixture(scope='session')
def environment():
    """Variables of the processes of a test: one thread each, as of a worker."""
    return {**os.environ, 'OMP_NUM_THREADS': '1', 'RAY_AUTH_MODE': 'disabled'}


@pytest.fixture(scope='session')
def ray_cluster(environment):
    """The process of a cluster with two CPUs, and its address."""
    pytest.importorskip('ray')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix='ray-', dir='/tmp')  # sockets need short paths
    start = [
        *(sys.executable, '-m', 'ray.scripts.scripts', 'start', '--head', '--block'),
        *('--port', str(port), '--num-cpus', '2', '--temp-dir', folder),
        *('--include-dashboard', 'false', '--node-ip-address', '127.0.0.1'),
    ]
    running = subprocess.Popen(
        start, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ''
    for line in running.stdout:
        said += line
        if '--block' in line:  # the last it says, once the cluster is there
            break
    assert running.poll() is None, said
    try:
        yield running, f'127.0.0.1:{port}'
    finally:
        everything = [*psutil.Process(running.pid).children(recursive=True), running]
        running.terminate()
        running.communicate(timeout=PATIENCE_S)
        for each in psutil.wait_procs(everything[:-1], timeout=5)[1]:
            each.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='session')
def address(ray_cluster):
    return ray_cluster[1]


@pytest.fixture
def ray_here(monkeypatch):
    """Let this process connect to the cluster; see `environment`."""
    pytest.importorskip('ray')
    monkeypatch.setenv('RAY_AUTH_MODE', 'disabled')


@pytest.fixture(scope='session')
def start(environment):
    """Start the command line with arguments, in a process group of its own."""

    def popen(*arguments, cwd=None):
        return subprocess.Popen(
            [sys.executable, '-c', 'from iterprime_ros.cli import main; exit(main())', *arguments],
            env=environment,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return popen


@pytest.fixture(scope='session')
def run(start):
    """Run the command line; return its exit code and what it printed."""

    def to_its_end(*arguments, cwd=None):
        running = start(*arguments, cwd=cwd)
        out, err = running.communicate(timeout=PATIENCE_S)
        return running.returncode, out, err

    return to_its_end


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture(scope='session')
def contents_of():
    return contents


@pytest.fixture(scope='session')
def cluster_workers(ray_cluster):
    """Return the workers that run on the cluster, as processes."""

    def workers():
        return [
            each
            for each in psutil.Process(ray_cluster[0].pid).children(recursive=True)
            if 'MapWorker' in ' '.join(each.cmdline())
        ]

    return workers
