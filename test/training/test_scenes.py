"""Training scenes are rendered once, kept on disk and taken from the training seeds."""

import numpy as np
import pytest

from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES, sample_scene
from iterprime_ros.sim.seeds import TRAINING
from iterprime_ros.training import scenes
from iterprime_ros.training.scenes import HEIGHT, WIDTH, RenderedScenes, record_of


@pytest.fixture(scope='module')
def picture():
    with Renderer(WIDTH, HEIGHT) as renderer:
        yield renderer.render(sample_scene(TRAINING.start))


@pytest.fixture
def three_scenes_per_file(monkeypatch):
    monkeypatch.setattr(scenes, 'SCENES_PER_FILE', 3)


def test_a_record_holds_the_picture_and_what_it_shows(picture):
    record = record_of(picture)
    np.testing.assert_array_equal(record['rgb'], picture.rgb)
    np.testing.assert_array_equal(record['ids'], picture.ids)
    shown = picture.scene.objects
    assert [KINDS[k] for k in record['kind'] if k >= 0] == [item.kind for item in shown]
    assert [tuple(COLOURS)[k] for k in record['colour'] if k >= 0] == [i.colour for i in shown]
    assert [SIZES[k] for k in record['size'] if k >= 0] == [item.size for item in shown]


@pytest.mark.usefixtures('three_scenes_per_file')
def test_missing_scenes_are_rendered_and_existing_ones_kept(tmp_path, picture):
    rendered = RenderedScenes(tmp_path, 3)
    assert len(rendered) == 3
    np.testing.assert_array_equal(rendered[0]['rgb'], picture.rgb)
    assert [int(record['seed']) for record in rendered] == list(
        range(TRAINING.start, TRAINING.start + 3)
    )
    first = tmp_path / f'plain-{TRAINING.start}.npy'
    before = first.stat().st_mtime_ns
    more = RenderedScenes(tmp_path, 5)
    assert first.stat().st_mtime_ns == before
    assert int(more[4]['seed']) == TRAINING.start + 4
    assert not list(tmp_path.glob('*.partial'))
