"""From a mask and a registered depth image to the visible surface in 3D.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidImageError, IterprimeError
from iterprime_ros.geometry.object_points import object_pixels
from iterprime_ros.geometry.oriented_box import oriented_box
from iterprime_ros.geometry.pinhole import InvalidCalibrationError, Pinhole, back_project
from iterprime_ros.geometry.plane_fit import local_plane

_DTYPES = {'16UC1': 'u2', '32FC1': 'f4'}


class InvalidDepthError(IterprimeError):
    """A depth image that cannot be read, does not fit its image, or says nothing of the object."""


@dataclass(frozen=True)
class Surface:
    """The surface of an object that the camera sees, in the optical frame, in metres.

    points: (N, 3) float32, as measured; colours: (N, 3) uint8 RGB; point_count: N, at least 1.
    centroid: (3,) float64, the mean of the points.
    position: (3,) float64, the centre of a box round the surface along its principal axes.
    orientation: (4,) float64, the unit quaternion (x, y, z, w), w >= 0, that turns the box's axes
    into the frame's. x is the longest axis and z the shortest; z points towards the camera; x
    points to the image's right, or down where it is more upright than level; y completes a
    right-handed frame. size: (3,) float64, whole extents, size[0] >= size[1] >= size[2] >= 0.

    A parallel gripper approaches against z and closes along y, over a width of size[1]. The far
    side is not seen: size[2] is how deep the seen side is, not how thick the object. Where two
    sizes are about equal, their axes may turn into each other from one image to the next.
    """

    point_count: int
    centroid: NDArray[np.float64]
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    size: NDArray[np.float64]
    points: NDArray[np.float32]
    colours: NDArray[np.uint8]


def metric(depth: NDArray, encoding: str) -> NDArray[np.float32]:
    """Return a depth image (H, W) in metres, NaN where nothing was measured (REP 118).

    encoding: 16UC1 (uint16, millimetres, 0 for none) or 32FC1 (float32, metres; NaN, infinity and
    anything up to 0 for none).
    Raises InvalidDepthError for another encoding, dtype or shape.
    """
    if encoding not in _DTYPES:
        raise InvalidDepthError(
            f'Depth cannot be read from encoding "{encoding}"; '
            'publish 16UC1 (millimetres) or 32FC1 (metres).'
        )
    if depth.ndim != 2 or depth.dtype.newbyteorder('=') != np.dtype(_DTYPES[encoding]):
        raise InvalidDepthError(
            f'A depth image of encoding {encoding} cannot be {depth.dtype} of shape {depth.shape}; '
            'its message contradicts itself.'
        )
    metres = depth.astype(np.float32)
    if encoding == '16UC1':
        metres /= 1000
    with np.errstate(invalid='ignore'):  # comparing a signalling NaN
        metres[~((metres > 0) & (metres < np.inf))] = np.nan
    return metres


def surface(
    depth: NDArray[np.float32],
    mask: NDArray[np.bool_],
    rgb: NDArray[np.uint8],
    pinhole: Pinhole,
) -> Surface:
    """Return the visible surface of what a mask covers, without outliers.

    depth: (h, w) metres as `metric` returns it, registered to the image: the same field of view,
    of any resolution. mask: (H, W) bool. rgb: (H, W, 3) uint8. pinhole: the image's, H x W.

    What is dropped as not the object's, `object_pixels` says.

    Raises InvalidImageError for a mask or image of another shape or dtype; InvalidCalibrationError
    for a calibration of another size; InvalidDepthError for depth of another aspect ratio (by more
    than 1 in 100), an empty mask, and a mask without a single measurement.
    """
    _check(depth, mask, rgb, pinhole)
    # The image's pixel in which the centre of each depth pixel lies.
    image_rows, image_columns = (
        (2 * np.arange(few) + 1) * full // (2 * few)
        for few, full in zip(depth.shape, mask.shape, strict=True)
    )
    covered = mask[np.ix_(image_rows, image_columns)]
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
    if not np.isfinite(depth[covered]).any():
        raise InvalidDepthError(
            'The depth image has no measurement on the object; it may be too near, too far, '
            'shiny or transparent.'
        )
    camera = pinhole.resized(depth.shape[1], depth.shape[0])
    rows, columns, z = object_pixels(depth, covered, camera)
    points = back_project(rows, columns, z, camera)
    # Noise would thicken what is thin.
    smooth, _, _ = local_plane(rows, columns, z, (rows, columns))
    box = oriented_box(back_project(rows, columns, smooth, camera))
    return Surface(
        point_count=len(points),
        centroid=points.mean(axis=0),
        position=box.position,
        orientation=box.orientation,
        size=box.size,
        points=points.astype(np.float32),
        colours=rgb[image_rows[rows], image_columns[columns]],
    )


def _check(depth: NDArray, mask: NDArray, rgb: NDArray, pinhole: Pinhole) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise InvalidImageError(
            f'The image is {rgb.dtype} of shape {rgb.shape}; give (H, W, 3) uint8.'
        )
    if mask.dtype != np.bool_ or mask.shape != rgb.shape[:2]:
        raise InvalidImageError(
            f'The mask is {mask.dtype} of shape {mask.shape}; give bool of the '
            f"image's {rgb.shape[:2]}."
        )
    height, width = mask.shape
    if (pinhole.width, pinhole.height) != (width, height):
        raise InvalidCalibrationError(
            f'The camera_info is of {pinhole.width} x {pinhole.height} pixels and the image has '
            f"{width} x {height}; publish this image's own."
        )
    if not mask.any():
        raise InvalidDepthError('The mask is empty, so there is nothing to find in the depth.')
    if depth.ndim != 2 or 0 in depth.shape:
        raise InvalidDepthError(f'A depth image is (h, w), at least 1 x 1, not {depth.shape}.')
    if abs(depth.shape[1] * height / (depth.shape[0] * width) - 1) > 0.01:
        raise InvalidDepthError(
            f'The depth image has {depth.shape[1]} x {depth.shape[0]} pixels, which is not the '
            f"shape of the image's {width} x {height}; register it to the image."
        )
