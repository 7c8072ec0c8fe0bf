"""Follows the objects of clips, frame by frame, and compares them with the ground truth."""

import time
from collections.abc import Mapping

import numpy as np

from iterprime_ros.evaluation.clip_outcome import ClipOutcome
from iterprime_ros.evaluation.datasets.clips import AnnotatedClip, ClipFrame
from iterprime_ros.evaluation.followers import Follower
from iterprime_ros.evaluation.mask_rle import encoded
from iterprime_ros.evaluation.video_metrics import (
    boundary_accuracy,
    object_under,
    region_similarity,
)
from iterprime_ros.tracking.track import TrackedMask, TrackState

_DIGITS = 6  # of J and F in files; of times 3


def follow_clip(
    clip: AnnotatedClip, followers: Mapping[str, Follower], image_only: bool = False
) -> dict[str, ClipOutcome]:
    """Return the outcome of every follower by its name; each frame is read once for all.

    image_only: whether depth and calibration are withheld.
    """
    columns: dict[str, list[tuple]] = {name: [] for name in followers}
    for follower in followers.values():
        follower.start(clip.command)
    for frame in clip.frames():
        sensed = (None, None) if image_only else (frame.depth, frame.pinhole)
        for name, follower in followers.items():
            started = time.perf_counter(), time.process_time()
            tracked = follower.follow(frame.image, *sensed)
            ended = time.perf_counter(), time.process_time()
            spent = (round(1e3 * (b - a), 3) for a, b in zip(started, ended, strict=True))
            columns[name].append((*_compared(frame, tracked), *spent))
    return {
        name: _outcome(clip, tuple(map(tuple, zip(*rows, strict=True))))
        for name, rows in columns.items()
    }


def _compared(frame: ClipFrame, tracked: TrackedMask) -> tuple:
    """Return J, F, the area of the target, the object under the mask, the state, and the mask.

    What is said to be LOST has no mask.
    """
    mask, target, others = tracked.mask, frame.target, frame.others
    if tracked.state is TrackState.LOST:
        mask = np.zeros_like(mask)
    if frame.void is not None:
        mask, target, others = mask & ~frame.void, target & ~frame.void, others & ~frame.void
    return (
        round(region_similarity(mask, target), _DIGITS),
        round(boundary_accuracy(mask, target), _DIGITS),
        int(np.count_nonzero(target)),
        object_under(mask, target, others),
        tracked.state.value,
        encoded(mask),
    )


def _outcome(clip: AnnotatedClip, columns: tuple[tuple, ...]) -> ClipOutcome:
    similarity, accuracy, areas, objects, states, masks, wall_ms, cpu_ms = columns
    return ClipOutcome(
        clip_id=clip.clip_id,
        video_id=clip.video_id,
        group=clip.group,
        expression=clip.expression,
        similarity=similarity,
        accuracy=accuracy,
        areas=areas,
        objects=objects,
        states=states,
        wall_ms=wall_ms,
        cpu_ms=cpu_ms,
        masks=masks,
    )
