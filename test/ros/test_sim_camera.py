"""The simulated camera node, tested from another process over DDS."""

import itertools
import json

import mujoco
import numpy as np
import pytest
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, ListParameters, SetParameters
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String
from std_srvs.srv import Trigger

from iterprime_ros.ros.convert.images import from_image
from iterprime_ros.sim.motion import Motion, sample_clip
from iterprime_ros.sim.scene import Scene, sample_scene
from iterprime_ros.sim.stage import Stage

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
TOPICS = {
    'image': Image,
    'depth': Image,
    'camera_info': CameraInfo,
    'sim_camera/truth/ids': Image,
}
WIDTH, HEIGHT = 320, 240


class Frames:
    """The messages of the camera, by timestamp and topic."""

    def __init__(self, peer):
        self.peer = peer
        self.by_stamp = {}
        self.truths = peer.collect(String, 'sim_camera/truth/objects', LATCHED)
        for topic, kind in TOPICS.items():
            peer.create_subscription(
                kind,
                topic,
                lambda message, topic=topic: self.add(topic, message),
                qos_profile_sensor_data,
            )

    def add(self, topic, message):
        stamp = message.header.stamp
        self.by_stamp.setdefault((stamp.sec, stamp.nanosec), {})[topic] = message

    def next(self):
        """Return the messages of the next complete frame, by topic."""
        self.by_stamp.clear()
        complete = []

        def arrived():
            complete[:] = [frame for frame in self.by_stamp.values() if len(frame) == len(TOPICS)]
            return complete and self.truths

        self.peer.wait_for(arrived, 'a frame whose four messages share one timestamp')
        return complete[0]

    def truth(self, seed):
        self.peer.wait_for(
            lambda: self.truths and json.loads(self.truths[-1].data)['seed'] == seed,
            f'the truth of scene {seed}',
        )
        return json.loads(self.truths[-1].data)


@pytest.fixture
def frames(peer):
    return Frames(peer)


def test_messages_agree_with_their_headers(frames, start_node):
    start_node('sim_camera', width=WIDTH, height=HEIGHT, seed=3)
    frame = frames.next()
    assert {message.header.frame_id for message in frame.values()} == {'camera_color_optical_frame'}
    expected = {'image': ('rgb8', 3), 'depth': ('32FC1', 4), 'sim_camera/truth/ids': ('32SC1', 4)}
    for topic, (encoding, pixel) in expected.items():
        message = frame[topic]
        assert (message.width, message.height) == (WIDTH, HEIGHT)
        assert message.encoding == encoding
        assert message.step == WIDTH * pixel
        assert len(message.data) == message.step * HEIGHT
        assert not message.is_bigendian
    info = frame['camera_info']
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    focal = HEIGHT / (2 * np.tan(np.radians(sample_scene(3).camera.fovy) / 2))
    k = [focal, 0, (WIDTH - 1) / 2, 0, focal, (HEIGHT - 1) / 2, 0, 0, 1]
    assert info.k == pytest.approx(k)
    assert np.reshape(info.p, (3, 4)) == pytest.approx(np.c_[np.reshape(k, (3, 3)), np.zeros(3)])
    assert np.reshape(info.r, (3, 3)) == pytest.approx(np.eye(3))
    assert not any(info.d)
    assert info.distortion_model == 'plumb_bob'


def test_images_are_those_of_the_renderer(frames, start_node, small_renderer):
    start_node('sim_camera', width=160, height=120, seed=4)
    frame = frames.next()
    picture = small_renderer.render(sample_scene(4))
    assert np.array_equal(from_image(frame['image']), picture.rgb)
    assert np.array_equal(from_image(frame['depth']), picture.depth)
    assert np.array_equal(from_image(frame['sim_camera/truth/ids']), picture.ids)


