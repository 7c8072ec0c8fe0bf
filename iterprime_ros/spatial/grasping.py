"""Grasps of the object under a mask, on the plane that it stands on."""

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.grasp import Grasps
from iterprime_ros.geometry.grasp_planning import plan_grasps
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.geometry.mask_completion import completed
from iterprime_ros.geometry.object_points import object_pixels
from iterprime_ros.geometry.pinhole import Pinhole, back_project
from iterprime_ros.geometry.registration import mask_in_depth
from iterprime_ros.spatial.supporting_plane import (
    BACKGROUND_POINTS,
    SupportingPlane,
    evenly,
    find_supporting_plane,
)

MAX_GRASPS = 5
_REACH = 0.2  # m round the object, which a gripper may touch
_PITCH = 0.0015  # m
_PLANE_PITCH = 0.006  # m
_PLANE_POINTS = 2000
_NEAR_PLANE = 0.012  # m from a plane that is roughly known
_LEAST_SCATTER = 0.0005  # m
_SIGMAS = 3.0
_SIGMA_OF_MAD = 1.4826  # of a normal distribution
_REFINEMENTS = 4


def grasps_of(
    mask: NDArray[np.bool_],
    depth: NDArray[np.float32],
    pinhole: Pinhole,
    gripper: ParallelGripper | None = None,
    most: int = MAX_GRASPS,
    points: NDArray[np.floating] | None = None,
) -> Grasps:
    """Return grasps from above of the object under a mask, best first, or why there is none.

    mask: (H, W) bool.
    depth: (h, w) metres, NaN or <= 0 where unknown, registered to the image: the same field of
        view, of any resolution.
    pinhole: of the image, H x W.
    gripper: None: a `ParallelGripper` of its default sizes.
    most: how many grasps, at least 1.
    points: (N, 3) of the object's visible surface (`Surface.points`), where known already.
    """
    covered = mask_in_depth(mask, depth.shape)
    z = depth[covered]
    if not (np.isfinite(z) & (z > 0)).any():
        return Grasps((), 'The depth image has no measurement on the object.')
    camera = pinhole.resized(depth.shape[1], depth.shape[0])
    if points is None:
        depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
        points = back_project(*object_pixels(depth, covered, camera), camera)
    view = DepthView.round_object(depth, covered, camera, _REACH, _PITCH)
    around, is_object = view.points(_PLANE_PITCH)
    background = evenly(around[~is_object].astype(np.float64), _PLANE_POINTS)
    plane = find_supporting_plane(evenly(background, BACKGROUND_POINTS), points.astype(np.float64))
    if plane is None:
        return Grasps((), 'The depth image shows no plane that the object stands on.')
    normal, distance, noise = _refined(plane, background)
    view, edge = completed(view, normal, distance, noise)
    points = np.concatenate([points, edge])
    gripper = gripper or ParallelGripper()
    return plan_grasps(points, view, normal, distance, noise, gripper, most)


def _refined(
    plane: SupportingPlane, points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, float]:
    """Return normal and distance of a plane by the points (N, 3) on it, and their scatter.

    A finger goes within millimetres of the plane, on which the feet of things are not to weigh.
    """
    normal, distance = plane.normal, plane.distance
    near, scatter = np.full(len(points), True), _NEAR_PLANE
    for _ in range(_REFINEMENTS):
        away = np.abs(points @ normal - distance)
        near = away < min(_NEAR_PLANE, _SIGMAS * scatter + _LEAST_SCATTER)
        rays, inverse = points[near] / points[near, 2:], 1 / points[near, 2]
        slope = np.linalg.lstsq(rays, inverse, rcond=None)[0]
        distance = 1 / float(np.linalg.norm(slope))
        normal = slope * distance
        off = points[near] @ normal - distance
        scatter = _SIGMA_OF_MAD * float(np.median(np.abs(off)))
    return normal, distance, scatter
