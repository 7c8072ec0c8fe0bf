"""The server of the page: one address, one folder of its own, and a clean end."""

import ipaddress
import logging
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from iterprime_ros.errors import InvalidSettingError, MissingDependencyError, UnwritableError

if TYPE_CHECKING:
    from iterprime_ros.app.desk import Desk

MAX_UPLOAD = 32 * 2**20  # bytes of a file; a photo of a camera has 4 to 12 million
_END_S = 1  # that open connections are waited for
_PACKAGE = Path(__file__).resolve().parent.parent
_ENVIRONMENT = {
    'GRADIO_ANALYTICS_ENABLED': 'False',
    'GRADIO_SHARE': 'False',
    'GRADIO_NUM_WORKERS': '0',
    'GRADIO_ALLOWED_PATHS': '',
    'HF_HUB_DISABLE_TELEMETRY': '1',
}


def check_gradio() -> None:
    """Raise MissingDependencyError without Gradio."""
    if find_spec('gradio') is None:
        raise MissingDependencyError(
            "The page needs Gradio, which is not installed: pip install 'iterprime_ros[app]'."
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections to a port of this machine.

    host: an address of this machine, or a name of it; 0.0.0.0 for all its addresses.
    port: 0 for any that is free.

    Raises InvalidSettingError where the port is taken or the address is not of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        # Python adds the address, which the message has.
        reason = (getattr(error, 'strerror', None) or str(error)).partition(' (while')[0]
        raise InvalidSettingError(
            f'Cannot listen on port {port} of {host} ({reason}): name another with --port or '
            '--host, or end what uses it.'
        ) from error


def is_local(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'


def serve(
    desk: 'Desk', listening: socket.socket, host: str, on_ready: Callable[[str], None]
) -> None:
    """Serve the page until SIGINT or SIGTERM, and remove all its files.

    listening: what `listen` returned for the host.
    on_ready: called with the address of the page once it answers.

    Raises KeyboardInterrupt at the end, which is the signal that ended it.
    """
    port = listening.getsockname()[1]
    with closing(listening), _own_folder() as folder, closing(desk):
        _run(_application(desk, folder, host, port), listening, on_ready, _address(host, port))


def _address(host: str, port: int) -> str:
    named = {'0.0.0.0': '127.0.0.1', '::': '[::1]'}.get(host, host)  # noqa: S104
    is_bare = ':' in named and not named.startswith('[')
    return f'http://{f"[{named}]" if is_bare else named}:{port}'


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Yield a new folder in which Gradio keeps its files, and remove it at the end."""
    folder = Path(tempfile.gettempdir()).resolve() / f'iterprime-app-{secrets.token_hex(8)}'
    try:
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise UnwritableError(
                f'Cannot write {folder} ({error.strerror}): name another place in TMPDIR.'
            ) from error
        os.environ.update(_ENVIRONMENT)
        os.environ['GRADIO_TEMP_DIR'] = str(folder)
        os.environ['GRADIO_EXAMPLES_CACHE'] = str(folder / 'examples')
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _application(desk: 'Desk', folder: Path, host: str, port: int) -> Any:
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from iterprime_ros.app.guard import guarded
    from iterprime_ros.app.page import CSS, build_page, theme

    repository = _PACKAGE.parent
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if is_local(host):
        # A page of the web whose name is made to point here must not read this one.
        outer.add_middleware(TrustedHostMiddleware, allowed_hosts=['127.0.0.1', 'localhost', host])
    mounted = gr.mount_gradio_app(
        outer,
        build_page(desk),
        path='/',
        server_name=host,
        server_port=port,
        footer_links=['api'],
        run_history=False,
        allowed_paths=[],
        blocked_paths=[] if folder.is_relative_to(repository) else [str(repository)],
        show_error=False,
        max_file_size=MAX_UPLOAD,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css=CSS,
    )
    return guarded(mounted, folder)


def _run(
    application: Any, listening: socket.socket, on_ready: Callable[[str], None], address: str
) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready(address)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Streams to open pages are cut off, of which uvicorn would complain.
            logging.getLogger('uvicorn.error').setLevel(logging.CRITICAL)
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        application,
        lifespan='on',
        log_level='warning',
        access_log=False,
        timeout_graceful_shutdown=_END_S,
    )
    Server(config).run(sockets=[listening])
