"""What was followed through a clip compared with the ground truth, and its form in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.evaluation.video_metrics import (
    TARGET,
    Absence,
    absences,
    identity_switches,
)
from iterprime_ros.tracking.track import TrackState


@dataclass(frozen=True)
class ClipOutcome:
    """What was followed through a clip of N frames, compared with the ground truth.

    clip_id, video_id, group, expression: of the clip.
    similarity: J of every frame, in [0, 1].
    accuracy: F of every frame, in [0, 1].
    areas: visible pixels of the target.
    objects: number of the object that the mask lies on, 0 for the target; None for none.
    states: value of TrackState.
    wall_ms, cpu_ms: what a frame took, from the image to the mask; the latter over all threads.
    masks: in COCO's run-length encoding.
    """

    clip_id: str
    video_id: str
    group: str
    expression: str
    similarity: tuple[float, ...]
    accuracy: tuple[float, ...]
    areas: tuple[int, ...]
    objects: tuple[int | None, ...]
    states: tuple[str, ...]
    wall_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    masks: tuple[Mapping[str, Any], ...]

    @property
    def j(self) -> float:
        """The mean of J over all frames."""
        return float(np.mean(self.similarity))

    @property
    def f(self) -> float:
        """The mean of F over all frames."""
        return float(np.mean(self.accuracy))

    @property
    def j_and_f(self) -> float:
        """The mean of both."""
        return (self.j + self.f) / 2

    @property
    def switches(self) -> int:
        """See video_metrics.identity_switches."""
        return identity_switches(self.objects)

    @property
    def on_others(self) -> int:
        """Number of frames whose mask lies on another object than the target."""
        return sum(each not in (None, TARGET) for each in self.objects)

    @property
    def absences(self) -> list[Absence]:
        """The times without the target."""
        is_lost = [each == TrackState.LOST.value for each in self.states]
        return absences(self.areas, is_lost, self.objects)

    @property
    def steps(self) -> NDArray[np.float64]:
        """(N - 1, 2), milliseconds of wall and CPU of every frame but the first."""
        return np.array([self.wall_ms[1:], self.cpu_ms[1:]], dtype=np.float64).T


def clip_outcome_as_json(outcome: ClipOutcome) -> dict[str, Any]:
    """Return the fields of an outcome as JSON can write them."""
    return {each.name: getattr(outcome, each.name) for each in fields(outcome)}


def clip_outcome_from_json(content: Mapping[str, Any]) -> ClipOutcome:
    """Return the outcome that `clip_outcome_as_json` made these fields of.

    Raises TypeError for fields that are missing or unknown, ValueError for frames that are not as
    many in each.
    """
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
    }
    outcome = ClipOutcome(**values)
    if len({len(value) for value in values.values() if isinstance(value, tuple)}) != 1:
        raise ValueError(f'clip {outcome.clip_id} with fields of different lengths')
    return outcome
