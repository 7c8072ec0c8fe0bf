"""Images of rendered scenes, each in two versions: as rendered and mirrored."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from iterprime_ros.training.scenes import Scenes


def image_index(scene_index: int, is_mirrored: bool) -> int:
    """Return the index of a version of a scene's image among all images, in [0, 2 * scenes)."""
    return 2 * scene_index + is_mirrored


def scene_images(scenes: Scenes, chosen: Sequence[tuple[int, bool]]) -> Tensor:
    """Return images (B, 3, H, W) uint8; chosen: scene index and whether it is mirrored."""
    return to_tensor(np.stack([mirrored(scenes[index]['rgb'], flip) for index, flip in chosen]))


def mirrored(image: NDArray[np.uint8], is_mirrored: bool) -> NDArray[np.uint8]:
    """Return an image (H, W) or (H, W, 3), flipped horizontally if `is_mirrored`."""
    return image[:, ::-1] if is_mirrored else image


def to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Return images (B, H, W, 3) as a tensor (B, 3, H, W)."""
    return from_numpy(images.transpose(0, 3, 1, 2).copy())
