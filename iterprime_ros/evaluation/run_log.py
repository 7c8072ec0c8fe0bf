"""What an evaluation has done so far, on disk: a line for each item, appended once it is done.

An item is an image, or a clip, by its position in the data set. The first line says what is
evaluated. A process that is killed loses the item that it was at: what it wrote of that line is
dropped when the evaluation goes on.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar

from iterprime_ros.errors import IterprimeError, UnwritableError
from iterprime_ros.evaluation.json_lines import append_line, lock
from iterprime_ros.render import atomic_write

Item = TypeVar('Item')
_SHOWN = 5  # settings in an error


class InvalidLogError(IterprimeError):
    """A log that is damaged, or does not belong to the evaluation at hand."""


@dataclass(frozen=True)
class LogFormat(Generic[Item]):
    """What the lines of a log are.

    name: of the file.
    items: what they are, in the plural, for messages.
    expected: returns the positions of all items of the evaluation that a header describes.
    to_json: returns an item as JSON can write it.
    from_json: returns the item of that. Raises AttributeError, KeyError, TypeError or ValueError
        for anything else.
    """

    name: str
    items: str
    expected: Callable[[Mapping[str, Any]], range]
    to_json: Callable[[Item], dict[str, Any]]
    from_json: Callable[[dict[str, Any]], Item]


class RunLog(Generic[Item]):
    """A log that is being written.

    done: positions of the items that it had at the start.
    """

    def __init__(
        self, stream: TextIO, path: Path, form: LogFormat[Item], done: frozenset[int]
    ) -> None:
        self._stream, self._path, self._form = stream, path, form
        self.done = done

    def append(self, index: int, item: Item) -> None:
        """Write the line of an item; index: its position. Raises UnwritableError."""
        self.write({'index': index, **self._form.to_json(item)})

    def write(self, content: Mapping[str, Any]) -> None:
        """Write a line. Raises UnwritableError."""
        try:
            append_line(self._stream, content)
        except OSError as error:
            raise _unwritable(self._path, error) from error


@contextmanager
def run_log(
    folder: Path, form: LogFormat[Item], header: Mapping[str, Any], resume: bool
) -> Iterator[RunLog[Item]]:
    """Yield the log of an evaluation in a folder, which is made where it does not exist.

    header: what is evaluated.
    resume: whether an evaluation that is there and not finished goes on.

    A finished evaluation of the same header is replaced, unless it goes on.

    Raises InvalidLogError for an evaluation in the folder that differs in its header, for one that
    is not finished and shall not go on, and for a folder that another process writes to;
    UnwritableError.
    """
    path = folder / form.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = path.open('a+', encoding='utf-8', newline='\n')
    except OSError as error:
        raise _unwritable(path, error) from error
    with stream:
        _lock(stream, path)
        done = _done(path, form, header, resume)
        stream.truncate(_whole_lines(path) if done is not None else 0)
        log = RunLog(stream, path, form, done or frozenset())
        if done is None:
            log.write(header)
        yield log


def read_run_log(folder: Path, form: LogFormat[Item]) -> tuple[dict[str, Any], dict[int, Item]]:
    """Return the header of the log in a folder, and its items by position in the order written.

    A last line that was not finished is left out.

    Raises InvalidLogError where there is no log, or it is damaged.
    """
    path = folder / form.name
    try:
        lines = path.read_bytes().split(b'\n')[:-1]
    except OSError as error:
        raise InvalidLogError(
            f'Cannot read {path} ({error.strerror}): name the folder of an evaluation.'
        ) from error
    if not lines:
        raise InvalidLogError(f'{path} is empty: remove it, and evaluate anew.')
    header, *contents = (_parsed(path, number, line) for number, line in enumerate(lines, 1))
    items: dict[int, Item] = {}
    try:
        expected = form.expected(header)
        for content in contents:
            index = content.pop('index')
            if index in items or index not in expected:
                raise ValueError(f'{index} is there twice, or is not in the data set')
            items[index] = form.from_json(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidLogError(
            f'{path} was written by another version, or is damaged ({error}): remove it, and '
            'evaluate anew.'
        ) from error
    return header, items


def sort_run_log(folder: Path, form: LogFormat[Item]) -> None:
    """Put the lines of the log in a folder in the order of their positions, in one step.

    A process that is killed leaves the one order or the other. Raises UnwritableError.
    """
    path = folder / form.name
    header, *lines = path.read_bytes().splitlines(keepends=True)
    in_order = sorted(lines, key=lambda line: json.loads(line)['index'])
    if lines != in_order:
        with atomic_write(path) as part:
            part.write_bytes(b''.join([header, *in_order]))


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return the names of the values in which two headers differ, a few, or ''."""
    names = sorted(n for n in one.keys() | other.keys() if one.get(n) != other.get(n))
    return ', '.join(names[:_SHOWN])


def _done(
    path: Path, form: LogFormat[Item], header: Mapping[str, Any], resume: bool
) -> frozenset[int] | None:
    """Return the items that the evaluation which goes on has, or None where one begins."""
    if not _whole_lines(path):
        return None
    before, items = read_run_log(path.parent, form)
    if other := differing(before, json.loads(json.dumps(header))):
        raise InvalidLogError(
            f'{path} belongs to another evaluation, which differs in {other}: name another folder '
            'with --out, evaluate as then, or remove that file.'
        )
    if resume:
        return frozenset(items)
    total = len(form.expected(before))
    if len(items) < total:
        raise InvalidLogError(
            f'{path.parent} holds an evaluation that was not finished ({len(items)} of {total} '
            f'{form.items}): go on with --resume, name another folder with --out, or remove {path}.'
        )
    return None


def _lock(stream: TextIO, path: Path) -> None:
    try:
        lock(stream)
    except BlockingIOError as error:
        raise InvalidLogError(
            f'Another process evaluates into {path.parent}: name another folder with --out.'
        ) from error


def _whole_lines(path: Path) -> int:
    """Return the bytes of a file up to the end of its last whole line."""
    return path.read_bytes().rfind(b'\n') + 1


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InvalidLogError(
            f'Line {number} of {path} is damaged: remove the file, and evaluate anew.'
        )
    return content


def _unwritable(path: Path, error: OSError) -> UnwritableError:
    return UnwritableError(
        f'Cannot write {path} ({error.strerror}): make room, or name another folder with --out.'
    )
