"""The node that shows what the node segment sees and answers, in the viewer Rerun."""

import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from iterprime_ros.action import Segment
from iterprime_ros.errors import IterprimeError
from iterprime_ros.explain_heatmaps import enlarged
from iterprime_ros.messages.encodings import decoded, rgb_of
from iterprime_ros.messages.frame_synchronizer import CameraFrame, nearest_depth
from iterprime_ros.messages.registered_depth import registered_depth
from iterprime_ros.messages.surfaces import read_points
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import OUTPUTS, nanoseconds_of
from iterprime_ros.ros.convert.answers import answer_of, box_of, grasp_of
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.ros.node_runner import run
from iterprime_ros.ros.runtime.look_parameters import LOOK_PARAMETERS
from iterprime_ros.ros.runtime.parameters import declared_values, warn_of_unknown_parameters
from iterprime_ros.viewer.answers import log_verdict
from iterprime_ros.viewer.layout import CHANCE
from iterprime_ros.viewer.pictures import log_heatmap, log_image
from iterprime_ros.viewer.recorder import Recorder, open_browser
from iterprime_ros.viewer.space import (
    clear_objects,
    log_box,
    log_camera,
    log_grasps,
    log_points,
    log_scene,
)

_KEPT = 30  # images, and depth images, that answers are waited for
_PAUSE = 10.0  # seconds between two warnings
_CHECK_PERIOD = 1.0  # seconds between looks whether the page is still served
_FEEDBACK_QOS = QoSProfile(depth=10)  # of rclpy's action servers


