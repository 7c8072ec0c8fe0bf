"""Pictures of frames, written as a video, an animated picture or a folder."""

import io
import itertools
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from iterprime_ros.errors import InvalidSettingError, UnwritableError
from iterprime_ros.render import atomic_write
from iterprime_ros.video_files.frames import FrameSequence
from iterprime_ros.video_files.opencv_log import without_log

# H.264 plays everywhere, but not every OpenCV has an encoder of it: the wheels of PyPI have none.
_CODECS = (b'avc1', b'mp4v')

_ANIMATED_SIDE, _ANIMATED_RATE, _MAX_ANIMATED = 480, 15.0, 600  # pixels, pictures/s, pictures


class FrameWriter(Protocol):
    """Writes pictures, in the order of their frames.

    A single file has no name until it is whole, so that whatever ends the process leaves nothing.
    """

    def add(self, number: int, picture: NDArray[np.uint8]) -> None:
        """Write the picture of a frame.

        number: of the frame.
        picture: (H, W, 3) uint8 RGB; or (H, W) uint8, in a folder only.

        Raises UnwritableError, and InvalidSettingError where the file would be too long.
        """

    def finish(self) -> None:
        """Encode what is not yet encoded, which may take its time. Raises UnwritableError."""

    def publish(self) -> None:
        """Give the finished file its name. Raises UnwritableError."""


def check_outputs(overlay: Path | None, mask: Path | None, sequence: FrameSequence) -> None:
    """Raise InvalidSettingError for outputs that would replace, or be taken for, what is read.

    overlay: a file named .mp4, .gif or .webp, or a folder.
    mask: a folder.
    """
    try:
        for name, path, suffixes in (('--out', overlay, _WRITERS), ('--mask', mask, ())):
            if path is not None:
                _check_output(name, path, tuple(suffixes), sequence)
        if overlay and mask and os.path.realpath(overlay) == os.path.realpath(mask):
            raise InvalidSettingError(
                f'Two outputs would be written to {mask}: name a different folder for each.'
            )
    except OSError as error:
        raise UnwritableError(f'Cannot write {error.filename}: {error.strerror}.') from error


def _check_output(
    name: str, path: Path, suffixes: tuple[str, ...], sequence: FrameSequence
) -> None:
    is_folder = path.is_dir()
    if not is_folder and path.suffix.lower() not in (*suffixes, ''):
        files = f'a file named {", ".join(suffixes)} or ' if suffixes else ''
        raise InvalidSettingError(f'With --track {name} is {files}a folder, and {path} is neither.')
    if path.exists() and (path.samefile(sequence.path) or (not path.suffix and not is_folder)):
        raise InvalidSettingError(
            f'The output {path} would replace a file that is there: name another one.'
        )
    if sequence.files and os.path.realpath(path.parent) == os.path.realpath(sequence.path):
        raise InvalidSettingError(
            f'The output {path} would lie among the frames: name a place outside {sequence.path}.'
        )
    if is_folder and any(itertools.chain(path.glob('*.png'), path.glob('[0-9]*/*.png'))):
        raise InvalidSettingError(
            f'The folder {path} holds pictures already, and they would be mixed with the new ones: '
            'name a new or an empty folder.'
        )


def frame_writer(path: Path, sequence: FrameSequence) -> FrameWriter:
    """Return what writes pictures of the frames of a sequence.

    path: named .mp4 for a video of the same rate and size (an odd width or height loses its last
        column or row), .gif or .webp for an animated picture of at most 480 pixels and 15 pictures
        a second, or a folder for numbered PNG files.

    Raises UnwritableError, and InvalidSettingError for an animated picture that would be too long.
    """
    if path.is_dir():
        return FolderWriter(path)
    return _WRITERS.get(path.suffix.lower(), FolderWriter)(path, sequence)


