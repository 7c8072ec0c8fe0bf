"""What the node reports: rates, missing images, unknown parameters and log lines."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Log
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from helpers.robots import LATCHED, PATIENCE, Robot, header, rgb_image, running
from iterprime_ros.msg import ReferredObject

HZ = 25


def small_image():
    return Image(header=header(), height=2, width=2, encoding='mono8', step=2, data=bytes(4))


def test_the_rate_of_a_fast_camera_is_reported(start_process, robot):
    rates = []

    def read(message):
        values = {each.key: each.value for each in message.status[0].values}
        rates.append(float(values['frames a second']))

    with running(start_process):
        robot.create_subscription(DiagnosticArray, '/diagnostics', read, 10)
        robot.wait_for(robot.images.get_subscription_count, 'the node to listen')
        for _ in range(PATIENCE * HZ):
            robot.images.publish(small_image())
            if robot.comes(lambda: rates and rates[-1] > 12, 1 / HZ):
                return
        pytest.fail(f'The highest rate reported was {max(rates)} of {HZ} Hz.')


def test_without_a_clock_a_missing_image_is_still_reported(start_process, robot):
    with running(start_process, use_sim_time='true', frame_timeout=1.0):
        robot.say('the mug', lambda: robot.results)
    assert robot.results[0].status == ReferredObject.ERROR
    assert robot.results[0].text.startswith('No image arrived within 1 s: /image has ')


def test_a_missing_image_names_its_cause(start_process, ros_domain):
    """No publisher at all, or one whose images do not arrive."""
    robot = Robot('silent')
    try:
        with running(start_process, frame_timeout=1.0):
            robot.say('the mug', lambda: robot.results)
            assert 'Fragments of large images may be lost' in robot.results[-1].text
            robot.destroy_publisher(robot.images)
            before = len(robot.results)
            for _ in range(20):
                robot.commands.publish(String(data='the mug'))
                robot.wait_for(lambda n=before: len(robot.results) > n, 'the error')
                if 'has no publisher' in robot.results[-1].text:
                    return
                before = len(robot.results)
            pytest.fail(robot.results[-1].text)
    finally:
        robot.destroy_node()


def test_parameters_that_do_not_exist_are_named_with_the_nearest_one(start_process, robot):
    logs = robot.collect(Log, '/rosout', LATCHED)
    with running(start_process, match_treshold=0.5, nosuch=3):
        robot.wait_for(
            lambda: (
                {each.msg for each in logs if each.msg.startswith('There is no parameter')}
                == {
                    'There is no parameter "match_treshold"; did you mean "match_threshold"?',
                    'There is no parameter "nosuch".',
                }
            ),
            'two warnings',
        )


def test_an_empty_frame_id_is_warned_of_once(start_process, robot, picture):
    logs = robot.collect(Log, '/rosout', LATCHED)
    image = rgb_image(picture)
    image.header = Header()
    with running(start_process):
        for _ in range(3):
            robot.ask('the blue cube', image)
        warnings = [each for each in logs if 'empty header.frame_id' in each.msg]
        robot.comes(lambda: len(warnings) > 1, 1)
    assert len([each for each in logs if 'empty header.frame_id' in each.msg]) == 1


def test_a_command_forges_no_log_line(start_process, robot, picture):
    logs = robot.collect(Log, '/rosout', LATCHED)
    command = 'the mug\n[ERROR] [1.0] [segment]: forged \x1b[31m red \x07'
    with running(start_process):
        robot.ask(command, rgb_image(picture))
        robot.wait_for(lambda: any('forged' in each.msg for each in logs), 'the log line')
    for each in logs:
        assert each.msg.isprintable() or 'forged' not in each.msg
