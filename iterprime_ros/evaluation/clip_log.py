"""The outcomes of following on disk: a line for each clip, appended once all followers are done.

The first line says what is evaluated, as in outcome_log.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterprime_ros.errors import UnwritableError
from iterprime_ros.evaluation.clip_outcome import (
    ClipOutcome,
    clip_outcome_as_json,
    clip_outcome_from_json,
)
from iterprime_ros.evaluation.outcome_log import InvalidLogError, OutcomeLog

CLIP_LOG_NAME = 'clips.jsonl'
_SHOWN = 5  # settings in an error


@dataclass(frozen=True)
class RecordedFollowing:
    """What a log holds.

    header: what is evaluated, value by name, as JSON knows them; 'clips' is how many there are.
    outcomes: by the position of the clip in the data set, then by the name of the follower.
    """

    header: Mapping[str, Any]
    outcomes: Mapping[int, Mapping[str, ClipOutcome]]

    def of(self, name: str) -> list[ClipOutcome]:
        """Return the outcomes of a follower, in the order of the data set."""
        return [self.outcomes[index][name] for index in sorted(self.outcomes)]


class ClipLog:
    """A log that is being written."""

    def __init__(self, lines: OutcomeLog) -> None:
        self._lines = lines

    def append(self, index: int, outcomes: Mapping[str, ClipOutcome]) -> None:
        """Write the line of a clip; index: of the clip in the data set. Raises UnwritableError."""
        followed = {name: clip_outcome_as_json(each) for name, each in outcomes.items()}
        self._lines.write({'index': index, 'followed': followed})


@contextmanager
def clip_log(
    folder: Path, header: Mapping[str, Any], resume: bool
) -> Iterator[tuple[ClipLog, set[int]]]:
    """Yield the log of an evaluation in a folder, and the positions of the clips that it has.

    header: see RecordedFollowing.
    resume: whether an evaluation that is there and not finished goes on.

    Raises InvalidLogError for another evaluation in the folder that is not finished, unless it goes
    on, for one that goes on and differs in its header, and for a folder that another process writes
    to; UnwritableError.
    """
    path = folder / CLIP_LOG_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = path.open('a+', encoding='utf-8', newline='\n')
    except OSError as error:
        raise UnwritableError(
            f'Cannot write {path} ({error.strerror}): name another folder with --out.'
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidLogError(
                f'Another process evaluates into {folder}: name another folder with --out.'
            ) from error
        done = _done(path, header, resume)
        stream.truncate(_whole_lines(path) if done is not None else 0)
        lines = OutcomeLog(stream, path)
        if done is None:
            lines.write(header)
        yield ClipLog(lines), done or set()


def read_clip_log(folder: Path) -> RecordedFollowing:
    """Return what the log in a folder holds; a last line that was not finished is left out.

    Raises InvalidLogError where there is no log, or it is damaged.
    """
    path = folder / CLIP_LOG_NAME
    try:
        lines = path.read_bytes().split(b'\n')[:-1]
        header, *contents = map(json.loads, lines)
        outcomes = {
            int(each['index']): {
                name: clip_outcome_from_json(one) for name, one in each['followed'].items()
            }
            for each in contents
        }
        if len(outcomes) < len(contents) or not set(outcomes) <= set(range(header['clips'])):
            raise ValueError('a clip that is twice in it, or not in the data set')
    except OSError as error:
        raise InvalidLogError(
            f'Cannot read {path} ({error.strerror}): name the folder of an evaluation.'
        ) from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise InvalidLogError(
            f'{path} was written by another version, or is damaged ({error}): remove it, and '
            'evaluate anew.'
        ) from error
    return RecordedFollowing(header, outcomes)


def _done(path: Path, header: Mapping[str, Any], resume: bool) -> set[int] | None:
    """Return the clips that the evaluation which goes on has, or None where one begins."""
    if not _whole_lines(path):
        return None
    found = read_clip_log(path.parent)
    if resume:
        expected = json.loads(json.dumps(header))
        names = expected.keys() | found.header.keys()
        other = sorted(n for n in names if expected.get(n) != found.header.get(n))
        if other:
            raise InvalidLogError(
                f'{path} belongs to another evaluation, which differs in '
                f'{", ".join(other[:_SHOWN])}: name another folder with --out, or evaluate as then.'
            )
        return set(found.outcomes)
    if len(found.outcomes) < found.header['clips']:
        raise InvalidLogError(
            f'{path.parent} holds an evaluation that was not finished ({len(found.outcomes)} of '
            f'{found.header["clips"]} clips): go on with --resume, name another folder with --out, '
            f'or remove {path}.'
        )
    return None


def _whole_lines(path: Path) -> int:
    """Return the bytes of a file up to the end of its last whole line."""
    return path.read_bytes().rfind(b'\n') + 1
