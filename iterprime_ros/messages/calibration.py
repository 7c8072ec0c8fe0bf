"""Calibrations of cameras."""

from iterprime_ros.geometry.distortion import Distortion
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.messages.protocols import CameraInfoMessage


def pinhole_of(info: CameraInfoMessage, is_rectified: bool = False) -> Pinhole:
    """Return the camera of a calibration.

    is_rectified: whether the image is rectified: then P describes it, and otherwise K and D.

    Raises InvalidCalibrationError where it is no pinhole camera, or its distortion is unknown.
    """
    size = info.width, info.height
    if is_rectified:
        return Pinhole(info.p[0], info.p[5], info.p[2], info.p[6], *size)
    distortion = Distortion(info.distortion_model, tuple(info.d)) if any(info.d) else None
    return Pinhole(info.k[0], info.k[4], info.k[2], info.k[5], *size, distortion)
