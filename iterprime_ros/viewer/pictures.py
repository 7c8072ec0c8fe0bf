"""What is logged in the image: the image, masks, candidates, relations and heatmaps."""

import io
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from iterprime_ros.answer import Segmentation
from iterprime_ros.explain_objects import (
    arrow_sources,
    candidate_centres,
    marked_candidates,
    relation_arrows,
    shown_candidates,
)
from iterprime_ros.render import instance_colour
from iterprime_ros.viewer.layout import CANDIDATES, HEATMAPS, IMAGE, MASK, RELATIONS

if TYPE_CHECKING:
    import rerun

_QUALITY = 85  # of JPEG, up to 95
_MOST_CLASSES = 255  # of a mask, besides the background
_MASK_OPACITY = 0.45
_BOX_RADIUS, _MARKED_RADIUS, _ARROW_RADIUS = 0.75, 1.5, 1.25  # of lines, in points of the screen
_GREY = 0.77  # brightness of the image under a heatmap


def log_image(stream: 'rerun.RecordingStream', image: NDArray[np.uint8]) -> None:
    """Log the camera's image (H, W, 3) uint8 RGB, as JPEG."""
    stream.log(IMAGE, _jpeg(image))


def log_masks(stream: 'rerun.RecordingStream', masks: Sequence[NDArray[np.bool_]]) -> None:
    """Log masks (H, W) bool, each as a class of its own; earlier ones hide later ones.

    Mask n, counted from 0, is class n + 1 and has its `instance_colour`; 0 is the background.
    """
    import rerun

    if not masks:
        stream.log(MASK, rerun.Clear(recursive=False))
        return
    classes = np.zeros(masks[0].shape, np.uint8)
    for n, mask in reversed(list(enumerate(masks[:_MOST_CLASSES]))):
        classes[mask] = n + 1
    stream.log(MASK, rerun.SegmentationImage(classes, opacity=_MASK_OPACITY))


def log_candidates(stream: 'rerun.RecordingStream', answer: Segmentation) -> None:
    """Log the box of each candidate that explanations draw, with its number and chance."""
    import rerun

    shown = _shown(answer)
    boxes = {n: _box(answer.candidates[n].mask) for n in shown if answer.candidates[n].mask.any()}
    if not boxes:
        stream.log(CANDIDATES, rerun.Clear(recursive=False))
        return
    marked = set(marked_candidates(answer))
    stream.log(
        CANDIDATES,
        rerun.Boxes2D(
            array=list(boxes.values()),
            array_format=rerun.Box2DFormat.XYWH,
            labels=[_label(answer, n) for n in boxes],
            colors=[_rgb(n) for n in boxes],
            radii=[-(_MARKED_RADIUS if n in marked else _BOX_RADIUS) for n in boxes],
            show_labels=True,
        ),
    )


def log_relations(stream: 'rerun.RecordingStream', answer: Segmentation) -> None:
    """Log an arrow for each relation that explanations draw, from an object to its anchor."""
    import rerun

    report = answer.parts
    shown = _shown(answer)
    arrows = relation_arrows(report, arrow_sources(answer, report, shown)) if report else []
    arrows = [each for each in arrows if {each.source, each.target} <= set(shown)]
    if not arrows:
        stream.log(RELATIONS, rerun.Clear(recursive=False))
        return
    centres = candidate_centres(answer, answer.mask.shape[:2])
    origins = np.array([centres[each.source] for each in arrows])
    stream.log(
        RELATIONS,
        rerun.Arrows2D(
            origins=origins,
            vectors=np.array([centres[each.target] for each in arrows]) - origins,
            labels=[each.text for each in arrows],
            colors=[_rgb(each.source) for each in arrows],
            radii=-_ARROW_RADIUS,
            show_labels=True,
        ),
    )


def log_heatmap(
    stream: 'rerun.RecordingStream',
    name: str,
    image: NDArray[np.uint8],
    heatmap: NDArray[np.float32],
    title: str,
) -> None:
    """Log a heatmap as a picture: in colours over the grey image, clear where it is cold.

    name: of the heatmap, as part of the name of its entity.
    image: (H, W, 3) uint8 RGB.
    heatmap: (H, W) float32 in [0, 1].
    title: what to write into its corner.
    """
    import rerun

    entity = f'{HEATMAPS}/{name}'
    stream.log(entity, _jpeg(heatmap_picture(image, heatmap)))
    height, width = heatmap.shape
    stream.log(
        f'{entity}/title',
        rerun.Boxes2D(
            mins=[[0, 0]],
            sizes=[[width, height]],
            labels=[title],
            colors=[(140, 140, 140)],
            show_labels=True,
        ),
    )


def heatmap_picture(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a heatmap (H, W) in [0, 1] in colours over an image (H, W, 3) uint8 made grey."""
    levels = np.clip(heatmap * 255, 0, 255).astype(np.uint8)
    share = (0.25 + 0.65 * heatmap)[..., None]  # as explanations draw it
    grey = _GREY * image.mean(axis=2, keepdims=True)
    return ((1 - share) * grey + share * _palette()[levels]).astype(np.uint8)


def _shown(answer: Segmentation) -> list[int]:
    if answer.parts:
        return shown_candidates(answer, answer.parts)
    return list(range(len(answer.candidates)))


def _label(answer: Segmentation, n: int) -> str:
    """Return the number of a candidate, from 1, and what ranked it."""
    each = answer.candidates[n]
    measure = {'chance': each.chance, 'mean': each.heatmap_mean, 'overlap': each.heatmap_overlap}
    return f'{n + 1}: {measure[answer.ranked_by]:.2f}'


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of a mask that is not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _rgb(n: int) -> tuple[int, int, int]:
    """Return the colour of object n, 0 to 255."""
    code = instance_colour(n)[0]
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def mask_classes() -> 'rerun.AnnotationContext':
    """Return names and colours of the classes of masks."""
    import rerun

    objects = [(n, f'object {n}', _rgb(n - 1)) for n in range(1, _MOST_CLASSES + 1)]
    return rerun.AnnotationContext([(0, 'background', (0, 0, 0, 0)), *objects])


@cache
def _palette() -> NDArray[np.float64]:
    return mpl.colormaps['inferno'](np.arange(256))[:, :3] * 255


def _jpeg(picture: NDArray[np.uint8]) -> 'rerun.EncodedImage':
    import rerun

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, 'JPEG', quality=_QUALITY)
    return rerun.EncodedImage(contents=buffer.getvalue(), media_type='image/jpeg')
