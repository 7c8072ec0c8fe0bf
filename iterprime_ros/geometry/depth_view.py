"""The part of a depth image round an object, without distortion, and what it shows at a point."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.table_frame import TableFrame


@dataclass(frozen=True)
class DepthView:
    """Depth by a pinhole camera without distortion, and which pixels show the object.

    depth: (h, w) float32 metres, NaN where unknown.
    on_object: (h, w) bool.
    focal, centre: (2,) float64, focal lengths and principal point along columns and rows, in
        pixels; the centre of pixel (0, 0) is at 0.
    """

    depth: NDArray[np.float32]
    on_object: NDArray[np.bool_]
    focal: NDArray[np.float64]
    centre: NDArray[np.float64]

    @classmethod
    def round_object(
        cls,
        depth: NDArray[np.float32],
        on_object: NDArray[np.bool_],
        camera: Pinhole,
        reach: float,
        pitch: float,
    ) -> 'DepthView':
        """Return what is within a distance of an object, in no more pixels than needed.

        depth: (h, w) metres, NaN or <= 0 where unknown.
        on_object: (h, w) bool, at least one of them with depth.
        camera: of these pixels; its distortion is taken out.
        reach: in metres, round the object.
        pitch: in metres on the object; of pixels that are closer together some are left out.
        """
        if camera.distortion:
            depth, on_object = _undistorted(depth, on_object, camera)
        z = _known(depth[on_object])
        nearest, usual = float(np.nanmin(z)), float(np.nanmedian(z))
        margin = int(np.ceil(reach / nearest * max(camera.fx, camera.fy)))
        step = max(1, int(pitch * camera.fx / usual))
        rows, columns = (np.flatnonzero(on_object.any(axis=axis)) for axis in (1, 0))
        top, left = (max(0, int(each[0]) - margin) for each in (rows, columns))
        window = np.s_[
            top : int(rows[-1]) + margin + 1 : step, left : int(columns[-1]) + margin + 1 : step
        ]
        return cls(
            _known(depth[window]),
            np.ascontiguousarray(on_object[window]),
            np.array([camera.fx, camera.fy]) / step,
            (np.array([camera.cx, camera.cy]) - [left, top]) / step,
        )

    def points(self, pitch: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return points (N, 3) that are seen, and which (N,) of them are on the object.

        pitch: in metres on the object; of pixels that are closer together some are left out.
        """
        step = max(1, int(pitch * self.focal[0] / float(np.nanmedian(self.depth[self.on_object]))))
        rows, columns = (np.arange(step // 2, side, step) for side in self.depth.shape)
        z = self.depth[step // 2 :: step, step // 2 :: step]
        across = ((columns - self.centre[0]) / self.focal[0]).astype(np.float32)
        down = ((rows - self.centre[1]) / self.focal[1]).astype(np.float32)
        points = np.stack([z * across, z * down[:, None], z], axis=-1)
        known = np.isfinite(z)
        return points[known], self.on_object[step // 2 :: step, step // 2 :: step][known]

    def seen_at(
        self, points: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return what is seen in the directions of points (..., 3) in the optical frame, z > 0.

        Returns depths (...), NaN where nothing was measured and outside the view, and whether it is
        the object.
        """
        height, width = self.depth.shape
        (fx, fy), (cx, cy) = self.focal, self.centre
        inverse = 1 / points[..., 2]
        # A column or row of -0.5 and more is inside, and cutting off rounds towards 0.
        column = (points[..., 0] * inverse * fx + (cx + 1.5)).astype(np.int32) - 1
        row = (points[..., 1] * inverse * fy + (cy + 1.5)).astype(np.int32) - 1
        is_inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        index = np.where(is_inside, row * width + column, 0)
        depths = np.where(is_inside, self.depth.ravel()[index], np.float32(np.nan))
        return depths, is_inside & self.on_object.ravel()[index]


def distance_behind(
    points: NDArray[np.floating], view: DepthView, frame: TableFrame
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Return how far points (..., 3) of a table frame are behind what is seen, NaN if unknown.

    The second is whether the object is what is seen there.
    """
    optical = frame.to_optical(points)
    depths, is_object = view.seen_at(optical)
    return optical[..., 2] - depths, is_object & np.isfinite(depths)


def _known(depth: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return depths with NaN for what is no depth."""
    return np.where(depth > 0, np.where(depth < np.inf, depth, np.nan), np.nan).astype(np.float32)


def _undistorted(
    depth: NDArray[np.float32], on_object: NDArray[np.bool_], camera: Pinhole
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return depth and mask as a camera of the same matrix without distortion sees them."""
    distortion, size = camera.distortion, (camera.width, camera.height)
    if distortion is None:
        return depth, on_object
    coefficients = np.array(distortion.coefficients)
    module = cv2.fisheye if distortion.model == 'equidistant' else cv2
    columns, rows = module.initUndistortRectifyMap(
        camera.matrix, coefficients, np.eye(3), camera.matrix, size, cv2.CV_32FC1
    )

    def moved(image: NDArray, outside: float) -> NDArray:
        return cv2.remap(
            image,
            columns,
            rows,
            cv2.INTER_NEAREST,  # a depth between two surfaces is on none of them
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=outside,
        )

    return moved(depth, float('nan')), moved(on_object.astype(np.uint8), 0) > 0
