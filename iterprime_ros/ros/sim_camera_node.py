"""The node of the simulated RGB-D camera, which also publishes the ground truth of its images."""

import sys

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from iterprime_ros.ros.clip_player import MAX_PIXELS, ClipPlayer
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.sim_topics import (
    MAX_SEED,
    SimTopics,
    declare_rate,
    declare_seed,
    declare_size,
)
from iterprime_ros.sim.gl import RenderingUnavailableError
from iterprime_ros.sim.motion import Motion, sample_clip
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import Scene, sample_scene
from iterprime_ros.sim.truth import truth_of

_MOTIONS = [motion.value for motion in Motion]


class SimCamera(Node):
    """Publishes images of one scene until another is requested; the README lists its interface.

    Without motion a scene is rendered once and published at `rate` with new timestamps. With motion
    it begins with a still image while its clip is rendered, and then plays to and fro.
    """

    def __init__(self) -> None:
        super().__init__('sim_camera')
        self._player: ClipPlayer | None = None  # rclpy destroys a node whose making fails, too
        width, height = declare_size(self)
        seed = declare_seed(self)
        self._motion = self._declare_motion(width * height)
        rate = declare_rate(self)
        self._topics = SimTopics(self)
        self._renderer = Renderer(width, height)
        self._show(seed)
        self.create_service(Trigger, '~/next_scene', self._on_next_scene)
        self._timer = self.create_timer(1 / rate, self._publish)
        self.add_on_set_parameters_callback(self._on_parameters)
        self.get_logger().info(
            f'{width} x {height} at {rate:g} Hz on {self._topics.names}, scene {seed}: '
            f'{self._object_names()}.{self._action()}'
        )

    def _declare_motion(self, pixels: int) -> Motion:
        descriptor = ParameterDescriptor(
            description='What moves: none, the camera (orbit, shake), objects (push, swap), '
            'something that hides the target (occlude), or the target out of the image (leave).',
            additional_constraints=f'One of: {", ".join(_MOTIONS)}.',
            read_only=True,
        )
        value = self.declare_parameter('motion', Motion.NONE.value, descriptor).value
        if value not in _MOTIONS:
            raise InvalidParameterValueException(
                'motion', value, f'it must be one of {", ".join(_MOTIONS)}'
            )
        if value != Motion.NONE.value and pixels > MAX_PIXELS:
            raise InvalidParameterValueException(
                'width', pixels, 'with motion, images have at most 1920 x 1080 pixels'
            )
        return Motion(value)

    def _show(self, seed: int) -> None:
        if self._motion is Motion.NONE:
            self._take(self._renderer.render(sample_scene(seed)))
            self._topics.publish_truth(truth_of(self._picture))
            return
        clip = sample_clip(seed, self._motion)
        self._close_player()
        self._take(self._renderer.render(clip.scenes[0]))
        self._player = ClipPlayer(clip, self._picture)

    def _take(self, picture: Picture) -> None:
        """Publish a picture from now on."""
        self._picture = picture
        self._topics.take(picture)

    def _close_player(self) -> None:
        if self._player is not None:
            self._player.close()

    def destroy_node(self) -> None:
        """End the rendering of a clip, and destroy the node."""
        self._close_player()
        super().destroy_node()

    @property
    def _scene(self) -> Scene:
        return self._picture.scene

    def _object_names(self) -> str:
        return ', '.join(f'{item.size} {item.colour} {item.kind}' for item in self._scene.objects)

    def _action(self) -> str:
        """Return a sentence about what moves, after a space; nothing without motion."""
        if self._player is None:
            return ''
        clip = self._player.clip
        return f' Motion: {clip.motion.value}; the target is "{clip.expression}".'

    def _publish(self) -> None:
        now = self.get_clock().now()
        if self._player is not None:
            frame = self._player.due(now.nanoseconds)
            picture = self._player.picture(frame)
            if picture is not self._picture:
                self._take(picture)
            self._topics.publish_truth(self._player.truth(frame, now.nanoseconds))
        self._topics.publish(now.to_msg())

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name == 'rate':
                self._timer.timer_period_ns = int(1e9 / parameter.value)
                self._timer.reset()  # otherwise the old period is completed first
            elif parameter.name == 'seed':
                self._show(parameter.value)
                self.get_logger().info(
                    f'Now scene {parameter.value}: {self._object_names()}.{self._action()}'
                )
        return SetParametersResult(successful=True)

    def _on_next_scene(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        seed = (self._scene.seed + 1) % (MAX_SEED + 1)
        self.set_parameters([Parameter('seed', value=seed)])
        response.success = True
        response.message = f'Scene {seed}: {self._object_names()}.'
        return response


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    try:
        return run(SimCamera, arguments)
    except RenderingUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
