"""Tracked objects, logged frame by frame."""

from collections.abc import Sequence

from iterprime_ros.tracking.track import TrackedMask
from iterprime_ros.viewer.layout import CHANCE, HISTORY
from iterprime_ros.viewer.pictures import log_masks
from iterprime_ros.viewer.recorder import Recorder


def log_tracks(recorder: Recorder, tracked: Sequence[TrackedMask | None]) -> None:
    """Log the masks of the objects in a frame, and how sure each is; None before its track."""
    shown = [each.mask for each in tracked if each]
    if shown:
        empty = shown[0] & False
        log_masks(recorder.stream, [each.mask if each else empty for each in tracked])
    for n, each in enumerate(tracked):
        if each:
            recorder.plot(CHANCE, {f'track {n}': each.confidence})


def log_state(recorder: Recorder, expression: str, tracked: TrackedMask) -> None:
    """Log the state of a track; for the frames in which it changes."""
    import rerun

    line = f'"{expression}" is {tracked.state.name}.'
    recorder.stream.log(HISTORY, rerun.TextLog(line, level='INFO'))
