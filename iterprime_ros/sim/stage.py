"""The MuJoCo model that shows every scene and is compiled once.

Compiling a model takes ten times as long as rendering a picture. The model therefore holds all
meshes and textures and the largest number of objects, and `set_scene` changes their pose, shape
and colour. It holds a gripper, too, which only `set_moment` shows.
"""

import mujoco
import numpy as np

from iterprime_ros.sim.gripper import COLOURS as GRIPPER_COLOURS
from iterprime_ros.sim.gripper import boxes_of
from iterprime_ros.sim.moment import Moment
from iterprime_ros.sim.scene import MAX_OBJECTS, Scene, SceneObject, mesh_library
from iterprime_ros.sim.shapes import Primitive
from iterprime_ros.sim.textures import TABLE_TEXTURES, UNSEEN_TEXTURES, table_texture

SHOWN_GROUP, HIDDEN_GROUP = 0, 5  # MuJoCo geom groups
NEAR, FAR = 0.05, 12.0  # clipping planes, in metres
_TABLE_THICKNESS = 0.04  # in metres
_FLOOR = -0.7  # z of the floor, in metres
_WALL_DISTANCE = 2.5  # from the origin, in metres

_GEOM_TYPE = {
    'cube': mujoco.mjtGeom.mjGEOM_BOX,
    'ball': mujoco.mjtGeom.mjGEOM_SPHERE,
    'cylinder': mujoco.mjtGeom.mjGEOM_CYLINDER,
    'capsule': mujoco.mjtGeom.mjGEOM_CAPSULE,
}
_LYING = (np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0)  # rotates z, the axis of a capsule, to x


class Stage:
    """A compiled MuJoCo model and its data, which show one scene at a time.

    width, height: size of the offscreen framebuffer, in pixels.

    model: the mujoco.MjModel.
    data: the mujoco.MjData.
    object_geoms: ids of the geoms of the objects; object_geoms[k] shows the object with id k + 1.
    """

    def __init__(self, width: int, height: int) -> None:
        self.model = _compile(width, height)
        self.data = mujoco.MjData(self.model)
        self.object_geoms = [self.model.geom(f'object{k}').id for k in range(MAX_OBJECTS)]
        self._gripper_geoms = [self.model.geom(f'gripper{k}').id for k in range(3)]
        self._table = self.model.geom('table').id
        self._floor = self.model.geom('floor').id
        self._walls = [self.model.geom(f'wall{k}').id for k in range(4)]
        # The compiler marked these geoms as fixed to the origin of their bodies.
        placed = [*self.object_geoms, *self._gripper_geoms]
        self.model.geom_sameframe[placed] = mujoco.mjtSameFrame.mjSAMEFRAME_NONE

    def set_scene(self, scene: Scene) -> None:
        """Show the objects, surroundings and camera of `scene`."""
        for k, geom in enumerate(self.object_geoms):
            if k < len(scene.objects):
                self._set_object(k, scene.objects[k])
            self.model.geom_group[geom] = SHOWN_GROUP if k < len(scene.objects) else HIDDEN_GROUP
        self.model.geom_group[self._gripper_geoms] = HIDDEN_GROUP
        self._set_surroundings(scene)
        self._set_camera(scene)
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)

    def set_moment(self, moment: Moment) -> None:
        """Move the objects of the scene that was set, and show the gripper."""
        for k, pose in enumerate((*moment.objects, moment.wrist)):
            body = k if k < len(moment.objects) else MAX_OBJECTS
            self.data.mocap_pos[body] = pose.position
            rotation = np.ascontiguousarray(pose.rotation)
            mujoco.mju_mat2Quat(self.data.mocap_quat[body], rotation.ravel())
        boxes = boxes_of(moment.gripper, moment.opening)
        for geom, (centre, half) in zip(self._gripper_geoms, boxes, strict=True):
            self.model.geom_pos[geom] = centre
            self.model.geom_size[geom] = half
            self.model.geom_rbound[geom] = np.linalg.norm(half)
            self.model.geom_group[geom] = SHOWN_GROUP
        mujoco.mj_kinematics(self.model, self.data)

    def _set_object(self, k: int, item: SceneObject) -> None:
        model, geom = self.model, self.object_geoms[k]
        if isinstance(item.shape, Primitive):
            x, y, z = item.shape.half
            model.geom_type[geom] = _GEOM_TYPE[item.shape.kind]
            model.geom_dataid[geom] = -1
            model.geom_pos[geom] = (0, 0, z)
            model.geom_quat[geom] = _LYING if item.shape.kind == 'capsule' else (1, 0, 0, 0)
            match item.shape.kind:
                case 'cube':
                    model.geom_size[geom] = x, y, z
                case 'ball':
                    model.geom_size[geom] = x, 0, 0
                case 'cylinder':
                    model.geom_size[geom] = x, z, 0
                case _:
                    model.geom_size[geom] = y, x - y, 0
            model.geom_rbound[geom] = np.linalg.norm(item.shape.half)
        else:
            mesh = model.mesh(_mesh_name(item.kind, item.size, item.shape_index or 0)).id
            model.geom_type[geom] = mujoco.mjtGeom.mjGEOM_MESH
            model.geom_dataid[geom] = mesh
            # MuJoCo stores a mesh about its own centre and axes of inertia.
            model.geom_pos[geom] = model.mesh_pos[mesh]
            model.geom_quat[geom] = model.mesh_quat[mesh]
            model.geom_rbound[geom] = np.abs(item.shape.vertices).max() * 2
        model.geom_rgba[geom] = (*item.rgb, 1)
        half_yaw = item.yaw / 2
        self.data.mocap_pos[k] = (*item.position, item.base_height)
        self.data.mocap_quat[k] = (np.cos(half_yaw), 0, 0, np.sin(half_yaw))

    def _set_surroundings(self, scene: Scene) -> None:
        model, around = self.model, scene.surroundings
        thickness = _TABLE_THICKNESS / 2
        model.geom_size[self._table] = (*around.table_half, thickness)
        material = model.material(_table_name(around.texture)).id
        model.geom_matid[self._table] = material
        model.mat_rgba[material] = (*around.table_tint, 1)
        model.mat_texrepeat[material] = around.texture_repeat
        model.geom_rgba[self._floor] = (*around.floor_rgb, 1)
        model.geom_rgba[self._walls] = (*around.wall_rgb, 1)
        position = np.array(around.light_position)
        model.light_pos[0] = position
        model.light_dir[0] = -position / np.linalg.norm(position)
        model.light_diffuse[0] = np.multiply(around.light_diffuse, around.light_rgb)
        model.vis.headlight.ambient = around.ambient
        model.vis.headlight.diffuse = around.headlight

    def _set_camera(self, scene: Scene) -> None:
        pose = scene.camera
        self.model.cam_pos[0] = pose.eye
        # A MuJoCo camera looks along -z with y up.
        axes = pose.rotation * np.array([1.0, -1.0, -1.0])
        quaternion = np.zeros(4)
        mujoco.mju_mat2Quat(quaternion, axes.ravel())
        self.model.cam_quat[0] = quaternion
        self.model.cam_fovy[0] = pose.fovy


