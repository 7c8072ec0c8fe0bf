"""Images and depth of a bag, paired beside a search through all of them."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.bag_files.pairing import DEPTH_TOLERANCE, ImagePairing

PERIOD = 33_000_000  # nanoseconds


def message(stamp):
    sec, nanosec = divmod(stamp, 10**9)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec)), stamp=stamp
    )


@given(
    st.lists(st.booleans(), min_size=1, max_size=20),
    st.integers(-PERIOD, PERIOD),
    st.integers(0, 5 * PERIOD),
    st.integers(0, 5 * PERIOD),
)
def test_every_image_is_taken_once_with_the_nearest_depth(has_depth, shift, delay, depth_delay):
    stamps = [10**12 + n * PERIOD for n in range(len(has_depth))]
    depths = [stamp + shift for stamp, has in zip(stamps, has_depth, strict=True) if has]
    events = [(stamp + delay, 'image', stamp) for stamp in stamps]
    events += [(stamp + depth_delay, 'depth', stamp) for stamp in depths]
    pairing, taken = ImagePairing(expects_depth=True), []
    pairing.set_camera_info('info')
    for time, kind, stamp in sorted(events):
        if kind == 'image':
            pairing.add_image(message(stamp), time)
        else:
            pairing.add_depth(message(stamp))
        taken += pairing.taken(time)
    taken += pairing.taken(None)
    assert [each.frame.stamp for each in taken] == stamps
    assert [each.time for each in taken] == [stamp + delay for stamp in stamps]
    for each in taken:
        apart = [abs(depth - each.frame.stamp) for depth in depths]
        least = min(apart, default=PERIOD)
        if least <= 1e9 * DEPTH_TOLERANCE:
            assert abs(each.frame.depth.stamp - each.frame.stamp) == least
        else:
            assert each.frame.depth is None
        assert each.frame.camera_info == 'info'


def test_without_depth_no_image_waits():
    pairing = ImagePairing(expects_depth=False)
    pairing.add_image(message(5), 7)
    (taken,) = pairing.taken(7)
    assert (taken.time, taken.frame.stamp, taken.frame.depth) == (7, 5, None)


def test_an_image_waits_for_the_first_calibration():
    pairing = ImagePairing(expects_depth=True)
    pairing.add_image(message(5), 7)
    pairing.add_depth(message(5))
    assert list(pairing.taken(8)) == []
    pairing.set_camera_info('info')
    (taken,) = pairing.taken(9)
    assert (taken.frame.depth.stamp, taken.frame.camera_info) == (5, 'info')
