"""What a track says of its object in an image, as an answer."""

from dataclasses import replace

import numpy as np

from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.tracking.track import TrackedMask, TrackState

_NAN = float('nan')


def tracked_answer(first: Segmentation, tracked: TrackedMask) -> Segmentation:
    """Return the answer on a later image of a track.

    first: the answer that the track started with.
    tracked: the object in the later image.

    What was computed for the first answer only, such as its probability, is NaN or empty. Unless
    the object is certain to be there, the answer is NOT_FOUND.
    """
    shape, expression = tracked.mask.shape, first.command.expression if first.command else ''
    is_there = tracked.state is TrackState.TRACKING
    return replace(
        first,
        status=Status.FOUND if is_there else Status.NOT_FOUND,
        text=_sentence(expression, tracked),
        mask=tracked.mask if is_there else np.zeros(shape, dtype=bool),
        heatmap=np.broadcast_to(np.float32(0), shape),
        match_probability=_NAN,
        candidates=(Candidate(tracked.mask, _NAN, _NAN, _NAN),) if is_there else (),
        instance_count=1 if is_there else 0,
        rounds=(),
        word_heatmaps=(),
        parts=None,
        notes=(),
        milliseconds={},
    )


def _sentence(expression: str, tracked: TrackedMask) -> str:
    name = f'"{expression}"'
    if tracked.state is TrackState.TRACKING:
        return f'Tracking {name} (confidence {tracked.confidence:.2f}).'
    if tracked.state is TrackState.LOST:
        return f'Lost {name}: it is not to be seen, and is searched for.'
    if tracked.mask.any():
        return (
            f'Not sure where {name} is (confidence {tracked.confidence:.2f}); candidates has the '
            'best guess.'
        )
    return f'Not sure where {name} is; it may be hidden.'
