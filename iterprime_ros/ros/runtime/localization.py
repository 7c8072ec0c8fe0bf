"""Where an answered object is, from the depth image that belongs to its picture."""

from std_msgs.msg import Header

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.surface import Surface, surface
from iterprime_ros.ros.camera_topics import CameraTopics, nanoseconds_of
from iterprime_ros.ros.convert.encodings import depth_of
from iterprime_ros.ros.convert.images import pinhole_of
from iterprime_ros.ros.runtime.worker import Answered


def place_of(
    port: CameraTopics, header: Header, answered: Answered, tolerance: float
) -> tuple[Surface | None, str]:
    """Return the visible surface of the answer's mask, or None and a sentence of why there is none.

    The sentence is empty where no depth camera is there. tolerance: seconds between the stamps.
    """
    if not port.has_depth and port.info is None:
        return None, ''
    depth, info = port.depth_at(nanoseconds_of(header), tolerance), port.info
    if depth is None:
        return None, f'No depth image came within {tolerance:g} s of the image.'
    if info is None:
        return None, 'Depth came, but no camera_info, so that the place is unknown.'
    try:
        seen = surface(depth_of(depth), answered.answer.mask, answered.rgb, pinhole_of(info))
    except IterprimeError as error:
        return None, str(error)
    return seen, ''
