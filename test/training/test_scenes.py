"""Training scenes are rendered once, kept on disk and taken from the training seeds."""

import numpy as np
import pytest

from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.seeds import TRAINING
from iterprime_ros.sim.view import view_of
from iterprime_ros.training import scenes
from iterprime_ros.training.scenes import HEIGHT, WIDTH, RenderedScenes, record_of, view_from_record


@pytest.fixture(scope='module')
def picture():
    with Renderer(WIDTH, HEIGHT) as renderer:
        yield renderer.render(sample_scene(TRAINING.start))


@pytest.fixture
def three_scenes_per_file(monkeypatch):
    monkeypatch.setattr(scenes, 'SCENES_PER_FILE', 3)


def test_a_record_holds_picture_and_view(picture):
    record = record_of(picture)
    view, recovered = view_of(picture), view_from_record(record)
    np.testing.assert_array_equal(record['rgb'], picture.rgb)
    np.testing.assert_array_equal(record['ids'], picture.ids)
    np.testing.assert_allclose(recovered.gaps, view.gaps, atol=1e-6)
    assert len(recovered.objects) == len(view.objects)
    for old, new in zip(view.objects, recovered.objects, strict=True):
        assert (new.id, new.kind, new.colour, new.size) == (old.id, old.kind, old.colour, old.size)
        numbers = ('column', 'depth', 'visible_fraction', 'image_fraction')
        for name in numbers:
            assert getattr(new, name) == pytest.approx(getattr(old, name), abs=1e-6)


def test_the_mirrored_view_agrees_with_the_mirrored_picture(picture):
    record = record_of(picture)
    mirrored = view_from_record(record, mirrored=True)
    for item in mirrored.objects:
        columns = np.nonzero(record['ids'][:, ::-1] == item.id)[1]
        if item.is_referable:
            centre = (columns.mean() + 0.5 - WIDTH / 2) / HEIGHT
            assert centre == pytest.approx(item.column, abs=0.06)


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
