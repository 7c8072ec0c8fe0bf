"""What waits for the worker, against a plain list of what happened."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.ros.desk import Desk, Request


def test_a_request_waits_for_the_first_frame_after_it():
    desk = Desk(['a'])
    desk.put_frame('a', 'old')
    request = Request('the mug')
    assert desk.put_request('a', request) is None
    taken = []
    thread = threading.Thread(target=lambda: taken.append(desk.take()))
    thread.start()
    desk.put_frame('a', 'new')
    thread.join(10)
    assert (taken[0].request, taken[0].message) == (request, 'new')


def test_the_newest_frame_and_the_newest_request_win():
    desk = Desk(['a'])
    first, second = Request('the mug'), Request('the ball')
    desk.put_request('a', first)
    assert desk.put_request('a', second) is first
    for message in range(3):
        desk.put_frame('a', message)
    job = desk.take()
    assert (job.request, job.message) == (second, 2)


def test_a_standing_request_is_put_to_every_frame_once_and_drops_are_counted():
    desk = Desk(['a'])
    standing = Request('the mug')
    desk.set_standing('a', standing)
    for message in range(4):
        desk.put_frame('a', message)
    assert desk.take().message == 3
    assert desk.dropped('a') == 3
    desk.put_frame('a', 4)
    assert (desk.take().message, desk.dropped('a')) == (4, 3)


def test_a_request_comes_before_the_standing_one():
    desk = Desk(['a'])
    desk.set_standing('a', Request('the mug'))
    single = Request('the ball')
    desk.put_request('a', single)
    desk.put_frame('a', 0)
    assert desk.take().request is single


def test_an_image_of_its_own_needs_no_frame():
    desk = Desk(['a'])
    desk.put_request('a', Request('the mug', image='picture'))
    assert desk.take().message == 'picture'


@given(st.lists(st.sampled_from('abc'), min_size=1, max_size=30))
def test_cameras_take_turns(frames):
    """No camera is answered twice while another waits."""
    desk = Desk('abc')
    for camera in 'abc':
        desk.set_standing(camera, Request(camera))
    waiting, order = set(), []
    for camera in frames:
        desk.put_frame(camera, camera)
        waiting.add(camera)
    while waiting:
        job = desk.take()
        order.append(job.camera)
        waiting.remove(job.camera)
    assert len(order) == len(set(order)) == len(set(frames))
    # Now all wait: the one answered longest ago is next.
    for camera in 'abc':
        desk.put_frame(camera, camera)
    turns = [desk.take().camera for _ in range(3)]
    assert turns[-len(order) :] == order or len(order) < 3
    assert set(turns) == set('abc')


def test_late_requests_are_given_back_and_ready_ones_are_not():
    desk = Desk(['a', 'b'])
    late, ready = Request('the mug'), Request('the ball')
    desk.put_request('a', late)
    desk.put_request('b', ready)
    desk.put_frame('b', 0)
    assert desk.expired(-1.0) == [('a', late)]
    assert desk.take().request is ready
    assert desk.expired(-1.0) == []


def test_closing_wakes_the_worker_and_gives_back_what_waits():
    desk = Desk(['a'])
    taken = []
    thread = threading.Thread(target=lambda: taken.append(desk.take()))
    thread.start()
    request = Request('the mug')
    desk.put_request('a', request)
    assert desk.close() == [('a', request)]
    thread.join(10)
    assert taken == [None]


def test_a_goal_is_withdrawn_once():
    desk = Desk(['a'])
    goal = object()
    desk.put_request('a', Request('the mug', goal))
    assert desk.withdraw(goal)
    assert not desk.withdraw(goal)
