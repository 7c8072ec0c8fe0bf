"""An animated picture of a pick: the camera, the heatmap, and what is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.font_manager import findfont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from iterprime_ros.render import atomic_write, overlay

_PANEL = (320, 240)  # pixels, width and height
_MARGIN, _LINE = 8, 20  # pixels
_LINES = 3
_COLOURS, _SAMPLED = 256, 6  # of the palette, and pictures that it is made of
_LETTERS = 14  # pixels
_CUT = 76  # characters of a line
_READING = 1500  # milliseconds for which a new sentence stands still
_LAST = 3000  # milliseconds of the last frame
_SHORTEST, _LONGEST = 60, 300  # milliseconds of a frame, whatever the camera did
_HEATMAP = 0.6  # share of the heatmap in the picture


@dataclass(frozen=True)
class FilmFrame:
    """A frame of a film.

    seconds: when it was.
    rgb: (H, W, 3) uint8, what the camera saw.
    mask: (H, W) bool, the object that was found; None where it is not to be marked.
    heatmap: (H, W, 3) uint8, a picture of the heatmap of the last answer; None before the first.
    said: what the person said last.
    answered: what the robot said, or does.
    """

    seconds: float
    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_] | None
    heatmap: NDArray[np.uint8] | None
    said: str
    answered: str


def heatmap_picture(rgb: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a heatmap (H, W) float32 in [0, 1] over its image (H, W, 3) uint8, like that."""
    grey = rgb.mean(axis=2, keepdims=True)
    colours = 255 * matplotlib.colormaps['inferno'](heatmap)[..., :3]
    return ((1 - _HEATMAP) * grey + _HEATMAP * colours).round().astype(np.uint8)


def write_film(path: Path, frames: Sequence[FilmFrame]) -> None:
    """Write frames, at least one, as an animated GIF in which nothing is too short to be read.

    Raises UnwritableError.
    """
    font = ImageFont.truetype(findfont('DejaVu Sans'), _LETTERS)
    drawn = [_drawn(frame, font) for frame in frames]
    palette = _palette(drawn)
    first, *others = (each.quantize(palette=palette, dither=Image.Dither.NONE) for each in drawn)
    with atomic_write(path) as part:
        first.save(
            part,
            format='GIF',
            save_all=True,
            append_images=others,
            duration=_durations(frames),
            loop=0,
            optimize=True,
        )


def _palette(drawn: Sequence[Image.Image]) -> Image.Image:
    """Return an image with the colours of all pictures, of which it shows some."""
    step = max(1, len(drawn) // _SAMPLED)
    rows = [np.asarray(each) for each in drawn[::step]]
    return Image.fromarray(np.concatenate(rows)).quantize(_COLOURS)


def _durations(frames: Sequence[FilmFrame]) -> list[int]:
    """Return for how many milliseconds each frame is shown."""
    durations = []
    for frame, after in pairwise(frames):
        passed = min(max(round(1e3 * (after.seconds - frame.seconds)), _SHORTEST), _LONGEST)
        is_new = (frame.said, frame.answered) != (after.said, after.answered)
        durations.append(max(passed, _READING) if is_new else passed)
    return [*durations, _LAST]


def _drawn(frame: FilmFrame, font: ImageFont.FreeTypeFont) -> Image.Image:
    width, height = _PANEL
    text_height = _LINES * _LINE + 2 * _MARGIN
    picture = Image.new('RGB', (2 * width, height + text_height), 'white')
    camera = frame.rgb if frame.mask is None else _marked(frame.rgb, frame.mask)
    panels = (camera, frame.rgb // 3 if frame.heatmap is None else frame.heatmap)
    for number, panel in enumerate(panels):
        small = Image.fromarray(panel).resize(_PANEL, Image.Resampling.BILINEAR)
        picture.paste(small, (number * width, 0))
    draw = ImageDraw.Draw(picture)
    lines = [(f'“{frame.said}”' if frame.said else '', (20, 60, 160))]
    answered = _wrapped(frame.answered)
    if len(answered) >= _LINES:
        answered[_LINES - 2] += ' …'
    lines += [(each, (0, 0, 0)) for each in answered]
    for number, (text, colour) in enumerate(lines[:_LINES]):
        draw.text((_MARGIN, height + _MARGIN + number * _LINE), text, colour, font)
    return picture


def _marked(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return an image with a mask as answers show it, and the rest as it is."""
    return np.where(mask[..., None], overlay(rgb, mask), rgb)


def _wrapped(text: str) -> list[str]:
    lines = ['']
    for word in text.split():
        if len(lines[-1]) + len(word) >= _CUT:
            lines.append('')
        lines[-1] = f'{lines[-1]} {word}'.strip()
    return lines
