"""The edge of an object that its mask has missed, in a depth view.

A finger is not to keep away from pixels of the object itself, which a mask that ends a few pixels
early leaves to the surroundings.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from iterprime_ros.geometry.depth_view import DepthView

# Chosen on scenes of sim.seeds.PICK_CALIBRATION, with masks of the tabletop profile.
_MISSED = 0.012  # m, at most, of an object beside its mask
_STEP = 0.005  # m between neighbours on one surface, at most; things stand farther apart
_RAISED = 0.003  # m above the plane, at least
_SIGMAS = 3.0  # of the noise
_DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def completed(
    view: DepthView, normal: NDArray[np.float64], distance: float, noise: float
) -> tuple[DepthView, NDArray[np.float32]]:
    """Return the view with the mask grown over what continues the object's surface.

    normal, distance: of the plane that the object stands on, whose points X have
        normal @ X == distance; of length 1, downwards.
    noise: standard deviation of a depth, in metres.

    Also returns the points (N, 3) by which the object grew, in the optical frame.
    """
    pixel = float(np.nanmedian(view.depth[view.on_object])) / float(view.focal[0])
    window = _window(view.on_object, int(_MISSED / pixel) + 2)
    points, on_object = _points(view, window), view.on_object[window]
    is_raised = distance - points @ normal > max(_RAISED, _SIGMAS * noise)
    near = ndimage.distance_transform_edt(~on_object) * pixel <= _MISSED
    free = is_raised & near & ~on_object
    grown = on_object & is_raised
    most = max(_STEP, 2 * pixel) + _SIGMAS * noise
    links = [_linked(points, shift, most) for shift in _DIRECTIONS]
    while True:
        reached = np.zeros_like(grown)
        for (down, right), link in zip(_DIRECTIONS, links, strict=True):
            reached |= link & _shifted(grown, down, right)
        reached &= free & ~grown
        if not reached.any():
            whole = view.on_object.copy()
            whole[window] |= grown
            return replace(view, on_object=whole), points[grown & ~on_object].astype(np.float32)
        grown |= reached


def _window(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask and of a margin round it."""
    held = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    rows, columns = (slice(max(0, k[0] - margin), int(k[-1]) + margin + 1) for k in held)
    return rows, columns


def _points(view: DepthView, window: tuple[slice, slice]) -> NDArray[np.float64]:
    """Return the points (h, w, 3) of the pixels of a window, NaN where nothing was measured."""
    depth = view.depth[window].astype(np.float64)
    rows, columns = np.indices(depth.shape)
    x = (columns + window[1].start - view.centre[0]) / view.focal[0] * depth
    y = (rows + window[0].start - view.centre[1]) / view.focal[1] * depth
    return np.stack([x, y, depth], axis=-1)


def _linked(points: NDArray[np.float64], shift: tuple[int, int], most: float) -> NDArray[np.bool_]:
    """Return which pixels (h, w) are at most a distance from the one they are shifted from."""
    other = np.roll(points, shift, axis=(0, 1))
    return np.linalg.norm(points - other, axis=-1) <= most


def _shifted(mask: NDArray[np.bool_], down: int, right: int) -> NDArray[np.bool_]:
    return np.roll(mask, (down, right), axis=(0, 1))
