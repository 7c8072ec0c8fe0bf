"""From a mask and a registered depth image to the visible surface in 3D.

Everything is in the camera's optical frame (REP 103: x right, y down, z forward), in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidCalibrationError, InvalidDepthError, InvalidImageError
from iterprime_ros.geometry.object_points import object_pixels
from iterprime_ros.geometry.oriented_box import OrientedBox, oriented_box
from iterprime_ros.geometry.pinhole import Pinhole, back_project
from iterprime_ros.geometry.plane_fit import local_plane


@dataclass(frozen=True)
class Surface:
    """The surface of an object that the camera sees, in the optical frame, in metres.

    point_count: N, at least 1.
    centroid: (3,) float64, the mean of the points.
    box: the box round the surface along its principal axes.
    points: (N, 3) float32, as measured.
    colours: (N, 3) uint8 RGB.

    A parallel gripper approaches against z and closes along y, over a width of box.size[1]. The
    far side is not seen: box.size[2] is the depth of the visible side, not the thickness of the
    object. Where two sizes are about equal, their axes may swap from one image to the next.
    """

    point_count: int
    centroid: NDArray[np.float64]
    box: OrientedBox
    points: NDArray[np.float32]
    colours: NDArray[np.uint8]


def surface(
    depth: NDArray[np.float32],
    mask: NDArray[np.bool_],
    rgb: NDArray[np.uint8],
    pinhole: Pinhole,
) -> Surface:
    """Return the visible surface of the object under a mask, without outliers.

    depth: (h, w) metres, NaN where nothing was measured, registered to the image: the same field of
        view, of any resolution.
    mask: (H, W) bool.
    rgb: (H, W, 3) uint8.
    pinhole: of the image, H x W.

    `object_pixels` decides which measurements belong to the object.

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
    return Surface(
        point_count=len(points),
        centroid=points.mean(axis=0),
        box=oriented_box(back_project(rows, columns, smooth, camera)),
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
    check_registered(mask.shape, depth, pinhole)
    if not mask.any():
        raise InvalidDepthError('The mask is empty, so there is nothing to find in the depth.')


def check_registered(
    size: tuple[int, ...], depth: NDArray[np.float32] | None, pinhole: Pinhole | None
) -> None:
    """Check that depth and calibration can belong to an image.

    size: (H, W) of the image, in pixels.
    depth: depth image; None: not checked.
    pinhole: calibration; None: not checked.

    Raises InvalidCalibrationError for a calibration of another size, and InvalidDepthError for
    depth that is not (h, w) or has another aspect ratio (by more than 1 in 100).
    """
    height, width = size
    if pinhole and (pinhole.width, pinhole.height) != (width, height):
        raise InvalidCalibrationError(
            f'The camera_info is of {pinhole.width} x {pinhole.height} pixels and the image has '
            f"{width} x {height}; publish this image's own."
        )
    if depth is None:
        return
    if depth.ndim != 2 or 0 in depth.shape:
        raise InvalidDepthError(f'A depth image is (h, w), at least 1 x 1, not {depth.shape}.')
    if abs(depth.shape[1] * height / (depth.shape[0] * width) - 1) > 0.01:
        raise InvalidDepthError(
            f'The depth image has {depth.shape[1]} x {depth.shape[0]} pixels, which is not the '
            f"shape of the image's {width} x {height}; register it to the image."
        )
