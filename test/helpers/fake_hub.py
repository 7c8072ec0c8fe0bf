"""A hub on loopback that serves folders as models, by the protocol of the real one, with faults."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGE = ('.safetensors', '.bin')  # in Git LFS, as on the real hub


@dataclass
class FakeHub:
    """The hub's content, faults and log.

    endpoint: its address, for HF_ENDPOINT.
    models: folder of each model, by id.
    revisions: folders of branches and tags, by id and name; a commit is known by its hash.
    faults: what happens to requests whose path ends with a text: 'hang', '500', '404', 'loop' (a
        redirect to itself), 'truncate' (the body always ends early), 'short' (so does its length),
        'stall' (the body never comes), 'damage' (other bytes of the same length), 'interrupt' (the
        body ends early once).
    requests: method and path of every request, in order.
    """

    endpoint: str = ''
    models: dict[str, Path] = field(default_factory=dict)
    revisions: dict[tuple[str, str], Path] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def commit(self, folder: Path) -> str:
        """Return the commit of a folder, which changes with the names and content of its files."""
        digest = hashlib.sha1(usedforsecurity=False)
        for path in self.files(folder):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    def files(self, folder: Path) -> list[Path]:
        return sorted(path for path in folder.iterdir() if path.is_file())

    def folder(self, model: str, revision: str = 'main') -> Path | None:
        """Return the folder of a branch, a tag or a commit of a model."""
        named = {name: path for (each, name), path in self.revisions.items() if each == model}
        named['main'] = self.models[model]
        commits = {self.commit(path): path for path in named.values()}
        return named.get(revision) or commits.get(revision)

    def paths(self, method: str) -> list[str]:
        """Return the paths of the requests by a method."""
        return [path for each, path in self.requests if each == method]


@contextmanager
def serve(**models: Path) -> Iterator[FakeHub]:
    """Serve folders, each as the model tiny/NAME, until the end of the block."""
    hub = FakeHub(models={f'tiny/{name}': folder for name, folder in models.items()})
    server = ThreadingHTTPServer(('127.0.0.1', 0), type('Handler', (_Handler,), {'hub': hub}))
    server.daemon_threads = True
    hub.endpoint = f'http://127.0.0.1:{server.server_port}'
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        server.server_close()


def etag(path: Path) -> str:
    """Return what the hub calls a file's content: SHA-256 in Git LFS, else the hash of its blob."""
    content = path.read_bytes()
    if path.name.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b'blob %d\0' % len(content) + content, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    hub: FakeHub

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path))
        fault = next((each for end, each in self.hub.faults.items() if path.endswith(end)), '')
        if fault == 'hang':
            self.hub.released.wait(60)
            self.close_connection = True
        elif fault == 'loop':
            self._send(302, Location=path)
        elif fault in ('500', '404'):
            self._send(int(fault))
        elif path.startswith('/api/models/'):
            self._describe(path.removeprefix('/api/models/'))
        else:
            self._serve(path, fault)

    def _describe(self, path: str) -> None:
        owner, name, *rest = path.split('/')
        model = f'{owner}/{name}'
        if model not in self.hub.models:
            self._send(404, **{'X-Error-Code': 'RepoNotFound'})
            return
        folder = self.hub.folder(model, unquote(rest[1]) if rest[:1] == ['revision'] else 'main')
        if folder is None:
            self._send(404, **{'X-Error-Code': 'RevisionNotFound'})
            return
        files = []
        for each in self.hub.files(folder):
            size = each.stat().st_size
            entry = {'rfilename': each.name, 'size': size, 'blobId': '0' * 40}
            if each.name.endswith(LARGE):
                content = {'sha256': etag(each), 'oid': etag(each)}
                entry['lfs'] = {**content, 'size': size, 'pointerSize': 130}
            else:
                entry['blobId'] = etag(each)
            files.append(entry)
        if rest[:1] == ['tree']:
            listing = [{'type': 'file', 'path': each['rfilename'], 'oid': each['blobId']} | each
                       for each in files]  # fmt: skip
            self._send(200, json.dumps(listing).encode())
            return
        answer = {'id': model, 'modelId': model, 'sha': self.hub.commit(folder), 'siblings': files}
        self._send(200, json.dumps(answer).encode())

    def _serve(self, path: str, fault: str) -> None:
        owner, name, _, revision, file = path.lstrip('/').split('/', 4)
        model = f'{owner}/{name}'
        folder = self.hub.folder(model, unquote(revision)) if model in self.hub.models else None
        target = (folder or Path('/nowhere')) / file
        headers = {'X-Repo-Commit': self.hub.commit(folder)} if folder else {}
        if not target.is_file():
            self._send(404, **headers, **{'X-Error-Code': 'EntryNotFound'})
            return
        content = target.read_bytes()
        headers |= {'ETag': f'"{etag(target)}"', 'Accept-Ranges': 'bytes'}
        if fault == 'damage' and self.command == 'GET':
            content = bytes(byte ^ 0x55 for byte in content)
        if fault == 'short' and self.command == 'GET':
            content = content[: len(content) // 2]
        first, wanted = 0, self.headers.get('Range', '')
        if wanted.startswith('bytes='):
            first = int(wanted.removeprefix('bytes=').split('-')[0])
            headers['Content-Range'] = f'bytes {first}-{len(content) - 1}/{len(content)}'
        breaks = fault in ('truncate', 'interrupt') and self.command == 'GET'
        if fault == 'interrupt' and breaks:
            del self.hub.faults[next(end for end in self.hub.faults if path.endswith(end))]
        rest = content[first:]
        sent = len(rest)
        if breaks:
            sent = 0 if first else sent // 2
        if fault == 'stall':
            sent = 0
        self._send(206 if first else 200, rest, sent, fault == 'stall', **headers)

    def _send(
        self,
        status: int,
        body: bytes = b'',
        sent: int | None = None,
        stalls: bool = False,
        **headers: str,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command == 'GET':
            self.wfile.write(body[:sent])
            if stalls:
                self.wfile.flush()
                self.hub.released.wait(60)
            if sent is not None and sent < len(body):
                self.close_connection = True
