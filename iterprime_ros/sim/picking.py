"""The motion of a gripper that picks an object: over it, down, close, lift, hold."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.sim.moment import Pose
from iterprime_ros.sim.physics import TIMESTEP, PhysicsWorld
from iterprime_ros.sim.reach import SAFE_HEIGHT

TICK = 0.02  # s, between two targets of the gripper
STEPS_PER_TICK = round(TICK / TIMESTEP)
LIFT = 0.24  # m, so that a plate that hangs from its rim is MIN_HEIGHT up, too
MIN_HEIGHT = 0.10  # m, that an object rises to count as lifted
HOLD = 2.0  # s
ANSWER_WITHIN = 5.0  # s, a confirmation
_BACKOFF = 0.08  # m, along the approach, from where the gripper goes straight to the grasp
_FAST, _SLOW = 0.5, 0.25  # m/s
_TURN = 2.5  # rad/s
_CLOSING_SPEED = 0.2  # m/s, of the fingers towards each other
_GRIPPING = 0.2  # s, until the force is there
_MAX_FORCE = 15.0  # N, with which the gripper may push on its way to a grasp
_NEAR_ENOUGH = 0.012  # m, from a grasp, where the gripper closes if it gets no farther


class Stage(IntEnum):
    """What the gripper does; the numbers are those of action/Pick.action."""

    APPROACHING = 1
    WAITING = 2
    CLOSING = 3
    LIFTING = 4
    HOLDING = 5
    RETREATING = 6


@dataclass(frozen=True)
class PickResult:
    """What became of a pick.

    success: whether an object was lifted by MIN_HEIGHT and held for HOLD.
    object_id: of the object that was lifted, 0 for none.
    height: how far its centre of mass rose, in metres.
    slip: how far its point between the fingertips moved, seen from the gripper, from when they had
        closed until the end, in metres. An object that only turns there does not slip.
    touched: ids of the objects that the gripper touched, in order.
    text: what happened, for a person.
    """

    success: bool
    object_id: int
    height: float
    slip: float
    touched: tuple[int, ...]
    text: str


Motion = Generator[None, None, None]
PickMotion = Generator[None, None, PickResult]


class _GivenUpError(Exception):
    """The gripper goes back; the message says why, for a person."""


class _BlockedError(_GivenUpError):
    """The gripper met something on its way."""


class Picker:
    """Moves the gripper of a world.

    world: that it moves in; whoever advances a motion steps it by TICK in between.
    """

    def __init__(self, world: PhysicsWorld) -> None:
        self._world = world
        self._rest = world.wrist
        self._taken_at: Pose | None = None  # where what is held was lifted from
        self._is_away = False  # from where the gripper rests
        self._is_cancelled: Callable[[], bool] | None = None

    def picking(
        self,
        grasp: Grasp,
        on_stage: Callable[[Stage], None],
        is_cancelled: Callable[[], bool],
        confirm: Callable[[], bool | None] | None,
    ) -> PickMotion:
        """Pick an object: a generator to be advanced every TICK.

        The gripper puts down what it holds, goes over the object at a safe height, down, and along
        the approach of the grasp; it closes, lifts by LIFT and holds for HOLD. With an object it
        stays there, otherwise it goes back to where it rests.

        grasp: in the world frame, within reach (`reason_not_to_reach`).
        on_stage: called at the start of each stage.
        is_cancelled: at every tick, whether to put down what is held, open and go back.
        confirm: asked at the grasp before the gripper closes: whether to go on, None for not yet.
            Without an answer within ANSWER_WITHIN it goes back.
        """
        world = self._world
        if self._is_away:
            yield from self._go_back(on_stage)
        self._is_away = True
        world.forget_touches()
        goal = _nearest(Pose(grasp.position, grasp.rotation), world.wrist)
        self._is_cancelled = is_cancelled
        try:
            on_stage(Stage.APPROACHING)
            yield from self._approach(goal, world.gripper.opening_for(grasp.width))
            if confirm is not None:
                on_stage(Stage.WAITING)
                yield from self._wait(confirm)
            on_stage(Stage.CLOSING)
            yield from self._close(goal)
            result = yield from self._lift(goal, on_stage)
        except _GivenUpError as error:
            result = self._failure(str(error))
        self._is_cancelled = None
        if not result.success:
            yield from self._go_back(on_stage)
        return result

    def _approach(self, goal: Pose, opening: float) -> Motion:
        world = self._world
        before = Pose(goal.position - _BACKOFF * goal.rotation[:, 2], goal.rotation)
        yield from self._move(_at_height(world.wrist, SAFE_HEIGHT), _FAST)
        yield from self._move(_at_height(before, SAFE_HEIGHT), _FAST)
        world.set_opening(opening)
        yield from self._move(before, _FAST, is_careful=True)
        try:
            yield from self._move(goal, _SLOW, is_careful=True)
        except _BlockedError:
            if np.linalg.norm(goal.position - world.wrist.position) > _NEAR_ENOUGH:
                raise
            world.freeze()

    def _wait(self, confirm: Callable[[], bool | None]) -> Motion:
        for _ in range(round(ANSWER_WITHIN / TICK)):
            match confirm():
                case True:
                    return
                case False:
                    raise _GivenUpError('It was not confirmed that the scene is unchanged.')
            yield from self._pass(TICK)
        raise _GivenUpError(
            f'Nobody confirmed within {ANSWER_WITHIN:.0f} s that the scene is unchanged.'
        )

    def _close(self, goal: Pose) -> Motion:
        self._taken_at = goal
        start = self._world.opening
        ticks = round(start / _CLOSING_SPEED / TICK) + 1
        for k in range(ticks):
            self._world.set_opening(start * (1 - (k + 1) / ticks))
            yield from self._pass(TICK)
        self._world.grip()
        yield from self._pass(_GRIPPING)

    def _lift(self, goal: Pose, on_stage: Callable[[Stage], None]) -> PickMotion:
        world = self._world
        held = world.held()
        if not held:
            return self._failure('The fingers closed on nothing.')
        low, pinched = world.centre(held), self._pinched_point(held)
        on_stage(Stage.LIFTING)
        yield from self._move(_at_height(goal, goal.position[2] + LIFT), _SLOW)
        on_stage(Stage.HOLDING)
        slip = 0.0
        for _ in range(round(HOLD / TICK)):
            yield from self._pass(TICK)
            height = float((world.centre(held) - low)[2])
            slip = max(slip, self._distance(held, pinched))
            if world.held() != held or height < MIN_HEIGHT:
                return self._failure('The object slipped out of the fingers.')
        text = f'Lifted {height * 100:.0f} cm and held for {HOLD:.0f} s.'
        return PickResult(True, held, height, slip, world.touched, text)

    def _pinched_point(self, object_id: int) -> NDArray[np.float64]:
        """Return the point (3,) of an object that is between the fingertips, in its own frame."""
        pose = self._world.objects[object_id - 1]
        return (self._world.wrist.position - pose.position) @ pose.rotation

    def _distance(self, object_id: int, point: NDArray[np.float64]) -> float:
        """Return the distance of a point of an object from between the fingertips."""
        pose = self._world.objects[object_id - 1]
        here = pose.position + pose.rotation @ point
        return float(np.linalg.norm(here - self._world.wrist.position))

    def _failure(self, text: str) -> PickResult:
        return PickResult(False, 0, 0.0, 0.0, self._world.touched, text)

    def _go_back(self, on_stage: Callable[[Stage], None]) -> Motion:
        """Put down what is held where it was, open, and go to where the gripper rests."""
        world = self._world
        on_stage(Stage.RETREATING)
        if self._taken_at is not None and world.held():
            yield from self._move(self._taken_at, _SLOW)
        self._taken_at = None
        world.set_opening(min(world.opening + 0.02, world.gripper.max_opening))
        yield from self._pass(_GRIPPING)
        wrist = world.wrist
        away = Pose(wrist.position - _BACKOFF * wrist.rotation[:, 2], wrist.rotation)
        yield from self._move(away, _SLOW)
        yield from self._move(_at_height(away, SAFE_HEIGHT), _FAST)
        world.set_opening(world.gripper.max_opening)
        yield from self._move(self._rest, _FAST)
        self._is_away = False

    def _move(self, goal: Pose, speed: float, is_careful: bool = False) -> Motion:
        """Go to a pose on a straight line, gently at both ends.

        is_careful: raise _BlockedError where that takes more force than _MAX_FORCE.
        """
        world = self._world
        start = world.wrist
        turn = (
            Rotation.from_matrix(start.rotation).inv() * Rotation.from_matrix(goal.rotation)
        ).as_rotvec()
        way = goal.position - start.position
        seconds = max(1.5 * np.linalg.norm(way) / speed, 1.5 * np.linalg.norm(turn) / _TURN)
        ticks = round(seconds / TICK) + 1
        for k in range(ticks):
            share = (k + 1) / ticks
            share = share * share * (3 - 2 * share)
            rotation = start.rotation @ Rotation.from_rotvec(share * turn).as_matrix()
            world.set_target(Pose(start.position + share * way, rotation))
            yield from self._pass(TICK)
            if is_careful and world.push() > _MAX_FORCE:
                raise _BlockedError('The gripper met something on its way to the object.')

    def _pass(self, seconds: float) -> Motion:
        """Let time pass."""
        for _ in range(round(seconds / TICK)):
            yield
            if self._is_cancelled is not None and self._is_cancelled():
                self._is_cancelled = None
                raise _GivenUpError('Cancelled.')


def pick(
    world: PhysicsWorld,
    grasp: Grasp,
    on_stage: Callable[[Stage], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    confirm: Callable[[], bool | None] | None = None,
) -> PickResult:
    """Pick an object as `Picker.picking` does, as fast as it can be computed."""
    motion = Picker(world).picking(grasp, on_stage, is_cancelled, confirm)
    while True:
        try:
            next(motion)
        except StopIteration as end:
            return end.value
        world.step(STEPS_PER_TICK)


def _at_height(pose: Pose, height: float) -> Pose:
    """Return a pose moved straight up to a height of its fingertips, but never down."""
    position = pose.position.copy()
    position[2] = max(position[2], height)
    return Pose(position, pose.rotation)


def _nearest(pose: Pose, other: Pose) -> Pose:
    """Return a pose or the same with the fingers exchanged, whichever is less of a turn."""
    x, y, _ = pose.rotation.T
    is_far = np.sum(pose.rotation[:, :2] * other.rotation[:, :2]) < 0
    return Pose(pose.position, np.stack([-x, -y, pose.rotation[:, 2]], axis=1)) if is_far else pose
