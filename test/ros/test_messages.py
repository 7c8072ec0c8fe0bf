"""Messages and action, between processes, and what a downstream process needs to read them."""

import math
import subprocess
import sys
from array import array

import pytest
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from rclpy.action import ActionClient
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Header

from helpers.robots import HELPERS
from iterprime_ros.action import Segment
from iterprime_ros.msg import Candidate, ReferredObject

ATTEMPTS = 6
PEER = HELPERS / 'answering_peer.py'


def full_object():
    header = Header(frame_id='camera_color_optical_frame')
    header.stamp.sec, header.stamp.nanosec = 12, 345
    mask = Image(header=header, width=640, height=480, encoding='mono8', step=640)
    mask.data = array('B', bytes([0, 255]) * (640 * 480 // 2))
    roi = RegionOfInterest(x_offset=3, y_offset=4, width=50, height=60)
    return ReferredObject(
        header=header,
        command='pick up the red mug left of the bottle',
        action_verb='pick',
        expression='the red mug left of the bottle',
        primary_word='mug',
        status=ReferredObject.AMBIGUOUS,
        text='Two mugs match.',
        instance_count=2,
        match_probability=0.75,
        chance=0.625,
        ranked_by='overlap',
        heatmap_mean=0.5,
        heatmap_overlap=0.25,
        predicted_iou=0.875,
        roi=roi,
        mask=mask,
        candidates=[Candidate(chance=0.5, heatmap_mean=0.25, roi=roi, mask=mask)],
        point_count=1000,
        centroid=Point(x=0.1, y=-0.2, z=0.6),
        box=Pose(position=Point(x=0.1, y=-0.2, z=0.61), orientation=Quaternion(z=0.6, w=0.8)),
        size=Vector3(x=0.12, y=0.08, z=0.05),
        processing_time=Duration(sec=0, nanosec=80_000_000),
    )


def test_an_object_travels_unchanged(peer, start_process):
    start_process(PEER)
    publisher = peer.create_publisher(ReferredObject, 'asked', 1)
    echoed = peer.collect(ReferredObject, 'echoed', 1)
    peer.wait_for(
        lambda: publisher.get_subscription_count() and peer.count_publishers('echoed'), 'the peer'
    )
    sent = full_object()
    for _ in range(ATTEMPTS):
        publisher.publish(sent)
        if peer.comes(lambda: echoed, 5):
            break
    assert echoed
    assert echoed[0] == sent


def test_an_action_runs_with_feedback(peer, start_process):
    start_process(PEER)
    client = ActionClient(peer, Segment, 'segment')
    peer.wait_for(client.server_is_ready, 'the action server')
    goal = Segment.Goal(command='the red mug', image=Image(width=7))
    # The first goal may be answered before the server has discovered the whole client.
    for _ in range(ATTEMPTS):
        feedback = []
        sent = client.send_goal_async(
            goal, feedback_callback=lambda said, to=feedback: to.append(said.feedback)
        )
        if not peer.comes(sent.done, 10):
            continue
        assert sent.result().accepted
        answer = sent.result().get_result_async()
        if peer.comes(lambda a=answer, f=feedback: a.done() and len(f) == 3, 10):
            break
    else:
        pytest.fail('No goal had an answer and three rounds of feedback.')
    found = answer.result().result.object
    assert (found.command, found.status, found.mask.width) == ('the red mug', 1, 7)
    assert [said.round for said in feedback] == [0, 1, 2]
    assert math.isclose(feedback[2].match_probability, 0.7, rel_tol=1e-6)
    client.destroy()


def test_an_empty_message_claims_nothing():
    status = ReferredObject().status
    assert status not in {
        ReferredObject.FOUND,
        ReferredObject.FOUND_SEVERAL,
        ReferredObject.NOT_FOUND,
        ReferredObject.AMBIGUOUS,
        ReferredObject.INVALID,
        ReferredObject.ERROR,
    }


WITHOUT_TORCH = """
import sys
for name in ('torch', 'mujoco', 'transformers', 'matplotlib', 'shapely'):
    sys.modules[name] = None  # an import of it raises ImportError
import iterprime_ros.msg, iterprime_ros.action
print(iterprime_ros.msg.ReferredObject().status)
"""


def test_a_downstream_node_needs_only_the_messages():
    answer = subprocess.run(
        [sys.executable, '-c', WITHOUT_TORCH], capture_output=True, text=True, check=False
    )
    assert (answer.stdout, answer.stderr) == ('0\n', '')
