"""Images find their depth, against plain loops over everything that arrived."""

from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.messages.frame_synchronizer import FrameSynchronizer

MS = 1_000_000  # nanoseconds


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=8, unique=True),
    st.integers(0, 200),
    st.integers(0, 60),
)
def test_the_nearest_depth_within_the_tolerance_is_taken(depths, image, tolerance):
    frames = FrameSynchronizer(tolerance / 1000, wait=0.0)
    for stamp in sorted(depths):
        frames.add_depth(stamp, stamp * MS)
    frames.add_image('image', image * MS, 0.0, expects_depth=True)
    found = frames.newest(1.0).depth
    within = [stamp for stamp in depths if abs(stamp - image) <= tolerance]
    assert (found is None) is (not within)
    if within:
        assert abs(found - image) == min(abs(stamp - image) for stamp in within)


def test_an_image_waits_until_no_nearer_depth_can_follow():
    frames = FrameSynchronizer(0.02, wait=0.1)
    frames.add_image('image', 100 * MS, 0.0, expects_depth=True)
    assert frames.newest(0.01) is None
    frames.add_depth('before', 88 * MS)
    assert frames.newest(0.02) is None
    assert frames.deadline(0.02, 0.0) == 0.1
    frames.add_depth('after', 103 * MS)
    assert frames.newest(0.03).depth == 'after'


def test_a_depth_image_beyond_the_tolerance_ends_the_waiting_too():
    frames = FrameSynchronizer(0.02, wait=0.1)
    frames.add_image('image', 100 * MS, 0.0, expects_depth=True)
    frames.add_depth('before', 85 * MS)
    frames.add_depth('after', 125 * MS)
    assert frames.newest(0.03).depth == 'before'
    frames.add_image('lonely', 150 * MS, 0.04, expects_depth=True)
    frames.add_depth('far', 175 * MS)
    assert (frames.newest(0.05).image, frames.newest(0.05).depth) == ('lonely', None)


def test_what_a_frame_lacks_is_added_and_a_whole_one_stays_the_same():
    frames = FrameSynchronizer(0.02, wait=0.0)
    frames.add_image('image', 100 * MS, 0.0, expects_depth=True)
    bare = frames.newest(0.0)
    assert frames.completed(bare) is bare
    frames.add_depth('depth', 100 * MS)
    with_depth = frames.completed(bare)
    assert (with_depth.depth, with_depth.camera_info) == ('depth', None)
    frames.set_camera_info('calibration')
    frames.add_depth('nearer nothing', 101 * MS)
    whole = frames.completed(with_depth)
    assert (whole.depth, whole.camera_info) == ('depth', 'calibration')
    frames.set_camera_info('another')
    assert frames.completed(whole) is whole
    frames.add_image('no depth camera', 100 * MS, 1.0, expects_depth=False)
    alone = frames.newest(1.0)
    assert frames.completed(alone) is alone


def test_the_newest_complete_image_comes_before_a_newer_one_that_waits():
    frames = FrameSynchronizer(0.02, wait=0.1)
    frames.add_image('first', 0, 0.0, expects_depth=True)
    frames.add_image('second', 33 * MS, 0.033, expects_depth=True)
    frames.add_depth('depth of first', 0)
    taken = frames.newest(0.05)
    assert (taken.image, taken.depth) == ('first', 'depth of first')
    assert frames.newest(0.05, after=0.02) is None
    assert frames.remove_until(taken.arrived) == 0
    assert frames.newest(0.2).image == 'second'
    assert frames.remove_until(0.033) == 0
    assert frames.newest(0.2) is None
    assert frames.deadline(0.2, 0.0) is None


def test_a_bag_that_is_played_again_ends_no_waiting_by_its_old_stamps():
    frames = FrameSynchronizer(0.02, wait=0.1)
    frames.add_depth('old', 60_000 * MS)
    frames.add_image('image', 100 * MS, 0.0, expects_depth=True)
    assert frames.newest(0.05) is None
    frames.add_depth('own', 100 * MS)
    assert frames.newest(0.05).depth == 'own'


@given(st.lists(st.booleans(), max_size=60))
def test_memory_is_bounded(arrivals):
    frames = FrameSynchronizer(0.02, wait=10.0)
    displaced = images = 0
    for number, is_image in enumerate(arrivals):
        if is_image:
            displaced += frames.add_image(number, 0, float(number), expects_depth=True)
            images += 1
        else:
            frames.add_depth(number, number * 10_000 * MS)
    if images:
        newest = frames.newest(1e9)
        older = frames.remove_until(newest.arrived)
        assert older < 8
        assert displaced + older + 1 == images
