"""ReferredObject messages as answers, grasps and boxes of the library."""

import numpy as np
from geometry_msgs.msg import Pose
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.oriented_box import OrientedBox
from iterprime_ros.msg import Grasp as GraspMessage
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.convert.referred_object import full_mask, full_size_mask

_STATUS = {getattr(ReferredObject, each.name): each for each in Status}


def answer_of(message: ReferredObject) -> Segmentation:
    """Return an answer as far as its message tells it.

    ERROR, which no answer of the library has, is INVALID. The parsed command, rounds, words and
    what was judged part by part are not in the message, and the heatmap, on another topic, is
    empty (0, 0).
    """
    status = _STATUS.get(message.status, Status.INVALID)
    mask = full_mask(message)
    candidates = [
        Candidate(
            full_size_mask(message, each),
            each.heatmap_mean,
            each.heatmap_overlap,
            each.predicted_iou,
            each.chance,
        )
        for each in message.candidates
    ]
    if status.has_mask and status is not Status.FOUND_SEVERAL:
        best = Candidate(
            mask,
            message.heatmap_mean,
            message.heatmap_overlap,
            message.predicted_iou,
            message.chance,
        )
        candidates.insert(0, best)
    return Segmentation(
        status,
        message.text,
        None,
        mask,
        np.zeros((0, 0), np.float32),
        message.match_probability,
        message.ranked_by or 'mean',
        tuple(candidates),
        message.instance_count,
        milliseconds={
            'inference': 1e3 * _seconds(message.inference_time),
            'from image to answer': 1e3 * _seconds(message.processing_time),
        },
    )


def box_of(message: ReferredObject) -> OrientedBox:
    """Return the box of an answer whose point_count is not 0."""
    size = message.size
    return OrientedBox(
        _position(message.box), _quaternion(message.box), np.array([size.x, size.y, size.z])
    )


def grasp_of(message: GraspMessage) -> Grasp:
    """Return the grasp of a message; its rotation is all NaN where the orientation is none."""
    quaternion = _quaternion(message.pose)
    length = np.linalg.norm(quaternion)
    is_turn = np.isfinite(length) and abs(length - 1) < 0.01
    return Grasp(
        _position(message.pose),
        Rotation.from_quat(quaternion).as_matrix() if is_turn else np.full((3, 3), np.nan),
        message.width,
        message.quality,
    )


def _position(pose: Pose) -> NDArray[np.float64]:
    return np.array([pose.position.x, pose.position.y, pose.position.z])


def _quaternion(pose: Pose) -> NDArray[np.float64]:
    """Return the orientation of a pose as (x, y, z, w)."""
    turn = pose.orientation
    return np.array([turn.x, turn.y, turn.z, turn.w])


def _seconds(duration: object) -> float:
    return float(getattr(duration, 'sec', 0) + 1e-9 * getattr(duration, 'nanosec', 0))
