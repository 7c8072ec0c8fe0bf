"""Where an answered object is, from the depth image that belongs to its picture."""

from std_msgs.msg import Header

from iterprime_ros.errors import IterprimeError
from iterprime_ros.ros.camera_port import CameraPort
from iterprime_ros.ros.depth import Pinhole, Surface, surface
from iterprime_ros.ros.encodings import depth_of
from iterprime_ros.ros.worker import Answered


def place_of(
    port: CameraPort, header: Header, answered: Answered, tolerance: float
) -> tuple[Surface | None, str]:
    """Return the visible surface of the answer's mask, or None and a sentence of why there is none.

    The sentence is empty where no depth camera is there. tolerance: seconds between the stamps.
    """
    if not port.has_depth and port.info is None:
        return None, ''
    stamp = header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
    depth, info = port.depth_at(stamp, tolerance), port.info
    if depth is None:
        return None, f'No depth image came within {tolerance:g} s of the image.'
    if info is None:
        return None, 'Depth came, but no camera_info, so that the place is unknown.'
    try:
        camera = Pinhole(info.k[0], info.k[4], info.k[2], info.k[5], info.width, info.height)
        seen = surface(depth_of(depth), answered.answer.mask, answered.rgb, camera)
    except IterprimeError as error:
        return None, str(error)
    return seen, ''
