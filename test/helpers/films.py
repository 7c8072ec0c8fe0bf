"""A film for the node: a picture that moves sideways, its images 33 ms apart by their stamps."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from std_msgs.msg import String

from helpers.robots import PATIENCE, header
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.camera_topics import nanoseconds_of
from iterprime_ros.ros.convert.images import to_camera_info, to_image

STEP = 33_000_000  # nanoseconds between two images
ATTEMPTS = 20


class Film:
    """What a camera sees, shown by a robot.

    shift: by how many pixels the picture is moved to the right.
    now: the stamp of the last image, in nanoseconds.
    """

    def __init__(self, robot, picture, prefix=''):
        self.robot, self.picture = robot, picture
        self.shift, self.now = 0, 100_000_000_000
        self.poses = robot.collect(PoseStamped, f'segment/{prefix}pose', 50)
        self.filtered = robot.collect(
            PoseWithCovarianceStamped, f'segment/{prefix}pose_with_covariance', 50
        )
        robot.wait_for(
            lambda: all(
                each.get_subscription_count()
                for each in (robot.images, robot.depths, robot.infos, robot.commands)
            ),
            'the node to listen',
        )
        robot.wait_for(
            lambda: robot.count_publishers(f'segment/{prefix}pose_with_covariance'), 'its poses'
        )

    def truth(self, name):
        """The mask (H, W) of an object of the picture, by its colour and kind."""
        colour, kind = name.split()
        (target,) = (
            each
            for each in self.picture.scene.objects
            if (each.colour, each.kind) == (colour, kind)
        )
        return np.roll(self.picture.ids == target.id, self.shift, axis=1)

    def publish(self, rgb=None, shape=None):
        """Show the next image, a black one or one of another shape where that is given."""
        self.now += STEP
        rgb = np.roll(self.picture.rgb, self.shift, axis=1) if rgb is None else rgb
        depth = np.roll(self.picture.depth, self.shift, axis=1)
        if shape:
            rgb, depth = rgb[: shape[0], : shape[1]], None
        messages = [(self.robot.images, to_image(np.ascontiguousarray(rgb), 'rgb8', header()))]
        if depth is not None:
            messages.insert(0, (self.robot.depths, to_image(depth, '32FC1', header())))
            info = to_camera_info(self.picture.pinhole, header())
            messages.insert(0, (self.robot.infos, info))
        for publisher, message in messages:
            message.header.stamp = Time(
                sec=self.now // 1_000_000_000, nanosec=self.now % 1_000_000_000
            )
            publisher.publish(message)

    def seen(self, **image):
        """Show images until one has its answer, and return that."""
        results = self.robot.results
        for _ in range(ATTEMPTS):
            self.publish(**image)
            if self.robot.comes(
                lambda: results and nanoseconds_of(results[-1].header) == self.now, 3.0
            ):
                return results[-1]
        return pytest.fail('No image was answered.')

    def asked(self, command, **image):
        """Say a command, again where it was not heard, and return the first answer to it."""
        results, before = self.robot.results, len(self.robot.results)
        for number in range(10 * PATIENCE):
            if number % 200 == 0:
                self.robot.commands.publish(String(data=command))
            self.publish(**image)
            if self.robot.comes(
                lambda: any(each.command == command for each in results[before:]), 0.1
            ):
                return next(each for each in results[before:] if each.command == command)
        return pytest.fail(f'"{command}" was not answered.')

    def located(self, command):
        """Say a command until its answer has a position.

        A node that has not discovered the publisher of depths yet answers without.
        """
        for _ in range(ATTEMPTS):
            answer = self.asked(command)
            if np.isfinite(answer.centroid.x):
                return answer
        return pytest.fail(f'{ATTEMPTS} answers had no position; the last: {answer.text}')

    def black(self):
        """The picture without light."""
        return np.zeros_like(self.picture.rgb)

    def until(self, state, most=120, **image):
        """Show images until the track has a state, and return that answer."""
        for _ in range(most):
            answer = self.seen(**image)
            if answer.track_state == state:
                return answer
        return pytest.fail(f'{most} images, and the track is {answer.text}.')

    def is_ignored(self):
        """Whether further images have no answer."""
        before = len(self.robot.results)
        for _ in range(5):
            self.publish()
            self.robot.comes(lambda: False, 0.1)
        return len(self.robot.results) == before


def claims_nothing(answer):
    """Whether nothing in an answer could be grasped at."""
    return (
        answer.status not in (ReferredObject.FOUND, ReferredObject.FOUND_SEVERAL)
        and answer.mask.width == answer.instance_count == answer.point_count == 0
        and np.isnan([answer.centroid.x, answer.box.position.x, answer.track_position.x]).all()
    )
