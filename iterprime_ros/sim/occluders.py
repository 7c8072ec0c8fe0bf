"""Things that pass between the camera and an object and hide it for a while: arm and carton."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from iterprime_ros.sim.framing import estimated_view, image_rectangle, is_gone_for_a_while
from iterprime_ros.sim.objects import SceneObject, triple
from iterprime_ros.sim.opening import Opening
from iterprime_ros.sim.paths import frames_for, leg
from iterprime_ros.sim.scene import Scene
from iterprime_ros.sim.semantics import meaning
from iterprime_ros.sim.shapes import Primitive
from iterprime_ros.sim.visibility import outline_in_image

OCCLUDERS = ('arm', 'carton')
_TRIES = 12
_CLEARANCE = 0.01  # in metres, from all that stands on the table
_WIDEST = 16 / 9  # width over height of images that show nothing of an occluder in frame 0
_RGB = {'arm': (0.80, 0.60, 0.48), 'carton': (0.66, 0.52, 0.36)}
_BEIGE, _LARGE = 'beige', 'large'


def occlude(rng: Generator, scene: Scene, opening: Opening, frames: int) -> list[Scene] | None:
    """Return a clip in which an arm or a carton hides the target; None if the draw fails.

    It is the last object of every scene, out of the image in the first and the last frame.
    """
    target = scene.objects[opening.target - 1]
    for _ in range(_TRIES):
        passing = _passing(rng, scene, target, frames)
        if passing is None:
            continue
        scenes = [replace(scene, objects=(*scene.objects, item)) for item in passing]
        if _is_clear(scene.objects, passing) and _means_the_same(scenes[0], opening):
            return scenes
    return None


def _passing(
    rng: Generator, scene: Scene, target: SceneObject, frames: int
) -> list[SceneObject] | None:
    """Return the occluder in every frame; None if the target is hidden too long or too short."""
    camera = scene.camera
    right = camera.rotation[:, 0]
    outline = outline_in_image(target, camera)
    left, top, end, bottom = outline.bounds
    kind = OCCLUDERS[int(rng.integers(len(OCCLUDERS)))]
    # From the camera to the target; the nearer, the smaller the thing that hides it.
    share = rng.uniform(0.4, 0.6)
    depth = share * float(camera.to_optical(target.centre)[2])
    half_width, half_height = depth * (end - left) / 2, depth * (bottom - top) / 2
    margin = rng.uniform(1.2, 1.5)
    yaw = float(np.arctan2(right[1], right[0]))
    edge = float(depth * image_rectangle(camera, _WIDEST).bounds[2])
    middle = depth * (left + end) / 2
    if kind == 'arm':
        radius = margin * half_height
        length = rng.uniform(0.2, 0.24)
        shape = Primitive('capsule', (length, radius, radius))
        if radius > 0.065:
            return None
        side = 1 if middle > 0 else -1
        # Its round tip is beyond the target.
        cover = middle + side * (length - half_width - 1.3 * radius)
        sides = (side, side)
        reach = length
    else:
        depth_half = rng.uniform(0.02, 0.04)
        sin = abs(camera.rotation[2, 2])
        cos = float(np.sqrt(1 - sin**2))
        height = max(0.03, margin * (half_height - depth_half * sin) / max(cos, 0.3) + 0.01)
        width = half_width + rng.uniform(0.02, 0.05)
        if max(width, height) > 0.12:
            return None
        shape = Primitive('cube', (width, depth_half, height))
        cover = middle
        side = int(rng.choice([-1, 1]))
        sides = (side, -side)
        reach = float(np.hypot(width, depth_half)) * 1.25
    start_at, end_at = (each * (edge + reach + 0.02) for each in sides)
    speed = rng.uniform(0.5, 0.9)
    come, go = (frames_for(abs(x - cover), speed) for x in (start_at, end_at))
    rest = int(rng.integers(0, 16))
    spare = frames - (come + rest + go) - 3
    if spare < 0:
        return None
    start = int(rng.integers(0, spare + 1))
    along = start_at + (cover - start_at) * leg(frames, start, come)
    along += (end_at - cover) * leg(frames, start + come + rest, go)
    slope = np.array([0.0, (top + bottom) / 2, 1.0])
    middle_point = np.array(camera.eye) + camera.rotation @ (depth * slope)
    centres = middle_point + along[:, None] * right
    base = centres[0, 2] - shape.half[2]
    item = SceneObject(
        len(scene.objects) + 1, kind, _BEIGE, _LARGE, _RGB[kind], shape, None, (0.0, 0.0), yaw
    )
    passing = [
        replace(item, position=triple(centre)[:2], base_height=float(base)) for centre in centres
    ]
    shares = [
        outline.difference(outline_in_image(each, camera)).area / outline.area for each in passing
    ]
    return passing if is_gone_for_a_while(shares) else None


def _is_clear(objects: Sequence[SceneObject], passing: Sequence[SceneObject]) -> bool:
    base = passing[0].base_height
    tall = [item for item in objects if item.base_height + item.shape.height > base - _CLEARANCE]
    if base < _CLEARANCE:
        return False
    return all(
        each.footprint.distance(item.footprint) > _CLEARANCE for each in passing for item in tall
    )


def _means_the_same(scene: Scene, opening: Opening) -> bool:
    """Return whether the expression means the target even where the occluder counts."""
    ids = frozenset({opening.target})
    return meaning(opening.expression.phrase, estimated_view(scene)) == (ids, ids)
