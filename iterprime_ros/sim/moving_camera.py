"""Cameras that move: round the table, in a hand, and away from an object and back."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.framing import is_gone_for_a_while, is_in_image, share_in_image
from iterprime_ros.sim.objects import SceneObject, triple
from iterprime_ros.sim.paths import RATE_HZ, frames_for, leg
from iterprime_ros.sim.scene import Scene

MAX_TURN = 60.0  # of a camera, in degrees a second
_ORBIT_PEAK = (25.0, 55.0)  # degrees a second
_ORBIT_ELEVATION = (0.45, 1.2)  # in radians
# A hand: sway, drift and tremor. Frequencies in Hz, amplitudes over the sum of all.
_SHAKE_BANDS = ((0.3, 0.7, 0.5), (0.9, 2.0, 0.35), (3.0, 6.0, 0.15))
_SHAKE_TURN = (0.8, 2.0)  # in degrees, the sum of all amplitudes
_SHAKE_SHIFT = (0.006, 0.015)  # in metres
_REST = 14  # frames that a camera stays turned away, at most


def orbit(rng: Generator, camera: CameraPose, frames: int) -> list[CameraPose]:
    """Return a camera that goes round its point of view, to one side or to and fro.

    Its legs are minimum-jerk legs of at most 3 s.
    """
    legs = max(1, round(frames / (3 * RATE_HZ)))
    length = frames / legs
    peak = np.radians(rng.uniform(*_ORBIT_PEAK)) * rng.choice([-1, 1])
    sweep = peak * length / RATE_HZ / 1.875
    azimuths = np.zeros(frames)
    for k in range(legs):
        azimuths += (-1) ** k * sweep * leg(frames, round(k * length), round(length) - 1)
    offset = np.subtract(camera.eye, camera.target)
    distance, flat = float(np.linalg.norm(offset)), float(np.hypot(*offset[:2]))
    azimuth, elevation = np.arctan2(offset[1], offset[0]), np.arctan2(offset[2], flat)
    rise = float(np.clip(elevation + rng.uniform(-0.12, 0.12), *_ORBIT_ELEVATION)) - elevation
    elevations = elevation + rise * np.abs(azimuths / sweep)
    azimuths = azimuth + azimuths
    eyes = camera.target + distance * np.stack(
        [
            np.cos(azimuths) * np.cos(elevations),
            np.sin(azimuths) * np.cos(elevations),
            np.sin(elevations),
        ],
        axis=1,
    )
    return [replace(camera, eye=triple(eye)) for eye in eyes]


def shake(rng: Generator, camera: CameraPose, frames: int) -> list[CameraPose]:
    """Return a camera in a hand: it shifts and turns by sums of sines, from rest in frame 0."""
    shifts = np.stack([_wander(rng, rng.uniform(*_SHAKE_SHIFT), frames) for _ in range(3)], axis=1)
    turns = np.radians(
        np.stack([_wander(rng, rng.uniform(*_SHAKE_TURN), frames) for _ in range(2)], axis=1)
    )
    return [
        _turned(replace(camera, eye=triple(camera.eye + shift)), pan, tilt)
        for shift, (pan, tilt) in zip(shifts, turns, strict=True)
    ]


def turn_away(
    rng: Generator, scene: Scene, target: SceneObject, frames: int
) -> list[CameraPose] | None:
    """Return a camera that turns until an object is out of the image, and back.

    When it comes to rest the object is near the border by which it went. None if the draw fails.
    """
    camera = scene.camera
    side = rng.choice([-1, 1])
    reach = _pan_until(target, camera, side, 0.0, True)
    back = _pan_until(target, camera, side, 1.0, False)
    if reach is None or back is None:
        return None
    beyond = reach + np.radians(rng.uniform(1.0, 4.0))
    away = frames_for(np.degrees(beyond), MAX_TURN * 0.97)
    home = frames_for(np.degrees(beyond - back), MAX_TURN * 0.97)
    start = int(rng.integers(3, 9))
    rest = int(rng.integers(0, _REST))
    tilt = np.radians(rng.uniform(-2, 2))
    if start + away + rest + home > frames:
        return None
    way, return_way = leg(frames, start, away), leg(frames, start + away + rest, home)
    pans = side * (beyond * way + (back - beyond) * return_way)
    cameras = [_turned(camera, pan, tilt * share) for pan, share in zip(pans, way, strict=True)]
    shares = [share_in_image(target, each) for each in cameras]
    return cameras if is_gone_for_a_while(shares) else None


def _pan_until(
    target: SceneObject, camera: CameraPose, side: int, share: float, is_out: bool
) -> float | None:
    """Return the last pan at which `share` of an object is in the image, in radians.

    is_out: the first pan at which no more than `share` is.
    """
    pans = np.radians(np.arange(0, 60, 0.5))
    for pan, following in pairwise(pans):
        turned = _turned(camera, side * following, 0.0)
        if is_out and share_in_image(target, turned) <= share:
            return float(following)
        if not is_out and not is_in_image([target], turned, 0.02):
            return float(pan)
    return None


def turn_speeds(cameras: Sequence[CameraPose]) -> NDArray[np.float64]:
    """Return how fast cameras turn from frame to frame (F - 1,), in degrees a second."""
    rotations = np.stack([camera.rotation for camera in cameras])
    between = rotations[1:] @ rotations[:-1].transpose(0, 2, 1)
    cosines = (np.trace(between, axis1=1, axis2=2) - 1) / 2
    return RATE_HZ * np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def _wander(rng: Generator, amplitude: float, frames: int) -> NDArray[np.float64]:
    """Return (frames,) values from 0 on whose sines have `amplitude` together."""
    seconds = np.arange(frames) / RATE_HZ
    values = np.zeros(frames)
    for low, high, share in _SHAKE_BANDS:
        angle, phase = 2 * np.pi * rng.uniform(low, high) * seconds, rng.uniform(0, 2 * np.pi)
        values += amplitude * share * (np.sin(angle + phase) - np.sin(phase))
    return values


def _turned(camera: CameraPose, pan: float, tilt: float) -> CameraPose:
    """Return the camera turned about its eye: to the left by `pan`, upwards by `tilt`, radians."""
    x, y, z = np.subtract(camera.target, camera.eye)
    flat = np.hypot(x, y)
    azimuth, elevation = np.arctan2(y, x) + pan, np.arctan2(z, flat) + tilt
    forward = np.array(
        [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    distance = np.sqrt(x * x + y * y + z * z)
    return replace(camera, target=triple(np.array(camera.eye) + distance * forward))
