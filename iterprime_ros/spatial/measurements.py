"""Where the objects of a frame are and how large: from their masks, and from depth where known."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.pinhole import Pinhole, back_project
from iterprime_ros.spatial.footprints import (
    DIRECTION_COUNT,
    centres_of,
    gaps_between,
    sizes_of,
    support_of_points,
)
from iterprime_ros.spatial.image_geometry import positions_from_boxes
from iterprime_ros.spatial.supporting_plane import SupportingPlane, find_supporting_plane

_ROWS = 120  # of the grid on which masks and depth are read: 1 % of an image height is enough
_EDGE = 0.004  # of the image height: pixels so near to the edge of a mask may be background
_JUMP = 0.03  # of the depth, between neighbours on both sides of which are two surfaces
_OUTSIDE = 0.01  # share of a mask's columns, rows or points that may lie outside its extent
_FEWEST_POINTS = 4  # of an object whose place is measured
_OVERLAP = 0.005  # in metres: footprints that overlap so deep are of objects above each other
_STACKED = 0.015  # in metres: how far the top of what an object is on may be above its lowest point
_SURROUNDINGS = 0.15  # image heights round the objects in which the supporting plane is looked for


@dataclass(frozen=True)
class Measurements:
    """K objects, measured; what depth would tell is NaN where is_metric is False.

    Image positions are in image heights from the image centre, x right, y down.

    centre: (K, 2) float64, the image position of the object's centre: of the middle of its vertical
        axis where depth is known, else of the middle of its box.
    box: (K, 4) float64, left, top, right, bottom in the image.
    area: (K,) float64, the share of the image that it covers, in [0, 1].
    image_depth: (K,) float64, depth of the centre without a unit, from the image alone.
    image_footprint: (K, DIRECTION_COUNT) float64, support functions, likewise.
    is_metric: (K,) bool, whether depth and calibration gave what follows.
    position: (K, 3) float64, the object's centre in the optical frame, in metres; [:, 2] is its
        depth along the optical axis.
    size: (K, 3) float64, length and width of the footprint, and height, in metres.
    footprint: (K, DIRECTION_COUNT) float64, support functions on the supporting plane, in metres.
    base, top: (K,) float64, heights above the supporting plane, in metres.
    """

    centre: NDArray[np.float64]
    box: NDArray[np.float64]
    area: NDArray[np.float64]
    image_depth: NDArray[np.float64]
    image_footprint: NDArray[np.float64]
    is_metric: NDArray[np.bool_]
    position: NDArray[np.float64]
    size: NDArray[np.float64]
    footprint: NDArray[np.float64]
    base: NDArray[np.float64]
    top: NDArray[np.float64]

    @property
    def count(self) -> int:
        """K."""
        return len(self.area)


def measure(
    masks: NDArray[np.bool_],
    depth: NDArray[np.float32] | None = None,
    pinhole: Pinhole | None = None,
) -> Measurements:
    """Measure the objects under masks.

    masks: (K, H, W) bool, none of them empty.
    depth: (h, w) metres along the optical axis, NaN or <= 0 where unknown, registered to the image:
        the same field of view, of any resolution.
    pinhole: of the image; of another size it is taken for the same field of view.

    Without depth or calibration, and for objects without depth, only the image is measured. The
    camera sees the front of an object: its far side is where its top ends, and what stands before
    it is not completed.

    Raises ValueError for masks of another shape, and for an empty mask.
    """
    if masks.ndim != 3:
        raise ValueError(f'masks are {masks.shape}; give (K, H, W).')
    count, height, width = masks.shape
    areas = np.array([np.count_nonzero(mask) for mask in masks]) / (height * width)
    if count and not areas.all():
        raise ValueError(f'Mask {int(areas.argmin())} is empty.')
    step = max(1, round(height / _ROWS))
    rows, columns = np.arange(step // 2, height, step), np.arange(step // 2, width, step)
    coarse = masks[:, step // 2 :: step, step // 2 :: step]
    boxes = _boxes(masks, coarse, step)
    image_depth, image_footprint = positions_from_boxes(boxes)
    unknown = np.full(count, np.nan)
    in_image = Measurements(
        centre=(boxes[:, :2] + boxes[:, 2:]) / 2,
        box=boxes,
        area=areas,
        image_depth=image_depth,
        image_footprint=image_footprint,
        is_metric=np.zeros(count, bool),
        position=np.full((count, 3), np.nan),
        size=np.full((count, 3), np.nan),
        footprint=np.full((count, DIRECTION_COUNT), np.nan),
        base=unknown,
        top=unknown,
    )
    if depth is None or pinhole is None or not count:
        return in_image
    camera = pinhole.resized(width, height)
    z = depth[np.ix_(rows * depth.shape[0] // height, columns * depth.shape[1] // width)]
    grid_rows, grid_columns = (each.ravel() for each in np.meshgrid(rows, columns, indexing='ij'))
    points = back_project(grid_rows, grid_columns, z.ravel(), camera).reshape(*z.shape, 3)
    return _measured_in_space(in_image, masks, coarse, points, camera, step)


def _boxes(masks: NDArray[np.bool_], coarse: NDArray[np.bool_], step: int) -> NDArray[np.float64]:
    """Return the boxes (K, 4); a hundredth of a mask may lie outside on each side."""
    height, width = masks.shape[1:]
    boxes = np.empty((len(masks), 4))
    for k, (mask, few) in enumerate(zip(masks, coarse, strict=True)):
        seen, pitch = (few, step) if np.count_nonzero(few) >= _FEWEST_POINTS else (mask, 1)
        for axis in (0, 1):
            share = np.cumsum(np.count_nonzero(seen, axis=axis))
            first = np.searchsorted(share, _OUTSIDE * share[-1], 'right')
            last = np.searchsorted(share, (1 - _OUTSIDE) * share[-1], 'left')
            boxes[k, axis], boxes[k, axis + 2] = first * pitch, (last + 1) * pitch
    boxes[:, ::2] -= width / 2
    boxes[:, 1::2] -= height / 2
    return boxes / height


def _measured_in_space(
    in_image: Measurements,
    masks: NDArray[np.bool_],
    coarse: NDArray[np.bool_],
    points: NDArray[np.float64],
    camera: Pinhole,
    step: int,
) -> Measurements:
    """Return the measurements with those in space.

    coarse: (K, h, w) bool, the masks on a grid of pixels that are step apart.
    points: (h, w, 3) metres, what is seen at the grid's points.
    """
    is_known = np.isfinite(points[..., 2]) & (points[..., 2] > 0)
    z = np.where(is_known, points[..., 2], np.nan)
    owners, at = _points_of_objects(masks, coarse, z, step)
    covered = np.logical_or.reduce(coarse)
    found = find_supporting_plane(
        points[_surroundings(covered) & is_known], points[covered & is_known]
    )
    plane = found or SupportingPlane.level_below(points[at])
    flat, heights = plane.on_plane(points[at]), plane.heights(points[at])
    footprint, base, top = in_image.footprint.copy(), in_image.base.copy(), in_image.top.copy()
    unseen = _edge_pixels(camera.height) + step / 2  # between the outermost points and the outline
    bounds = np.searchsorted(owners, np.arange(len(coarse) + 1))
    for k, (start, end) in enumerate(pairwise(bounds)):
        if end - start < _FEWEST_POINTS:
            continue
        pixel = float(np.median(z[at[0][start:end], at[1][start:end]])) / camera.fx
        footprint[k] = support_of_points(flat[start:end], _OUTSIDE) + unseen * pixel
        ordered, outside = np.sort(heights[start:end]), int(_OUTSIDE * (end - start))
        base[k], top[k] = ordered[outside], ordered[-1 - outside]
    if found:
        base = _resting(footprint, base, top)
    is_metric = np.isfinite(top)
    position = plane.to_optical(centres_of(footprint), (base + top) / 2)
    seen = camera.project(position) - (np.array([camera.width, camera.height]) - 1) / 2
    return replace(
        in_image,
        centre=np.where(is_metric[:, None], seen / camera.height, in_image.centre),
        is_metric=is_metric,
        position=position,
        size=np.concatenate([sizes_of(footprint), (top - base)[:, None]], axis=1),
        footprint=footprint,
        base=base,
        top=top,
    )


def _resting(
    footprint: NDArray[np.float64], base: NDArray[np.float64], top: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the heights (K,) of what the objects rest on: the supporting plane, or another object.

    The camera sees an object from above, so the lowest point seen is above its base. An object
    whose lowest point is higher above its support than the object is large is held in the air.
    """
    is_over = gaps_between(footprint) < -_OVERLAP
    is_over &= top <= base[:, None] + _STACKED
    is_over &= (base + top)[:, None] > (base + top)
    np.fill_diagonal(is_over, False)
    support = np.where(is_over, np.maximum(top, 0.0), 0.0).max(axis=1, initial=0.0)
    largest = np.maximum(sizes_of(footprint).max(axis=1), top - base)
    return np.where(base - support <= largest, support, base)


