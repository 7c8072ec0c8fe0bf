"""What `iterprime segment --track` does: follow what each command refers to, frame by frame."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.cli.exit_codes import FOUND, NOT_FOUND, WRONG_USE
from iterprime_ros.cli.interrupts import defer_interrupt
from iterprime_ros.cli.look_output import frame_log, looking
from iterprime_ros.cli.standard_streams import complain, say
from iterprime_ros.errors import InvalidImageError, InvalidSettingError

if TYPE_CHECKING:
    from iterprime_ros.cli.look_output import LogFrame
    from iterprime_ros.video_files.following import FollowedObject, Following
    from iterprime_ros.video_files.frames import Frame, FrameSequence
    from iterprime_ros.video_files.writers import FrameWriter


def track_objects(
    options: argparse.Namespace, path: Path, overlay: Path | None, mask: Path | None
) -> int:
    """Follow the object of each command, and return the exit code.

    path: a video or a folder of frames.
    overlay: the video, animated picture or folder to write; None for none.
    mask: the folder for masks; with several commands one folder in it for each.

    Raises an IterprimeError where the options cannot be used together, or name what cannot be used.
    """
    for name in ('explain', 'depth', 'intrinsics'):
        if getattr(options, name) is not None:
            raise InvalidSettingError(
                f'--{name} is of one image: leave it out, or leave --track out and name an image.'
            )
    from iterprime_ros.video_files.frames import open_sequence
    from iterprime_ros.video_files.writers import FolderWriter, check_outputs, frame_writer

    sequence = open_sequence(path)
    check_outputs(overlay, mask, sequence)
    for each in sequence.skipped:
        complain(f'{each} is no regular file and is skipped.')
    followings = _followings(options)
    masks: list[FrameWriter] = []
    if mask:
        several = len(followings) > 1
        masks = [FolderWriter(mask / str(n) if several else mask) for n in range(len(followings))]
    with defer_interrupt():
        overlays = frame_writer(overlay, sequence) if overlay else None
    with looking(options.look, 'video') as recorder:
        log = frame_log(recorder)
        code = _follow(sequence, followings, overlays, masks, options.json, log)
        if overlays:
            overlays.finish()
            with defer_interrupt():
                overlays.publish()
        if overlay or mask:
            complain(f'Written: {", ".join(str(each) for each in (overlay, mask) if each)}')
    return code


def _followings(options: argparse.Namespace) -> 'list[Following]':
    """Return what follows the object of each command."""
    from iterprime_ros.pipeline import IteRPrimE
    from iterprime_ros.tracking.tracker import load_tracker
    from iterprime_ros.video_files.following import Following
    from iterprime_ros.weights import Placement

    model = IteRPrimE.from_profile(options.profile, options.device, options.offline)
    if model.profile.notice:
        complain(model.profile.notice)
    placement = Placement.named(
        options.device, model.profile.encoder_dtype, options.offline, options.profile
    )
    return [
        Following(command, model, load_tracker(model, placement)) for command in options.command
    ]


def _follow(
    sequence: 'FrameSequence',
    followings: 'Sequence[Following]',
    overlays: 'FrameWriter | None',
    masks: 'Sequence[FrameWriter]',
    as_json: bool,
    log: 'LogFrame',
) -> int:
    """Follow all objects to the end of a sequence, and return the exit code."""
    from tqdm import tqdm

    from iterprime_ros.video_files.frames import read_frames
    from iterprime_ros.video_files.track_report import track_report

    problems = []
    newest: list[FollowedObject] = []
    states: list[Counter[str]] = [Counter() for _ in followings]
    with tqdm(total=sequence.count or None, unit='frame', disable=None) as bar:

        def report(problem: InvalidImageError) -> None:
            problems.append(problem)
            with bar.external_write_mode():
                complain(problem)

        for frame in read_frames(sequence, report):
            before, newest = newest, [each.step(frame.image) for each in followings]
            with defer_interrupt():
                _write(frame, newest, overlays, masks)
                log(frame, newest)
            with bar.external_write_mode():
                for n, each in enumerate(newest):
                    states[n][each.state] += 1
                    if as_json:
                        say(track_report(frame, each))
                    else:
                        _say_news(frame, before[n] if before else None, each, followings[n])
            bar.update()
    if not newest:
        raise InvalidImageError(f'{sequence.path} has no frame that can be read: replace it.')
    if not as_json:
        for count, each in zip(states, newest, strict=True):
            frames = ', '.join(f'{state} in {number}' for state, number in count.most_common())
            say(f'{sequence.path}: "{each.expression}" is {frames} of {count.total()} frames.')
    if problems:
        return WRONG_USE
    return FOUND if all(each.tracked for each in newest) else NOT_FOUND


def _write(
    frame: 'Frame',
    followed: 'Sequence[FollowedObject]',
    overlays: 'FrameWriter | None',
    masks: 'Sequence[FrameWriter]',
) -> None:
    import numpy as np

    from iterprime_ros.video_files.track_report import tracked_overlay

    if overlays:
        overlays.add(frame.number, tracked_overlay(frame.image, followed))
    for writer, each in zip(masks, followed, strict=False):  # no writers where none are asked for
        size = frame.image.shape[:2]
        mask = each.tracked.mask if each.tracked else np.zeros(size, bool)
        writer.add(frame.number, mask.astype(np.uint8) * 255)


def _say_news(
    frame: 'Frame', before: 'FollowedObject | None', now: 'FollowedObject', following: 'Following'
) -> None:
    """Print a sentence where a frame brings something new about an object."""
    place = f'{frame.path} frame {frame.number} ({frame.seconds:.2f} s)'
    is_start = now.tracked is not None and (before is None or before.tracked is None)
    if before is None or is_start:
        remarks = list(now.answer.notes)
        if now.tracked is None:
            remarks.append(f'It is looked for again after every {following.search_every} frames.')
        elif now.answer.instance_count > 1:
            remarks.append('The first of them is followed.')
        say('\n  '.join([f'{place}: {now.answer.text}', *remarks]))
    elif now.state != before.state:
        say(f'{place}: "{now.expression}" is {now.state}.')
