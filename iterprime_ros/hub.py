"""Models of the Hugging Face hub in its cache on this machine: found, fetched and checked.

Finding a model sends no request. Fetching one waits at most CONNECT_S for a connection and
REQUEST_S for each answer, downloads what the cache lacks or holds damaged, and compares every file
with the size and the hash that the hub gives.

An id is owner/name, the newest commit of a model, or owner/name@revision, one commit by its full
hash, or the newest one of another branch or of a tag.
"""

import hashlib
import logging
import os
import re
import socket
from collections.abc import Collection
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id

from iterprime_ros.errors import UnwritableError, WeightsNotFoundError

CONNECT_S = 4.0
REQUEST_S = 10.0
_ADDRESS_S = 2.0  # for each of the addresses of a name
# The client of the hub's Xet storage is limited by its environment alone; these are read per fetch.
_XET_LIMITS = {
    'HF_XET_CLIENT_CONNECT_TIMEOUT': f'{CONNECT_S:g}s',
    'HF_XET_CLIENT_READ_TIMEOUT': f'{REQUEST_S:g}s',
    'HF_XET_CLIENT_RETRY_MAX_DURATION': '60s',
}
_READ_BYTES = 1 << 20
_REVISION = re.compile(r'[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*', re.ASCII)
_COMMIT = re.compile(r'[0-9a-f]{40}')
_TENSOR_FILES = ('model*.safetensors', 'pytorch_model*.bin')
TOKENIZER_FILES = ('tokenizer.json', 'vocab.txt', 'vocab.json')  # any of them
_logger = logging.getLogger(__name__)


class HubUnreachableError(WeightsNotFoundError):
    """The hub cannot be reached or does not answer; the text is the reason, without a full stop."""


def is_hub_id(source: str) -> bool:
    """Return whether a text has the form of an id on the hub, as in facebook/sam-vit-base@main."""
    name, revision = _parts(source)
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    is_revision = revision is None or _REVISION.fullmatch(revision) is not None
    return is_revision and not name.endswith('.pth')


def cached_snapshot(source: str) -> Path | None:
    """Return the folder of a model's snapshot in the cache, the newest by default, whole or not."""
    if not is_hub_id(source):
        return None
    name, revision = _parts(source)
    repository = _repository(name)
    try:
        commit = revision or ''
        if not _COMMIT.fullmatch(commit):
            commit = _reference(repository, revision).read_text(encoding='utf-8').strip()
        folder = repository / 'snapshots' / commit
        return folder if commit and folder.is_dir() else None
    except (OSError, ValueError):
        return None


def is_cached(source: str, with_weights: bool) -> bool:
    """Return whether the cache has the files of a model, or of a tokenizer without weights.

    source: an id on the hub.
    """
    folder = cached_snapshot(source)
    if folder is None:
        return False
    if not with_weights:
        return any((folder / name).is_file() for name in TOKENIZER_FILES)
    has_tensors = any(path.is_file() for form in _TENSOR_FILES for path in folder.glob(form))
    return has_tensors and (folder / 'config.json').is_file()


def fetch(source: str, with_weights: bool = True) -> bool:
    """Bring a model into the cache, whole, and return whether it was not: files lacked or damaged.

    source: an id on the hub.
    with_weights: whether its tensors are needed; a tokenizer has none.

    Raises HubUnreachableError where the hub does not answer, WeightsNotFoundError where it has no
    such model or sends damaged files, and UnwritableError where the cache cannot be written.
    """
    _logger.warning('Fetching %s from the hub ...', source)
    _check_connection()
    for name, value in _XET_LIMITS.items():
        os.environ.setdefault(name, value)
    commit, files = _listing(source)
    needed = needed_files(files, with_weights)
    if not needed:
        raise WeightsNotFoundError(
            f'The hub has {source}, but in no format that is read here: choose another model.'
        )
    name, revision = _parts(source)
    repository = _repository(name)
    snapshot = repository / 'snapshots' / commit
    try:
        lacking = [files[each] for each in needed if not _is_whole(snapshot / each, files[each])]
        for each in lacking:
            if not _linked(repository, snapshot, each):
                _download(name, commit, each, snapshot)
        if cached_snapshot(source) != snapshot:
            _write_reference(_reference(repository, revision), commit)
    except OSError as error:
        raise UnwritableError(
            f'The cache {constants.HF_HUB_CACHE} cannot be written ({error.strerror}): make room, '
            'or name another folder in HF_HOME.'
        ) from error
    return bool(lacking)


def needed_files(names: Collection[str], with_weights: bool) -> list[str]:
    """Return which files of a model are used: of its tensors one format, none if it has no other.

    names: of all files of the model.
    """
    top = sorted(name for name in names if '/' not in name)
    chosen = [name for name in top if name.endswith(('.json', '.txt'))]
    if not with_weights:
        return chosen
    for stem, ending in (('model', '.safetensors'), ('pytorch_model', '.bin')):
        single = stem + ending
        parts = [name for name in top if name.startswith(f'{stem}-') and name.endswith(ending)]
        if single in top or parts:
            return chosen + ([single] if single in top else parts)
    return []


