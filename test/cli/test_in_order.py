"""Results in the order of their inputs."""

from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.cli.in_order import in_order


@given(st.integers(0, 8).flatmap(lambda count: st.permutations(range(count))))
def test_each_is_noted_when_it_comes_and_yielded_as_soon_as_it_can_be(order):
    events = []
    results = ((index, str(index)) for index in order)
    for pair in in_order(results, lambda *each: events.append(('came', *each))):
        events.append(('went', *pair))
    expected, came = [], set()
    following = 0
    for index in order:
        expected.append(('came', index, str(index)))
        came.add(index)
        while following in came:
            expected.append(('went', following, str(following)))
            following += 1
    assert events == expected
