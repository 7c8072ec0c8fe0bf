"""The node in a process of its own, with all images, depths and commands it may get in life."""

import math
from array import array

import numpy as np
import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.duration import Duration
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from helpers.robots import (
    FRAME,
    Robot,
    depth_image,
    header,
    processes,
    rgb_image,
    running,
    set_parameter,
)
from iterprime_ros.msg import ReferredObject
from iterprime_ros.profiles import load_profile
from iterprime_ros.ros.convert.images import to_camera_info, to_image
from iterprime_ros.ros.convert.referred_object import full_mask


@pytest.fixture(scope='module', autouse=True)
def node(ros_domain):
    """One for all tests here: none may harm it, and it has to end well."""
    with processes() as start, running(start) as process:
        yield process


@pytest.fixture(scope='module')
def robot(node):
    """Lives as long as the node, which tells a newcomer its last answer."""
    robot = Robot()
    yield robot
    robot.destroy_node()


def test_what_is_found_is_where_it_is(robot, picture):
    info, depth = info_of(picture), depth_image(picture)
    target = picture.scene.objects[5]
    assert (target.colour, target.kind) == ('blue', 'cube')
    found = robot.ask_until(
        lambda answer: answer.point_count,
        'please hand me the blue cube',
        rgb_image(picture),
        depth,
        info,
    )
    assert found.status == ReferredObject.FOUND, found.text
    assert found.header.frame_id == FRAME
    assert 100 < found.header.stamp.sec <= robot.stamp
    assert (found.action_verb, found.expression) == ('hand', 'the blue cube')
    assert found.primary_word == 'cube'
    assert (found.mask.width, found.mask.height) == (found.roi.width, found.roi.height)
    mask = full_mask(found)
    assert mask.shape == (240, 320)
    truth = picture.ids == target.id
    assert (mask & truth).sum() / (mask | truth).sum() > 0.5
    rows, columns = np.nonzero(mask)
    assert (found.roi.x_offset, found.roi.y_offset) == (columns.min(), rows.min())
    assert (found.roi.width, found.roi.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
    seen = np.median(picture.depth[truth])
    assert found.point_count > 50
    assert found.centroid.z == pytest.approx(seen, abs=0.01)
    assert 0 < found.size.z <= found.size.y <= found.size.x < 0.2
    models, all_of_it = (
        Duration.from_msg(each).nanoseconds
        for each in (found.inference_time, found.processing_time)
    )
    assert 0 < models < all_of_it


@pytest.mark.parametrize(
    ('command', 'status'),
    [
        ('', ReferredObject.INVALID),
        ('   \t\n', ReferredObject.INVALID),
        ('\x00\x01\x1b[31m', ReferredObject.INVALID),
        ('the mug ' * 1250, None),
        ('🙂🙂🙂', ReferredObject.INVALID),
        ('die rote Tasse 红色的杯子 красная кружка', None),
        ('the \x07red\x00 mug', None),
    ],
    ids=['empty', 'blank', 'control', 'long', 'emoji', 'scripts', 'mixed'],
)
def test_odd_commands_are_answered(robot, picture, command, status):
    answer = robot.ask(command, rgb_image(picture))
    assert answer.text
    assert answer.status != ReferredObject.UNKNOWN
    if status is not None:
        assert answer.status == status
        assert math.isnan(answer.centroid.x)
        assert answer.mask.width == 0


BAYER = [
    f'bayer_{pattern}{bits}' for bits in (8, 16) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')
]
EXACT = ['rgb8', 'bgr8', 'rgba8', 'bgra8', '8UC3', '8UC4', 'rgb16', 'bgr16', 'rgba16', 'bgra16']
GREY = ['mono8', '8UC1', 'mono16']
YUV = ['uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2', 'nv12', 'nv21', 'nv24']


def planes_of(rgb):
    """Y, U and V (H, W) of ITU-R BT.601 in limited range."""
    red, green, blue = np.moveaxis(rgb / 255, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = (16 + 219 * luma, 128 + 224 * (blue - luma) / 1.772, 128 + 224 * (red - luma) / 1.402)
    return [np.round(plane).astype(np.uint8) for plane in planes]


def yuv_bytes(rgb, encoding):
    y, u, v = planes_of(rgb)
    if encoding.startswith('nv'):
        step = 1 if encoding == 'nv24' else 2
        pair = (v, u) if encoding == 'nv21' else (u, v)
        chroma = np.stack([plane[::step, ::step] for plane in pair], axis=-1)
        return y.tobytes() + chroma.tobytes()
    chroma = np.where(np.arange(y.shape[1]) % 2, np.roll(v, 1, axis=1), u)
    pair = (y, chroma) if encoding in ('yuyv', 'yuv422_yuy2') else (chroma, y)
    return np.stack(pair, axis=-1).tobytes()


def samples_of(rgb, encoding):
    """What lies in memory in an encoding that is not YUV, (H, W) or (H, W, channels) uint8."""
    if encoding.startswith('bayer'):
        letters = np.array(list(encoding[6:10])).reshape(2, 2)
        rows, columns = np.indices(rgb.shape[:2])
        channel = np.vectorize('rgb'.index)(letters)[rows % 2, columns % 2]
        return np.take_along_axis(rgb, channel[..., None], axis=2)[..., 0]
    if encoding in GREY:
        return rgb[..., 1]
    ordered = rgb if encoding.startswith('rgb') else rgb[..., ::-1]
    with_alpha = 'a' in encoding or encoding == '8UC4'
    return np.insert(ordered, 3, 77, axis=2) if with_alpha else ordered


def encoded(rgb, encoding, big=False, padding=0):
    """The message of a picture in any encoding; padding: bytes after each row, and at the end."""
    height, width = rgb.shape[:2]
    if encoding in YUV:
        data = yuv_bytes(rgb, encoding)
        step = width if encoding.startswith('nv') else 2 * width
    else:
        samples = np.ascontiguousarray(samples_of(rgb, encoding))
        if encoding.endswith('16'):
            samples = (samples * np.uint16(257)).astype('>u2' if big else '<u2')
        rows = samples.reshape(height, -1).view(np.uint8)
        rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=201)
        data, step = rows.tobytes() + bytes(padding), rows.shape[1]
    return Image(
        header=header(), height=height, width=width, encoding=encoding, step=step,
        is_bigendian=big, data=array('B', data),
    )  # fmt: skip


def test_every_encoding_is_seen_as_the_same_picture(robot, picture):
    rgb = np.ascontiguousarray(picture.rgb[::2, ::2])
    best = robot.ask('the blue cube', encoded(rgb, 'rgb8'))
    assert best.match_probability > 0
    given = [(each, {}) for each in [*EXACT, *GREY, *YUV, *BAYER]]
    given += [(each, {'padding': 13}) for each in ('rgb8', 'bgra8', 'mono8', 'bayer_rggb8')]
    given += [(each, {'padding': 6, 'big': True}) for each in ('rgb16', 'bgra16', 'mono16')]
    given += [(each, {'big': True}) for each in ('rgb8', 'bayer_gbrg16')]
    seen = {}
    for encoding, how in given:
        answer = robot.ask('the blue cube', encoded(rgb, encoding, **how))
        assert answer.status not in (ReferredObject.INVALID, ReferredObject.ERROR), answer.text
        seen.setdefault(encoding, []).append(answer.match_probability)
    for encoding in EXACT:
        assert seen[encoding] == pytest.approx([best.match_probability] * len(seen[encoding]))
    grey = [probability for encoding in GREY for probability in seen[encoding]]
    assert grey == pytest.approx([grey[0]] * len(grey))
    for encoding in [*BAYER, 'rgb16']:
        assert seen[encoding] == pytest.approx([seen[encoding][0]] * len(seen[encoding]))


def test_bad_images_are_answered_with_a_sentence(robot, picture):
    unknown = [
        Image(header=header(), height=2, width=2, encoding=encoding, step=2, data=b'abcd')
        for encoding in ('fancy', '', 'RGB8', '32FC1', '16UC1', 'jpeg', 'bayer_rggb32', 'x' * 9999)
    ]
    empty = [
        Image(header=header(), height=height, width=width, encoding='rgb8', step=6, data=bytes(12))
        for height, width in ((0, 0), (0, 2), (2, 0))
    ]
    short = Image(header=header(), height=9, width=9, encoding='rgb8', step=27, data=b'abc')
    narrow = Image(header=header(), height=9, width=9, encoding='rgb8', step=26, data=bytes(999))
    for bad, said in (
        *((each, 'cannot be read: publish one of rgb8') for each in unknown),
        *((each, 'wait for one with pixels') for each in empty),
        (short, 'in 3 bytes: they need 243'),
        (narrow, 'a row needs 27'),
    ):
        answer = robot.ask('the mug', bad)
        assert answer.status == ReferredObject.INVALID
        assert said in answer.text
        assert answer.text.endswith('.')
        assert len(answer.text) < 300
        assert answer.header.frame_id == FRAME
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND


def set_double(robot, name, value):
    return set_parameter(robot, name, type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def info_of(picture):
    return to_camera_info(picture.pinhole, header())


@pytest.mark.parametrize('encoding', ['32FC1', '16UC1', 'big 16UC1', 'mono16', 'half'])
def test_depth_of_every_kind_gives_the_place(robot, picture, encoding):
    metres = picture.depth[::2, ::2] if encoding == 'half' else picture.depth
    depth = to_image(np.ascontiguousarray(metres), '32FC1', header())
    if '16' in encoding:
        kind = '>u2' if 'big' in encoding else '<u2'
        depth = to_image(np.round(1000 * metres).astype(kind), encoding.split()[-1], header())
        depth.is_bigendian = 'big' in encoding
    found = robot.ask_until(
        lambda answer: answer.point_count,
        'the blue cube',
        rgb_image(picture),
        depth,
        info_of(picture),
    )
    seen = np.median(picture.depth[picture.ids == picture.scene.objects[5].id])
    assert found.centroid.z == pytest.approx(seen, abs=0.01)


def test_depth_that_is_of_no_use_is_said_and_the_object_found(robot, picture):
    info, depth = info_of(picture), depth_image(picture)
    nothing = to_image(np.full_like(picture.depth, np.nan), '32FC1', header())
    square = to_image(np.ascontiguousarray(picture.depth[:, :240]), '32FC1', header())
    short = depth_image(picture)
    short.data = short.data[:999]
    coloured = depth_image(picture)
    coloured.encoding = 'rgb8'
    for given, calibration, said in (
        (depth, CameraInfo(header=header(), width=320, height=240), 'which is no camera'),
        (depth, CameraInfo(header=header()), 'which is no camera'),
        (depth, CameraInfo(header=header(), width=32, height=24, k=info.k), 'of 32 x 24 pixels'),
        (nothing, info, 'no measurement on the object'),
        (square, info, 'register it to the image'),
        (short, info, 'in 999 bytes'),
        (coloured, info, 'Depth of encoding "rgb8" cannot be read'),
    ):
        answer = robot.ask_until(
            lambda answer, s=said: s in answer.text,
            'the blue cube',
            rgb_image(picture),
            given,
            calibration,
        )
        assert answer.status == ReferredObject.FOUND
        assert answer.point_count == 0
        assert math.isnan(answer.centroid.x)


def test_stamps_may_go_backwards(robot, picture):
    """As a bag does that starts again: each answer and its depth are those of the image's stamp."""
    image, info = rgb_image(picture), info_of(picture)
    far = to_image(picture.depth * np.float32(2), '32FC1', header())
    seen = np.median(picture.depth[picture.ids == picture.scene.objects[5].id])

    def is_placed(answer):
        return answer.point_count and beginning < answer.header.stamp.sec <= robot.stamp

    for beginning, depth, times in ((10_000, depth_image(picture), 1), (50, far, 2)):
        robot.stamp = beginning
        for _ in range(3):
            found = robot.ask_until(is_placed, 'the blue cube', image, depth, info)
            assert found.centroid.z == pytest.approx(times * seen, rel=0.02)


def test_without_a_frame_an_error_says_so(robot):
    robot.wait_for(robot.commands.get_subscription_count, 'the node to listen')
    before = len(robot.results)
    assert set_double(robot, 'frame_timeout', 1.0).successful
    robot.commands.publish(String(data='the mug'))
    robot.wait_for(lambda: len(robot.results) > before, 'the error')
    assert robot.results[-1].status == ReferredObject.ERROR
    assert 'No image arrived within 1 s: /image has ' in robot.results[-1].text
    assert set_double(robot, 'frame_timeout', 60.0).successful


def test_a_camera_that_was_killed_is_heard_again(robot, start_node):
    for _ in range(2):
        camera = start_node('sim_camera', width=160, height=120)
        before = len(robot.results)
        robot.commands.publish(String(data='the blue cube'))
        robot.wait_for(lambda n=before: len(robot.results) > n, 'an answer')
        assert robot.results[-1].match_probability >= 0
        camera.kill()
        camera.wait()
        before = len(robot.results)
        assert set_double(robot, 'frame_timeout', 1.0).successful
        robot.commands.publish(String(data='the blue cube'))
        robot.wait_for(lambda n=before: len(robot.results) > n, 'the error')
        assert 'No image arrived' in robot.results[-1].text
        assert set_double(robot, 'frame_timeout', 60.0).successful


def test_best_effort_cameras_are_heard(robot, picture):
    peer = Robot('best_effort', QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    frame = peer.frame(rgb_image(picture))
    before = len(robot.results)
    robot.commands.publish(String(data='the blue cube'))
    for _ in range(100):
        peer.show(frame)
        if robot.comes(lambda: len(robot.results) > before, 0.1):
            break
    assert robot.results[before].status == ReferredObject.FOUND
    peer.destroy_node()


def test_thresholds_change_while_it_runs_and_wrong_values_are_refused(robot, picture):
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.FOUND
    assert set_double(robot, 'match_threshold', 1.0).successful
    assert robot.ask('the blue cube', rgb_image(picture)).status == ReferredObject.NOT_FOUND
    usual = load_profile('tabletop').answer.match_threshold
    assert set_double(robot, 'match_threshold', usual).successful
    for name, value in (('match_threshold', 1.5), ('frame_timeout', 0.0)):
        refused = set_double(robot, name, value)
        assert not refused.successful
        assert refused.reason
    words = {'type': ParameterType.PARAMETER_STRING, 'string_value': 'sometimes'}
    refused = set_parameter(robot, 'mode', **words)
    assert not refused.successful
    assert refused.reason == 'mode must be once or continuous or track, not "sometimes".'
    assert not set_parameter(robot, 'profile', **words).successful
