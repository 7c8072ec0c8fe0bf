"""Where objects are in the image, and how much of them is seen, without a renderer."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.objects import SceneObject
from iterprime_ros.sim.scene import Scene
from iterprime_ros.sim.view import View, view_of_scene
from iterprime_ros.sim.visibility import outline_in_image, visible_fractions

ASPECT = 4 / 3  # width over height of the images that clips are composed for
GONE = (10, 30)  # frames that an object is hidden or out of the image, at least and at most
_NEAR = 0.02  # depth in metres: nearer than that, or behind the camera, nothing is in the image


def image_rectangle(camera: CameraPose, aspect: float = ASPECT) -> shapely.Polygon:
    """Return the image as the rectangle of slopes x/z and y/z (optical frame) that it shows."""
    half = float(np.tan(np.radians(camera.fovy) / 2))
    return shapely.box(-aspect * half, -half, aspect * half, half)


def share_in_image(item: SceneObject, camera: CameraPose) -> float:
    """Return how much of an object's outline is inside the image, in [0, 1]."""
    corners = _slopes(item, camera)
    if corners is None:
        return 0.0
    half = np.tan(np.radians(camera.fovy) / 2) * np.array([ASPECT, 1.0])
    # The corners are those of a prism around the object, and outlines take long.
    if (np.abs(corners) <= half).all():
        return 1.0
    if (corners > half).all(axis=0).any() or (corners < -half).all(axis=0).any():
        return 0.0
    outline = outline_in_image(item, camera)
    return float(outline.intersection(image_rectangle(camera)).area / outline.area)


def is_in_image(items: Sequence[SceneObject], camera: CameraPose, margin: float = 0.03) -> bool:
    """Return whether objects are inside the image, by a margin in image heights."""
    half = np.tan(np.radians(camera.fovy) / 2)
    limits = half * (np.array([ASPECT, 1.0]) - 2 * margin)
    slopes = [_slopes(item, camera) for item in items]
    return all(each is not None and bool((np.abs(each) <= limits).all()) for each in slopes)


def _slopes(item: SceneObject, camera: CameraPose) -> NDArray[np.float64] | None:
    """Return x/z and y/z (V, 2) of the corners around an object; None unless it is in front."""
    optical = camera.to_optical(item.hull)
    return None if optical[:, 2].min() < _NEAR else optical[:, :2] / optical[:, 2:]


def is_gone_for_a_while(shares: Sequence[float]) -> bool:
    """Return whether an object is gone for as many frames as GONE says, with a margin.

    shares: how much of its outline is seen in every frame. An outline is a little more than the
        pixels that are drawn, so that about 5 % of these lie between nothing and 10 % of it.
    """
    wholly = sum(share < 1e-3 for share in shares)
    mostly = sum(share < 0.1 for share in shares)
    return wholly > GONE[0] and mostly < GONE[1]


def estimated_view(scene: Scene) -> View:
    """Return the view of a scene by estimates of what is visible, for images of ASPECT."""
    fractions = np.array(visible_fractions(scene.objects, scene.camera))
    whole = np.array([outline_in_image(item, scene.camera).area for item in scene.objects])
    image = image_rectangle(scene.camera).area
    pinhole = Pinhole.from_fovy(scene.camera.fovy, 640, 480)
    return view_of_scene(scene, pinhole, fractions, fractions * whole / image)
