"""The option --look: answers in the viewer Rerun, in the browser or in a file."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.cli.standard_streams import complain
from iterprime_ros.errors import InvalidSettingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iterprime_ros.answer import Segmentation
    from iterprime_ros.video_files.following import FollowedObject
    from iterprime_ros.video_files.frames import Frame
    from iterprime_ros.viewer.recorder import Recorder, Timeline

    LogAnswer = Callable[[NDArray[np.uint8], str, Segmentation], None]
    LogFrame = Callable[[Frame, Sequence[FollowedObject]], None]


def add_look(parser: argparse.ArgumentParser) -> None:
    """Add the option --look."""
    parser.add_argument(
        '--look',
        nargs='?',
        const='',
        metavar='FILE.rrd',
        help='look at every answer in Rerun, in the browser until Ctrl-C, or save it for that in '
        'FILE.rrd; last of the arguments, or before another option',
    )


def check_look(options: argparse.Namespace) -> None:
    """Raise what stands against --look before any work is done.

    Raises InvalidSettingError for a file of another name and together with --ray, and
    MissingDependencyError without Rerun.
    """
    if options.look is None:
        return
    if getattr(options, 'ray', None) is not None:
        raise InvalidSettingError('--look and --ray cannot be used together: leave one out.')
    from iterprime_ros.viewer.recorder import check_file
    from iterprime_ros.viewer.server import require_rerun

    require_rerun()
    if options.look:
        check_file(Path(options.look))


@contextmanager
def looking(look: str | None, timeline: 'Timeline') -> 'Iterator[Recorder | None]':
    """Yield what answers are logged to; at the end, keep a page open until Ctrl-C.

    look: what --look gives; None: nothing is logged.
    """
    if look is None:
        yield None
        return
    from iterprime_ros.viewer.recorder import Recorder, open_browser

    recorder = Recorder(timeline, Path(look) if look else None)
    try:
        if recorder.url:
            is_open = open_browser(recorder.url)
            complain(f'{"Opened" if is_open else "Open in a browser:"} {recorder.url}')
        yield recorder
        recorder.wait(lambda: complain('Everything is shown. Ctrl-C ends.'))
    finally:
        recorder.close()
    if look:
        complain(f'Written: {look}')


def answer_log(
    recorder: 'Recorder | None',
    depth: 'NDArray[np.float32] | None',
    intrinsics: tuple[float, float, float, float] | None,
) -> 'LogAnswer':
    """Return what logs an answer about an image, (H, W, 3) uint8 RGB, with its command."""
    count = 0

    def log(image: 'NDArray[np.uint8]', command: str, answer: 'Segmentation') -> None:
        nonlocal count
        if recorder is None:
            return
        from iterprime_ros.geometry.pinhole import Pinhole
        from iterprime_ros.viewer.answers import log_answer

        height, width = image.shape[:2]
        pinhole = Pinhole(*intrinsics, width, height) if intrinsics else None
        recorder.at(count)
        log_answer(recorder, image, command, answer, depth, pinhole)
        count += 1

    return log


def frame_log(recorder: 'Recorder | None') -> 'LogFrame':
    """Return what logs a frame of a video with the objects that are followed in it."""
    before: list[FollowedObject] = []

    def log(frame: 'Frame', followed: 'Sequence[FollowedObject]') -> None:
        if recorder is None:
            return
        from iterprime_ros.viewer.answers import log_heatmaps, log_verdict
        from iterprime_ros.viewer.pictures import log_image
        from iterprime_ros.viewer.tracks import log_state, log_tracks

        recorder.at(frame.seconds)
        log_image(recorder.stream, frame.image)
        for n, each in enumerate(followed):
            if not before or before[n].answer is not each.answer:
                log_verdict(recorder, each.command, each.answer)
                log_heatmaps(recorder, frame.image, each.answer)
            if each.tracked and (not before or before[n].state != each.state):
                log_state(recorder, each.expression, each.tracked)
        log_tracks(recorder, [each.tracked for each in followed])
        before[:] = followed

    return log
