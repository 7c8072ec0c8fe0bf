"""The tracks of a node, with a small random model and propagators that fail on demand."""

import numpy as np
import pytest

from helpers.tiny_profile import write_profile
from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.errors import StoppedError
from iterprime_ros.language.command_parser import CommandParser
from iterprime_ros.messages.frame_synchronizer import CameraFrame
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.ros.runtime.follower import Follower, ImageSizeChangedError, tracked_answer
from iterprime_ros.ros.runtime.job_queue import Job, Request
from iterprime_ros.ros.runtime.memory import OutOfMemoryError
from iterprime_ros.tracking.propagation import Propagated
from iterprime_ros.tracking.track import TrackedMask, TrackState

SIZE = (48, 64)
RGB = np.zeros((*SIZE, 3), np.uint8)
COMMAND = CommandParser.load().parse('the mug')


class Still:
    """Carries masks that do not move, or raises what it is told to."""

    error = None

    def start(self, image, masks):
        self.masks = masks

    def step(self, image):
        if self.error:
            raise self.error
        return Propagated(self.masks, np.ones(len(self.masks)))


@pytest.fixture(scope='module')
def model(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp('profile') / 'tiny.yaml'
    return IteRPrimE.from_profile(write_profile(path, weights), 'cpu', offline=True)


@pytest.fixture
def still():
    return Still()


@pytest.fixture
def follower(model, still):
    return Follower(lambda: model, {'left': still, 'right': Still()})


def answer_of(status=Status.FOUND, column=5):
    mask = np.zeros(SIZE, bool)
    mask[10:20, column : column + 10] = True
    count = {Status.FOUND: 1, Status.AMBIGUOUS: 1, Status.FOUND_SEVERAL: 2}.get(status, 0)
    candidates = (Candidate(mask, 1.0, 1.0, 1.0, 0.5), Candidate(mask.T.copy().T, 1.0, 1.0, 1.0))
    found = mask if count else np.zeros(SIZE, bool)
    heatmap = found.astype(np.float32)
    return Segmentation(
        status, 'Said.', COMMAND, found, heatmap, 0.5, 'chance', candidates, count, notes=('Note.',)
    )


def job_of(request, camera='left'):
    return Job(camera, request, CameraFrame('image', 0.0))


def grounds(answer):
    asked = []

    def ground():
        asked.append(answer)
        return answer

    return ground, asked


def test_it_grounds_once_and_then_only_follows(follower):
    job = job_of(Request('the mug', track_id=1))
    ground, asked = grounds(answer_of())
    first, tracked = follower.answer(job, RGB, None, ground)
    assert first is asked[0]
    assert (tracked.state, tracked.age) == (TrackState.TRACKING, 0)
    for age in (1, 2, 3):
        answer, tracked = follower.answer(job_of(job.request), RGB, None, ground)
        assert (len(asked), tracked.age) == (1, age)
        assert answer.status is Status.FOUND
        assert np.array_equal(answer.mask, tracked.mask)
    assert follower.is_following(job)


def test_another_request_or_camera_has_a_track_of_its_own(follower):
    ground, asked = grounds(answer_of())
    jobs = [
        job_of(Request('the mug', track_id=1)),
        job_of(Request('the mug', track_id=2), 'right'),
        job_of(Request('the mug', track_id=3)),
    ]
    ages = [follower.answer(job, RGB, None, ground)[1].age for job in jobs]
    assert (ages, len(asked)) == ([0, 0, 0], 3)
    assert [follower.is_following(job) for job in jobs] == [False, True, True]


@pytest.mark.parametrize(
    'status', [each for each in Status if each is not Status.FOUND], ids=lambda each: each.name
)
def test_what_is_no_single_object_is_answered_and_not_followed(follower, status):
    job = job_of(Request('the mugs', track_id=1))
    ground, asked = grounds(answer_of(status))
    for times in (1, 2):
        answer, tracked = follower.answer(job, RGB, None, ground)
        assert (tracked, answer.status, len(asked)) == (None, status, times)
        assert np.array_equal(answer.mask, asked[0].mask)
        assert not follower.is_following(job)


@pytest.mark.parametrize(
    ('error', 'raised', 'said'),
    [
        (MemoryError(), OutOfMemoryError, 'Memory ran out'),
        (RuntimeError("can't allocate memory: 9 bytes"), OutOfMemoryError, 'Memory ran out'),
        (RuntimeError('a shape'), RuntimeError, 'a shape'),
        (KeyError('a key'), KeyError, 'a key'),
    ],
)
def test_an_error_ends_the_track_and_the_next_one_starts(follower, still, error, raised, said):
    job = job_of(Request('the mug', track_id=1))
    ground, asked = grounds(answer_of())
    follower.answer(job, RGB, None, ground)
    still.error = error
    with pytest.raises(raised, match=said):
        follower.answer(job, RGB, None, ground)
    assert not follower.is_following(job)
    still.error = None
    _, tracked = follower.answer(job_of(Request('the mug', track_id=2)), RGB, None, ground)
    assert (tracked.age, len(asked)) == (0, 2)


def test_a_grounding_that_is_given_up_leaves_no_track(follower):
    job = job_of(Request('the mug', track_id=1))
    follower.answer(job, RGB, None, grounds(answer_of())[0])

    def stopped():
        raise StoppedError

    other = job_of(Request('the ball', track_id=2))
    with pytest.raises(StoppedError):
        follower.answer(other, RGB, None, stopped)
    assert not follower.is_following(job)
    assert not follower.is_following(other)


def test_images_of_another_size_end_the_track(follower):
    job = job_of(Request('the mug', track_id=1))
    ground, _ = grounds(answer_of())
    follower.answer(job, RGB, None, ground)
    with pytest.raises(ImageSizeChangedError, match='64 x 24 pixels and no longer 64 x 48'):
        follower.answer(job, RGB[:24], None, ground)
    assert not follower.is_following(job)


@pytest.mark.parametrize('state', TrackState)
def test_only_where_it_is_certain_is_there_an_object(state):
    mask = np.zeros(SIZE, bool)
    mask[3, 4] = state is not TrackState.LOST
    answer = tracked_answer(answer_of(), TrackedMask(mask, state, 0.25, 9))
    is_there = state is TrackState.TRACKING
    assert answer.status is (Status.FOUND if is_there else Status.NOT_FOUND)
    assert answer.mask.any() == is_there
    assert answer.instance_count == len(answer.candidates) == is_there
    assert np.isnan(answer.match_probability)
    assert (answer.notes, answer.heatmap.shape, answer.heatmap.any()) == ((), SIZE, False)
    assert answer.text.endswith('.')
