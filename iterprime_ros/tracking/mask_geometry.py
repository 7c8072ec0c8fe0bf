"""Masks (H, W) bool: where they are, and where motions take them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.tracking.arrays import Bool, Float


def box_of(mask: Bool) -> tuple[int, int, int, int]:
    """Return left, top, width and height of a mask, in pixels; (0, 0, 0, 0) if it is empty."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return left, top, width, height


def centre_of(mask: Bool) -> Float:
    """Return the centroid (2,), (x, y) in pixels, of a mask that is not empty."""
    left, top, width, height = box_of(mask)
    moments = cv2.moments(mask[top : top + height, left : left + width].view(np.uint8), True)
    return np.array([left + moments['m10'] / moments['m00'], top + moments['m01'] / moments['m00']])


def innermost(mask: Bool) -> tuple[int, int]:
    """Return the pixel (x, y) of a mask that is farthest from its edge, that of the image too."""
    left, top, width, height = box_of(mask)
    padded = np.pad(mask[top : top + height, left : left + width].view(np.uint8), 1)
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    _, _, _, (x, y) = cv2.minMaxLoc(distances)
    return left + x - 1, top + y - 1


def is_same_object(mask: Bool, other: Bool, share: float) -> bool:
    """Return whether two masks have in common more than a share of the smaller one."""
    shared = np.count_nonzero(mask & other)
    return bool(shared > share * min(np.count_nonzero(mask), np.count_nonzero(other)))


def moved(mask: Bool, motion: Float) -> Bool:
    """Return a mask where a motion, a homography (3, 3) of pixels, takes it."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    left, top, across, down = box_of(mask)
    if not across:
        return found
    edges = np.array([left - 1, left + across, top - 1, top + down])
    corners = moved_points(edges[[[0, 2], [1, 2], [0, 3], [1, 3]]].astype(float), motion)
    if not np.isfinite(corners).all():
        return found
    low, high = np.floor(corners.min(0)), np.ceil(corners.max(0)) + 1
    x, y = (int(max(0, each)) for each in low)
    end_x, end_y = (int(min(most, each)) for most, each in zip((width, height), high, strict=True))
    if end_x <= x or end_y <= y:
        return found
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = (-x, -y), (left, top)
    shares = cv2.warpPerspective(
        mask[top : top + down, left : left + across].view(np.uint8) * np.uint8(255),
        there @ motion @ back,
        (end_x - x, end_y - y),
        flags=cv2.INTER_LINEAR,
    )
    found[y:end_y, x:end_x] = shares > 127
    return found


def moved_points(points: Float, motion: Float) -> Float:
    """Return points (P, 2), (x, y), where a homography (3, 3) takes them."""
    found = np.column_stack([points, np.ones(len(points))]) @ motion.T
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.asarray(found[:, :2] / found[:, 2:])


def resized_mask(mask: Bool, size: tuple[int, int]) -> Bool:
    """Return a mask at a size (h, w), by the nearest pixels."""
    rows, columns = (given // wanted for given, wanted in zip(mask.shape, size, strict=True))
    if mask.shape == (rows * size[0], columns * size[1]):
        return np.ascontiguousarray(mask[rows // 2 :: rows, columns // 2 :: columns])
    return np.asarray(
        cv2.resize(mask.view(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST), dtype=bool
    )


def reduced_image(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image (H, W) or (H, W, 3) whose longer side is at most `side`."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