def _mesh_name(kind: str, size: str, index: int) -> str:
    return f'{kind}-{size}-{index}'


def _table_name(texture: int) -> str:
    return f'table{texture}'


def _compile(width: int, height: int) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.stat.extent = 1
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = width, height
    visual.quality.shadowsize, visual.quality.offsamples = 512, 4
    visual.map.znear, visual.map.zfar = NEAR, FAR
    visual.headlight.specular = [0.1] * 3

    for (kind, size), variants in mesh_library().items():
        for index, mesh in enumerate(variants):
            spec.add_mesh(
                name=_mesh_name(kind, size, index),
                uservert=mesh.vertices.astype(np.float32).ravel(),
                userface=mesh.faces.astype(np.int32).ravel(),
                inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
            )
    for index in range(TABLE_TEXTURES + UNSEEN_TEXTURES):
        image = table_texture(index)
        spec.add_texture(
            name=_table_name(index),
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            width=image.shape[1],
            height=image.shape[0],
            nchannel=3,
            data=image.ravel(),
        )
        material = spec.add_material(name=_table_name(index))
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = _table_name(index)

    world = spec.worldbody
    world.add_camera(name='camera')
    world.add_light(name='lamp', castshadow=True, ambient=[0] * 3)
    box = mujoco.mjtGeom.mjGEOM_BOX
    world.add_geom(
        name='table',
        type=box,
        size=[0.5, 0.4, _TABLE_THICKNESS / 2],
        pos=[0, 0, -_TABLE_THICKNESS / 2],
        material=_table_name(0),
    )
    far = _WALL_DISTANCE
    world.add_geom(name='floor', type=box, size=[far, far, 0.05], pos=[0, 0, _FLOOR - 0.05])
    for k, (x, y) in enumerate([(far, 0), (-far, 0), (0, far), (0, -far)]):
        half = [0.05, far, far] if x else [far, 0.05, far]
        world.add_geom(name=f'wall{k}', type=box, size=half, pos=[x, y, 0])
    for k in range(MAX_OBJECTS):
        body = world.add_body(name=f'object{k}', mocap=True)
        body.add_geom(name=f'object{k}', type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.01, 0, 0])
    # Last, so that the objects keep their numbers as mocap bodies.
    gripper = world.add_body(name='gripper', mocap=True)
    for k, rgba in enumerate(GRIPPER_COLOURS):
        gripper.add_geom(
            name=f'gripper{k}', type=box, size=[0.01] * 3, rgba=rgba, group=HIDDEN_GROUP
        )
    return spec.compile()
