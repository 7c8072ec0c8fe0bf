"""Meshes are closed, face outwards and stand on the table."""

import numpy as np
import pytest
import shapely

from iterprime_ros.sim import shapes
from iterprime_ros.sim.scene import mesh_library
from iterprime_ros.sim.shapes import Primitive

LIBRARY = [mesh for variants in mesh_library().values() for mesh in variants[:2]]


def signed_volume(mesh):
    corners = mesh.vertices[mesh.faces]
    return np.linalg.det(corners).sum() / 6


def welded(mesh):
    """Faces whose corners are numbered by place: a lathe repeats the points on its axis."""
    _, number = np.unique(mesh.vertices.round(9), axis=0, return_inverse=True)
    faces = number.reshape(-1)[mesh.faces]
    return faces[(np.diff(np.sort(faces, axis=1), axis=1) > 0).all(axis=1)]


@pytest.mark.parametrize('mesh', LIBRARY, ids=lambda mesh: mesh.kind)
def test_every_edge_joins_two_faces_that_turn_the_same_way(mesh):
    faces = welded(mesh)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {tuple(edge) for edge in edges.tolist()}
    assert len(there) == len(edges)
    assert there == {(b, a) for a, b in there}


@pytest.mark.parametrize('mesh', LIBRARY, ids=lambda mesh: mesh.kind)
def test_faces_look_outwards(mesh):
    assert signed_volume(mesh) > 0


def test_a_lathed_cylinder_has_the_volume_of_a_polygonal_prism():
    vertices, faces = shapes.lathe(np.array([(0, 0), (2, 0), (2, 3), (0, 3)]), segments=60)
    area = 0.5 * 60 * 2**2 * np.sin(2 * np.pi / 60)
    assert signed_volume(shapes.Mesh('', vertices, faces)) == pytest.approx(3 * area)


def test_a_swept_rod_has_the_volume_of_a_polygonal_prism():
    path = np.array([(0, 0, 0), (1, 0, 0), (2, 0, 0.0), (5, 0, 0)], dtype=float)
    vertices, faces = shapes.sweep(path, np.full(4, 0.5), segments=12)
    area = 0.5 * 12 * 0.5**2 * np.sin(2 * np.pi / 12)
    assert signed_volume(shapes.Mesh('', vertices, faces)) == pytest.approx(5 * area)


@pytest.mark.parametrize('mesh', LIBRARY, ids=lambda mesh: mesh.kind)
def test_meshes_stand_on_the_table_inside_their_footprint(mesh):
    assert mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)
    assert mesh.vertices[:, 2].max() == mesh.height
    points = shapely.points(mesh.vertices[:, :2])
    assert shapely.distance(mesh.footprint, points).max() < 1e-9


def test_a_mug_is_open_at_the_top():
    mug = shapes.mug(0.04, 0.09)
    hull = shapes.lathe(np.array([(0, 0), (0.04, 0), (0.04, 0.09), (0, 0.09)]))
    assert signed_volume(mug) < 0.4 * signed_volume(shapes.Mesh('', *hull))


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
