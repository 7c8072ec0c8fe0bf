"""Masks as COCO's annotations write them: polygons, and run lengths in two forms."""

import re
from collections.abc import Sequence
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError

# Coordinates beyond this many sides of the image are damage; rasterising follows every pixel of an
# outline, however far out.
MAX_SIDES = 4


def decode_mask(segmentation: object, size: tuple[int, int], where: str) -> NDArray[np.bool_]:
    """Return the mask (H, W) bool of the `segmentation` of an annotation.

    segmentation: a list of polygons [x0, y0, x1, y1, ...]; or {'size': [H, W], 'counts': ...}
        with column-major run lengths of 0 and 1 in turn, as a list, or compressed as a text.
    size: rows and columns of the image.
    where: file and annotation, for the error message.

    Format: cocodataset/cocoapi:common/maskApi.c.

    Raises InvalidDatasetError for a segmentation that is neither, or of another size, and
    InvalidSettingError without pycocotools.
    """
    if isinstance(segmentation, dict):
        return _runs_mask(segmentation, size, where)
    if isinstance(segmentation, list):
        return polygons_mask(segmentation, size, where)
    raise InvalidDatasetError(f'{where} has neither polygons nor run lengths.')


def polygons_mask(
    polygons: Sequence[Sequence[float]], size: tuple[int, int], where: str
) -> NDArray[np.bool_]:
    """Return the union (H, W) bool of polygons, rasterised as COCO does.

    polygons: [x0, y0, x1, y1, ...] in pixels each, (0, 0) the corner of the image. One of fewer
        than three points encloses nothing.
    size: rows and columns of the image.
    where: file and annotation, for the error message.

    Raises InvalidDatasetError for what are no such polygons, and InvalidSettingError without
    pycocotools.
    """
    mask_api = require_pycocotools()
    outlines = []
    for polygon in polygons:
        try:
            points = np.array(polygon, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InvalidDatasetError(
                f'{where} has a polygon that is no list of numbers.'
            ) from error
        if points.ndim != 1 or points.size % 2:
            raise InvalidDatasetError(f'{where} has a polygon that is no list of x and y in turn.')
        if not (np.abs(points) <= MAX_SIDES * max(size)).all():  # nor is NaN
            raise InvalidDatasetError(f'{where} has a polygon far outside its image.')
        # pycocotools would take two points for a box.
        if points.size >= 6:
            outlines.append(points.tolist())
    mask = np.zeros(size, dtype=bool)
    if outlines:
        for plane in np.moveaxis(mask_api.decode(mask_api.frPyObjects(outlines, *size)), -1, 0):
            mask |= plane > 0
    return mask


def union(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) of at least one of some masks, of which there is one."""
    return np.logical_or.reduce(masks)


def require_pycocotools() -> ModuleType:
    """Return pycocotools.mask; raise InvalidSettingError where it is not installed."""
    try:
        from pycocotools import mask
    except ImportError as error:
        raise InvalidSettingError(
            'Reading these masks needs pycocotools: pip install iterprime_ros[evaluation].'
        ) from error
    return mask


def _runs_mask(
    segmentation: dict[str, object], size: tuple[int, int], where: str
) -> NDArray[np.bool_]:
    if segmentation.get('size') != list(size):
        raise InvalidDatasetError(
            f'{where} has run lengths of size {segmentation.get("size")}, and its image has '
            f'{list(size)}.'
        )
    counts = segmentation.get('counts')
    if isinstance(counts, bytes):
        counts = counts.decode('ascii', errors='replace')
    try:
        runs = _decompressed(counts) if isinstance(counts, str) else np.array(counts)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidDatasetError(f'{where} has counts that are no run lengths.') from error
    pixels = size[0] * size[1]
    # Each bound by itself, as a sum of large numbers can wrap around.
    if (
        runs.ndim != 1
        or runs.dtype.kind != 'i'
        or ((runs < 0) | (runs > pixels)).any()
        or runs.sum() != pixels
    ):
        raise InvalidDatasetError(f'{where} has run lengths that do not add up to its image.')
    values = np.arange(runs.size) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, runs).reshape(size[::-1]).T)


def _decompressed(text: str) -> NDArray[np.int64]:
    """Return the run lengths of a text of 5 bits and a sign of continuation in each character.

    From the fourth on they are given less the one two before (rleFrString of maskApi.c).

    Raises ValueError for what is no such text.
    """
    # 8 characters hold more than the pixels of any image.
    if not re.fullmatch('([P-o]{0,7}[0-O])*', text):
        raise ValueError('no compressed run lengths')
    runs: list[int] = []
    for digits in re.findall('[P-o]*[0-O]', text):
        values = [ord(digit) - 48 for digit in digits]
        run = sum((value & 0x1F) << 5 * place for place, value in enumerate(values))
        if values[-1] & 0x10:
            run -= 1 << 5 * len(values)
        runs.append(run + runs[-2] if len(runs) > 2 else run)
    return np.array(runs, dtype=np.int64)