class VideoWriter:
    """Writes an MP4: H.264 where OpenCV has an encoder, else MPEG-4 Part 2."""

    def __init__(self, path: Path, sequence: FrameSequence) -> None:
        self._path, self._count = path, 0
        height, width = sequence.size
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp('.mp4', '.', path.parent)
        except OSError as error:
            raise UnwritableError(f'Cannot write {path}: {error.strerror}.') from error
        self._file = os.fdopen(number, 'rb')
        try:
            with without_log():
                for codec in _CODECS:
                    self._encoder = cv2.VideoWriter(
                        name,
                        cv2.CAP_FFMPEG,
                        int.from_bytes(codec, 'little'),
                        sequence.rate,
                        (width, height),
                    )
                    if self._encoder.isOpened():
                        break
        finally:
            Path(name).unlink(missing_ok=True)
        if not self._encoder.isOpened():
            raise UnwritableError(
                f'Cannot write {path}: OpenCV encodes no video of {width} x {height} pixels at '
                f'{sequence.rate:g} frames a second; name a folder for PNG files.'
            )

    def add(self, number: int, picture: NDArray[np.uint8]) -> None:  # noqa: ARG002
        """Write the picture of a frame."""
        self._encoder.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        self._count += 1

    def finish(self) -> None:
        """Write the end of the file, and look whether all pictures are in it."""
        self._encoder.release()
        with without_log():  # the encoder does not say when the disk is full
            written = cv2.VideoCapture(f'/dev/fd/{self._file.fileno()}', cv2.CAP_FFMPEG)
            count = written.get(cv2.CAP_PROP_FRAME_COUNT)
            written.release()
        if count != self._count:
            raise UnwritableError(
                f'Cannot write {self._path}: the video was not written whole; is the disk full?'
            )

    def publish(self) -> None:
        """Copy the video to its place."""
        with self._file, atomic_write(self._path) as part, part.open('wb') as named:
            shutil.copyfileobj(self._file, named, 2**20)


class AnimationWriter:
    """Writes an animated GIF or WebP for a page: scaled down, and not all frames."""

    def __init__(self, path: Path, sequence: FrameSequence) -> None:
        self._path = path
        self._every = math.ceil(sequence.rate / _ANIMATED_RATE)
        self._period = self._every / sequence.rate
        self._is_gif = path.suffix.lower() == '.gif'
        scale = min(1.0, _ANIMATED_SIDE / max(sequence.size))
        height, width = (max(1, round(scale * side)) for side in sequence.size)
        self._size = width, height
        self._pictures: list[Image.Image] = []
        self._encoded = b''
        self._check(math.ceil(sequence.count / self._every))
        self._count = 0

    def _check(self, count: int) -> None:
        if count > _MAX_ANIMATED:
            raise InvalidSettingError(
                f'An animated picture has at most {_MAX_ANIMATED} pictures, '
                f'{_MAX_ANIMATED * self._period:.0f} s of this video: name an .mp4.'
            )

    def add(self, number: int, picture: NDArray[np.uint8]) -> None:  # noqa: ARG002
        """Keep the picture of every n-th frame."""
        self._count += 1
        if (self._count - 1) % self._every:
            return
        self._check(len(self._pictures) + 1)
        small = Image.fromarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA))
        self._pictures.append(small.quantize(dither=Image.Dither.NONE) if self._is_gif else small)

    def finish(self) -> None:
        """Encode the pictures."""
        # A GIF counts in hundredths of a second: what one picture loses, the next one gets.
        ends = [round(100 * self._period * (n + 1)) for n in range(len(self._pictures))]
        stream = io.BytesIO()
        self._pictures[0].save(
            stream,
            format='GIF' if self._is_gif else 'WEBP',
            save_all=True,
            append_images=self._pictures[1:],
            duration=[10 * (end - start) for start, end in itertools.pairwise([0, *ends])],
            loop=0,
        )
        self._encoded = stream.getvalue()

    def publish(self) -> None:
        """Write the file."""
        with atomic_write(self._path) as part:
            part.write_bytes(self._encoded)


class FolderWriter:
    """Writes a PNG named by its number for each frame: 000000.png, 000001.png."""

    def __init__(self, path: Path, _sequence: FrameSequence | None = None) -> None:
        self._path = path

    def add(self, number: int, picture: NDArray[np.uint8]) -> None:
        """Write the picture of a frame."""
        with atomic_write(self._path / f'{number:06}.png') as part:
            Image.fromarray(picture).save(part, format='PNG', compress_level=1)

    def finish(self) -> None:
        """Do nothing: every picture is written."""

    def publish(self) -> None:
        """Do nothing: every picture has its name."""


_WRITERS: dict[str, type[VideoWriter] | type[AnimationWriter]] = {
    '.mp4': VideoWriter,
    '.gif': AnimationWriter,
    '.webp': AnimationWriter,
}
