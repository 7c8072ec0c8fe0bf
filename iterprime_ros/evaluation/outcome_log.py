"""The outcomes of an evaluation on disk: a line for each image, appended once it is answered.

The first line says what is evaluated. A process that is killed loses the image that it was at: what
it wrote of that image's line is dropped when the evaluation goes on.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from iterprime_ros.errors import IterprimeError, UnwritableError
from iterprime_ros.evaluation.outcome import Outcome, outcome_as_json, outcome_from_json

LOG_NAME = 'outcomes.jsonl'
PROFILE = 'profile'  # whose answers these are, where they are no baseline's
_SHOWN = 5  # settings, or images, in an error


class InvalidLogError(IterprimeError):
    """A log of outcomes that is damaged, or does not belong to the evaluation at hand."""


@dataclass(frozen=True)
class RecordedAnswer:
    """An answer as the log keeps it.

    expression: the referring expression of the question.
    outcome: the answer compared with the ground truth.
    mask: of the answer, in COCO's run-length encoding.
    """

    expression: str
    outcome: Outcome
    mask: Mapping[str, Any]


@dataclass(frozen=True)
class AnsweredImage:
    """The answers to all questions about an image.

    index: of the image in the data set.
    has_depth: whether depth was given.
    answers: to each question in order, by the name of the baseline, or PROFILE.
    """

    index: int
    has_depth: bool
    answers: Mapping[str, tuple[RecordedAnswer, ...]]


@dataclass(frozen=True)
class RecordedEvaluation:
    """What a log holds.

    header: what is evaluated, value by name, as JSON knows them.
    images: in the order of the log.
    """

    header: Mapping[str, Any]
    images: tuple[AnsweredImage, ...]

    @property
    def indices(self) -> range:
        """The images of the data set that are to be answered: all, or those of a shard."""
        return shard_indices(self.header['images'], self.header['shard'])

    def outcomes(self, name: str = PROFILE) -> list[Outcome]:
        """Return the outcomes of every question, of a baseline or of PROFILE."""
        return [each.outcome for image in self.images for each in image.answers[name]]


def shard_indices(count: int, shard: Sequence[int]) -> range:
    """Return the images of a shard [k, n]: each n-th of a number of images, from the k-th on."""
    number, total = shard
    return range(number - 1, count, total)


class OutcomeLog:
    """A log that is being written.

    stream: positioned at the end of the last whole line.
    """

    def __init__(self, stream: TextIO, path: Path) -> None:
        self._stream, self._path = stream, path

    def append(self, image: AnsweredImage) -> None:
        """Write the line of an image. Raises UnwritableError."""
        self.write(_image_as_json(image))

    def write(self, content: Mapping[str, Any]) -> None:
        """Write a line. Raises UnwritableError."""
        try:
            self._stream.write(json.dumps(content, separators=(',', ':')) + '\n')
            self._stream.flush()
        except OSError as error:
            raise _unwritable(self._path, error) from error


@contextmanager
def outcome_log(
    folder: Path, header: Mapping[str, Any], resume: bool
) -> Iterator[tuple[OutcomeLog, set[int]]]:
    """Yield the log of an evaluation in a folder, and the indices of the images that it has.

    header: what is evaluated; 'images' in it is their number in the data set, 'shard' is [k, n].
    resume: whether an evaluation that is there and not finished goes on.

    Raises InvalidLogError for another evaluation in the folder that is not finished, unless it goes
    on, for one that goes on and differs in its header, and for a folder that another process writes
    to; UnwritableError.
    """
    path = folder / LOG_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = path.open('a+', encoding='utf-8', newline='\n')
    except OSError as error:
        raise _unwritable(path, error) from error
    with stream:
        _lock(stream, path)
        done = _done(path, header, resume)
        stream.truncate(_whole_lines(path) if done is not None else 0)
        log = OutcomeLog(stream, path)
        if done is None:
            log.write(header)
        yield log, done or set()


def read_log(folder: Path) -> RecordedEvaluation:
    """Return what the log in a folder holds; a last line that was not finished is left out.

    Raises InvalidLogError where there is no log, or it is damaged.
    """
    path = folder / LOG_NAME
    try:
        lines = path.read_bytes().split(b'\n')[:-1]
    except OSError as error:
        raise InvalidLogError(
            f'Cannot read {path} ({error.strerror}): name the folder of an evaluation.'
        ) from error
    if not lines:
        raise InvalidLogError(f'{path} is empty: remove it, and evaluate anew.')
    contents = [_parsed(path, number, line) for number, line in enumerate(lines, 1)]
    try:
        images = tuple(map(_image_from_json, contents[1:]))
        found = RecordedEvaluation(contents[0], images)
        known = {image.index for image in images} <= set(found.indices)
        if not known or len({image.index for image in images}) < len(images):
            raise ValueError('an image that is twice in it, or not in the data set')
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidLogError(
            f'{path} was written by another version, or is damaged ({error}): remove it, and '
            'evaluate anew.'
        ) from error
    return found


def _done(path: Path, header: Mapping[str, Any], resume: bool) -> set[int] | None:
    """Return the images that the evaluation which goes on has, or None where one begins."""
    if not _whole_lines(path):
        return None
    found = read_log(path.parent)
    done = {image.index for image in found.images}
    if resume:
        names = header.keys() | found.header.keys()
        expected = json.loads(json.dumps(header))
        other = sorted(n for n in names if expected.get(n) != found.header.get(n))
        if other:
            raise InvalidLogError(
                f'{path} belongs to another evaluation, which differs in '
                f'{", ".join(other[:_SHOWN])}: name another folder with --out, or evaluate as then.'
            )
        return done
    if len(done) < len(found.indices):
        raise InvalidLogError(
            f'{path.parent} holds an evaluation that was not finished ({len(done)} of '
            f'{len(found.indices)} images): go on with --resume, name another folder with --out, '
            f'or remove {path}.'
        )
    return None


def _lock(stream: TextIO, path: Path) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidLogError(
            f'Another process evaluates into {path.parent}: name another folder with --out.'
        ) from error
    except OSError:  # a file system without locks
        return


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


def _image_as_json(image: AnsweredImage) -> dict[str, Any]:
    answers = {
        name: [
            {
                'expression': each.expression,
                'outcome': outcome_as_json(each.outcome),
                'mask': each.mask,
            }
            for each in some
        ]
        for name, some in image.answers.items()
    }
    return {'index': image.index, 'has_depth': image.has_depth, 'answers': answers}


def _image_from_json(content: Mapping[str, Any]) -> AnsweredImage:
    answers = {
        name: tuple(
            RecordedAnswer(
                each['expression'], outcome_from_json(each['outcome']), dict(each['mask'])
            )
            for each in some
        )
        for name, some in content['answers'].items()
    }
    return AnsweredImage(int(content['index']), bool(content['has_depth']), answers)


def _unwritable(path: Path, error: OSError) -> UnwritableError:
    return UnwritableError(
        f'Cannot write {path} ({error.strerror}): make room, or name another folder with --out.'
    )
