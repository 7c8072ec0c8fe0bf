"""A process that keeps what was logged and serves Rerun's web viewer, on this machine only."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from importlib.resources import files
from tempfile import TemporaryFile
from urllib.parse import quote

from iterprime_ros.errors import InvalidSettingError, MissingDependencyError

LOCAL = '127.0.0.1'  # the servers that the SDK starts itself listen on all interfaces
_WEB_PORT, _DATA_PORT = 9090, 9876  # Rerun's own
_TIMEOUT = 60.0  # seconds for the start
_POLL = 0.05  # seconds
# Rerun, which has no settings then, sends no usage data and leaves those of the user as they are.
_NO_HOME = {'XDG_CONFIG_HOME': os.devnull, 'XDG_DATA_HOME': os.devnull}
# Linux ends the server with this process (PR_SET_PDEATHSIG, SIGTERM), however this process ends.
_BECOME_SERVER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class ViewerServer:
    """The server process of Rerun.

    memory_limit: of what is kept for viewers, as in '1GiB' or '25%'; the oldest is dropped.
    web_port: of the web page; 0: Rerun's own, or another where that is taken.

    Call it in the main thread: the server ends with the thread that started it.

    Raises MissingDependencyError without rerun-sdk, and InvalidSettingError for a port that is
    taken and where the server does not start.
    """

    def __init__(self, memory_limit: str, web_port: int = 0) -> None:
        require_rerun()
        self.web_port = _port(web_port) if web_port else _free_port(_WEB_PORT)
        self.data_port = _free_port(_DATA_PORT)
        program = str(files('rerun_cli') / 'rerun')
        options = {
            '--bind': LOCAL,
            '--port': self.data_port,
            '--web-viewer-port': self.web_port,
            '--server-memory-limit': memory_limit,
        }
        words = [str(word) for pair in options.items() for word in pair]
        self._log = TemporaryFile()  # noqa: SIM115  # close() closes it
        self._process = subprocess.Popen(
            [
                *(sys.executable, '-I', '-c', _BECOME_SERVER),
                *(str(os.getpid()), program, '--serve-web', *words),
            ],
            env={**os.environ, **_NO_HOME, 'NO_COLOR': '1'},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            process_group=0,  # Ctrl-C is for this process, which then ends the server
        )
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def data_url(self) -> str:
        """Where what is logged is sent to."""
        return f'rerun+http://{LOCAL}:{self.data_port}/proxy'

    @property
    def page_url(self) -> str:
        """The page to open in a browser."""
        return f'http://{LOCAL}:{self.web_port}/?url={quote(self.data_url, safe="")}'

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the server; pages that are open keep what they have."""
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        """Wait until both servers take connections."""
        deadline = time.monotonic() + _TIMEOUT
        waiting = [self.web_port, self.data_port]
        while waiting:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._log.seek(0)
                lines = self._log.read().decode(errors='replace').strip().splitlines()
                raise InvalidSettingError(
                    f'Rerun did not start: {lines[-1] if lines else "it says nothing"}'
                )
            if _is_taken(waiting[0]):
                del waiting[0]
            else:
                time.sleep(_POLL)


def require_rerun() -> None:
    """Raise MissingDependencyError unless rerun-sdk is installed."""
    if importlib.util.find_spec('rerun') is None:
        raise MissingDependencyError(
            "To look at answers in Rerun, install rerun-sdk: pip install 'iterprime_ros[look]'."
        )


def _port(wanted: int) -> int:
    if _is_taken(wanted):
        raise InvalidSettingError(f'Port {wanted} is in use: end what uses it, or name another.')
    return wanted


def _free_port(preferred: int) -> int:
    """Return a port that nothing listens on."""
    if not _is_taken(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])


def _is_taken(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((LOCAL, port)) == 0
