"""A robot that picks when, and as, the test says; and the answers that it is asked by."""

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Empty, Header
from std_srvs.srv import SetBool

from helpers.robots import Peer
from iterprime_ros.action import Pick
from iterprime_ros.msg import Grasp, ReferredObject
from iterprime_ros.ros.convert.images import to_image

SIZE = (48, 64)
ROWS, COLUMNS = slice(10, 22), slice(20, 36)  # of the object


class PickingRobot(Peer):
    """Serves the action `pick` and its confirmation, and plays the camera and the segment node.

    goals: the goals that were accepted.
    refused: the goals that came while it `refuses`.
    confirmed: the answers that came to whether the gripper may close.
    """

    def __init__(self):
        super().__init__('picking_robot')
        self.goals, self.refused, self.confirmed = [], [], []
        self.refuses = False
        self.server = ActionServer(
            self,
            Pick,
            'pick',
            execute_callback=lambda _: Pick.Result(),
            goal_callback=self.on_goal,
            handle_accepted_callback=self.goals.append,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self.create_service(SetBool, 'pick/confirm', self.on_confirm)
        self.answers = self.create_publisher(ReferredObject, 'result', 10)
        self.depths = self.create_publisher(Image, 'depth', 10)
        self.stops = self.create_publisher(Empty, 'stop', 10)

    def destroy_node(self):
        self.server.destroy()
        super().destroy_node()

    def on_goal(self, goal):
        if self.refuses:
            self.refused.append(goal)
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def on_confirm(self, request, response):
        self.confirmed.append(request.data)
        response.success = True
        return response

    def now(self):
        return self.get_clock().now().to_msg()

    def show(self, thing, stamp=None):
        """Publish the depth of a thing on a table 0.8 m away."""
        stamp = stamp or self.now()
        depth = np.full(SIZE, 0.8, np.float32)
        depth[ROWS, COLUMNS] = thing
        self.depths.publish(to_image(depth, '32FC1', Header(stamp=stamp, frame_id='camera')))
        return stamp

    def answer(self, stamp, **fields):
        """Publish the answer about an image, which allows a pick but for some fields."""
        self.answers.publish(allowing_answer(stamp, **fields))

    def is_at_the_grasp(self, goal):
        goal.publish_feedback(Pick.Feedback(stage=Pick.Feedback.WAITING))

    def end(self, goal, text='Lifted.'):
        """End a goal, as canceled where it was taken back."""

        def result(handle):
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.succeed()
            return Pick.Result(success=True, object_id=1, text=text)

        goal.execute(result)


def allowing_answer(stamp: Time, **fields):
    """The answer about an image that allows a pick but for some fields."""
    pose = Pose(position=Point(z=0.6), orientation=Quaternion(w=1.0))
    answer = ReferredObject(
        header=Header(stamp=stamp, frame_id='camera'),
        status=ReferredObject.FOUND,
        instance_count=1,
        action_verb='pick',
        expression='the mug',
        text='Found "the mug".',
        grasps=[Grasp(pose=pose, width=0.05, quality=0.8)],
        image_height=SIZE[0],
        image_width=SIZE[1],
        roi=RegionOfInterest(
            x_offset=COLUMNS.start,
            y_offset=ROWS.start,
            width=COLUMNS.stop - COLUMNS.start,
            height=ROWS.stop - ROWS.start,
        ),
    )
    part = np.full((answer.roi.height, answer.roi.width), 255, np.uint8)
    answer.mask = to_image(part, 'mono8', answer.header)
    for name, value in fields.items():
        setattr(answer, name, value)
    return answer
