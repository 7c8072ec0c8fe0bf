"""The frames of a video, read by the FFmpeg of OpenCV, or of a folder of images."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidImageError
from iterprime_ros.image_files import find_images, read_image
from iterprime_ros.limits import MAX_PIXELS
from iterprime_ros.video_files.opencv_log import without_log

VIDEO_SUFFIXES = frozenset({'.avi', '.m4v', '.mkv', '.mov', '.mp4', '.webm'})
FOLDER_RATE = 30.0  # frames per second that a folder of frames is taken to have
_MAX_RATE = 1000.0  # a container that claims more has no rate of its own


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of a video.

    number: counted from 0.
    seconds: since the first frame.
    image: (H, W, 3) uint8 RGB.
    path: the file that it was read from.
    """

    number: int
    seconds: float
    image: NDArray[np.uint8]
    path: Path


@dataclass(frozen=True)
class FrameSequence:
    """A video, or a folder of frames, that can be read.

    path: of the video or the folder.
    size: (H, W) of the frames.
    rate: frames per second; FOLDER_RATE of a folder.
    count: of the frames; an estimate for a video that does not say it, 0 for one that cannot.
    files: the frames of a folder, in natural order (2.png before 10.png); none of a video.
    skipped: what has an image's name in the folder and is no regular file.
    """

    path: Path
    size: tuple[int, int]
    rate: float
    count: int
    files: tuple[Path, ...] = ()
    skipped: tuple[Path, ...] = ()


def open_sequence(path: Path) -> FrameSequence:
    """Return what is known of a video or a folder of frames before it is read.

    Raises InvalidImageError for what is neither, cannot be read, has no frame or has frames of more
    than MAX_PIXELS.
    """
    if not os.access(path, os.F_OK):
        raise InvalidImageError(f'There is nothing at {path}: name a video or a folder of frames.')
    found, skipped = find_images(path)
    if not path.is_dir() and path.suffix.lower() not in VIDEO_SUFFIXES:
        raise InvalidImageError(
            f'{path} is neither a video ({", ".join(sorted(VIDEO_SUFFIXES))}) nor a folder of '
            'frames: name one, or leave --track out for an image.'
        )
    if path.is_dir():
        files = sorted(found, key=_natural)
        return FrameSequence(
            path, _first_size(files), FOLDER_RATE, len(files), tuple(files), tuple(skipped)
        )
    with _opened(path) as video:
        rate = video.get(cv2.CAP_PROP_FPS)
        count = video.get(cv2.CAP_PROP_FRAME_COUNT)
        got, first = video.read()
        if not got:
            raise InvalidImageError(
                f'{path} has no frame that can be read: replace it, or convert it to MP4.'
            )
        return FrameSequence(
            path,
            first.shape[:2],
            rate if 0 < rate <= _MAX_RATE else FOLDER_RATE,
            int(count) if 0 < count < 2**40 else 0,  # noise where the video does not say it
        )


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return what sorts names as a person does, by the numbers in them."""
    parts = re.split('([0-9]+)', path.name)
    return [(int(part), '') if n % 2 else (0, part) for n, part in enumerate(parts)]


def _first_size(files: list[Path]) -> tuple[int, int]:
    """Return the size of the first image that can be read, or raise why the last one cannot."""
    for file in files[:-1]:
        try:
            return read_image(file).shape[:2]
        except InvalidImageError:
            continue
    return read_image(files[-1]).shape[:2]


def read_frames(
    sequence: FrameSequence, report: Callable[[InvalidImageError], None]
) -> Iterator[Frame]:
    """Yield the frames, as far as they can be read.

    report: called with what is wrong with the sequence, each time one sentence. A frame of a folder
        that cannot be read is left out; at one of another size, and where a video is damaged, the
        sequence ends.
    """
    frames = _folder_frames if sequence.files else _video_frames
    for frame in frames(sequence, report):
        if frame.image.shape[:2] != sequence.size:
            (height, width), (expected_height, expected_width) = (
                frame.image.shape[:2],
                sequence.size,
            )
            report(
                InvalidImageError(
                    f'Frame {frame.number} of {sequence.path} is {width} x {height}, not '
                    f'{expected_width} x {expected_height} as those before, which are kept: scale '
                    'all frames to one size.'
                )
            )
            return
        yield frame


def _folder_frames(
    sequence: FrameSequence, report: Callable[[InvalidImageError], None]
) -> Iterator[Frame]:
    for number, file in enumerate(sequence.files):
        try:
            image = read_image(file)
        except InvalidImageError as error:
            report(error)
            continue
        yield Frame(number, number / sequence.rate, image, file)


def _video_frames(
    sequence: FrameSequence, report: Callable[[InvalidImageError], None]
) -> Iterator[Frame]:
    number, seconds, start = 0, 0.0, 0.0
    with _opened(sequence.path) as video:
        while True:
            got, image = video.read()
            if not got:
                break
            stamp = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if number == 0:
                start = stamp
            # Some containers have no stamps, and a damaged one may go back in time.
            since = stamp - start
            seconds = since if since > seconds else max(seconds, number / sequence.rate)
            rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            yield Frame(number, seconds, rgb, sequence.path)
            number += 1
    # The number may be estimated from the duration, and then be wrong where the rate changes.
    missing = sequence.count - number
    is_short = seconds < (sequence.count - 1) / sequence.rate - 1 / sequence.rate
    if missing > max(1, 0.01 * sequence.count) and is_short:
        report(
            InvalidImageError(
                f'{sequence.path} is damaged or was cut off: only {number} of about '
                f'{sequence.count} frames could be read; replace it for the rest.'
            )
        )


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    """Yield a video, opened; raise InvalidImageError for what is none or is too large."""
    try:
        file = path.open('rb')
    except OSError as error:
        raise InvalidImageError(f'Cannot read {path}: {error.strerror}.') from error
    with file, without_log():
        # FFmpeg would take some names for the address of something else.
        video = cv2.VideoCapture(f'/dev/fd/{file.fileno()}', cv2.CAP_FFMPEG)
        try:
            if not video.isOpened():
                raise InvalidImageError(
                    f'{path} is no video, is damaged, or has a codec that FFmpeg in OpenCV lacks: '
                    'replace it, or convert it to MP4.'
                )
            pixels = video.get(cv2.CAP_PROP_FRAME_WIDTH) * video.get(cv2.CAP_PROP_FRAME_HEIGHT)
            if pixels > MAX_PIXELS:
                raise InvalidImageError(
                    f'{path} has more than {MAX_PIXELS:,} pixels a frame: scale it down first.'
                )
            yield video
        finally:
            video.release()