@pytest.mark.parametrize('seed', [0, 1, 8])
def test_back_projected_objects_lie_on_their_geoms(frames, start_node, seed):
    """The points of an object lie within 5 mm of its MuJoCo geom."""
    start_node('sim_camera', seed=seed)
    frame = frames.next()
    info = frame['camera_info']
    depth, ids = from_image(frame['depth']), from_image(frame['sim_camera/truth/ids'])
    fx, cx, fy, cy = info.k[0], info.k[2], info.k[4], info.k[5]

    scene, stage = sample_scene(seed), Stage(16, 16)
    stage.set_scene(scene)
    camera_axes = stage.data.cam_xmat[0].reshape(3, 3) * [1, -1, -1]
    probe = Probe(stage)
    for item in frames.truth(seed)['objects']:
        rows, columns = np.nonzero(ids == item['id'])
        z = depth[rows, columns].astype(float)
        points = np.stack([(columns - cx) / fx * z, (rows - cy) / fy * z, z], axis=1)
        world = points @ camera_axes.T + stage.data.cam_xpos[0]
        geom = stage.object_geoms[item['id'] - 1]
        for point in world[:: max(1, len(world) // 60)]:
            assert probe.distance(geom, point) < 0.005
        # The position in the truth is that of the object's centre.
        centre = scene.objects[item['id'] - 1].centre
        position = (centre - stage.data.cam_xpos[0]) @ camera_axes
        assert item['position'] == pytest.approx(position, abs=1e-5)


class Probe:
    """Measures the distance from a point to a geom with MuJoCo (for meshes: to the convex hull)."""

    def __init__(self, stage):
        self.model, self.data = stage.model, stage.data
        self.tip = self.model.geom('wall0').id
        self.model.geom_type[self.tip] = mujoco.mjtGeom.mjGEOM_SPHERE
        self.model.geom_size[self.tip] = (1e-5, 0, 0)
        self.model.geom_rbound[self.tip] = 1e-5

    def distance(self, geom, point):
        self.data.geom_xpos[self.tip] = point
        return mujoco.mj_geomDistance(self.model, self.data, self.tip, geom, 0.1, None)


def scene_of(answer):
    """Return the number in 'Scene 6: ...'."""
    return int(answer.message.removeprefix('Scene ').split(':')[0])


def test_the_service_shows_the_next_scene(frames, peer, start_node):
    start_node('sim_camera', width=160, height=120, seed=5)
    before = frames.next()
    assert frames.truth(5)['objects'][0].keys() >= {'id', 'kind', 'colour', 'size', 'position'}
    answer = peer.call(Trigger, 'sim_camera/next_scene', Trigger.Request())
    assert answer.success
    seed = scene_of(answer)
    assert seed > 5
    truth = frames.truth(seed)
    after = frames.next()
    assert not np.array_equal(from_image(before['image']), from_image(after['image']))
    shown = {item['id'] for item in truth['objects'] if item['visible_fraction'] > 0.1}
    assert shown <= set(np.unique(from_image(after['sim_camera/truth/ids'])))
    described = [f'{item["size"]} {item["colour"]} {item["kind"]}' for item in truth['objects']]
    assert all(name in answer.message for name in described)


def test_the_log_names_every_scene(peer, start_node, interrupt):
    process = start_node('sim_camera', width=160, height=120, seed=2)
    answer = peer.call(Trigger, 'sim_camera/next_scene', Trigger.Request())
    _, _, printed = interrupt(process)
    assert 'camera_info, scene 2: ' in printed
    assert f'Now scene {answer.message.removeprefix("Scene ")}' in printed


def test_a_late_subscriber_receives_the_truth(peer, start_node):
    start_node('sim_camera', width=160, height=120, seed=2)
    answer = peer.call(Trigger, 'sim_camera/next_scene', Trigger.Request())
    truths = peer.collect(String, 'sim_camera/truth/objects', LATCHED)
    peer.wait_for(lambda: truths, 'the latched truth')
    assert json.loads(truths[0].data)['seed'] == scene_of(answer) > 2


def set_parameter(peer, name, **value):
    request = SetParameters.Request(
        parameters=[Parameter(name=name, value=ParameterValue(**value))]
    )
    return peer.call(SetParameters, 'sim_camera/set_parameters', request).results[0]


def test_parameters_are_described_and_wrong_values_rejected(frames, peer, start_node):
    start_node('sim_camera', width=160, height=120)
    frames.next()
    names = ['width', 'height', 'rate', 'seed']
    listed = peer.call(ListParameters, 'sim_camera/list_parameters', ListParameters.Request())
    assert set(names) <= set(listed.result.names)
    request = DescribeParameters.Request(names=names)
    described = peer.call(DescribeParameters, 'sim_camera/describe_parameters', request).descriptors
    assert all(each.description for each in described)
    assert all(each.integer_range or each.floating_point_range for each in described)

    integer, double = ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_DOUBLE
    rejected = [
        set_parameter(peer, 'width', type=integer, integer_value=320),
        set_parameter(peer, 'rate', type=double, double_value=0.0),
        set_parameter(peer, 'seed', type=integer, integer_value=-1),
        set_parameter(peer, 'seed', type=double, double_value=1.5),
    ]
    assert [(result.successful, bool(result.reason)) for result in rejected] == [(False, True)] * 4
    assert set_parameter(peer, 'rate', type=double, double_value=60.0).successful
    assert set_parameter(peer, 'seed', type=integer, integer_value=9).successful
    assert frames.truth(9)['seed'] == 9


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'width': 0}, 'width'),
        ({'width': 100, 'height': 200}, 'width'),
        ({'rate': 1e6}, 'rate'),
        ({'motion': 'dance'}, 'orbit'),
        ({'motion': 'orbit', 'width': 2048, 'height': 1080}, '1920 x 1080'),
        ({'seed': 'first'}, 'seed'),
        ({'MUJOCO_GL': 'glfw'}, 'apt-get install'),
        ({'MUJOCO_GL': 'nonsense'}, 'unset it'),
    ],
)
def test_wrong_settings_end_the_node_with_one_line(start_node, monkeypatch, parameters, words):
    if 'MUJOCO_GL' in parameters:
        monkeypatch.setenv('MUJOCO_GL', parameters.pop('MUJOCO_GL'))
    process = start_node('sim_camera', **parameters)
    output, _ = process.communicate(timeout=30)
    assert process.returncode in (1, 2)
    assert words in output
    assert 'Traceback' not in output
    assert len(output.strip().splitlines()) == 1


