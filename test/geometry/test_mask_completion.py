"""Masks that end too early, grown on depth images of rendered scenes."""

import numpy as np
import pytest
from scipy import ndimage

from iterprime_ros.geometry.depth_view import DepthView
from iterprime_ros.geometry.mask_completion import completed
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import World, sample_scene

REACH, PITCH = 0.2, 0.0015  # m


@pytest.fixture(scope='module')
def renderer():
    with Renderer(480, 360) as renderer:
        yield renderer


@pytest.fixture(scope='module', params=[(3, World.PLAIN), (8, World.PLAIN), (5, World.CLUTTER)])
def picture(request, renderer):
    return renderer.render(sample_scene(*request.param))


def plane_of(picture):
    """Return the true table: normal, downwards, and distance in the optical frame."""
    normal = picture.scene.camera.rotation.T @ [0.0, 0, -1]
    return normal, float(normal @ picture.scene.camera.to_optical(np.zeros(3)))


def views(picture):
    """Yield for every object the view of its mask without its edge, and that of its whole mask."""
    for number in range(1, len(picture.scene.objects) + 1):
        whole = picture.ids == number
        less = ndimage.binary_erosion(whole, np.ones((3, 3)), 2, border_value=1)
        if less.sum() > 20:
            yield tuple(
                DepthView.round_object(picture.depth, mask, picture.pinhole, REACH, PITCH)
                for mask in (less, whole)
            )


def raised(view, normal, distance):
    """Return which pixels (h, w) are clearly above the plane."""
    row, column = np.indices(view.depth.shape)
    across, down = ((column, row)[k] - view.centre[k] for k in (0, 1))
    rays = np.stack([across / view.focal[0], down / view.focal[1], np.ones(row.shape)], axis=-1)
    return distance - (view.depth[..., None] * rays) @ normal > 0.004


def test_what_the_mask_missed_is_found_and_no_other_object(picture):
    normal, distance = plane_of(picture)
    found, missed, wrong = 0, 0, 0
    for less, whole in views(picture):
        view, points = completed(less, normal, distance, 0.0)
        shift = np.round(whole.centre - less.centre).astype(int)
        rows, columns = np.nonzero(view.on_object & ~less.on_object)
        true = whole.on_object[rows + shift[1], columns + shift[0]]
        assert len(points) == len(rows)
        found, wrong = found + true.sum(), wrong + (~true).sum()
        rows, columns = np.nonzero(~view.on_object & raised(view, normal, distance))
        rows, columns = rows + shift[1], columns + shift[0]
        inside = (rows >= 0) & (columns >= 0)
        inside &= (rows < whole.on_object.shape[0]) & (columns < whole.on_object.shape[1])
        missed += whole.on_object[rows[inside], columns[inside]].sum()
    assert missed < 0.15 * found
    assert wrong < 0.05 * found


def test_a_whole_mask_stays_as_it_is(picture):
    normal, distance = plane_of(picture)
    for _, whole in views(picture):
        view, points = completed(whole, normal, distance, 0.0)
        assert len(points) < 0.02 * whole.on_object.sum() + 2
        assert np.all(view.on_object[whole.on_object])


def test_points_are_where_the_grown_pixels_are(picture):
    normal, distance = plane_of(picture)
    less, _ = next(views(picture))
    view, points = completed(less, normal, distance, 0.0)
    depths, is_object = view.seen_at(points)
    assert np.all(is_object)
    assert depths == pytest.approx(points[:, 2])
    assert not np.any(less.seen_at(points)[1])
