"""What waits for the worker, against a plain list of what happened."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.ros.runtime.job_queue import JobQueue, Request


def test_a_request_waits_for_the_first_frame_after_it():
    job_queue = JobQueue(['a'])
    job_queue.put_image('a', 'old')
    request = Request('the mug')
    assert job_queue.put_request('a', request) is None
    taken = []
    thread = threading.Thread(target=lambda: taken.append(job_queue.take()))
    thread.start()
    job_queue.put_image('a', 'new')
    thread.join(10)
    assert (taken[0].request, taken[0].image) == (request, 'new')


def test_the_newest_frame_and_the_newest_request_win():
    job_queue = JobQueue(['a'])
    first, second = Request('the mug'), Request('the ball')
    job_queue.put_request('a', first)
    assert job_queue.put_request('a', second) is first
    for message in range(3):
        job_queue.put_image('a', message)
    job = job_queue.take()
    assert (job.request, job.image) == (second, 2)


def test_a_standing_request_is_put_to_every_frame_once_and_drops_are_counted():
    job_queue = JobQueue(['a'])
    standing = Request('the mug')
    job_queue.set_continuous('a', standing)
    for message in range(4):
        job_queue.put_image('a', message)
    assert job_queue.take().image == 3
    assert job_queue.dropped('a') == 3
    job_queue.put_image('a', 4)
    assert (job_queue.take().image, job_queue.dropped('a')) == (4, 3)


def test_a_request_comes_before_the_standing_one():
    job_queue = JobQueue(['a'])
    job_queue.set_continuous('a', Request('the mug'))
    single = Request('the ball')
    job_queue.put_request('a', single)
    job_queue.put_image('a', 0)
    assert job_queue.take().request is single


def test_an_image_of_its_own_needs_no_frame():
    job_queue = JobQueue(['a'])
    job_queue.put_request('a', Request('the mug', image='picture'))
    assert job_queue.take().image == 'picture'


@given(st.lists(st.sampled_from('abc'), min_size=1, max_size=30))
def test_cameras_take_turns(frames):
    """No camera is answered twice while another waits."""
    job_queue = JobQueue('abc')
    for camera in 'abc':
        job_queue.set_continuous(camera, Request(camera))
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
    request = Request('the mug')
    job_queue.put_request('a', request)
    assert job_queue.close() == [('a', request)]
    thread.join(10)
    assert taken == [None]


def test_a_goal_is_withdrawn_once():
    job_queue = JobQueue(['a'])
    goal = object()
    job_queue.put_request('a', Request('the mug', goal))
    assert job_queue.withdraw(goal)
    assert not job_queue.withdraw(goal)
