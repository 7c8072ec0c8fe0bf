"""A simulated world that runs by itself: one thread moves it in real time, another one draws it."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.sim.moment import Moment
from iterprime_ros.sim.physics import PhysicsWorld
from iterprime_ros.sim.picking import STEPS_PER_TICK, TICK, Picker, PickMotion, PickResult, Stage
from iterprime_ros.sim.reach import rest_pose
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import Scene

_LATE = 0.1  # s, behind real time, after which the world lets time pass it by
_PAUSE = 0.02  # s, between two looks at a world that is still
_STILL = 2e-4  # m and, as a number, of axes: what moved less is drawn as it was


class Task(NamedTuple):
    """A pick that is wanted.

    grasp: in the world frame, within reach.
    confirm: whether the gripper waits at the grasp until LiveWorld.confirm is called.
    on_stage: called at the start of each stage.
    on_end: called with the result.

    Both are called in the thread that moves the world, and must not wait or call it.
    """

    grasp: Grasp
    confirm: bool
    on_stage: Callable[[Stage], None]
    on_end: Callable[[PickResult], None]


class LiveWorld:
    """A scene under physics, with a gripper. All methods may be called from any thread.

    scene: what it begins with.
    gripper: its sizes.
    width, height: size of the pictures, in pixels.
    now: the time in nanoseconds, for the pictures.

    Raises RenderingUnavailableError if no OpenGL works.
    """

    def __init__(
        self,
        scene: Scene,
        gripper: ParallelGripper,
        width: int,
        height: int,
        now: Callable[[], int],
    ) -> None:
        self._gripper, self._size, self._now = gripper, (width, height), now
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._first_picture = threading.Event()
        self._error: Exception | None = None
        self._world, self._picker = self._make(scene)
        self._task: Task | None = None
        self._motion: PickMotion | None = None
        self._is_cancelled = False
        self._answer: bool | None = None
        self._is_waiting = False
        self._drawn: tuple[Picture, Moment, int] | None = None
        self._threads = [
            threading.Thread(target=self._move_on, name='physics'),
            threading.Thread(target=self._draw, name='drawing'),
        ]
        for thread in self._threads:
            thread.start()
        self._first_picture.wait()
        if self._error is not None:
            self.close()
            raise self._error

    def close(self) -> None:
        """End both threads; whoever waits for a pick gets no answer."""
        self._is_closed.set()
        for thread in self._threads:
            thread.join()

    @property
    def scene(self) -> Scene:
        """The scene as it began."""
        return self._world.scene

    def picture(self) -> tuple[Picture, int]:
        """Return the last picture, and when in nanoseconds the world was like that.

        Where nothing has moved since, that is now. Raises what has ended the drawing.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._drawn is None:
                raise RuntimeError('The world has no picture yet.')
            picture, moment, stamp = self._drawn
            is_now = picture.scene.seed == self.scene.seed and _is_same(moment, self._world.moment)
            return picture, self._now() if is_now else stamp

    def show(self, scene: Scene) -> None:
        """Begin anew with another scene; a pick under way ends."""
        world, picker = self._make(scene)
        with self._lock:
            self._end('The scene was replaced.')
            self._world, self._picker = world, picker

    def begin(self, task: Task) -> bool:
        """Begin a pick; return False, and do nothing, while another one is under way."""
        with self._lock:
            if self._task is not None:
                return False
            self._task, self._is_cancelled, self._answer = task, False, None
            self._motion = self._picker.picking(
                task.grasp,
                self._on_stage,
                lambda: self._is_cancelled,
                (lambda: self._answer) if task.confirm else None,
            )
            return True

    def confirm(self, answer: bool) -> bool:
        """Go on, or go back; return False, and do nothing, unless a pick waits for this."""
        with self._lock:
            if not self._is_waiting:
                return False
            self._answer = answer
            return True

    def cancel(self) -> None:
        """Have the pick put down what it holds, and go back."""
        with self._lock:
            self._is_cancelled = True

    def stop(self) -> None:
        """End all motion at once: the gripper stays where it is, and holds what it holds."""
        with self._lock:
            self._world.freeze()
            self._end('Stopped.')

    def _make(self, scene: Scene) -> tuple[PhysicsWorld, Picker]:
        world = PhysicsWorld(scene, self._gripper, rest_pose(scene.camera, self._gripper))
        return world, Picker(world)

    def _on_stage(self, stage: Stage) -> None:
        self._is_waiting = stage is Stage.WAITING
        if self._task is not None:
            self._task.on_stage(stage)

    def _end(self, text: str) -> None:
        """End a pick that is under way without success."""
        if self._motion is not None:
            self._motion.close()
            self._finish(PickResult(False, 0, 0.0, 0.0, self._world.touched, text))

    def _finish(self, result: PickResult) -> None:
        task, self._task, self._motion, self._is_waiting = self._task, None, None, False
        if task is not None:
            task.on_end(result)

    def _move_on(self) -> None:
        due = time.monotonic()
        while not self._is_closed.is_set():
            with self._lock:
                if self._motion is not None:
                    try:
                        next(self._motion)
                    except StopIteration as end:
                        self._finish(end.value)
                self._world.step(STEPS_PER_TICK)
            due = max(due + TICK, time.monotonic() - _LATE)
            self._is_closed.wait(max(due - time.monotonic(), 0))

    def _draw(self) -> None:
        try:
            with Renderer(*self._size) as renderer:
                while not self._is_closed.is_set():
                    self._draw_once(renderer)
        except Exception as error:  # handed to the thread that asks for a picture
            self._error = error
            self._is_closed.set()
        finally:
            self._first_picture.set()

    def _draw_once(self, renderer: Renderer) -> None:
        with self._lock:
            scene, moment, stamp = self._world.scene, self._world.moment, self._now()
            drawn = self._drawn
        if drawn is not None and drawn[0].scene.seed == scene.seed and _is_same(drawn[1], moment):
            self._is_closed.wait(_PAUSE)
            return
        picture = renderer.render(scene, moment)
        with self._lock:
            self._drawn = picture, moment, stamp
        self._first_picture.set()


def _is_same(one: Moment, other: Moment) -> bool:
    """Return whether nothing has moved between two moments of one scene."""
    poses = zip((*one.objects, one.wrist), (*other.objects, other.wrist), strict=True)
    return abs(one.opening - other.opening) < _STILL and all(
        np.abs(a.position - b.position).max() < _STILL
        and np.abs(a.rotation - b.rotation).max() < _STILL
        for a, b in poses
    )
