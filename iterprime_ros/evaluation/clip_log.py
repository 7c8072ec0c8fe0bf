"""The outcomes of following, clip by clip, and their log."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterprime_ros.evaluation.clip_outcome import (
    ClipOutcome,
    clip_outcome_as_json,
    clip_outcome_from_json,
)
from iterprime_ros.evaluation.run_log import LogFormat, read_run_log

Followed = Mapping[str, ClipOutcome]  # the outcomes of a clip by the name of the follower


@dataclass(frozen=True)
class RecordedFollowing:
    """What a log holds.

    header: what is evaluated, value by name, as JSON knows them; 'clips' is how many there are.
    outcomes: by the position of the clip in the data set, then by the name of the follower.
    """

    header: Mapping[str, Any]
    outcomes: Mapping[int, Followed]

    def of(self, name: str) -> list[ClipOutcome]:
        """Return the outcomes of a follower, in the order of the data set."""
        return [self.outcomes[index][name] for index in sorted(self.outcomes)]


def read_clip_log(folder: Path) -> RecordedFollowing:
    """Return what the log in a folder holds. Raises InvalidLogError."""
    return RecordedFollowing(*read_run_log(folder, CLIPS))


def _as_json(followed: Followed) -> dict[str, Any]:
    return {'followed': {name: clip_outcome_as_json(each) for name, each in followed.items()}}


def _from_json(content: Mapping[str, Any]) -> Followed:
    return {name: clip_outcome_from_json(each) for name, each in content['followed'].items()}


CLIPS = LogFormat(
    'clips.jsonl', 'clips', lambda header: range(header['clips']), _as_json, _from_json
)
