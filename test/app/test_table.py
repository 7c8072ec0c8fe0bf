"""The simulated table knows its own pictures again, and only those."""

import sys

import numpy as np
import pytest

from iterprime_ros.app.desk import Desk
from iterprime_ros.app.table import SimulatedTable
from iterprime_ros.errors import MissingDependencyError
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene


def test_the_depth_of_a_picture_is_that_of_its_scene():
    with Renderer() as renderer:
        rendered = renderer.render(sample_scene(3))
        table = SimulatedTable()
        assert table.measured(rendered.rgb) is None
        image = table.picture(3)
        table.picture(4)
        np.testing.assert_array_equal(image, rendered.rgb)
        measured = table.measured(image.copy())
        assert measured.seed == 3
        assert measured.pinhole == rendered.pinhole
        np.testing.assert_array_equal(measured.depth, rendered.depth)
        changed = image.copy()
        changed[5, 5, 0] ^= 1
        assert table.measured(changed) is None
        assert table.measured(image[1:]) is None


@pytest.fixture
def without_mujoco(monkeypatch):
    for name in [each for each in sys.modules if each.startswith('iterprime_ros.sim.')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'mujoco', None)


def test_without_mujoco_it_says_what_to_install(without_mujoco):
    with pytest.raises(MissingDependencyError, match=r'mujoco.*pip install .*\[sim\]'):
        SimulatedTable()


def test_without_mujoco_the_page_has_no_table(without_mujoco, regions, tmp_path, monkeypatch):
    pytest.importorskip('gradio')
    from iterprime_ros.app.page import build_page

    monkeypatch.setenv('GRADIO_TEMP_DIR', str(tmp_path))
    desk = Desk([str(regions)], 'cpu')
    assert not desk.has_table
    assert 'mujoco' in desk.table_remark
    endpoints = [each['api_name'] for each in build_page(desk).config['dependencies']]
    assert 'segment' in endpoints
    assert 'scene' not in endpoints
    desk.close()
