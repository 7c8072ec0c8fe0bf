"""Images and commands from files to files: what `iterprime segment` does."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from iterprime_ros.answer import Segmentation
from iterprime_ros.errors import InvalidImageError, InvalidSettingError
from iterprime_ros.pipeline import IteRPrimE

SUFFIXES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm'})


@dataclass(frozen=True)
class Outputs:
    """Where to write what is asked for; None for not at all.

    overlay: the image with the object marked.
    mask: the mask, 0 and 255.
    explanation: the figure that explains the answer.

    With one image and one command each is a file, unless it is an existing folder; with more each
    is a folder.
    """

    overlay: Path | None = None
    mask: Path | None = None
    explanation: Path | None = None

    def check_names(self) -> None:
        """Raise InvalidSettingError for an output that is neither a .png nor a folder."""
        for path in (self.overlay, self.mask, self.explanation):
            if path and path.suffix.lower() != '.png' and not path.is_dir():
                raise InvalidSettingError(
                    f'Outputs are PNG files, and {path} is neither named .png nor an existing '
                    'folder.'
                )


def expand_paths(paths: Sequence[Path]) -> list[Path]:
    """Return the files of images, and of folders the images in them by name.

    Raises InvalidImageError for a path that is neither, or a folder without images.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
            if not inside:
                raise InvalidImageError(f'There is no image in the folder {path}.')
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise InvalidImageError(f'There is no image at {path}.')
    return files


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return an image file as (H, W, 3) uint8 RGB, turned as its EXIF says.

    Raises InvalidImageError for a file that is no image or is broken.
    """
    try:
        with Image.open(path) as opened:
            if opened.mode.startswith(('I', 'F')):
                raise InvalidImageError(
                    f'{path} has more than 8 bits a channel: convert it to 8-bit RGB first.'
                )
            return np.asarray(ImageOps.exif_transpose(opened).convert('RGB'))
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidImageError(f'{path} is no image that can be read: {error}') from error


def segment_files(
    model: IteRPrimE, files: Sequence[Path], commands: Sequence[str], outputs: Outputs
) -> Iterator[tuple[Path, str, Segmentation, list[Path]]]:
    """Answer every command on every image, write what is asked for, and yield each answer.

    With each come its image, its command and the files that were written.

    Raises InvalidImageError and, for an output that cannot be written, InvalidSettingError.
    """
    many = len(files) * len(commands) > 1
    # With the suffix where two images share their stem, so that no output replaces another.
    stems = Counter(file.stem for file in files)
    for file in files:
        image = read_image(file)
        for number, answer in enumerate(model.segment_many(image, commands)):
            stem = file.stem if stems[file.stem] == 1 else file.name
            name = f'{stem}-{number}.png'
            written = _write(image, answer, outputs, name, many)
            yield file, commands[number], answer, written


def report(file: Path, command: str, answer: Segmentation) -> str:
    """Return an answer as one line of JSON."""
    rows, columns = np.nonzero(answer.mask)
    box = (
        {'x': int(columns.min()), 'y': int(rows.min()),
         'width': int(np.ptp(columns)) + 1, 'height': int(np.ptp(rows)) + 1}
        if rows.size
        else None
    )  # fmt: skip
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
            'box': box,
            'pixels': int(answer.mask.sum()),
            'ranked_by': answer.ranked_by,
            'candidates': [
                {
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


def _write(
    image: NDArray[np.uint8], answer: Segmentation, outputs: Outputs, name: str, many: bool
) -> list[Path]:
    """Write what is asked for and return where."""
    from iterprime_ros.explain import explanation
    from iterprime_ros.render import overlay

    written = []
    if outputs.overlay:
        with _writable(outputs.overlay, name, many) as path:
            Image.fromarray(overlay(image, answer.mask)).save(path, format='PNG')
            written.append(path)
    if outputs.mask:
        with _writable(outputs.mask, name, many) as path:
            Image.fromarray(answer.mask.astype(np.uint8) * 255).save(path, format='PNG')
            written.append(path)
    if outputs.explanation:
        with _writable(outputs.explanation, name, many) as path:
            explanation(image, answer).savefig(path, format='png')
            written.append(path)
    return written


@contextmanager
def _writable(path: Path, name: str, many: bool) -> Iterator[Path]:
    """Yield the path of an output, its folder made; what the system refuses is one sentence."""
    target = path / name if many or path.is_dir() else path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield target
    except OSError as error:
        raise InvalidSettingError(f'Cannot write {target}: {error.strerror}.') from error
