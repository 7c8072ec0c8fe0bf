"""The examples, run as a reader of the README runs them."""

from pathlib import Path

from rcl_interfaces.msg import Log

from helpers.robots import PATIENCE, depth_image, header, rgb_image
from iterprime_ros.ros.convert.images import to_camera_info

EXAMPLES = Path(__file__).resolve().parents[2] / 'examples'


def test_one_turns_answers_into_grasps(obedient, start_process, robot, picture):
    logs = robot.collect(Log, '/rosout', 100)
    start_process(EXAMPLES / 'pick_listener.py', '--ros-args', '-r', 'result:=/segment/result')
    robot.wait_for(lambda: robot.count_subscribers('segment/result') > 1, 'the listener')

    def said(words):
        return any(each.name == 'pick_listener' and words in each.msg for each in logs)

    def grasped(answer):
        return answer.point_count and robot.comes(lambda: said('opening'), 1.0)

    info, depth = to_camera_info(picture.intrinsics, header()), depth_image(picture)
    robot.ask_until(grasped, 'pick up the blue cube', rgb_image(picture), depth, info)
    assert said('pick the blue cube: in camera_color_optical_frame at (')
    robot.ask_until(
        lambda _: robot.comes(lambda: said('Nothing to pick'), 1.0), '', rgb_image(picture)
    )


def test_one_asks_by_the_action_and_tells_what_it_hears(obedient, start_process, robot, picture):
    robot.wait_for(robot.images.get_subscription_count, 'the node to listen')
    remapped = ('--ros-args', '-r', 'segment:=/segment/segment')
    asker = start_process(EXAMPLES / 'ask.py', 'the blue cube', *remapped)
    frame = robot.frame(rgb_image(picture))
    while not robot.comes(lambda: asker.poll() is not None, 0.5):
        robot.show(frame)
    output, _ = asker.communicate(timeout=PATIENCE)
    assert asker.returncode == 0, output
    first, *_, last = output.strip().splitlines()
    assert first.startswith('round 0: match 0.')
    assert last.startswith('Found "the blue cube"')