class LookNode(Node):
    """Logs images and answers of one camera, at the stamps of the images; it publishes nothing.

    Its topics are those of the node segment: `image`, `depth`, `camera_info`, and below `segment`
    the answers. Where it is slower than the camera, it drops the older images.

    Raises the errors of viewer.recorder.Recorder.
    """

    def __init__(self) -> None:
        super().__init__('look')
        self._recorder: Recorder | None = None
        self._images: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._headers: OrderedDict[int, Any] = OrderedDict()
        self._depths: OrderedDict[int, Any] = OrderedDict()
        self._info: CameraInfo | None = None
        values = self._values = declared_values(self, LOOK_PARAMETERS)
        warn_of_unknown_parameters(self)
        file = Path(values['file']) if values['file'] else None
        self._recorder = Recorder('stamp', file, values['memory_limit'], values['web_port'])
        self._subscribe()
        url = self._recorder.url
        if url and values['open_browser']:
            open_browser(url)
        self.get_logger().info(f'Open {url} in a browser.' if url else f'Writing {file}.')
        self.create_timer(_CHECK_PERIOD, self.recorder.check)

    @property
    def recorder(self) -> Recorder:
        """Where everything is logged to."""
        if self._recorder is None:
            raise RuntimeError('The node is not made yet.')
        return self._recorder

    def destroy_node(self) -> None:
        """Write what is still to be written, and destroy the node."""
        if self._recorder is not None:
            self._recorder.close()
        super().destroy_node()

    def _subscribe(self) -> None:
        values = self._values
        prefix = f'{values["camera"]}/' if values['camera'] else ''
        is_compressed = values['image_transport'] == 'compressed'
        kind = CompressedImage if is_compressed else Image
        newest, recent = (
            QoSProfile(depth=depth, reliability=ReliabilityPolicy[values['reliability'].upper()])
            for depth in (1, 5)
        )
        image = 'image/compressed' if is_compressed else 'image'
        self.create_subscription(kind, f'{prefix}{image}', self._on_image, newest)
        if values['use_depth']:
            depth = 'depth/compressedDepth' if is_compressed else 'depth'
            self.create_subscription(kind, f'{prefix}{depth}', self._on_depth, recent)
            self.create_subscription(CameraInfo, f'{prefix}camera_info', self._on_info, recent)
        for output, take in (
            ('result', self._on_result),
            ('heatmap', self._on_heatmap),
            ('points', self._on_points),
        ):
            message, qos = OUTPUTS[output]
            self.create_subscription(message, f'segment/{prefix}{output}', take, qos)
        self.create_subscription(
            Segment.Impl.FeedbackMessage,
            f'segment/{prefix}segment/_action/feedback',
            self._on_feedback,
            _FEEDBACK_QOS,
        )

    def _on_image(self, message: Any) -> None:
        try:
            image = decoded(message) if hasattr(message, 'format') else rgb_of(message)
        except IterprimeError as error:
            self._warn(str(error))
            return
        stamp = nanoseconds_of(message.header)
        _keep(self._images, stamp, image)
        _keep(self._headers, stamp, message.header)
        self.recorder.at(stamp)
        log_image(self.recorder.stream, image)

    def _on_depth(self, message: Any) -> None:
        _keep(self._depths, nanoseconds_of(message.header), message)

    def _on_info(self, message: CameraInfo) -> None:
        self._info = message

    def _on_result(self, message: ReferredObject) -> None:
        stamp = nanoseconds_of(message.header) or next(reversed(self._images), 0)
        if not stamp:
            return  # an answer without an image, before any image: it has no place in time
        recorder, answer = self.recorder, answer_of(message)
        recorder.at(stamp)
        log_verdict(recorder, message.command, answer)
        if message.track_state != ReferredObject.NOT_TRACKED:
            recorder.plot(CHANCE, {f'track {message.track_id}': message.track_confidence})
        if not message.point_count:
            clear_objects(recorder.stream)
            return
        self._log_scene(stamp)
        log_box(recorder.stream, 0, box_of(message), message.expression)
        log_grasps(recorder.stream, 0, [grasp_of(each) for each in message.grasps])

    def _log_scene(self, stamp: int) -> None:
        """Log what the depth camera saw with an image, where it is still known."""
        image, header = self._images.get(stamp), self._headers.get(stamp)
        tolerance = self._values['depth_tolerance']
        depth, _ = nearest_depth(self._depths, stamp, tolerance)
        if image is None or header is None or depth is None:
            return
        holder = Image(header=header)
        frame = CameraFrame(holder, time.monotonic(), stamp, depth, self._info, True)
        known, why_not = registered_depth(
            frame, image.shape[:2], tolerance, self._values['rectified']
        )
        if known is None:
            self._warn(why_not)
            return
        log_camera(self.recorder.stream, known.pinhole)
        distance = log_scene(self.recorder.stream, image, known.metres, known.pinhole)
        self.recorder.show(distance=distance)

    def _on_heatmap(self, message: Image) -> None:
        self._log_heatmap('answer', message, 'heatmap')

    def _on_points(self, message: PointCloud2) -> None:
        self.recorder.at(nanoseconds_of(message.header))
        log_points(self.recorder.stream, 0, *read_points(message))

    def _on_feedback(self, message: Any) -> None:
        feedback = message.feedback
        if not feedback.heatmap.width:
            return  # the goal asks for none, or it is the answer on an image of a track
        name = f'round_{feedback.round}'
        if not feedback.round:
            self.recorder.at(nanoseconds_of(feedback.heatmap.header))
            self.recorder.replace_heatmaps(('answer', name))
        title = f'round {feedback.round}: match {feedback.match_probability:.2f}'
        self._log_heatmap(name, feedback.heatmap, title)

    def _log_heatmap(self, name: str, message: Image, title: str) -> None:
        stamp = nanoseconds_of(message.header)
        heatmap = from_image(message)
        image = self._images.get(stamp)
        if image is None:  # it was dropped
            image = np.zeros((*heatmap.shape, 3), np.uint8)
        if heatmap.shape != image.shape[:2]:
            heatmap = enlarged(heatmap, image)
        self.recorder.at(stamp)
        self.recorder.show(heatmaps=(name,))
        log_heatmap(self.recorder.stream, name, image, heatmap, title)

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=_PAUSE)


def _keep(messages: OrderedDict[int, Any], stamp: int, message: Any) -> None:
    """Keep the newest messages by their stamps, in nanoseconds."""
    messages[stamp] = message
    messages.move_to_end(stamp)
    while len(messages) > _KEPT:
        messages.popitem(last=False)


def main(arguments: list[str]) -> int:
    """Run the node until it is interrupted."""
    try:
        return run(LookNode, arguments)
    except (IterprimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
