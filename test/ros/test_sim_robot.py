"""The simulated robot, tested from another process over DDS."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rclpy.action import ActionClient
from rclpy.qos import qos_profile_sensor_data
from rclpy.time import Time
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Empty, String
from std_srvs.srv import SetBool, Trigger

from helpers.robots import FRAME, LATCHED
from helpers.true_grasps import true_grasp
from iterprime_ros.action import Pick
from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.sim.scene import sample_scene

SEED = 3
SCENE = sample_scene(SEED)
TARGET = SCENE.objects[0]
GRASP = true_grasp(TARGET)
APPROACHING, WAITING, CLOSING, LIFTING, HOLDING, RETREATING = range(1, 7)
SUCCEEDED, CANCELED, ABORTED = 4, 5, 6
AHEAD = 30.0  # s, a grasp from the future


class Hand:
    """A client of the simulated robot.

    peer: the test's node.
    """

    def __init__(self, peer):
        self.peer = peer
        self.client = ActionClient(peer, Pick, 'pick')
        self.stops = peer.create_publisher(Empty, 'stop', 10)
        self.truths = peer.collect(String, 'sim_robot/truth/objects', LATCHED)
        self.stages = []
        peer.wait_for(lambda: self.client.server_is_ready() and self.truths, 'the robot')

    def send(self, grasp=GRASP, age=0.0, frame=FRAME, confirm=False):
        """Send a goal and wait until it is accepted; return its handle."""
        self.stages.clear()
        goal = Pick.Goal(confirm=confirm)
        now = self.peer.get_clock().now().nanoseconds
        goal.header.frame_id = frame
        goal.header.stamp = Time(nanoseconds=now - int(age * 1e9)).to_msg()
        camera = SCENE.camera
        pose = goal.grasp.pose
        pose.position.x, pose.position.y, pose.position.z = camera.to_optical(grasp.position)
        turn = Rotation.from_matrix(camera.rotation.T @ grasp.rotation).as_quat()
        orientation = pose.orientation
        orientation.x, orientation.y, orientation.z, orientation.w = turn
        goal.grasp.width = grasp.width
        sent = self.client.send_goal_async(
            goal, lambda message: self.stages.append(message.feedback.stage)
        )
        self.peer.wait_for(sent.done, 'the goal to be accepted')
        assert sent.result().accepted
        return sent.result()

    def result(self, handle):
        """Return the status and the result of a goal."""
        asked = handle.get_result_async()
        self.peer.wait_for(asked.done, 'the result')
        return asked.result().status, asked.result().result

    def reach(self, stage):
        self.peer.wait_for(lambda: stage in self.stages, f'stage {stage}')

    def object(self, number=TARGET.id):
        """Return the truth of an object in the newest picture."""
        return json.loads(self.truths[-1].data)['objects'][number - 1]

    def confirm(self, answer):
        return self.peer.call(SetBool, 'pick/confirm', SetBool.Request(data=answer))


@pytest.fixture
def hand(start_node, peer):
    start_node('sim_robot', width=160, height=120, seed=SEED)
    return Hand(peer)


def test_it_lifts_an_object_and_its_camera_sees_that(hand, peer):
    images, infos = [], []
    peer.create_subscription(Image, 'depth', images.append, qos_profile_sensor_data)
    peer.create_subscription(CameraInfo, 'camera_info', infos.append, qos_profile_sensor_data)
    peer.wait_for(lambda: images and infos, 'images')
    still, before = from_image(images[-1]), hand.object()['position']
    assert images[-1].header.frame_id == infos[-1].header.frame_id == FRAME
    status, result = hand.result(hand.send())
    assert status == SUCCEEDED, result.text
    assert (result.success, result.object_id, list(result.touched)) == (
        True,
        TARGET.id,
        [TARGET.id],
    )
    assert result.height > 0.1
    assert result.slip < 0.01
    assert hand.stages == [APPROACHING, CLOSING, LIFTING, HOLDING]
    peer.wait_for(
        lambda: np.linalg.norm(np.subtract(hand.object()['position'], before)) > 0.1,
        'the truth to rise',
    )
    assert np.abs(from_image(images[-1]) - still).max() > 0.05
    stamps = [Time.from_msg(image.header.stamp).nanoseconds for image in images]
    assert sorted(set(stamps)) == stamps


REFUSED = [
    ({'age': 60.0}, 'the oldest that may be used is 10 s old'),
    ({'age': -AHEAD}, 'in the future: check the clocks'),
    ({'frame': 'map'}, 'The grasp is in frame "map"; this robot knows'),
    ({'grasp': replace(GRASP, position=np.array([2.0, 0, 0]))}, 'out of reach'),
    ({'grasp': replace(GRASP, position=np.array([0, 0, -0.1]))}, 'inside the table'),
    ({'grasp': replace(GRASP, position=np.full(3, np.nan))}, 'not finite'),
    ({'grasp': replace(GRASP, width=0.3)}, '300 mm wide'),
]


def test_a_goal_that_cannot_be_carried_out_says_why(hand):
    for changes, text in REFUSED:
        status, result = hand.result(hand.send(**changes))
        assert status == ABORTED
        assert text in result.text
        assert not result.success
        assert hand.stages == []


def test_it_waits_for_a_confirmation_and_takes_one_goal_at_a_time(hand):
    assert not hand.confirm(True).success
    handle = hand.send(confirm=True)
    hand.reach(WAITING)
    stages = hand.stages.copy()
    status, other = hand.result(hand.send())
    assert status == ABORTED
    assert other.text == 'Another pick is under way: wait for its result, or cancel it.'
    assert hand.confirm(False).success
    status, result = hand.result(handle)
    assert status == ABORTED
    assert result.text == 'It was not confirmed that the scene is unchanged.'
    assert list(result.touched) == []
    assert stages == [APPROACHING, WAITING]


def test_stop_ends_all_motion(hand, peer):
    handle = hand.send()
    hand.reach(LIFTING)
    hand.stops.publish(Empty())
    status, result = hand.result(handle)
    assert (status, result.text) == (ABORTED, 'Stopped.')
    count = len(hand.truths)
    # A truth comes with every picture in which anything has moved.
    peer.comes(lambda: False, 1.0)
    settled = hand.object()['position']
    assert len(hand.truths) - count < 10
    peer.comes(lambda: False, 1.0)
    assert hand.object()['position'] == pytest.approx(settled, abs=1e-3)
    status, result = hand.result(hand.send())
    assert status == SUCCEEDED, result.text
    assert hand.stages[:2] == [RETREATING, APPROACHING]


def test_a_cancelled_goal_puts_the_object_down(hand):
    before = hand.object()['position']
    handle = hand.send()
    hand.reach(LIFTING)
    handle.cancel_goal_async()
    status, result = hand.result(handle)
    assert (status, result.text) == (CANCELED, 'Cancelled.')
    assert hand.stages == [APPROACHING, CLOSING, LIFTING, RETREATING]
    hand.peer.wait_for(
        lambda: np.linalg.norm(np.subtract(hand.object()['position'], before)) < 0.01,
        'the object to stand again',
    )


def test_another_scene_ends_a_pick(hand, peer):
    handle = hand.send()
    hand.reach(APPROACHING)
    response = peer.call(Trigger, 'sim_robot/next_scene', Trigger.Request())
    assert response.message.startswith(f'Scene {SEED + 1}')
    status, result = hand.result(handle)
    assert (status, result.text) == (ABORTED, 'The scene was replaced.')
    peer.wait_for(lambda: json.loads(hand.truths[-1].data)['seed'] == SEED + 1, 'the new scene')