def test_the_truth_has_the_visible_fraction_of_each_object(frames, start_node, small_renderer):
    """The reference is a picture of each object alone; in scene 10 some are half hidden."""
    start_node('sim_camera', width=160, height=120, seed=10)
    scene = sample_scene(10)
    ids = small_renderer.render(scene).ids
    truth = {item['id']: item for item in frames.truth(10)['objects']}
    referable = set()
    for item in scene.objects:
        alone = Scene(10, (item,), scene.surroundings, scene.camera)
        whole = (small_renderer.render(alone).ids > 0).sum()
        seen = (ids == item.id).sum()
        assert truth[item.id]['visible_fraction'] == pytest.approx(seen / whole, abs=1e-3)
        expected = seen >= 0.6 * whole and seen >= 0.004 * ids.size
        assert truth[item.id]['is_referable'] == expected
        assert truth[item.id]['kind'] == item.kind
        referable.add(expected)
    assert referable == {True, False}


def test_timestamps_follow_the_rate(frames, peer, start_node):
    start_node('sim_camera', width=160, height=120, rate=20.0)

    def gap():
        """Return the median time between the timestamps of six frames, in seconds."""
        frames.by_stamp.clear()
        peer.wait_for(lambda: len(frames.by_stamp) >= 6, 'six frames')
        stamps = sorted(sec + 1e-9 * nanosec for sec, nanosec in frames.by_stamp)
        return float(np.median(np.diff(stamps)))

    assert 0.04 < gap() < 0.2
    double = ParameterType.PARAMETER_DOUBLE
    assert set_parameter(peer, 'rate', type=double, double_value=2.0).successful
    frames.next()
    assert 0.4 < gap() < 1.0


def test_the_last_seed_is_followed_by_the_first(peer, start_node):
    start_node('sim_camera', width=160, height=120, seed=2**31 - 1)
    answer = peer.call(Trigger, 'sim_camera/next_scene', Trigger.Request())
    assert answer.success
    assert 0 <= scene_of(answer) < 6


