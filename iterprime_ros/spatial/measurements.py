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
from iterprime_ros.spatial.image_geometry import (
    overlaps_of,
    positions_from_boxes,
    resting_in_image,
)
from iterprime_ros.spatial.mask_points import MaskPoints
from iterprime_ros.spatial.supporting_plane import (
    BACKGROUND_POINTS,
    SupportingPlane,
    evenly,
    find_supporting_plane,
)

_OUTSIDE = 0.01  # share of an object's points that may lie outside its extent
_FEWEST_POINTS = 4  # of an object whose place is measured
_MOST_POINTS = 300  # of an object that are measured
_OVERLAP = 0.005  # in metres: footprints that overlap so deep are of objects above each other
_STACKED = 0.015  # in metres: how far the top of what an object is on may be above its lowest point


@dataclass(frozen=True)
class Measurements:
    """K objects, measured; what depth would tell is NaN where is_metric is False.

    Image positions are in image heights from the image centre, x right, y down.

    centre: (K, 2) float64, the image position of the object's centre: of the middle of its vertical
        axis where depth is known, else of the middle of its box.
    box: (K, 4) float64, left, top, right, bottom in the image.
    area: (K,) float64, the share of the image that it covers, in [0, 1].
    image_resting: (K, K) float64 in [0, 1], [i, j] how surely i rests on j, from the image alone.
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
    image_resting: NDArray[np.float64]
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
    points = MaskPoints.of(masks)
    boxes = points.boxes()
    resting = resting_in_image(boxes, overlaps_of(points, boxes))
    image_depth, image_footprint = positions_from_boxes(boxes, resting)
    unknown = np.full(count, np.nan)
    in_image = Measurements(
        centre=(boxes[:, :2] + boxes[:, 2:]) / 2,
        box=boxes,
        area=areas,
        image_resting=resting,
        image_depth=image_depth,
        image_footprint=image_footprint,
        is_metric=np.zeros(count, bool),
        position=np.full((count, 3), np.nan),
        size=np.full((count, 3), np.nan),
        footprint=np.full((count, DIRECTION_COUNT), np.nan),
        base=unknown,
        top=unknown,
    )
    if depth is None or pinhole is None or not len(points.owners):
        return in_image
    return _measured_in_space(in_image, points, depth, pinhole.resized(width, height))


def _measured_in_space(
    in_image: Measurements, points: MaskPoints, depth: NDArray[np.float32], camera: Pinhole
) -> Measurements:
    """Return the measurements with those in space."""
    z = _on_grid(depth, points, camera)

    def seen_at(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        pixel_rows, pixel_columns = points.pixel_rows(rows), points.pixel_rows(columns)
        return back_project(pixel_rows, pixel_columns, z[rows, columns], camera)

    good = _thinned(points, points.on_surfaces(z))
    rows, columns = points.surroundings()
    chosen = evenly(np.flatnonzero(np.isfinite(z[rows, columns])), BACKGROUND_POINTS)
    on_objects = seen_at(points.rows[good], points.columns[good])
    found = find_supporting_plane(seen_at(rows[chosen], columns[chosen]), on_objects)
    plane = found or SupportingPlane.level_below(on_objects)
    flat, heights = plane.on_plane(on_objects), plane.heights(on_objects)
    footprint, base, top = in_image.footprint.copy(), in_image.base.copy(), in_image.top.copy()
    bounds = np.searchsorted(points.owners[good], np.arange(in_image.count + 1))
    for k, (start, end) in enumerate(pairwise(bounds)):
        if end - start < _FEWEST_POINTS:
            continue
        pixel = float(np.median(on_objects[start:end, 2])) / camera.fx
        footprint[k] = support_of_points(flat[start:end], _OUTSIDE) + points.margin * pixel
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


def _on_grid(
    depth: NDArray[np.float32], points: MaskPoints, camera: Pinhole
) -> NDArray[np.float64]:
    """Return depth (h, w) in metres on the grid, NaN where unknown."""
    rows, columns = (points.pixel_rows(np.arange(each)) for each in points.covered.shape[1:])
    rows, columns = rows * depth.shape[0] // camera.height, columns * depth.shape[1] // camera.width
    z = depth[np.ix_(rows, columns)].astype(np.float64)
    z[~(np.isfinite(z) & (z > 0))] = np.nan
    return z


def _thinned(points: MaskPoints, is_good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the indices of at most _MOST_POINTS good points of each mask, ascending."""
    good = np.flatnonzero(is_good)
    bounds = np.searchsorted(points.owners[good], np.arange(len(points.masks) + 1))
    return np.concatenate([evenly(good[a:b], _MOST_POINTS) for a, b in pairwise(bounds)])


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
