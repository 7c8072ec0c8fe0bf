"""Answers as ReferredObject messages of ROS, and what is read of them."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.messages import images
from iterprime_ros.messages import referred_object as plain
from iterprime_ros.messages.referred_object import roi_slices
from iterprime_ros.msg import Candidate, ReferredObject
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.ros.convert.message_classes import ROS_CLASSES

referred_object = partial(plain.referred_object, ROS_CLASSES)
empty_referred_object = partial(plain.empty_referred_object, ROS_CLASSES)
duration = partial(plain.duration, ROS_CLASSES)
mask_image = partial(images.mask_image, ROS_CLASSES)
cropped_mask_image = partial(plain.cropped_mask_image, ROS_CLASSES)
roi_of = partial(plain.roi_of, ROS_CLASSES)
pose_of = partial(plain.pose_of, ROS_CLASSES)


def full_mask(message: ReferredObject) -> NDArray[np.bool_]:
    """Return the mask (H, W) bool of an answer at the size of its image; (0, 0) without one."""
    return full_size_mask(message, message)


def instance_masks(message: ReferredObject) -> list[NDArray[np.bool_]]:
    """Return the masks (H, W) bool of the objects that FOUND_SEVERAL lists; none otherwise."""
    if message.status != ReferredObject.FOUND_SEVERAL:
        return []
    return [full_size_mask(message, each) for each in message.candidates[: message.instance_count]]


def full_size_mask(message: ReferredObject, part: ReferredObject | Candidate) -> NDArray[np.bool_]:
    """Return the mask of an answer or of its candidate at the size (H, W) of its image."""
    full = np.zeros((message.image_height, message.image_width), dtype=bool)
    if part.mask.width:
        full[roi_slices(part.roi)] = from_image(part.mask) > 0
    return full
