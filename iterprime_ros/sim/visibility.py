"""How much of each object a camera sees, estimated from outlines without a renderer."""

from collections.abc import Sequence

import numpy as np
import shapely

from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.objects import SceneObject


def visible_fractions(objects: Sequence[SceneObject], camera: CameraPose) -> list[float]:
    """Return for each object about how much of its outline in the image nothing nearer covers.

    Outlines are convex hulls, and an object is nearer than another if the stack that it is part of
    is nearer to the camera, or if it is above the other in one stack. A mug with its hollow and its
    handle hides less than this says.
    """
    outlines = [outline_in_image(item, camera) for item in objects]
    order = sorted(range(len(objects)), key=lambda k: _distance(objects, k, camera))
    fractions = [1.0] * len(objects)
    for place, k in enumerate(order):
        nearer = [outlines[j] for j in order[:place] if outlines[j].intersects(outlines[k])]
        if nearer:
            rest = outlines[k].difference(shapely.union_all(nearer))
            fractions[k] = rest.area / outlines[k].area
    return fractions


def outline_in_image(item: SceneObject, camera: CameraPose) -> shapely.Polygon:
    """Return the convex hull of an object in the image, in slopes x/z and y/z (optical frame)."""
    cos, sin = np.cos(item.yaw), np.sin(item.yaw)
    points = item.shape.outline @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    optical = camera.to_optical(points + np.array([*item.position, item.base_height]))
    return shapely.MultiPoint(optical[:, :2] / optical[:, 2:]).convex_hull


def _distance(objects: Sequence[SceneObject], k: int, camera: CameraPose) -> tuple[float, float]:
    """Return what orders objects from near to far."""
    bottom = objects[k]
    while bottom.support is not None:
        bottom = objects[bottom.support - 1]
    return bottom.footprint.distance(shapely.Point(camera.eye[:2])), -objects[k].base_height
