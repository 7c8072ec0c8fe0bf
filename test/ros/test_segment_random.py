"""The node fed with two thousand random messages: it answers every command, and keeps nothing."""

import io
from array import array

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from PIL import Image as Pillow
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String

from helpers.robots import OBEDIENT, ended_well, header
from iterprime_ros.msg import ReferredObject

QUESTIONS = {'raw': 450, 'compressed': 60}  # each with an image, a depth and a camera_info
MARGIN = 24  # MiB by which memory may grow from the middle to the end, as allocators have it
SIDES = (0, 1, 2, 3, 4, 7, 8, 16, 33)
ENCODINGS = (
    'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', 'rgb16', 'bgr16', 'rgba16', 'bgra16', 'mono16',
    '8UC1', '8UC3', '8UC4', 'uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2', 'nv12', 'nv21', 'nv24',
    'bayer_rggb8', 'bayer_gbrg16', '32FC1', '16UC1', '64FC4', 'RGB8', 'jpeg', 'fancy', 'é',
)  # fmt: skip
DEPTHS = ('16UC1', '32FC1', 'mono16', 'rgb8', '', '64FC1')
COMMANDS = (
    '', ' ', '\t\n', 'the red mug', 'pick up the ball', '🙂', 'die rote Tasse', '\x07\x00mug',
    'mug ' * 3000, '{expression}', '"; DROP', 'the the the', 'of', '1 2 3', 'raise',
    'need too much memory', 'give half a mask', 'name no candidate',
)  # fmt: skip


def any_of(rng, values):
    return values[rng.integers(len(values))]


def any_image(rng, encodings, usual):
    """Of random size, step and data; half the time none of them contradicts another."""
    height, width = int(any_of(rng, SIDES)), int(any_of(rng, SIDES))
    encoding, step = any_of(rng, encodings), int(any_of(rng, (0, 1, 7, width, 3 * width + 5, 400)))
    size = int(any_of(rng, (0, 1, height * width, 30_000)))
    if rng.random() < 0.5:
        height, width, encoding, step, size = 16, 16, usual, 0, 4096
    data = array('B', rng.bytes(size))
    return Image(
        header=header(), height=height, width=width, encoding=encoding, step=step,
        is_bigendian=int(rng.integers(2)), data=data,
    )  # fmt: skip


def any_compressed(rng):
    """Whole, cut, damaged, or no picture at all."""
    file = io.BytesIO()
    side = int(any_of(rng, SIDES[1:]))
    pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    Pillow.fromarray(pixels).save(file, any_of(rng, ('jpeg', 'png')))
    data = bytearray(file.getvalue())
    match rng.integers(4):
        case 0:
            data = data[: rng.integers(len(data))]
        case 1:
            data[rng.integers(len(data))] = rng.integers(256)
        case 2:
            data = rng.bytes(500)
    return CompressedImage(header=header(), format=any_of(rng, ('jpeg', '')), data=array('B', data))


def any_compressed_depth(rng):
    file = io.BytesIO()
    Pillow.fromarray(rng.integers(0, 3000, (16, 16), dtype=np.uint16)).save(file, 'PNG')
    data = bytearray(bytes(12) + file.getvalue())
    if rng.random() < 0.3:
        data = data[: rng.integers(len(data))]
    codec = any_of(rng, ('; compressedDepth png', '', '; compressedDepth rvl'))
    named = any_of(rng, ('16UC1', '32FC1', 'rgb8')) + codec
    return CompressedImage(header=header(), format=named, data=array('B', data))


def any_info(rng):
    focal = float(any_of(rng, (0.0, 20.0, 20.0, 20.0, -1.0, np.nan, np.inf)))
    k = [focal, 0.0, 8.0, 0.0, focal, 8.0, 0.0, 0.0, 1.0]
    return CameraInfo(header=header(), height=16, width=int(any_of(rng, (16, 16, 0, 32))), k=k)


def any_command(rng, number):
    return any_of(rng, COMMANDS) if rng.random() < 0.2 else f'mark {number}'


def any_stamp(rng):
    """Onwards mostly, and now and then to anywhere, so that a later one goes backwards."""
    return Time(sec=int(rng.integers(-(2**31), 2**31)), nanosec=int(rng.integers(10**9)))


def resident(process):
    with open(f'/proc/{process.pid}/status') as status:  # noqa: PTH123
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith('VmRSS'))


@pytest.mark.parametrize('transport', QUESTIONS)
def test_every_command_is_answered_whatever_comes(start_process, robot, transport, record_property):
    rng = np.random.default_rng(0)
    settings = ('autostart:=true', 'frame_timeout:=60.0', f'image_transport:={transport}')
    process = start_process(
        OBEDIENT, '--ros-args', *(part for each in settings for part in ('-p', each)),
        '--log-level', 'fatal',
    )  # fmt: skip
    images = robot.compressed if transport == 'compressed' else robot.images
    if transport == 'compressed':
        robot.depths = robot.create_publisher(CompressedImage, 'depth/compressedDepth', 10)
    publishers = (robot.commands, robot.depths, robot.infos, images)
    robot.wait_for(
        lambda: all(each.get_subscription_count() for each in publishers), 'the node to listen'
    )
    statuses, memory = [], []
    for number in range(QUESTIONS[transport]):
        command, stamp = any_command(rng, number), any_stamp(rng)
        image = (
            any_compressed(rng) if transport == 'compressed' else any_image(rng, ENCODINGS, 'rgb8')
        )
        depth = (
            any_compressed_depth(rng)
            if transport == 'compressed'
            else any_image(rng, DEPTHS, '32FC1')
        )
        info = any_info(rng)
        image.header.stamp = stamp
        depth.header.stamp = stamp if rng.random() < 0.7 else any_stamp(rng)
        robot.depths.publish(depth)
        robot.infos.publish(info)
        before = len(robot.results)
        robot.commands.publish(String(data=command))
        for _ in range(3000):  # a frame that comes before its command is not looked at
            images.publish(image)
            if robot.comes(lambda n=before: len(robot.results) > n, 0.02):
                break
        assert process.poll() is None, process.communicate()[0]
        assert len(robot.results) == before + 1
        answer = robot.results[-1]
        assert answer.command == command.partition('\0')[0]  # where a string of DDS ends
        assert answer.status != ReferredObject.UNKNOWN
        assert answer.text
        assert '\n' not in answer.text
        assert answer.header.stamp == stamp
        statuses.append(answer.status)
        memory.append(resident(process))
    record_property('MiB in the middle and at the end', (memory[len(memory) // 2], memory[-1]))
    assert {ReferredObject.FOUND, ReferredObject.INVALID, ReferredObject.ERROR} <= set(statuses)
    assert memory[-1] <= memory[len(memory) // 2] + MARGIN
    ended_well(process)
