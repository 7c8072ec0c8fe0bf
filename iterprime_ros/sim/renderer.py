"""Rendering of scenes: colour, depth and object ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import mujoco
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.sim.camera_pose import CameraPose
from iterprime_ros.sim.gl import make_context
from iterprime_ros.sim.gripper import CORNERS, boxes_of
from iterprime_ros.sim.moment import Moment, moved, pose_of
from iterprime_ros.sim.scene import Scene
from iterprime_ros.sim.stage import FAR, HIDDEN_GROUP, NEAR, SHOWN_GROUP, Stage


@dataclass(frozen=True)
class Picture:
    """An RGB-D image of a scene with its ground truth.

    scene: what was rendered; its object k has id k + 1.
    pinhole: the camera model of all images.
    rgb: (H, W, 3) uint8.
    depth: (H, W) float32, along the optical axis, in metres.
    ids: (H, W) int32, the id of the object at each pixel, 0 for the background.
    whole_areas: (n,) int64, the area of each object without occlusion by others (amodal), in
        pixels.
    """

    scene: Scene
    pinhole: Pinhole
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    ids: NDArray[np.int32]
    whole_areas: NDArray[np.int64]

    @property
    def seen_areas(self) -> NDArray[np.int64]:
        """(n,) int64, the visible area of each object, in pixels."""
        return _areas(self.ids, len(self.scene.objects))


class Renderer:
    """Renders scenes at one size, without a screen. Use it in the thread that created it.

    width, height: size of the images, in pixels.

    Raises ValueError for a size below 1, and RenderingUnavailableError if no OpenGL works.
    """

    def __init__(self, width: int = 640, height: int = 480) -> None:
        if width < 1 or height < 1:
            raise ValueError(
                f'Cannot render {width} x {height} pixels: width and height must be at least 1.'
            )
        self._stage = Stage(width, height)
        model = self._stage.model
        self._gl = make_context(width, height)
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        # Reversed depth (0 is far) keeps its precision at any distance.
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._view = mujoco.MjvScene(model, maxgeom=64)
        self._options = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = 0
        self._rectangle = mujoco.MjrRect(0, 0, width, height)

    def __enter__(self) -> 'Renderer':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the graphics memory; the renderer cannot be used afterwards."""
        self._context.free()
        self._gl.free()

    def render(self, scene: Scene, moment: Moment | None = None) -> Picture:
        """Return the picture of a scene; the same scene always gives the same pixels.

        moment: where its objects are and the gripper is, which is drawn as background. The scene of
            the picture then has the objects there.
        """
        width, height = self._rectangle.width, self._rectangle.height
        self._gl.make_current()
        self._stage.set_scene(scene)
        bodies = [item.hull for item in scene.objects]
        if moment is not None:
            self._stage.set_moment(moment)
            bodies = _hulls(scene, moment)
            scene = moved(scene, moment)
        pinhole = Pinhole.from_fovy(scene.camera.fovy, width, height)
        rgb, _ = self._draw(segmented=False)
        geom_codes, depth = self._draw(segmented=True)
        ids = self._object_ids(geom_codes)
        return Picture(
            scene,
            pinhole,
            np.ascontiguousarray(rgb),
            _metres(depth),
            ids,
            self._whole_areas(scene, pinhole, ids, bodies),
        )

    def _draw(self, segmented: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return an image (H, W, 3) and the depth buffer (H, W), top row first.

        segmented: the image has geom codes in place of shaded colours; otherwise the depth buffer
            is not read and is empty.
        """
        shape = self._rectangle.height, self._rectangle.width
        stage = self._stage
        mujoco.mjv_updateScene(
            stage.model,
            stage.data,
            self._options,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._view,
        )
        self._view.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = segmented
        self._view.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = segmented
        mujoco.mjr_render(self._rectangle, self._view, self._context)
        colours = np.empty((*shape, 3), np.uint8)
        depth = np.empty(shape if segmented else (0, 0), np.float32)
        mujoco.mjr_readPixels(colours, depth if segmented else None, self._rectangle, self._context)
        return np.flipud(colours), np.flipud(depth)

    def _object_ids(self, geom_codes: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Return object ids (H, W) of geom codes (H, W, 3): segid + 1 in channel 0, 0 for none."""
        id_of_geom = {geom: k + 1 for k, geom in enumerate(self._stage.object_geoms)}
        table = np.zeros(256, np.int32)
        for geom in self._view.geoms[: self._view.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                table[geom.segid + 1] = id_of_geom.get(geom.objid, 0)
        return table[geom_codes[..., 0]]

    def _whole_areas(
        self,
        scene: Scene,
        pinhole: Pinhole,
        ids: NDArray[np.int32],
        bodies: list[NDArray[np.float64]],
    ) -> NDArray[np.int64]:
        """Return amodal areas: objects whose boxes overlap are drawn again without the others.

        bodies: points (P, 3) whose hull encloses each object, and then anything else that may hide
            objects, in the world frame.
        """
        geoms = self._stage.object_geoms[: len(scene.objects)]
        geom_groups = self._stage.model.geom_group
        original = geom_groups.copy()
        areas = _areas(ids, len(geoms))
        boxes = _bounding_boxes(bodies, scene.camera, pinhole)
        for whole in _disjoint_groups(boxes):
            group = [k for k in whole if k < len(geoms)]
            geom_groups[:] = HIDDEN_GROUP
            geom_groups[[geoms[k] for k in group]] = SHOWN_GROUP
            geom_codes, _ = self._draw(segmented=True)
            areas[group] = _areas(self._object_ids(geom_codes), len(geoms))[group]
        geom_groups[:] = original
        return areas


def _areas(ids: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    return np.bincount(ids.ravel(), minlength=count + 1)[1:]


def _metres(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the metric depth of a depth buffer with the far plane at 0 and the near plane at 1."""
    buffer = depth.astype(np.float64)
    return (NEAR * FAR / (NEAR + buffer * (FAR - NEAR))).astype(np.float32)


def _hulls(scene: Scene, moment: Moment) -> list[NDArray[np.float64]]:
    """Return points whose hull encloses each object at a moment, and those of the gripper."""
    hulls = []
    for item, pose in zip(scene.objects, moment.objects, strict=True):
        before = pose_of(item)
        hulls.append(pose.to_world((item.hull - before.position) @ before.rotation))
    boxes = boxes_of(moment.gripper, moment.opening)
    corners = [centre + half * CORNERS for centre, half in boxes]
    return [*hulls, moment.wrist.to_world(np.concatenate(corners))]


def _bounding_boxes(
    bodies: list[NDArray[np.float64]], camera: CameraPose, pinhole: Pinhole
) -> NDArray[np.float64]:
    """Return (n, 4) left, top, right, bottom in pixels of a box around each whole body.

    A body of which a part is not in front of the camera has all of the image.
    """
    boxes = np.empty((len(bodies), 4))
    for k, body in enumerate(bodies):
        optical = camera.to_optical(body)
        if optical[:, 2].min() < NEAR:
            boxes[k] = -1, -1, pinhole.width, pinhole.height
            continue
        pixels = pinhole.project(optical)
        # One pixel of margin: a pixel is drawn if its centre is covered.
        boxes[k] = *(pixels.min(axis=0) - 1), *(pixels.max(axis=0) + 1)
    return boxes


def _disjoint_groups(boxes: NDArray[np.float64]) -> Iterator[list[int]]:
    """Yield the boxes that overlap any other, in groups without overlap inside a group."""
    overlap = np.all(boxes[:, None, :2] <= boxes[None, :, 2:], axis=-1)
    overlap = overlap & overlap.T & ~np.eye(len(boxes), dtype=bool)
    remaining = [k for k in range(len(boxes)) if overlap[k].any()]
    while remaining:
        group: list[int] = []
        for k in remaining:
            if not overlap[k, group].any():
                group.append(k)
        yield group
        remaining = [k for k in remaining if k not in group]
