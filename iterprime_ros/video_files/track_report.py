"""What is said about a tracked object in a frame: in a picture, and in a line of JSON."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from iterprime_ros.image_files import mask_box
from iterprime_ros.render import instance_colour, overlay_instances
from iterprime_ros.tracking.track import TrackState
from iterprime_ros.video_files.following import FollowedObject
from iterprime_ros.video_files.frames import Frame

_STATE_COLOURS = {
    TrackState.TRACKING: '#7ee787',
    TrackState.UNSURE: '#ffb454',
    TrackState.LOST: '#ff8a80',
}
_LINES, _SMALLEST, _LARGEST = 22, 9, 40  # lines of text in a frame; pixels of a letter
_BAND = 0.3  # of the brightness that a picture keeps behind text


def tracked_overlay(
    image: NDArray[np.uint8], followed: Sequence[FollowedObject]
) -> NDArray[np.uint8]:
    """Return a copy of a frame with each object in a colour of its own, and its state in words.

    image: (H, W, 3) uint8 RGB.
    """
    masks = [
        np.zeros(image.shape[:2], bool) if each.tracked is None else each.tracked.mask
        for each in followed
    ]
    picture = overlay_instances(image, masks)
    size = min(max(image.shape[0] // _LINES, _SMALLEST), _LARGEST)
    line = round(1.4 * size)
    band = picture[: line * len(followed)]
    text = Image.fromarray((_BAND * band).astype(np.uint8))
    draw = ImageDraw.Draw(text)
    for n, each in enumerate(followed):
        left, top = size // 2, n * line + line // 2
        if len(followed) > 1:
            box = (left, top - size // 3, left + size // 2, top + size // 3)
            draw.rectangle(box, fill=instance_colour(n)[0])
            left += size
        colour = _STATE_COLOURS[each.tracked.state] if each.tracked else 'white'
        state = f'{each.state} {each.tracked.confidence:.2f}' if each.tracked else each.state
        draw.text((left, top), state, colour, _font(size, bold=True), anchor='lm')
        left += round(draw.textlength(f'{state}  ', _font(size, bold=True)))
        expression = ' '.join(f'"{each.expression}"'.split())
        draw.text((left, top), expression, 'white', _font(size, bold=False), anchor='lm')
    band[:] = np.asarray(text)
    return picture


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Return Matplotlib's own font, which has more letters than that of Pillow."""
    name = f'DejaVuSans{"-Bold" if bold else ""}.ttf'
    return ImageFont.truetype(Path(mpl.get_data_path(), 'fonts', 'ttf', name), size)


def track_report(frame: Frame, followed: FollowedObject) -> str:
    """Return what is known of an object in a frame as one line of JSON."""
    answer, tracked = followed.answer, followed.tracked
    return json.dumps(
        {
            'image': str(frame.path),
            'frame': frame.number,
            'seconds': round(frame.seconds, 6),
            'command': followed.command,
            'expression': followed.expression,
            'status': answer.status.value,
            'text': answer.text,
            'track_state': tracked.state.value if tracked else None,
            'confidence': round(tracked.confidence, 6) if tracked else None,
            'age': tracked.age if tracked else None,
            'box': mask_box(tracked.mask) if tracked else None,
            'pixels': int(tracked.mask.sum()) if tracked else 0,
            'mask': coco_rle(tracked.mask) if tracked else None,
        }
    )


def coco_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return a mask (H, W) bool as an uncompressed run-length encoding of COCO.

    Its counts are the lengths of runs down the columns, the first one of pixels outside the mask
    (cocodataset/cocoapi, PythonAPI/pycocotools/mask.py and common/maskApi.h).
    """
    pixels = mask.ravel(order='F')
    turns = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    edges = np.concatenate([[0] * (1 + bool(pixels[:1].any())), turns, [pixels.size]])
    return {'size': list(mask.shape), 'counts': np.diff(edges).tolist()}