def _points_of_objects(
    masks: NDArray[np.bool_], coarse: NDArray[np.bool_], z: NDArray[np.float64], step: int
) -> tuple[NDArray[np.intp], tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the object (N,), ascending, and the rows and columns (N,) on the grid of good points.

    Left out are points at the edge of a mask and behind a step in depth inside it, where masks that
    are a little too large cover the background.
    """
    height, width = masks.shape[1:]
    owners, rows, columns = np.nonzero(coarse)
    reach = _edge_pixels(height)
    is_good = np.isfinite(z[rows, columns])
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        near_rows = np.clip(rows * step + step // 2 + down * reach, 0, height - 1)
        near_columns = np.clip(columns * step + step // 2 + right * reach, 0, width - 1)
        is_good &= masks[owners, near_rows, near_columns]
        next_rows = np.clip(rows + down, 0, z.shape[0] - 1)
        next_columns = np.clip(columns + right, 0, z.shape[1] - 1)
        is_step = z[rows, columns] - z[next_rows, next_columns] > _JUMP * z[rows, columns]
        is_good &= ~(is_step & coarse[owners, next_rows, next_columns])
    return owners[is_good], (rows[is_good], columns[is_good])


def _edge_pixels(height: int) -> int:
    return max(1, round(_EDGE * height))


def _surroundings(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the grid's points (h, w) round what is covered, at a distance from its edges."""
    near = np.zeros_like(covered)
    reach = round(_SURROUNDINGS * len(covered))
    rows, columns = (np.flatnonzero(np.logical_or.reduce(covered, axis=axis)) for axis in (1, 0))
    if len(rows):
        near[
            max(0, rows[0] - reach) : rows[-1] + reach + 1,
            max(0, columns[0] - reach) : columns[-1] + reach + 1,
        ] = True
    grown = covered.copy()
    grown[1:] |= covered[:-1]
    grown[:-1] |= covered[1:]
    grown[:, 1:] |= covered[:, :-1]
    grown[:, :-1] |= covered[:, 1:]
    return near & ~grown
