"""What the page's server refuses before Gradio sees it: other folders, other hosts, large bodies.

Gradio serves addresses of other hosts by its file route, fetches them where a request names one as
a file, and has routes that this page does not use.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
Application = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

MAX_BODY = 256 * 1024  # bytes of a request that is no upload
_API = '/gradio_api/'
_FILE, _UPLOAD = f'{_API}file=', f'{_API}upload'
_UNUSED = tuple(
    _API + each
    for each in ('proxy=', 'file/', 'process_recording', 'vibe-', 'undo-vibe-', 'deep_link', 'run-')
)
# The page needs styles and scripts inside its text, and pictures of the camera as blobs.
_POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
_HEADERS = [
    (b'content-security-policy', _POLICY.encode()),
    (b'x-content-type-options', b'nosniff'),
    (b'referrer-policy', b'no-referrer'),
]


def guarded(application: Application, folder: Path) -> Application:
    """Return an ASGI application that serves files of a folder only, and asks no other host.

    folder: where Gradio keeps uploads and pictures.
    """
    root = folder.resolve()

    async def serve(scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope['type'] != 'http':
            await application(scope, receive, send)
            return

        async def send_with_policy(message: _Message) -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message.get('headers', []), *_HEADERS]
            await send(message)

        path = scope['path']
        if path.startswith(_UNUSED):
            await _refuse(send_with_policy, 404, 'There is no such page.')
        elif path.startswith(_FILE) and not _is_below(root, path.removeprefix(_FILE)):
            await _refuse(send_with_policy, 403, 'This file is not served.')
        elif scope['method'] == 'POST' and not path.startswith(_UPLOAD):
            await _serve_body(application, scope, receive, send_with_policy)
        else:
            await application(scope, receive, send_with_policy)

    return serve


def _is_below(root: Path, name: str) -> bool:
    """Return whether a name is the absolute path of something in a folder."""
    try:
        return Path(name).is_absolute() and Path(name).resolve().is_relative_to(root)
    except ValueError:  # a zero byte
        return False


async def _serve_body(
    application: Application, scope: _Scope, receive: _Receive, send: _Send
) -> None:
    """Pass a request on whose whole body is small and names no file of another host."""
    body = b''
    while True:
        message = await receive()
        if message['type'] == 'http.disconnect':
            return
        body += message.get('body', b'')
        if len(body) > MAX_BODY:
            await _refuse(send, 413, f'A request may have {MAX_BODY:,} bytes: shorten it.')
            return
        if not message.get('more_body', False):
            break
    try:
        names_host = _names_host(json.loads(body)) if body else False
    except (ValueError, RecursionError):
        names_host = False  # not JSON, which Gradio refuses itself
    if names_host:
        await _refuse(send, 400, 'Pictures are not fetched from other hosts: upload the file.')
        return
    pending = [{'type': 'http.request', 'body': body, 'more_body': False}]

    async def replayed() -> _Message:
        return pending.pop() if pending else await receive()

    await application(scope, replayed, send)


def _names_host(value: object) -> bool:
    """Return whether a value of JSON has a file whose path is the address of another host."""
    if isinstance(value, list):
        return any(map(_names_host, value))
    if not isinstance(value, dict):
        return False
    path = value.get('path')
    if isinstance(path, str) and path.strip().lower().startswith(('http:', 'https:')):
        return True
    return any(map(_names_host, value.values()))


async def _refuse(send: _Send, status: int, sentence: str) -> None:
    headers = [(b'content-type', b'text/plain; charset=utf-8')]
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': sentence.encode()})
