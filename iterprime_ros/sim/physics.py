"""A scene with mass, friction and a gripper, stepped by MuJoCo; it is drawn elsewhere."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.sim.gripper import FINGERS, WRIST, add_gripper
from iterprime_ros.sim.moment import Moment, Pose
from iterprime_ros.sim.scene import Scene, SceneObject
from iterprime_ros.sim.solids import density_of, parts_of

TIMESTEP = 0.002  # s
_PRESS = 0.1  # m, that the fingers aim at beyond each other
_GAP = 2e-5  # m, below an object at rest: MuJoCo wakes bodies that touch
_TABLE_FRICTION = (0.5, 0.005, 0.0005)
_OBJECT_FRICTION = (0.5, 0.005, 0.0005)
_CONTACT_SOLREF = (0.005, 1.0)

Vector = NDArray[np.float64]


class PhysicsWorld:
    """The objects of a scene as free bodies on an endless table, and a gripper that moves them.

    Everything is at rest where the scene has it, and stays until it is touched. The pose of an
    object is that of its base, as in SceneObject.

    scene: of objects of KINDS.
    gripper: its sizes.
    wrist: where the gripper is at first.
    """

    def __init__(self, scene: Scene, gripper: ParallelGripper, wrist: Pose) -> None:
        self.scene, self.gripper = scene, gripper
        self.model = _compile(scene, gripper)
        self.data = mujoco.MjData(self.model)
        self._bodies = [self.model.body(f'object{item.id}').id for item in scene.objects]
        self._wrist = self.model.body(WRIST).id
        self._fingers = [self.model.body(name).id for name in FINGERS]
        self._finger_addresses = [self.model.joint(name).qposadr[0] for name in FINGERS]
        object_of_body = np.zeros(self.model.nbody, np.int64)
        object_of_body[self._bodies] = [item.id for item in scene.objects]
        self._object_of_geom = object_of_body[self.model.geom_bodyid]
        is_hand = np.isin(self.model.geom_bodyid, [self._wrist, *self._fingers])
        self._is_hand = is_hand
        self._touched: set[int] = set()
        self._place_wrist(wrist)
        mujoco.mj_forward(self.model, self.data)

    def _place_wrist(self, wrist: Pose) -> None:
        self.set_target(wrist)
        address = self.model.joint(WRIST).qposadr[0]
        self.data.qpos[address : address + 3] = self.data.mocap_pos[0]
        self.data.qpos[address + 3 : address + 7] = self.data.mocap_quat[0]
        self.data.qpos[self._finger_addresses] = self.gripper.max_opening / 2
        self.set_opening(self.gripper.max_opening)

    @property
    def time(self) -> float:
        """Simulated seconds since the start."""
        return float(self.data.time)

    def step(self, count: int = 1) -> None:
        """Advance by `count` times TIMESTEP."""
        for _ in range(count):
            mujoco.mj_step(self.model, self.data)
            if self.data.ncon:
                self._touched.update(self._hand_contacts()[1].tolist())

    def set_target(self, wrist: Pose) -> None:
        """Pull the gripper to a pose from now on."""
        self.data.mocap_pos[0] = wrist.position
        mujoco.mju_mat2Quat(self.data.mocap_quat[0], np.ascontiguousarray(wrist.rotation).ravel())

    def set_opening(self, opening: float) -> None:
        """Open or close the fingers from now on to a distance in metres, with limited force."""
        self.data.ctrl[:] = opening / 2

    def grip(self) -> None:
        """Press the fingers together from now on with all their force."""
        self.data.ctrl[:] = -_PRESS

    def freeze(self) -> None:
        """Stay from now on; fingers that press go on pressing."""
        self.set_target(self.wrist)
        if self.data.ctrl[0] >= 0:
            self.set_opening(self.opening)

    @property
    def opening(self) -> float:
        """Distance between the fingers, in metres."""
        return float(self.data.qpos[self._finger_addresses].sum())

    @property
    def wrist(self) -> Pose:
        """Where the gripper is."""
        return self._pose(self._wrist)

    @property
    def objects(self) -> list[Pose]:
        """Where the objects are."""
        return [self._pose(body) for body in self._bodies]

    @property
    def moment(self) -> Moment:
        """Where everything is."""
        return Moment(tuple(self.objects), self.wrist, self.opening, self.gripper)

    def centre(self, object_id: int) -> Vector:
        """Return the centre of mass (3,) of an object."""
        return self.data.xipos[self._bodies[object_id - 1]].copy()

    def _pose(self, body: int) -> Pose:
        return Pose(self.data.xpos[body].copy(), self.data.xmat[body].reshape(3, 3).copy())

    @property
    def touched(self) -> tuple[int, ...]:
        """Ids of the objects that the gripper touched since `forget_touches`, in order."""
        return tuple(sorted(self._touched - {0}))

    def forget_touches(self) -> None:
        """Begin a new account of what is touched."""
        self._touched = set()

    def held(self) -> int:
        """Return the id of an object that both fingers touch, 0 for none."""
        bodies, others, _ = self._hand_contacts()
        sides = [set(others[bodies == finger].tolist()) for finger in self._fingers]
        return max(sides[0] & sides[1], default=0)

    def push(self) -> float:
        """Return the largest force between the gripper and anything else, in N."""
        force = np.zeros(6)
        largest = 0.0
        for k in self._hand_contacts()[2]:
            mujoco.mj_contactForce(self.model, self.data, int(k), force)
            largest = max(largest, float(np.linalg.norm(force[:3])))
        return largest

    def _hand_contacts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the contacts of the gripper with anything else.

        Returns (n,) body of the gripper, (n,) id of the object, 0 for the table, and (n,) number
        of the contact.
        """
        contact = self.data.contact
        first, second = contact.geom.reshape(-1, 2).T
        is_first = self._is_hand[first]
        numbers = np.flatnonzero((contact.dist <= 0) & (is_first != self._is_hand[second]))
        hand = np.where(is_first, first, second)[numbers]
        other = np.where(is_first, second, first)[numbers]
        return self.model.geom_bodyid[hand].astype(np.int64), self._object_of_geom[other], numbers


def _level(item: SceneObject, scene: Scene) -> int:
    """Return how many objects an object stands on."""
    below = 0
    while item.support is not None:
        item, below = scene.objects[item.support - 1], below + 1
    return below


def _compile(scene: Scene, gripper: ParallelGripper) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    option = spec.option
    option.timestep = TIMESTEP
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    spec.worldbody.add_geom(
        name='table',
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[1, 1, 0.1],
        friction=_TABLE_FRICTION,
        solref=_CONTACT_SOLREF,
    )
    for item in scene.objects:
        half_yaw = item.yaw / 2
        body = spec.worldbody.add_body(
            name=f'object{item.id}',
            pos=[*item.position, item.base_height + _GAP * (1 + _level(item, scene))],
            quat=[np.cos(half_yaw), 0, 0, np.sin(half_yaw)],
        )
        body.sleep = mujoco.mjtSleepPolicy.mjSLEEP_INIT
        body.add_freejoint()
        for k, part in enumerate(parts_of(item)):
            mesh = ''
            if part.points is not None:
                mesh = f'object{item.id}-{k}'
                spec.add_mesh(name=mesh, uservert=part.points.astype(np.float32).ravel())
            body.add_geom(
                type=part.kind,
                size=part.size,
                pos=part.position,
                quat=part.quaternion,
                meshname=mesh,
                density=density_of(item),
                friction=_OBJECT_FRICTION,
                condim=6,
                solref=_CONTACT_SOLREF,
            )
    add_gripper(spec, gripper)
    return spec.compile()
