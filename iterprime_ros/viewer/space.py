"""What is logged in 3D, in the camera's optical frame: the camera, the scene, objects, grasps.

Metres; x right, y down, z forward (REP 103), which is RDF for Rerun.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.grasp import Grasp, gripper_lines
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.oriented_box import OrientedBox
from iterprime_ros.geometry.pinhole import Pinhole, back_project
from iterprime_ros.viewer.layout import CAMERA, OBJECTS, SCENE

if TYPE_CHECKING:
    import rerun

_MOST_POINTS = 40_000  # of the scene
_OBJECT_POINT, _LINE = 0.0018, 0.0015  # radii, in metres
_FILLED = 0.6  # radius of a point of the scene, over the distance to the next
_PLANE_DISTANCE = 0.12  # of the camera's image, in metres
_GREEN = (40, 220, 90)
_DIM = 90  # opacity of all grasps but the best, up to 255


def log_camera(stream: 'rerun.RecordingStream', pinhole: Pinhole) -> None:
    """Log the calibration of the camera, at the origin of its optical frame."""
    import rerun

    stream.log(
        CAMERA,
        rerun.Transform3D(),
        rerun.Pinhole(
            image_from_camera=pinhole.matrix,
            resolution=[pinhole.width, pinhole.height],
            camera_xyz=rerun.ViewCoordinates.RDF,
            image_plane_distance=_PLANE_DISTANCE,
        ),
    )


def log_scene(
    stream: 'rerun.RecordingStream',
    image: NDArray[np.uint8],
    depth: NDArray[np.float32],
    pinhole: Pinhole,
) -> float | None:
    """Log what a depth camera sees as points, and return their median depth in metres.

    image: (H, W, 3) uint8 RGB.
    depth: (h, w) float32 in metres, NaN or <= 0 where unknown, registered to the image.
    pinhole: of the image.

    Of more than 40,000 points every n-th row and column is logged. Returns None without any.
    """
    import rerun

    step = max(1, int(np.ceil(np.sqrt(depth.size / _MOST_POINTS))))
    known = np.isfinite(depth) & (depth > 0)
    rows, columns = (step * each for each in np.nonzero(known[::step, ::step]))
    if not len(rows):
        stream.log(SCENE, rerun.Clear(recursive=False))
        return None
    z = depth[rows, columns]
    camera = pinhole.resized(depth.shape[1], depth.shape[0])
    points = back_project(rows, columns, z, camera)
    across = [image.shape[k] / depth.shape[k] for k in (0, 1)]
    colours = image[
        ((rows + 0.5) * across[0]).astype(int), ((columns + 0.5) * across[1]).astype(int)
    ]
    distance = float(np.median(z))
    radius = _FILLED * step * distance / camera.fx
    stream.log(SCENE, rerun.Points3D(points, colors=colours, radii=radius))
    return distance


def log_points(
    stream: 'rerun.RecordingStream',
    n: int,
    points: NDArray[np.float32],
    colours: NDArray[np.uint8],
) -> None:
    """Log the visible surface of object n, counted from 0, as points.

    points: (N, 3) float32 in metres.
    colours: (N, 3) uint8 RGB.
    """
    import rerun

    stream.log(f'{OBJECTS}/{n}/points', rerun.Points3D(points, colors=colours, radii=_OBJECT_POINT))


def log_box(stream: 'rerun.RecordingStream', n: int, box: OrientedBox, label: str) -> None:
    """Log the box round object n, counted from 0."""
    import rerun

    stream.log(
        f'{OBJECTS}/{n}/box',
        rerun.Boxes3D(
            centers=[box.position],
            half_sizes=[box.size / 2],
            quaternions=[rerun.Quaternion(xyzw=box.orientation)],
            colors=[_GREEN],
            radii=_LINE,
            labels=[label],
        ),
    )


def log_grasps(
    stream: 'rerun.RecordingStream', n: int, grasps: Sequence[Grasp], finger_depth: float = 0.0
) -> None:
    """Log the grasps of object n, best first; from red for a quality of 0 to green for 1.

    finger_depth: length of the fingers, in metres; 0: of the default gripper.
    """
    import rerun

    entity = f'{OBJECTS}/{n}/grasps'
    if not grasps:
        stream.log(entity, rerun.Clear(recursive=False))
        return
    depth = finger_depth or ParallelGripper().finger_depth
    colours = []
    for number, each in enumerate(grasps):
        green = round(255 * min(max(each.quality, 0), 1))
        colours.append((255 - green, green, 26, _DIM if number else 255))
    stream.log(
        entity,
        rerun.LineStrips3D(
            [_strip(gripper_lines(each, depth)) for each in grasps],
            colors=colours,
            radii=_LINE,
            labels=[f'grasp {each.quality:.2f}' for each in grasps],
            show_labels=False,
        ),
    )


def clear_objects(stream: 'rerun.RecordingStream') -> None:
    """Clear all objects from here on."""
    import rerun

    stream.log(OBJECTS, rerun.Clear(recursive=True))


def _strip(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lines of a gripper (10, 3) as one line without a gap (9, 3)."""
    (tip, root), (other_tip, other_root) = ends[:2], ends[2:4]
    palm, stem = ends[6], ends[7]
    return np.array([other_tip, tip, root, palm, stem, palm, other_root, other_tip, tip])