def _parts(source: str) -> tuple[str, str | None]:
    """Return the name and the revision of an id; None for the newest commit."""
    name, at, revision = source.partition('@')
    return name, revision if at else None


def _repository(name: str) -> Path:
    return Path(constants.HF_HUB_CACHE) / '--'.join(('models', *name.split('/')))


def _reference(repository: Path, revision: str | None) -> Path:
    """Return the file that has the commit of a branch or a tag, by default of the main branch."""
    return repository / 'refs' / (revision or 'main')


def _check_connection() -> None:
    """Raise HubUnreachableError unless the hub takes a connection within CONNECT_S.

    A request alone would look up its name without a limit, and wait for each of its addresses.
    """
    if constants.HF_HUB_OFFLINE:
        raise HubUnreachableError('HF_HUB_OFFLINE forbids it')
    address = urlsplit(constants.ENDPOINT)
    if getproxies().keys() & {address.scheme, 'all'}:
        return  # the proxy connects
    failures: list[str] = []

    def connect() -> None:
        try:
            port = address.port or (80 if address.scheme == 'http' else 443)
            socket.create_connection((address.hostname or '', port), _ADDRESS_S).close()
        except (OSError, ValueError) as error:
            failures.append(str(error))

    attempt = Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(CONNECT_S)
    if attempt.is_alive() or failures:
        reason = failures[0] if failures else f'no connection within {CONNECT_S:g} s'
        raise HubUnreachableError(f'{address.hostname or constants.ENDPOINT}: {reason}')


def _listing(source: str) -> tuple[str, dict[str, Any]]:
    """Return the commit of a model on the hub and its files, by name."""
    name, revision = _parts(source)
    try:
        api = HfApi(endpoint=constants.ENDPOINT)
        found = api.model_info(name, revision=revision, files_metadata=True, timeout=REQUEST_S)
        if not found.sha or found.siblings is None:
            raise ValueError('the answer lists no files')
    except RevisionNotFoundError as error:
        raise WeightsNotFoundError(
            f'The hub has no revision {revision} of {name}: correct what follows the @ of its id.'
        ) from error
    except RepositoryNotFoundError as error:
        raise WeightsNotFoundError(
            f'The hub has no model {name}, or none that you may read: correct its id, or log in '
            'with `hf auth login`.'
        ) from error
    except Exception as error:  # the client raises errors of many types for what it cannot read
        raise HubUnreachableError(_reason(error)) from error
    return found.sha, {each.rfilename: each for each in found.siblings}


def _download(source: str, commit: str, file: Any, snapshot: Path) -> None:
    target = snapshot / file.rfilename
    target.unlink(missing_ok=True)  # what is damaged, which the client would keep
    try:
        hf_hub_download(
            source,
            file.rfilename,
            revision=commit,
            etag_timeout=REQUEST_S,
            force_download=True,
            endpoint=constants.ENDPOINT,
        )
    except Exception as error:  # the client raises errors of many types
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the file system
        cause = error.__cause__ if isinstance(error, ValueError) and error.__cause__ else error
        raise HubUnreachableError(f'{file.rfilename}: {_reason(cause)}') from error
    if not _is_whole(target, file):
        target.unlink(missing_ok=True)
        raise WeightsNotFoundError(
            f'{file.rfilename} of {source} arrives damaged from the hub: fetch it again later, or '
            'over another network.'
        )


def _linked(repository: Path, snapshot: Path, file: Any) -> bool:
    """Return whether a file of another snapshot could be linked into this one."""
    content = repository / 'blobs' / (file.lfs.sha256 if file.lfs else file.blob_id or '')
    if not _is_whole(content, file):
        return False
    target = snapshot / file.rfilename
    try:
        snapshot.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(Path('..', '..', 'blobs', content.name))
    except OSError:  # a file system without links: the client copies
        return False
    return True


def _write_reference(reference: Path, commit: str) -> None:
    """Make a snapshot the newest, in one step, so that no reader sees a part of it."""
    reference.parent.mkdir(parents=True, exist_ok=True)
    written = reference.with_name(f'.{reference.name}-{os.getpid()}')
    written.write_text(commit, encoding='utf-8')
    written.replace(reference)


def _is_whole(path: Path, file: Any) -> bool:
    """Return whether a file on this machine has the size and the hash that the hub gives."""
    if not path.is_file():
        return False
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return False
    if file.lfs:
        return bool(_digest(path, hashlib.sha256()) == file.lfs.sha256)
    if not file.blob_id:
        return True
    git = hashlib.sha1(b'blob %d\0' % size, usedforsecurity=False)
    return bool(_digest(path, git) == file.blob_id)


def _digest(path: Path, digest: Any) -> str:
    with path.open('rb') as stream:
        while part := stream.read(_READ_BYTES):
            digest.update(part)
    return str(digest.hexdigest())


def _reason(error: BaseException) -> str:
    text = ' '.join(str(error).split()) or type(error).__name__
    return text[:200].rstrip('.')
