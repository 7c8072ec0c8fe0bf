"""The node of the simulated robot: a camera over a table, and a gripper that picks from it."""

import sys
from collections import deque
from functools import partial
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, SetParametersResult
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.time import Time
from std_msgs.msg import Empty
from std_srvs.srv import SetBool, Trigger

from iterprime_ros.action import Pick
from iterprime_ros.geometry.grasp import Grasp
from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.ros.convert.answers import grasp_of
from iterprime_ros.ros.live_world import LiveWorld, Task
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.sim_topics import (
    FRAME_ID,
    MAX_SEED,
    SimTopics,
    declare_rate,
    declare_seed,
    declare_size,
)
from iterprime_ros.sim.gl import RenderingUnavailableError
from iterprime_ros.sim.picking import PickResult, Stage
from iterprime_ros.sim.reach import in_world, reason_not_to_reach
from iterprime_ros.sim.renderer import Picture
from iterprime_ros.sim.scene import Scene, sample_scene
from iterprime_ros.sim.truth import truth_of

_AHEAD = 0.5  # s, that the clock of another machine may be ahead


class SimRobot(Node):
    """Publishes images of a scene in motion, and picks objects from it; docs/picking.md says how.

    Topics are those of the simulated camera. The action `pick` takes one goal at a time; service
    `pick/confirm` answers one that waits; a message on `stop` ends all motion.
    """

    def __init__(self) -> None:
        super().__init__('sim_robot')
        width, height = declare_size(self)
        seed = declare_seed(self)
        rate = declare_rate(self)
        self.declare_parameter(
            'max_grasp_age',
            10.0,
            ParameterDescriptor(
                description='A grasp from an image older than this is refused, seconds.',
                floating_point_range=[FloatingPointRange(from_value=0.1, to_value=600.0)],
            ),
        )
        self._gripper = ParallelGripper()
        self._topics = SimTopics(self)
        self._ended: deque[tuple[Any, PickResult]] = deque()
        self._wake = self.create_guard_condition(self._answer_all)
        self._published: tuple[Picture | None, int] = (None, 0)
        self._world = LiveWorld(sample_scene(seed), self._gripper, width, height, self._nanoseconds)
        self._action = ActionServer(
            self,
            Pick,
            'pick',
            execute_callback=_never,
            handle_accepted_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )
        self.create_service(SetBool, 'pick/confirm', self._on_confirm)
        self.create_subscription(Empty, 'stop', self._on_stop, 10)
        self.create_service(Trigger, '~/next_scene', self._on_next_scene)
        self._timer = self.create_timer(1 / rate, self._publish)
        self.add_on_set_parameters_callback(self._on_parameters)
        self.get_logger().info(
            f'{width} x {height} at up to {rate:g} Hz on {self._topics.names}; action '
            f'{self.resolve_service_name("pick")}; scene {seed}: {self._object_names()}.'
        )

    def destroy_node(self) -> None:
        """End the world, and destroy the node."""
        # rclpy destroys a node whose making fails, too.
        if hasattr(self, '_world'):
            self._world.close()
        super().destroy_node()

    def _nanoseconds(self) -> int:
        now: int = self.get_clock().now().nanoseconds
        return now

    def _publish(self) -> None:
        picture, stamp = self._world.picture()
        before, published_at = self._published
        if stamp <= published_at:
            return  # the next picture is being drawn
        self._published = picture, stamp
        if picture is not before:
            self._topics.take(picture)
            self._topics.publish_truth({**truth_of(picture), 'stamp': stamp})
        self._topics.publish(Time(nanoseconds=stamp).to_msg())

    def _on_goal(self, goal: Any) -> None:
        request = goal.request
        grasp = grasp_of(request.grasp)
        reason = self._reason_against(request, grasp)
        if not reason:
            task = Task(
                in_world(grasp, self._world.scene.camera),
                request.confirm,
                partial(_report, goal),
                partial(self._on_end, goal),
            )
            if self._world.begin(task):
                return
            reason = 'Another pick is under way: wait for its result, or cancel it.'
        self._on_end(goal, PickResult(False, 0, 0.0, 0.0, (), reason))

    def _reason_against(self, request: Pick.Goal, grasp: Grasp) -> str:
        """Return why a goal cannot be carried out; empty if it can."""
        header = request.header
        if header.frame_id != FRAME_ID:
            return f'The grasp is in frame "{header.frame_id}"; this robot knows "{FRAME_ID}".'
        age = (self._nanoseconds() - Time.from_msg(header.stamp).nanoseconds) / 1e9
        oldest = self.get_parameter('max_grasp_age').value
        if age > oldest:
            return (
                f'The grasp is from an image {age:.1f} s ago; the oldest that may be used is '
                f'{oldest:g} s old (parameter max_grasp_age).'
            )
        if age < -_AHEAD:
            return f'The grasp is from an image {-age:.1f} s in the future: check the clocks.'
        return reason_not_to_reach(in_world(grasp, self._world.scene.camera), self._gripper)

    def _on_end(self, goal: Any, result: PickResult) -> None:
        """Have the executor's thread end a goal."""
        self._ended.append((goal, result))
        self._wake.trigger()

    def _answer_all(self) -> None:
        while self._ended:
            goal, result = self._ended.popleft()
            self.get_logger().info(result.text)
            goal.execute(partial(_result, result=result))

    def _on_cancel(self, _goal: Any) -> CancelResponse:
        self._world.cancel()
        return CancelResponse.ACCEPT

    def _on_confirm(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = self._world.confirm(request.data)
        response.message = '' if response.success else 'No pick waits to be confirmed.'
        return response

    def _on_stop(self, _: Empty) -> None:
        self._world.stop()
        self.get_logger().warning('Stopped.')

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == 'rate':
                self._timer.timer_period_ns = int(1e9 / parameter.value)
                self._timer.reset()  # otherwise the old period is completed first
            elif parameter.name == 'seed':
                self._world.show(sample_scene(parameter.value))
                self.get_logger().info(f'Now scene {parameter.value}: {self._object_names()}.')
        return SetParametersResult(successful=True)

    def _on_next_scene(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        seed = (self._world.scene.seed + 1) % (MAX_SEED + 1)
        self.set_parameters([Parameter('seed', value=seed)])
        response.success = True
        response.message = f'Scene {seed}: {self._object_names()}.'
        return response

    def _object_names(self) -> str:
        scene: Scene = self._world.scene
        return ', '.join(f'{item.size} {item.colour} {item.kind}' for item in scene.objects)


def _report(goal: Any, stage: Stage) -> None:
    goal.publish_feedback(Pick.Feedback(stage=int(stage)))


def _result(goal: Any, result: PickResult) -> Pick.Result:
    if result.success:
        goal.succeed()
    elif goal.is_cancel_requested:
        goal.canceled()
    else:
        goal.abort()
    return Pick.Result(
        success=result.success,
        object_id=result.object_id,
        height=result.height,
        slip=result.slip,
        touched=list(result.touched),
        text=result.text,
    )


def _never(_goal: Any) -> Pick.Result:
    raise RuntimeError('A goal is executed when its result is there.')


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    try:
        return run(SimRobot, arguments)
    except RenderingUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
