"""What was told of tracks, and their filters, against the filter itself."""

from types import SimpleNamespace

import numpy as np
import pytest

from iterprime_ros.geometry.centre_covariance import centre_covariance
from iterprime_ros.geometry.constant_velocity import filtered
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.messages.frame_synchronizer import CameraFrame
from iterprime_ros.msg import ReferredObject
from iterprime_ros.ros.runtime.job_queue import Job, Request
from iterprime_ros.ros.runtime.track_book import TrackBook

FIRST, SECOND = Request('the mug', track_id=1), Request('the ball', track_id=2)
PINHOLE = Pinhole(60.0, 60.0, 32.0, 24.0, 64, 48)
POINTS = np.random.default_rng(0).normal(0.0, 0.02, (90, 3)).astype(np.float32)


def said(track_id, state, status=ReferredObject.FOUND):
    return ReferredObject(track_id=track_id, track_state=state, status=status)


def test_changes_are_new_and_the_rest_is_not():
    book = TrackBook()
    tracking = said(1, ReferredObject.TRACKING)
    lost = said(1, ReferredObject.LOST, ReferredObject.NOT_FOUND)
    told = [tracking, tracking, lost, lost, lost, tracking]
    news = [book.note('', FIRST, message, keeps_track=True) for message in told]
    assert news == [True, False, True, False, False, True]
    assert book.told('', FIRST) is tracking
    assert book.told('', SECOND) is None
    assert book.note('', FIRST, said(1, ReferredObject.NOT_TRACKED), keeps_track=False)
    assert book.told('', FIRST) is None


def test_a_request_without_a_track_is_always_new_and_hides_no_track():
    book, once = TrackBook(), Request('the cube')
    tracking = said(1, ReferredObject.TRACKING)
    book.note('', FIRST, tracking, keeps_track=True)
    assert all(
        book.note('', once, said(0, ReferredObject.NOT_TRACKED), keeps_track=False)
        for _ in range(2)
    )
    assert book.told('', once) is None
    assert book.told('', FIRST) is tracking


def test_the_states_name_their_cameras():
    book = TrackBook()
    assert book.states() == ''
    book.note('right', SECOND, said(2, ReferredObject.LOST), keeps_track=True)
    book.note('left', FIRST, said(1, ReferredObject.TRACKING), keeps_track=True)
    assert book.states() == 'left: 1 TRACKING, right: 2 LOST'


def measure(book, request, stamp, x, arrived=0.0):
    surface = SimpleNamespace(
        centroid=np.array([x, 0.0, 0.6]),
        box=SimpleNamespace(position=np.array([x, 0.1, 0.6])),
        points=POINTS,
    )
    return book.filtered(Job('', request, CameraFrame('image', arrived, stamp)), PINHOLE, surface)


def test_positions_are_those_of_the_filter_at_the_stamps_of_the_images():
    book, expected = TrackBook(), None
    covariance = centre_covariance(POINTS, 0.6 / 60)
    for number in range(5):
        time = 10 + number / 30
        estimate = measure(book, FIRST, round(1e9 * time), 0.01 * number)
        position = np.array([0.01 * number, 0.1, 0.6])
        expected = filtered(expected, time, position, covariance)
        assert estimate.state == pytest.approx(expected.state, abs=1e-6)
        assert estimate.covariance == pytest.approx(expected.covariance, abs=1e-6)
    assert estimate.state[3] > 0.1


def test_another_track_begins_anew():
    book = TrackBook()
    for number in range(3):
        measure(book, FIRST, 10**9 + number * 33_000_000, 0.01 * number)
    other = measure(book, SECOND, 10**9 + 99_000_000, 0.5)
    assert other.state == pytest.approx([0.5, 0.1, 0.6, 0.0, 0.0, 0.0])


def test_without_stamps_the_arrival_counts():
    book = TrackBook()
    for number in range(3):
        estimate = measure(book, FIRST, 0, 0.01 * number, arrived=5 + number / 30)
    assert estimate.time == pytest.approx(5 + 2 / 30)
    assert estimate.state[3] > 0.1
