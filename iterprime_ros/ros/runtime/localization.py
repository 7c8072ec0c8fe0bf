"""Where a segmented object is in 3D, by the depth image that belongs to its image."""

from std_msgs.msg import Header

from iterprime_ros.errors import IterprimeError
from iterprime_ros.geometry.surface import Surface, surface
from iterprime_ros.ros.camera_topics import CameraTopics, nanoseconds_of
from iterprime_ros.ros.convert.depth_images import depth_of
from iterprime_ros.ros.convert.images import pinhole_of
from iterprime_ros.ros.runtime.worker import JobAnswer


def visible_surface(
    topics: CameraTopics, header: Header, answered: JobAnswer, tolerance: float
) -> tuple[Surface | None, str]:
    """Return the visible surface of the answer's mask, or None and a sentence that says why not.

    header: of the image.
    tolerance: seconds by which the stamps of image and depth may differ.

    The sentence is empty where there is no depth camera.
    """
    if not topics.has_depth and topics.camera_info is None:
        return None, ''
    depth = topics.depth_at(nanoseconds_of(header), tolerance)
    info = topics.camera_info
    if depth is None:
        return None, f'No depth image came within {tolerance:g} s of the image.'
    if info is None:
        return None, 'Depth came, but no camera_info, so the 3D position is unknown.'
    try:
        seen = surface(depth_of(depth), answered.answer.mask, answered.rgb, pinhole_of(info))
    except IterprimeError as error:
        return None, str(error)
    return seen, ''
