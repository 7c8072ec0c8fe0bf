"""The worker with a small random model that answers part by part: depth reaches its relations."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.logging import get_logger
from std_msgs.msg import Header

from helpers.tiny_profile import write_profile
from iterprime_ros.answer import Status
from iterprime_ros.msg import ReferredObject
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.ros.convert.images import to_camera_info, to_image
from iterprime_ros.ros.convert.referred_object import instance_masks, referred_object
from iterprime_ros.ros.runtime.follower import Follower
from iterprime_ros.ros.runtime.job_queue import JobQueue, Request
from iterprime_ros.ros.runtime.localization import Localizer
from iterprime_ros.ros.runtime.worker import Worker
from iterprime_ros.sim.scene import sample_scene

SECOND = 1_000_000_000  # nanoseconds
TOO_LATE = 'Depth came too late for the relations, which were judged in the image alone.'


@pytest.fixture(scope='module')
def rendered(small_renderer):
    return small_renderer.render(sample_scene(16))


@pytest.fixture(scope='module')
def by_parts(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp('profile') / 'parts.yaml'
    return IteRPrimE.from_profile(
        write_profile(path, weights, answer={'by': 'parts'}), 'cpu', offline=True
    )


class Interrupted(IteRPrimE):
    """Keeps the frames that it answers on; something may happen in the middle of an answer."""

    def __init__(self, model, in_the_middle):
        super().__init__(model.matcher, model.proposer, model.parser, model.profile)
        self.frames, self.in_the_middle = [], in_the_middle

    def segment(self, image, command, on_round=None, should_stop=None):
        self.frames.append(image)
        self.in_the_middle()
        return super().segment(image, command, on_round, should_stop)


@pytest.fixture
def answered(by_parts, rendered):
    """Answer a command on a picture whose depth comes 'before' or 'while' it is computed."""

    def answer(command, depth_comes, depth=rendered.depth):
        job_queue, outcomes = JobQueue(['']), []
        job_queue.set_depth_matching(tolerance=0.02, wait=0.0)
        stamped = Header(frame_id='optical', stamp=Time(sec=1))
        messages = {
            'image': to_image(rendered.rgb, 'rgb8', stamped),
            'depth': to_image(depth, '32FC1', stamped),
        }

        def put_depth():
            job_queue.put_camera_info('', to_camera_info(rendered.pinhole, stamped))
            job_queue.put_depth('', messages['depth'], SECOND)

        def put_depth_while_it_works():
            if depth_comes == 'while':
                put_depth()

        def publish(_job, outcome, is_wanted):
            assert is_wanted()
            outcomes.append(outcome)
            job_queue.close()

        model = Interrupted(by_parts, put_depth_while_it_works)
        localizer = Localizer(lambda: {'depth_tolerance': 0.02}, False, get_logger('test'))
        worker = Worker(
            job_queue,
            lambda: model,
            Follower(lambda: model, {}),
            localizer,
            publish,
            lambda *_: None,
            lambda: {'max_pixels': 10**6, 'reply_timeout': 30.0},
        )
        if depth_comes == 'before':
            put_depth()
        job_queue.put_request('', Request(command))
        job_queue.put_image('', messages['image'], SECOND, expects_depth=True)
        worker.start()
        assert worker.join(300)
        (outcome,), (frame,) = outcomes, model.frames
        (objects,) = frame.objects.values()
        return outcome, objects.measurements.is_metric

    return answer


@pytest.mark.parametrize('command', ['the mug behind the ball', 'all the mugs', 'the closest mug'])
def test_an_answer_is_that_of_the_pipeline_on_the_same_frame(answered, by_parts, rendered, command):
    answer = answered(command, 'before')[0].answer
    frame = by_parts.embed(rendered.rgb, rendered.depth, rendered.pinhole)
    expected = by_parts.segment(frame, command)
    assert (answer.status, answer.text) == (expected.status, expected.text)
    assert np.array_equal(answer.mask, expected.mask)
    assert answer.heatmap == pytest.approx(expected.heatmap, abs=1e-5)
    assert answer.match_probability == pytest.approx(expected.match_probability, abs=1e-5)
    assert answer.instance_count == expected.instance_count
    for one, other in zip(answer.candidates, expected.candidates, strict=True):
        assert np.array_equal(one.mask, other.mask)
        assert one.chance == pytest.approx(other.chance, abs=1e-5)


def test_a_plural_is_answered_with_every_instance(answered):
    answer = answered('all the mugs', 'before')[0].answer
    assert answer.status is Status.FOUND_SEVERAL
    assert len(answer.instances) == answer.instance_count > 1
    assert np.array_equal(answer.mask, np.logical_or.reduce([m.mask for m in answer.instances]))
    message = referred_object(Header(), 'all the mugs', answer, None, 0, 0.0)
    assert (message.status, message.instance_count) == (
        ReferredObject.FOUND_SEVERAL, answer.instance_count
    )  # fmt: skip
    masks = instance_masks(message)
    assert len(masks) == answer.instance_count
    for mask, instance in zip(masks, answer.instances, strict=True):
        assert np.array_equal(mask, instance.mask)


def test_depth_that_came_with_the_image_measures_its_objects(answered, rendered):
    outcome, is_metric = answered('the mug behind the ball', 'before')
    assert is_metric.any()
    assert np.array_equal(outcome.depth.metres, rendered.depth)
    assert (outcome.depth.pinhole, outcome.depth_note) == (rendered.pinhole, '')


def test_depth_that_comes_while_the_model_works_is_kept_and_a_relation_without_it_said(
    answered, rendered
):
    outcome, is_metric = answered('the mug behind the ball', 'while')
    assert len(is_metric) > 0
    assert not is_metric.any()
    assert np.array_equal(outcome.depth.metres, rendered.depth)
    assert outcome.depth_note == TOO_LATE
    assert answered('the closest mug', 'while')[0].depth_note == TOO_LATE
    assert answered('the mug', 'while')[0].depth_note == ''


def test_the_answer_is_from_the_image_where_its_depth_is_missing_or_of_another_shape(
    answered, rendered
):
    missing, is_metric = answered('the mug behind the ball', 'never')
    assert (missing.depth, is_metric.any()) == (None, False)
    assert missing.depth_note.startswith('No depth image with a stamp within 0.02 s')
    cut = np.ascontiguousarray(rendered.depth[:, :99])
    other, is_metric = answered('the mug behind the ball', 'before', cut)
    assert (other.depth, is_metric.any()) == (None, False)
    assert 'register it to the image' in other.depth_note
    assert other.answer.status is missing.answer.status


@pytest.mark.parametrize(
    'depth', [np.nan, 0.0, np.inf, 1e-30, 1e30], ids=['nan', 'zero', 'infinite', 'tiny', 'huge']
)
def test_depth_that_measures_nothing_of_use_costs_no_answer(answered, rendered, depth):
    outcome, _ = answered('the mug behind the ball', 'before', np.full_like(rendered.depth, depth))
    assert outcome.answer.status.name != 'INVALID'
