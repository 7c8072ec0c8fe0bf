"""A reference model of a scene in MuJoCo, compiled for this scene alone."""

import mujoco
import numpy as np

from iterprime_ros.sim.shapes import Primitive


def plain_model(scene):
    """Return the MuJoCo model and data of a scene; objects[k] is the geom `object{k}`."""
    spec = mujoco.MjSpec()
    world = spec.worldbody
    world.add_geom(
        name='table',
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[*scene.surroundings.table_half, 0.02],
        pos=[0, 0, -0.02],
    )
    for k, item in enumerate(scene.objects):
        body = world.add_body(
            pos=[*item.position, 0], quat=[np.cos(item.yaw / 2), 0, 0, np.sin(item.yaw / 2)]
        )
        name = f'object{k}'
        if isinstance(item.shape, Primitive):
            x, y, z = item.shape.half
            kind, size = {
                'cube': (mujoco.mjtGeom.mjGEOM_BOX, [x, y, z]),
                'ball': (mujoco.mjtGeom.mjGEOM_SPHERE, [x, 0, 0]),
                'cylinder': (mujoco.mjtGeom.mjGEOM_CYLINDER, [x, z, 0]),
                'capsule': (mujoco.mjtGeom.mjGEOM_CAPSULE, [y, x - y, 0]),
            }[item.kind]
            euler = [0, np.pi / 2, 0] if item.kind == 'capsule' else [0, 0, 0]
            quaternion = np.zeros(4)
            mujoco.mju_euler2Quat(quaternion, np.array(euler), 'xyz')
            body.add_geom(name=name, type=kind, size=size, pos=[0, 0, z], quat=quaternion)
        else:
            spec.add_mesh(
                name=name,
                uservert=item.shape.vertices.astype(np.float32).ravel(),
                userface=item.shape.faces.astype(np.int32).ravel(),
                inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
            )
            body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name)
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def cast_ray(model, data, origin, direction):
    """Return the index of the object that a ray hits first (-1: the table) and the point (3,)."""
    hit = np.zeros(1, np.int32)
    unit = direction / np.linalg.norm(direction)
    distance = mujoco.mj_ray(model, data, np.array(origin), unit, None, 1, -1, hit, None)
    name = model.geom(hit[0]).name
    return int(name.removeprefix('object')) if name != 'table' else -1, origin + distance * unit
