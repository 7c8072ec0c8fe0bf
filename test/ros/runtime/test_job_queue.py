"""What waits for the worker, against a plain list of what happened."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.ros.runtime.job_queue import JobQueue, Request


def test_a_request_waits_for_the_first_frame_after_it():
    job_queue = JobQueue(['a'])
    job_queue.put_image('a', 'old')
    request = Request('the mug')
    assert job_queue.put_request('a', request)
    taken = []
    thread = threading.Thread(target=lambda: taken.append(job_queue.take()))
    thread.start()
    job_queue.put_image('a', 'new')
    thread.join(10)
    assert (taken[0].request, taken[0].frame.image) == (request, 'new')


def test_requests_are_answered_in_their_order_on_the_newest_frame():
    job_queue = JobQueue(['a'])
    requests = [Request(name) for name in ('the mug', 'the ball', 'the cube')]
    assert all(job_queue.put_request('a', each) for each in requests)
    for message in range(3):
        job_queue.put_image('a', message)
    jobs = [job_queue.take() for _ in requests]
    assert [(job.request, job.frame.image) for job in jobs] == [(each, 2) for each in requests]


def test_a_frame_serves_no_request_that_came_after_it():
    job_queue = JobQueue(['a'])
    job_queue.put_request('a', Request('the mug'))
    job_queue.put_image('a', 0)
    assert job_queue.take().frame.image == 0
    late = Request('the ball')
    job_queue.put_request('a', late)
    assert job_queue.expired(-1.0) == [('a', late)]


def test_the_queue_is_bounded_and_says_so():
    job_queue = JobQueue(['a', 'b'], max_waiting=2)
    assert [job_queue.put_request('a', Request('x')) for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert job_queue.put_request('b', Request('x'))
    job_queue.put_image('a', 0)
    job_queue.take()
    assert job_queue.put_request('a', Request('x'))


def test_a_continuous_request_is_answered_on_every_frame_once_and_drops_are_counted():
    job_queue = JobQueue(['a'])
    job_queue.set_standing('a', Request('the mug'))
    for message in range(4):
        job_queue.put_image('a', message)
    assert job_queue.take().frame.image == 3
    assert job_queue.dropped('a') == 3
    job_queue.put_image('a', 4)
    assert (job_queue.take().frame.image, job_queue.dropped('a')) == (4, 3)


def test_a_request_comes_before_the_continuous_one():
    job_queue = JobQueue(['a'])
    job_queue.set_standing('a', Request('the mug'))
    single = Request('the ball')
    job_queue.put_request('a', single)
    job_queue.put_image('a', 0)
    assert job_queue.take().request is single


def test_an_image_of_its_own_needs_no_frame_and_waits_for_no_other_request():
    job_queue = JobQueue(['a'])
    job_queue.put_request('a', Request('the ball'))
    job_queue.put_request('a', Request('the mug', image='picture'))
    assert job_queue.take().frame.image == 'picture'


@given(st.lists(st.sampled_from('abc'), min_size=1, max_size=30))
def test_cameras_take_turns(frames):
    """No camera is answered twice while another waits."""
    job_queue = JobQueue('abc')
    for camera in 'abc':
        job_queue.set_standing(camera, Request(camera))
    waiting, order = set(), []
    for camera in frames:
        job_queue.put_image(camera, camera)
        waiting.add(camera)
    while waiting:
        job = job_queue.take()
        order.append(job.camera)
        waiting.remove(job.camera)
    assert len(order) == len(set(order)) == len(set(frames))
    # Now all wait: the one answered longest ago is next.
    for camera in 'abc':
        job_queue.put_image(camera, camera)
    turns = [job_queue.take().camera for _ in range(3)]
    assert turns[-len(order) :] == order or len(order) < 3
    assert set(turns) == set('abc')


def test_late_requests_are_given_back_and_ready_ones_are_not():
    job_queue = JobQueue(['a', 'b'])
    late, ready = Request('the mug'), Request('the ball')
    job_queue.put_request('a', late)
    job_queue.put_request('b', ready)
    job_queue.put_image('b', 0)
    assert job_queue.expired(-1.0) == [('a', late)]
    assert job_queue.take().request is ready
    assert job_queue.expired(-1.0) == []


def test_closing_wakes_the_worker_and_gives_back_what_waits():
    job_queue = JobQueue(['a'])
    taken = []
    thread = threading.Thread(target=lambda: taken.append(job_queue.take()))
    thread.start()
    requests = [Request('the mug'), Request('the ball')]
    for each in requests:
        job_queue.put_request('a', each)
    assert job_queue.close() == [('a', each) for each in requests]
    thread.join(10)
    assert taken == [None]


def test_a_goal_is_withdrawn_once():
    job_queue = JobQueue(['a'])
    goal = object()
    job_queue.put_request('a', Request('the ball'))
    job_queue.put_request('a', Request('the mug', goal))
    assert job_queue.withdraw(goal)
    assert not job_queue.withdraw(goal)
    assert len(job_queue.close()) == 1


def test_a_frame_keeps_its_own_depth_however_long_the_worker_takes():
    job_queue = JobQueue(['a'])
    job_queue.set_depth_matching(0.02, 60.0)
    job_queue.set_standing('a', Request('the mug'))
    job_queue.put_camera_info('a', 'calibration')
    for number in range(30):  # as many come while a slow model answers
        job_queue.put_image('a', f'image {number}', number * 33_000_000, expects_depth=True)
        job_queue.put_depth('a', f'depth {number}', number * 33_000_000)
    frame = job_queue.take().frame
    assert (frame.image, frame.depth, frame.camera_info) == ('image 29', 'depth 29', 'calibration')


def test_an_image_waits_for_its_depth_and_not_for_ever():
    job_queue = JobQueue(['a'])
    job_queue.set_depth_matching(0.02, 60.0)
    taken = []

    def take():
        taken.append(job_queue.take().frame)

    for stamp, depth in ((5_000_000_000, 'depth'), (9_000_000_000, None)):
        job_queue.put_request('a', Request('the mug'))
        job_queue.put_image('a', 'image', stamp, expects_depth=True)
        thread = threading.Thread(target=take)
        thread.start()
        assert thread.is_alive()
        if depth:
            job_queue.put_depth('a', depth, stamp + 1_000_000)
        else:
            job_queue.set_depth_matching(0.0, 0.05)
        thread.join(10)
        assert taken.pop().depth == depth


def test_without_a_publisher_of_depth_nothing_waits():
    job_queue = JobQueue(['a'])
    job_queue.set_depth_matching(0.02, 60.0)
    job_queue.put_request('a', Request('the mug'))
    began = time.monotonic()
    job_queue.put_image('a', 'image', 1, expects_depth=False)
    assert job_queue.take().frame.depth is None
    assert time.monotonic() - began < 30


def followed(command='the mug', goal=None):
    return Request(command, goal, track_id=1)


def test_a_track_starts_on_an_image_after_its_command():
    job_queue = JobQueue(['a'])
    job_queue.put_image('a', 'before')
    assert job_queue.set_standing('a', followed()) is None
    job_queue.put_image('a', 'after')
    assert job_queue.take().frame.image == 'after'


def test_a_track_is_wanted_until_it_ends_or_another_takes_its_place():
    job_queue = JobQueue(['a'])
    first, second = followed(), followed('the ball')
    job_queue.set_standing('a', first)
    job_queue.put_image('a', 0)
    job = job_queue.take()
    assert job_queue.stands(job)
    assert job_queue.settle(job, goes_on=True)
    assert job_queue.set_standing('a', second) is first
    assert not job_queue.stands(job)
    assert not job_queue.settle(job, goes_on=False)
    assert job_queue.standing('a') is second
    job_queue.put_image('a', 1)
    job = job_queue.take()
    assert job_queue.settle(job, goes_on=False)
    assert not job_queue.settle(job, goes_on=False)
    assert job_queue.standing('a') is None


def test_an_answer_that_is_no_track_is_always_wanted():
    job_queue = JobQueue(['a'])
    job_queue.set_standing('a', Request('the mug'))
    job_queue.put_image('a', 0)
    job = job_queue.take()
    job_queue.set_standing('a', None)
    assert job_queue.stands(job)
    assert job_queue.settle(job, goes_on=False)


def test_a_goal_that_is_followed_is_withdrawn():
    job_queue, goal = JobQueue(['a', 'b']), object()
    request = followed(goal=goal)
    job_queue.set_standing('b', request)
    assert job_queue.withdraw(goal) == ('b', request)
    assert job_queue.withdraw(goal) is None
    assert job_queue.standing('b') is None


def test_a_track_that_has_not_started_expires_and_one_that_has_falls_silent():
    job_queue = JobQueue(['a'])
    request = followed()
    job_queue.set_standing('a', request)
    assert job_queue.silent(-1.0) == []
    assert job_queue.expired(-1.0) == [('a', request)]
    assert job_queue.standing('a') is None
    job_queue.set_standing('a', request)
    job_queue.put_image('a', 0)
    job = job_queue.take()
    assert job_queue.expired(-1.0) == job_queue.silent(-1.0) == []  # while it is grounded
    job_queue.settle(job, goes_on=True)
    assert job_queue.expired(-1.0) == []
    assert job_queue.silent(-1.0) == [('a', request)]
    assert job_queue.silent(60.0) == []


def test_a_continuous_request_neither_expires_nor_is_left_over():
    job_queue = JobQueue(['a'])
    job_queue.set_standing('a', Request('the mug'))
    assert job_queue.expired(-1.0) == job_queue.silent(-1.0) == []
    assert job_queue.close() == []


def test_closing_gives_back_what_is_followed():
    job_queue = JobQueue(['a', 'b'])
    waiting, tracked = followed(), followed('the ball')
    job_queue.set_standing('a', waiting)
    job_queue.set_standing('b', tracked)
    job_queue.put_image('b', 0)
    job = job_queue.take()
    job_queue.settle(job, goes_on=True)
    assert job_queue.close() == [('a', waiting), ('b', tracked)]
    assert not job_queue.settle(job, goes_on=True)
