"""Pictures of scenes: colour, depth, and whose pixel each one is."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import mujoco
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.sim.camera_pose import Intrinsics
from iterprime_ros.sim.gl import make_context
from iterprime_ros.sim.scene import Scene
from iterprime_ros.sim.stage import FAR, HIDDEN_GROUP, NEAR, SHOWN_GROUP, Stage

_SHADED = False
_IDS = True


@dataclass(frozen=True)
class Picture:
    """What the camera saw of a scene.

    rgb: (H, W, 3) uint8. depth: (H, W) float32, metres along the optical axis. ids: (H, W) int32,
    the id of the object seen at a pixel, 0 where it is none. whole_areas: (n,) int64, the pixels
    that each object would cover if no other stood before it; object k of the scene has id k + 1.
    """

    scene: Scene
    intrinsics: Intrinsics
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    ids: NDArray[np.int32]
    whole_areas: NDArray[np.int64]

    @property
    def seen_areas(self) -> NDArray[np.int64]:
        """(n,) int64, the pixels of each object that are seen."""
        return _areas(self.ids, len(self.scene.objects))


class Renderer:
    """Renders scenes at one size, without a screen. Use it in the thread that made it.

    Raises ValueError for a size below 1 and RenderingUnavailableError where no OpenGL works.
    """

    def __init__(self, width: int = 640, height: int = 480) -> None:
        if width < 1 or height < 1:
            raise ValueError(f'A picture of {width} x {height} pixels has none.')
        self._stage = Stage(width, height)
        model = self._stage.model
        self._gl = make_context(width, height)
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        # Far is 0, where floats are dense: depth keeps its precision at any distance.
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
        """Give the graphics memory back; the renderer is of no use afterwards."""
        self._context.free()
        self._gl.free()

    def render(self, scene: Scene) -> Picture:
        """Return the picture of a scene; the same scene gives the same pixels."""
        width, height = self._rectangle.width, self._rectangle.height
        self._gl.make_current()
        self._stage.set_scene(scene)
        intrinsics = Intrinsics.from_fovy(scene.camera.fovy, width, height)
        rgb, _ = self._draw(_SHADED)
        ids, depth = self._draw(_IDS)
        object_ids = self._object_ids(ids)
        return Picture(
            scene,
            intrinsics,
            np.ascontiguousarray(rgb),
            _metres(depth),
            object_ids,
            self._whole_areas(scene, intrinsics, object_ids),
        )

    def _draw(self, ids: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return colours, or geom numbers coded as colours and the depth buffer; top row first."""
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
        self._view.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = ids
        self._view.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = ids
        mujoco.mjr_render(self._rectangle, self._view, self._context)
        colours = np.empty((*shape, 3), np.uint8)
        depth = np.empty(shape if ids else (0, 0), np.float32)
        mujoco.mjr_readPixels(colours, depth if ids else None, self._rectangle, self._context)
        return np.flipud(colours), np.flipud(depth)

    def _object_ids(self, coded: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Turn drawn geom numbers (number + 1 in the first byte, 0 for none) into object ids."""
        id_of_geom = {geom: k + 1 for k, geom in enumerate(self._stage.object_geoms)}
        table = np.zeros(256, np.int32)
        for geom in self._view.geoms[: self._view.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                table[geom.segid + 1] = id_of_geom.get(geom.objid, 0)
        return table[coded[..., 0]]

    def _whole_areas(
        self, scene: Scene, intrinsics: Intrinsics, ids: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count seen pixels, and draw again, without what hides them, the objects that overlap."""
        geoms = self._stage.object_geoms[: len(scene.objects)]
        groups = self._stage.model.geom_group
        shown = groups.copy()
        areas = _areas(ids, len(geoms))
        for together in _apart_from_each_other(_boxes_in_image(scene, intrinsics)):
            groups[:] = HIDDEN_GROUP
            groups[[geoms[k] for k in together]] = SHOWN_GROUP
            coded, _ = self._draw(_IDS)
            areas[together] = _areas(self._object_ids(coded), len(geoms))[together]
        groups[:] = shown
        return areas


def _areas(ids: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    return np.bincount(ids.ravel(), minlength=count + 1)[1:]


def _metres(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Undo the perspective of a depth buffer whose far plane is 0 and near plane is 1."""
    buffer = depth.astype(np.float64)
    return (NEAR * FAR / (NEAR + buffer * (FAR - NEAR))).astype(np.float32)


def _boxes_in_image(scene: Scene, intrinsics: Intrinsics) -> NDArray[np.float64]:
    """Return boxes (n, 4), left, top, right, bottom in pixels, that hold all of each object."""
    boxes = np.empty((len(scene.objects), 4))
    for k, item in enumerate(scene.objects):
        pixels = intrinsics.project(scene.camera.to_optical(item.hull))
        # One pixel more on every side: a pixel is drawn when its centre is covered.
        boxes[k] = *(pixels.min(axis=0) - 1), *(pixels.max(axis=0) + 1)
    return boxes


def _apart_from_each_other(boxes: NDArray[np.float64]) -> Iterator[list[int]]:
    """Yield those that overlap some other, in groups whose members do not overlap each other."""
    overlap = np.all(boxes[:, None, :2] <= boxes[None, :, 2:], axis=-1)
    overlap = overlap & overlap.T & ~np.eye(len(boxes), dtype=bool)
    left = [k for k in range(len(boxes)) if overlap[k].any()]
    while left:
        together: list[int] = []
        for k in left:
            if not overlap[k, together].any():
                together.append(k)
        yield together
        left = [k for k in left if k not in together]
