"""Meshes are closed, face outwards and stand on z = 0."""

import numpy as np
import pytest
import shapely

from iterprime_ros.sim import shapes
from iterprime_ros.sim.scene import mesh_library
from iterprime_ros.sim.shapes import Primitive

LIBRARY = [
    pytest.param(mesh, id=f'{kind}-{size}-{k}')
    for (kind, size), variants in mesh_library().items()
    for k, mesh in enumerate(variants[:2])
]


def signed_volume(mesh):
    corners = mesh.vertices[mesh.faces]
    return np.linalg.det(corners).sum() / 6


def welded(mesh):
    """Return the faces with coincident vertices merged; a lathe repeats the points on its axis."""
    _, number = np.unique(mesh.vertices.round(9), axis=0, return_inverse=True)
    faces = number.reshape(-1)[mesh.faces]
    return faces[(np.diff(np.sort(faces, axis=1), axis=1) > 0).all(axis=1)]


@pytest.mark.parametrize('mesh', LIBRARY)
def test_every_edge_joins_two_faces_of_the_same_orientation(mesh):
    faces = welded(mesh)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    distinct = {tuple(edge) for edge in edges.tolist()}
    assert len(distinct) == len(edges)
    assert distinct == {(b, a) for a, b in distinct}


@pytest.mark.parametrize('mesh', LIBRARY)
def test_faces_point_outwards(mesh):
    assert signed_volume(mesh) > 0


def test_a_lathed_cylinder_has_the_volume_of_a_polygonal_prism():
    vertices, faces = shapes.lathe(np.array([(0, 0), (2, 0), (2, 3), (0, 3)]), segments=60)
    area = 0.5 * 60 * 2**2 * np.sin(2 * np.pi / 60)
    assert signed_volume(shapes.Mesh(vertices, faces)) == pytest.approx(3 * area)


def test_a_swept_rod_has_the_volume_of_a_polygonal_prism():
    path = np.array([(0, 0, 0), (1, 0, 0), (2, 0, 0.0), (5, 0, 0)], dtype=float)
    vertices, faces = shapes.sweep(path, np.full(4, 0.5), segments=12)
    area = 0.5 * 12 * 0.5**2 * np.sin(2 * np.pi / 12)
    assert signed_volume(shapes.Mesh(vertices, faces)) == pytest.approx(5 * area)


@pytest.mark.parametrize('mesh', LIBRARY)
def test_meshes_stand_on_z_0_inside_their_footprint(mesh):
    assert mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)
    assert mesh.vertices[:, 2].max() == mesh.height
    points = shapely.points(mesh.vertices[:, :2])
    assert shapely.distance(mesh.footprint, points).max() < 1e-9


def test_a_mug_is_open_at_the_top():
    mug = shapes.mug(0.04, 0.09)
    hull = shapes.lathe(np.array([(0, 0), (0.04, 0), (0.04, 0.09), (0, 0.09)]))
    assert signed_volume(mug) < 0.4 * signed_volume(shapes.Mesh(*hull))


@pytest.mark.parametrize(
    ('kind', 'half', 'area'),
    [
        ('cube', (0.02, 0.03, 0.04), 4 * 0.02 * 0.03),
        ('ball', (0.03, 0.03, 0.03), np.pi * 0.03**2),
        ('capsule', (0.05, 0.02, 0.02), 4 * 0.03 * 0.02 + np.pi * 0.02**2),
    ],
)
def test_footprints_of_primitives(kind, half, area):
    footprint = Primitive(kind, half).footprint
    assert footprint.area == pytest.approx(area, rel=0.01)
    assert footprint.bounds == pytest.approx((-half[0], -half[1], half[0], half[1]), rel=1e-3)
