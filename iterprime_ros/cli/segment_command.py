"""What `iterprime segment` does: answer every command about every image, and write the files."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.cli.exit_codes import FOUND, NOT_FOUND, WRONG_USE
from iterprime_ros.cli.interrupts import defer_interrupt, exit_on_interrupt
from iterprime_ros.cli.look_output import answer_log, check_look, looking
from iterprime_ros.cli.ray_arguments import worker_options
from iterprime_ros.cli.segment_cluster_command import check_cluster_options, segment_on_cluster
from iterprime_ros.cli.standard_streams import complain, quieten_the_hub, say
from iterprime_ros.cli.track_command import track_objects
from iterprime_ros.errors import (
    InvalidCalibrationError,
    InvalidCommandError,
    InvalidImageError,
    InvalidSettingError,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iterprime_ros.answer import Segmentation
    from iterprime_ros.cli.look_output import LogAnswer
    from iterprime_ros.image_files import OutputPaths
    from iterprime_ros.pipeline import IteRPrimE


@exit_on_interrupt()
def segment_images(options: argparse.Namespace) -> int:
    """Answer what the arguments of `iterprime segment` ask, and return the exit code.

    Raises an IterprimeError where they cannot be used together, or name what cannot be used.
    """
    if not all(command.strip() for command in options.command):
        raise InvalidCommandError('A COMMAND is empty: name the object.')
    workers = worker_options(options)
    check_cluster_options(options)
    check_look(options)
    image = _path('IMAGE', options.image)
    overlay, mask, explanation = (
        None if text is None else _path(name, text)
        for name, text in (
            ('--out', options.out),
            ('--mask', options.mask),
            ('--explain', options.explain),
        )
    )
    quieten_the_hub()
    if options.track:
        return track_objects(options, image, overlay, mask)
    from iterprime_ros.image_files import Outputs, find_images, output_paths
    from iterprime_ros.pipeline import IteRPrimE
    from iterprime_ros.video_files.frames import VIDEO_SUFFIXES

    files, skipped = find_images(image)
    if image.suffix.lower() in VIDEO_SUFFIXES and image in files:
        raise InvalidSettingError(
            f'{image} is a video: add --track to follow an object through it, or name an image.'
        )
    depth = _depth(options, files)
    outputs = output_paths(Outputs(overlay, mask, explanation), files, len(options.command))
    for each in skipped:
        complain(f'{each} is no regular file and is skipped.')
    if workers:
        return segment_on_cluster(options, workers, files, outputs)
    model = IteRPrimE.from_profile(options.profile, options.device, options.offline)
    if model.profile.notice:
        complain(model.profile.notice)
    answers = partial(_answers, model, options.command, depth, options.intrinsics)
    with looking(options.look, 'answer') as recorder:
        log = answer_log(recorder, depth, options.intrinsics)
        return _print_answers(answers, files, options.command, outputs, options.json, log)


def _path(name: str, text: str) -> Path:
    """Return the path that an argument gives; Path('') would be the current folder."""
    if not text:
        raise InvalidSettingError(f'{name} is empty: name a file or a folder.')
    return Path(text)


def _depth(options: argparse.Namespace, files: Sequence[Path]) -> 'NDArray[np.float32] | None':
    """Return the depth image that is asked for."""
    if (options.depth is None) != (options.intrinsics is None):
        raise InvalidSettingError('--depth and --intrinsics are used together: give both.')
    if options.depth is None:
        return None
    if len(files) != 1:
        raise InvalidSettingError(f'--depth is of one image, and IMAGE holds {len(files)}.')
    from iterprime_ros.image_files import read_depth

    return read_depth(_path('--depth', options.depth))


def _answers(
    model: 'IteRPrimE',
    commands: Sequence[str],
    depth: 'NDArray[np.float32] | None',
    intrinsics: tuple[float, float, float, float] | None,
    image: 'NDArray[np.uint8]',
) -> 'list[Segmentation]':
    """Answer commands about an image, with what depth tells if it is given."""
    if depth is None or intrinsics is None:
        return model.segment_many(image, commands)
    from iterprime_ros.geometry.pinhole import Pinhole

    height, width = image.shape[:2]
    try:
        pinhole = Pinhole(*intrinsics, width, height)
    except InvalidCalibrationError as error:
        raise InvalidSettingError(
            f'--intrinsics are no camera of {width} x {height} pixels: give FX, FY, CX and CY of '
            'this image.'
        ) from error
    frame = model.embed(image, depth, pinhole)
    return [
        replace(answer, milliseconds={**frame.milliseconds, **answer.milliseconds})
        for answer in model.segment_many(frame, commands)
    ]


def _print_answers(
    answers_to: 'Callable[[NDArray[np.uint8]], list[Segmentation]]',
    files: Sequence[Path],
    commands: Sequence[str],
    outputs: 'OutputPaths',
    as_json: bool,
    log: 'LogAnswer',
) -> int:
    """Answer every command about every image, and return the exit code.

    An image that cannot be read is reported, and the others are still answered.
    """
    from tqdm import tqdm

    from iterprime_ros.answer import Status
    from iterprime_ros.image_files import read_image, report, write_outputs

    codes = {Status.FOUND: FOUND, Status.FOUND_SEVERAL: FOUND, Status.INVALID: WRONG_USE}
    code = FOUND
    total = len(files) * len(commands)
    with tqdm(total=total, disable=None if total > 1 else True) as bar:
        for file in files:
            try:
                image = read_image(file)
            except InvalidImageError as error:
                with bar.external_write_mode():
                    complain(error)
                bar.update(len(commands))
                code = WRONG_USE
                continue
            for number, answer in enumerate(answers_to(image)):
                paths = outputs[file, number]
                with defer_interrupt():
                    write_outputs(paths, image, answer)
                    log(image, commands[number], answer)
                with bar.external_write_mode():
                    if as_json:
                        say(report(file, commands[number], answer))
                    else:
                        say('\n  '.join([f'{file}: {answer.text}', *answer.notes]))
                        if paths:
                            complain(f'Written: {", ".join(map(str, paths.values()))}')
                bar.update()
                code = max(code, codes.get(answer.status, NOT_FOUND))
    return code