class Truths:
    """The truth of moving scenes by stamp, and the images of the same stamps."""

    def __init__(self, peer, frames):
        self.peer, self.frames = peer, frames

    def complete(self):
        """Return (truth, messages by topic) of all stamps that both are there for."""
        truths = {each['stamp']: each for each in map(json.loads, self.data())}
        pairs = []
        for (sec, nanosec), messages in list(self.frames.by_stamp.items()):
            truth = truths.get(sec * 1_000_000_000 + nanosec)
            if truth and len(messages) == len(TOPICS):
                pairs.append((truth, messages))
        return pairs

    def data(self):
        return [message.data for message in self.frames.truths]

    def wait_for_frames(self, count):
        """Return pairs once `count` different frames of the clip have been seen."""
        self.peer.wait_for(
            lambda: len({truth['frame'] for truth, _ in self.complete()}) >= count,
            f'{count} frames of the clip with their truth',
        )
        return self.complete()


@pytest.mark.parametrize('motion', ['orbit', 'leave'])
def test_every_frame_of_a_moving_scene_has_its_own_truth(
    frames, peer, start_node, small_renderer, motion
):
    start_node('sim_camera', width=160, height=120, rate=30.0, seed=4, motion=motion)
    pairs = Truths(peer, frames).wait_for_frames(12)
    clip = sample_clip(4, Motion(motion))
    for truth, _ in pairs:
        assert (truth['seed'], truth['motion']) == (4, motion)
        assert (truth['expression'], truth['target']) == (clip.expression, clip.target)
        assert (truth['command'], truth['look_alikes']) == (clip.command, list(clip.look_alikes))
    seen = {truth['frame']: (truth, messages) for truth, messages in pairs}
    for frame in sorted(seen)[:: len(seen) // 4]:
        truth, messages = seen[frame]
        scene = clip.scenes[frame]
        picture = small_renderer.render(scene)
        assert np.array_equal(from_image(messages['image']), picture.rgb)
        assert np.array_equal(from_image(messages['depth']), picture.depth)
        assert np.array_equal(from_image(messages['sim_camera/truth/ids']), picture.ids)
        for item, true in zip(scene.objects, truth['objects'], strict=True):
            assert true['position'] == pytest.approx(scene.camera.to_optical(item.centre), abs=1e-5)


def test_a_clip_plays_to_and_fro_at_its_own_pace(frames, peer, start_node):
    start_node('sim_camera', width=32, height=24, rate=60.0, seed=1, motion='push')
    truths = Truths(peer, frames)

    def played():
        """Return (stamp in s, frame) of what was shown since the clip moves."""
        shown = [json.loads(data) for data in truths.data()]
        pairs = [(1e-9 * each['stamp'], each['frame']) for each in shown]
        return list(itertools.dropwhile(lambda pair: not pair[1], pairs))

    peer.wait_for(
        lambda: (pairs := played()) and pairs[-1][0] - pairs[0][0] > 5,
        'a clip that played to its end and went back',
    )
    stamps, shown = np.array(played()).T
    # Frames follow the stamps, 30 a second; where in its time the first was shown is not known.
    position = (shown[0] + 30 * (stamps - stamps[0])) % 178
    assert np.abs(np.minimum(position, 178 - position) - shown).max() <= 1


def test_the_next_scene_moves_too(frames, peer, start_node):
    start_node('sim_camera', width=32, height=24, seed=1, motion='shake')
    Truths(peer, frames).wait_for_frames(2)
    answer = peer.call(Trigger, 'sim_camera/next_scene', Trigger.Request())
    clip = sample_clip(2, Motion.SHAKE)
    assert scene_of(answer) == 2
    peer.wait_for(
        lambda: (
            json.loads(frames.truths[-1].data)['seed'] == 2
            and json.loads(frames.truths[-1].data)['frame'] > 0
        ),
        'the second clip in motion',
    )
    assert json.loads(frames.truths[-1].data)['expression'] == clip.expression
    text = ParameterType.PARAMETER_STRING
    assert not set_parameter(peer, 'motion', type=text, string_value='orbit').successful


def test_the_log_names_the_target_of_a_clip(peer, start_node, interrupt):
    process = start_node('sim_camera', width=32, height=24, seed=2, motion='occlude')
    peer.call(Trigger, 'sim_camera/next_scene', Trigger.Request())
    code, _, printed = interrupt(process)
    assert code == 0
    for seed in (2, 3):
        expression = sample_clip(seed, Motion.OCCLUDE).expression
        assert f'Motion: occlude; the target is "{expression}".' in printed
