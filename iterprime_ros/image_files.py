"""Images and commands from files to files: what `iterprime segment` does."""

import json
import math
import os
import stat
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from iterprime_ros.answer import Segmentation
from iterprime_ros.errors import (
    InvalidDepthError,
    InvalidImageError,
    InvalidSettingError,
    UnwritableError,
)
from iterprime_ros.explain import answer_overlay, explanation
from iterprime_ros.limits import MAX_PIXELS
from iterprime_ros.render import atomic_write

FORMATS = ('JPEG', 'PNG', 'BMP', 'WEBP', 'TIFF', 'PPM')  # as Pillow names them
SUFFIXES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm'})

# Where the outputs of each answer are written, by image and number of the command, then by kind.
OutputPaths = Mapping[tuple[Path, int], Mapping[str, Path]]


@dataclass(frozen=True)
class Outputs:
    """Where to write what is asked for; None for not at all.

    overlay: the image with every object that is meant marked in a colour of its own.
    mask: the mask, 0 and 255.
    explanation: the figure that explains the answer.

    With one image and one command each is a file, unless it is an existing folder; with more each
    is a folder.
    """

    overlay: Path | None = None
    mask: Path | None = None
    explanation: Path | None = None


def find_images(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the images at a path, sorted by name, and what has an image's name and is no file.

    path: an image, or a folder of images.

    The second list holds the directories, pipes and devices in a folder. They must not be opened: a
    pipe without a writer blocks for ever.

    Raises InvalidImageError for a path that is neither image nor folder or cannot be read, and for
    a folder without images.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISDIR(mode):
            _check_regular(path, mode)
            return [path], []
        named = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
        others = [each for each in named if each.exists() and not each.is_file()]
    except FileNotFoundError as error:
        raise InvalidImageError(
            f'There is no image at {path}: name an image file or a folder of images.'
        ) from error
    except OSError as error:
        raise InvalidImageError(f'Cannot read {path}: {error.strerror}.') from error
    images = [each for each in named if each not in others]
    if not images:
        raise InvalidImageError(
            f'There is no image in the folder {path}: name one that holds '
            f'{", ".join(sorted(SUFFIXES))} files.'
        )
    return images, others


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return an image file as (H, W, 3) uint8 RGB, turned as its EXIF says.

    Raises InvalidImageError for a file that is none of FORMATS, is damaged, has more than 8 bits a
    channel or more than MAX_PIXELS, or cannot be read.
    """
    try:
        _check_regular(path, path.stat().st_mode)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # on metadata that nothing here reads
            with Image.open(path, formats=FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                if opened.mode.startswith(('I', 'F')):
                    raise InvalidImageError(
                        f'{path} has more than 8 bits a channel: convert it to 8-bit RGB first.'
                    )
                return np.asarray(ImageOps.exif_transpose(opened).convert('RGB'))
    except (InvalidImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise InvalidImageError(
            f'{path} has more than {MAX_PIXELS:,} pixels: scale it down first.'
        ) from error
    except UnidentifiedImageError as error:
        raise InvalidImageError(
            f'{path} is no JPEG, PNG, BMP, WebP, TIFF or PPM image: convert it to one of them.'
        ) from error
    except Exception as error:  # Pillow reports damage by errors of many types
        if isinstance(error, OSError) and error.strerror:
            raise InvalidImageError(f'Cannot read {path}: {error.strerror}.') from error
        reason = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
        raise InvalidImageError(
            f'{path} is damaged ({reason}): replace it, or save it again as JPEG or PNG.'
        ) from error


def read_depth(path: Path) -> NDArray[np.float32]:
    """Return a depth image file as (h, w) float32 in metres, NaN where nothing was measured.

    The file is a 16-bit greyscale PNG or TIFF in millimetres, 0 where nothing was measured: what
    16UC1 of REP 118 is in a file.

    Raises InvalidDepthError for another file.
    """
    try:
        _check_regular(path, path.stat().st_mode)
        with Image.open(path, formats=('PNG', 'TIFF')) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            if not opened.mode.startswith('I'):
                raise InvalidDepthError(
                    f'{path} has no 16-bit channel: give depth in millimetres as a 16-bit PNG.'
                )
            millimetres = np.asarray(opened).astype(np.float32)
    except (InvalidDepthError, MemoryError):
        raise
    except Exception as error:  # Pillow reports damage by errors of many types
        reason = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
        raise InvalidDepthError(
            f'{path} cannot be read as depth ({reason}): give depth in millimetres as a 16-bit PNG.'
        ) from error
    return np.where(millimetres > 0, millimetres / 1000, np.float32('nan'))


def _check_regular(path: Path, mode: int) -> None:
    """Raise InvalidImageError unless a mode of stat() is that of a regular file."""
    if not stat.S_ISREG(mode):
        raise InvalidImageError(f'{path} is no regular file: name an image file.')


def output_paths(outputs: Outputs, files: Sequence[Path], command_count: int) -> OutputPaths:
    """Return the file of every output, none of which is an image of `files` or another output.

    In a folder the outputs of a.png are a-0-overlay.png, a-0-mask.png and a-0-explanation.png for
    the first command, and so on; a.png-0-overlay.png where an image of another suffix shares its
    name.

    Raises InvalidSettingError for a file where a folder is needed, for a single file that is not
    named .png, and for two files that would be one; UnwritableError for a path that the system
    refuses.
    """
    asked = {kind: path for kind, path in vars(outputs).items() if path}
    single = len(files) * command_count == 1
    try:
        is_folder = {kind: not single or path.is_dir() for kind, path in asked.items()}
        for path in asked.values():
            _check_output(path, single)
        planned: dict[tuple[Path, int], dict[str, Path]] = {}
        for file in files:
            base = _base_name(file) if any(is_folder.values()) else ''
            for number in range(command_count):
                planned[file, number] = {
                    kind: path / f'{base}-{number}-{kind}.png' if is_folder[kind] else path
                    for kind, path in asked.items()
                }
        _check_distinct(planned, files)
    except OSError as error:
        raise UnwritableError(f'Cannot write {error.filename}: {error.strerror}.') from error
    return planned


def _check_output(path: Path, single: bool) -> None:
    if single and path.suffix.lower() != '.png' and not path.is_dir():
        raise InvalidSettingError(
            f'Outputs are PNG files, and {path} is neither named .png nor an existing folder.'
        )
    if not single and path.exists() and not path.is_dir():
        raise InvalidSettingError(
            f'{path} is a file, and several answers need a folder: name a folder.'
        )


def _base_name(file: Path) -> str:
    """Return the name of an image without its suffix, unless an image beside it shares that."""
    others = (file.with_suffix(suffix) for suffix in SUFFIXES - {file.suffix})
    return file.name if any(other.exists() for other in others) else file.stem


def _check_distinct(planned: OutputPaths, files: Sequence[Path]) -> None:
    """Raise InvalidSettingError for an output that would replace an image or another output."""
    images = {_inode(file): file for file in files if file.exists()}
    taken = set()
    for path in (path for kinds in planned.values() for path in kinds.values()):
        if path.exists() and _inode(path) in images:
            raise InvalidSettingError(
                f'The output {path} would replace the image {images[_inode(path)]}: name another '
                'file or folder.'
            )
        real = os.path.realpath(path)
        if real in taken:
            raise InvalidSettingError(
                f'Two outputs would be written to {path}: name a different file or folder for each.'
            )
        taken.add(real)


def _inode(path: Path) -> tuple[int, int]:
    """Return what two names of the same file share."""
    status = path.stat()
    return status.st_dev, status.st_ino


def write_outputs(
    paths: Mapping[str, Path], image: NDArray[np.uint8], answer: Segmentation
) -> None:
    """Write the outputs of an answer, each a whole file or none.

    paths: where to write 'overlay', 'mask' and 'explanation', or those of them that are asked for.
    image: (H, W, 3) uint8 RGB, the image that `answer` is about.

    Raises UnwritableError.
    """
    for kind, path in paths.items():
        with atomic_write(path) as part:
            if kind == 'explanation':
                with warnings.catch_warnings():
                    # A box is drawn for a letter that the font lacks.
                    warnings.filterwarnings('ignore', message='Glyph')
                    explanation(image, answer).savefig(part, format='png')
            elif kind == 'mask':
                Image.fromarray(answer.mask.astype(np.uint8) * 255).save(part, format='PNG')
            else:
                Image.fromarray(answer_overlay(image, answer)).save(part, format='PNG')


def report(file: Path, command: str, answer: Segmentation) -> str:
    """Return an answer as one line of JSON."""
    parsed = answer.command
    return json.dumps(
        {
            'image': str(file),
            'command': command,
            'status': answer.status.value,
            'text': answer.text,
            'action_verb': parsed.action_verb if parsed else None,
            'expression': parsed.expression if parsed else None,
            'match_probability': None if parsed is None else answer.match_probability,
            'instance_count': answer.instance_count,
            'box': mask_box(answer.mask),
            'pixels': int(answer.mask.sum()),
            'ranked_by': answer.ranked_by,
            'candidates': [
                {
                    'box': mask_box(each.mask),
                    'chance': None if math.isnan(each.chance) else each.chance,
                    'heatmap_mean': each.heatmap_mean,
                    'heatmap_overlap': each.heatmap_overlap,
                    'predicted_iou': each.predicted_iou,
                }
                for each in answer.candidates
            ],
            'notes': list(answer.notes),
            'milliseconds': answer.milliseconds,
        }
    )


def mask_box(mask: NDArray[np.bool_]) -> dict[str, int] | None:
    """Return the box round a mask in pixels, None for an empty one."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return None
    return {
        'x': int(columns.min()),
        'y': int(rows.min()),
        'width': int(np.ptp(columns)) + 1,
        'height': int(np.ptp(rows)) + 1,
    }
