import pytest

from iterprime_ros.sim.renderer import Renderer


@pytest.fixture(scope='session')
def small_renderer():
    """Pictures of 160 x 120; compiling its model takes half a second, so it serves all tests."""
    with Renderer(160, 120) as renderer:
        yield renderer
