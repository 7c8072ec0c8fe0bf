import pytest

from helpers.tiny_profile import save_tiny_weights, write_profile
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene


@pytest.fixture(scope='session')
def small_renderer():
    """Pictures of 160 x 120; compiling its model takes half a second, so it serves all tests."""
    with Renderer(160, 120) as renderer:
        yield renderer


@pytest.fixture(scope='session')
def picture(small_renderer):
    return small_renderer.render(sample_scene(16)).rgb


@pytest.fixture(scope='session')
def weights(tmp_path_factory):
    return save_tiny_weights(tmp_path_factory.mktemp('weights'))


@pytest.fixture(scope='session')
def regions(weights, tmp_path_factory):
    return write_profile(tmp_path_factory.mktemp('profile') / 'regions.yaml', weights)
