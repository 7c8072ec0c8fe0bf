"""The baseline asks every frame anew; the tracker is asked until it has an object."""

import numpy as np
import pytest

from iterprime_ros.answer import Status
from iterprime_ros.evaluation.followers import EveryFrame, TrackerFollower
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.tracking.track import TrackState
from iterprime_ros.tracking.tracker import load_tracker

COMMAND = 'the banana'


@pytest.fixture(scope='module')
def model():
    return IteRPrimE.from_profile('tabletop', 'cpu')


@pytest.fixture(scope='module')
def pictures(model):
    """Return a picture in which COMMAND is found, and one in which nothing is, by status."""
    found = {}
    with Renderer(320, 240) as renderer:
        for seed in range(2_000_000, 2_000_100):
            picture = renderer.render(sample_scene(seed))
            answer = model.segment(
                model.embed(picture.rgb, picture.depth, picture.pinhole), COMMAND
            )
            found.setdefault(answer.status, (picture, answer))
            if found.keys() >= {Status.FOUND, Status.NOT_FOUND, Status.AMBIGUOUS}:
                return found
    raise LookupError(found.keys())


def follow(follower, picture):
    return follower.follow(picture.rgb, picture.depth, picture.pinhole)


STATES = {
    Status.FOUND: TrackState.TRACKING,
    Status.AMBIGUOUS: TrackState.UNSURE,
    Status.NOT_FOUND: TrackState.LOST,
}


def test_the_baseline_answers_every_frame(model, pictures):
    follower = EveryFrame(model)
    for _ in range(2):
        follower.start(COMMAND)
        for age, (status, state) in enumerate(STATES.items()):
            picture, answer = pictures[status]
            tracked = follow(follower, picture)
            assert (tracked.state, tracked.age) == (state, age)
            np.testing.assert_array_equal(tracked.mask, answer.mask)
            assert tracked.confidence == (
                0 if state is TrackState.LOST else pytest.approx(answer.match_probability)
            )


def test_the_tracker_starts_when_there_is_an_object(model, pictures):
    follower = TrackerFollower(model, load_tracker(model))
    for _ in range(2):
        follower.start(COMMAND)
        for age, status in enumerate((Status.NOT_FOUND, Status.AMBIGUOUS)):
            picture, answer = pictures[status]
            waiting = follow(follower, picture)
            assert (waiting.state, waiting.age) == (STATES[status], age)
            np.testing.assert_array_equal(waiting.mask, answer.mask)
        picture, answer = pictures[Status.FOUND]
        started = follow(follower, picture)
        assert (started.state, started.age) == (TrackState.TRACKING, 0)
        np.testing.assert_array_equal(started.mask, answer.mask)
        after = follow(follower, picture)
        assert after.age == 1
        both, either = after.mask & answer.mask, after.mask | answer.mask
        assert both.sum() > 0.8 * either.sum()
