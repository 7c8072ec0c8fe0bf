"""What a run over image files has answered so far, on disk, so that the same command goes on.

The first line says what is asked; each other one is an image with its answers, appended once it is
answered. What a process that was killed has written of a line is dropped.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from iterprime_ros.cluster.segment_images import AnsweredFile, ImageAnswer
from iterprime_ros.errors import IterprimeError, UnwritableError
from iterprime_ros.evaluation.json_lines import append_line, lock

_BEGIN = b'{"asked":'


class InvalidAnswerLogError(IterprimeError):
    """A log that is damaged, in use, or of a run that asks something else."""


class AnswerLog:
    """A log that is being written."""

    def __init__(
        self, stream: TextIO | None, path: Path, before: Mapping[str, dict[str, Any]]
    ) -> None:
        self._stream, self._path, self._before = stream, path, before

    def answered(self, file: Path, outputs: Sequence[Mapping[str, Path]]) -> AnsweredFile | None:
        """Return the answers about an image that the log had at the start, or None.

        outputs: of each command. Where one of them is not there any more, or the image was changed
            since, the answers do not count.
        """
        line = self._before.get(str(file))
        if line is None or line['stamp'] != _stamp(file):
            return None
        if not all(path.is_file() for each in outputs for path in each.values()):
            return None
        return AnsweredFile(
            tuple(
                ImageAnswer(each['status'], tuple(each['lines']), each['report'])
                for each in line['answers']
            )
        )

    def append(self, file: Path, answered: AnsweredFile) -> None:
        """Write the answers about an image. Raises UnwritableError."""
        answers = [asdict(each) for each in answered.answers]
        self.write({'image': str(file), 'stamp': _stamp(file), 'answers': answers})

    def write(self, content: Mapping[str, Any]) -> None:
        """Write a line. Raises UnwritableError."""
        if self._stream is None:
            return
        try:
            append_line(self._stream, content)
        except OSError as error:
            raise _unwritable(self._path, error) from error


@contextmanager
def answer_log(path: Path | None, asked: Mapping[str, Any]) -> Iterator[AnswerLog]:
    """Yield the log in a file, which is made where it does not exist; with None, one of nothing.

    asked: what is asked about every image, and of which models.

    Raises InvalidAnswerLogError for a file that is no such log, that is of a run that asked
    something else, or that another process writes to; UnwritableError.
    """
    if path is None:
        yield AnswerLog(None, Path(), {})
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open('a+', encoding='utf-8', newline='\n')
    except OSError as error:
        raise _unwritable(path, error) from error
    with stream:
        _lock(stream, path)
        content = path.read_bytes()
        whole = content.rfind(b'\n') + 1
        if not (content.startswith(_BEGIN) or _BEGIN.startswith(content)):
            raise InvalidAnswerLogError(
                f'{path} is no log of answers: name another file with --log.'
            )
        before = _answers(path, content[:whole], json.loads(json.dumps(asked)))
        stream.truncate(whole)
        log = AnswerLog(stream, path, before)
        if not whole:
            log.write({'asked': asked})
        yield log


def _answers(path: Path, content: bytes, asked: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the lines of a log by image, the newest of each; none of an empty log."""
    if not content:
        return {}
    try:
        header, *lines = map(json.loads, content.splitlines())
        before, found = header['asked'], {line['image']: line for line in lines}
        if any({'stamp', 'answers'} - line.keys() for line in lines):
            raise ValueError('a line lacks a field')
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidAnswerLogError(
            f'{path} is damaged ({error}): remove it, and ask anew.'
        ) from error
    names = [name for name in asked if before.get(name) != asked[name]]
    if names:
        raise InvalidAnswerLogError(
            f'{path} is the log of another run, which differs in {", ".join(names)}: name another '
            'file with --log, or remove it.'
        )
    return found


def _stamp(file: Path) -> list[int] | None:
    """Return what tells whether a file was changed; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _lock(stream: TextIO, path: Path) -> None:
    try:
        lock(stream)
    except BlockingIOError as error:
        raise InvalidAnswerLogError(
            f'Another process writes to {path}: name another file with --log.'
        ) from error


def _unwritable(path: Path, error: OSError) -> UnwritableError:
    return UnwritableError(
        f'Cannot write {path} ({error.strerror}): make room, or name another file with --log.'
    )
