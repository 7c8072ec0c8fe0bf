"""PhraseCut gives back what was written in its format, and names what is damaged."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from helpers.coco_polygons import polygons
from helpers.object_set_files import masks_of, pixel_polygons, scaled_down, write_phrasecut
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.coco_masks import polygons_mask
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.evaluation.datasets.phrasecut import draw_polygons, load_phrasecut
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop

FOLDER = 'VGPhraseCut_v0'
TYPES = ('name', 'attribute', 'relation', 'verbose')


@pytest.fixture(scope='module')
def samples():
    """Three scenes, with expressions about one object and several."""
    return [scaled_down(each) for each in load_tabletop('held-out', 3)]


@pytest.fixture(scope='module')
def root(samples, tmp_path_factory):
    """The three scenes as the split test, one of them as miniv."""
    root = tmp_path_factory.mktemp('data')
    write_phrasecut(root, samples, 'test')
    miniv = tmp_path_factory.mktemp('miniv')
    write_phrasecut(miniv, samples[2:], 'miniv')
    (miniv / FOLDER / 'refer_miniv.json').rename(root / FOLDER / 'refer_miniv.json')
    return root


def test_everything_comes_back(root, samples):
    dataset = load_phrasecut(None, None, root)
    assert dataset.split == 'test'
    assert f'{root / FOLDER / "refer_test.json"} (SHA-256 ' in dataset.provenance
    assert len(dataset) == 3
    groups = set()
    for sample, original in zip(dataset, samples, strict=True):
        assert sample.image_id == original.image_id
        np.testing.assert_array_equal(sample.image, original.image)
        numbered = [
            (number, each)
            for number, each in enumerate(original.questions)
            if each.target_mask is not None
        ]
        for question, (number, written) in zip(sample.questions, numbered, strict=True):
            masks = masks_of(written)
            assert question.command == question.expression == written.expression
            assert question.group == ('several targets' if len(masks) > 1 else 'one target')
            assert question.tags == {'phrase type': TYPES[number % 4], 'name in COCO': 'yes'}
            np.testing.assert_array_equal(question.target_mask, np.any(masks, axis=0))
            assert len(question.target_masks) == (len(masks) if len(masks) > 1 else 0)
            for mask, own in zip(question.target_masks, masks, strict=False):
                np.testing.assert_array_equal(mask, own)
            groups.add(question.group)
    assert groups == {'one target', 'several targets'}


def test_splits_are_files_of_their_own(root, samples):
    (sample,) = load_phrasecut('miniv', None, root)
    assert sample.image_id == samples[2].image_id
    with pytest.raises(InvalidSettingError, match='has no split "testA"'):
        load_phrasecut('testA', None, root)
    with pytest.raises(InvalidDatasetError, match=r'refer_val\.json \(no such file\)'):
        load_phrasecut('val', None, root)


def test_the_first_images_are_those_that_come_first(root, samples):
    dataset = load_phrasecut('test', 2, root)
    assert [each.image_id for each in dataset] == [each.image_id for each in samples[:2]]
    (last,) = load_phrasecut('test', None, root).subset([2])
    assert last.image_id == samples[2].image_id


def test_the_sizes_may_have_the_name_that_the_download_gives_them(samples, tmp_path):
    write_phrasecut(tmp_path, samples[:1], 'val', 'image_data_split.json')
    assert len(load_phrasecut('val', None, tmp_path)) == 1


@pytest.fixture
def copy(samples, tmp_path):
    """The data set with two scenes, to damage."""
    write_phrasecut(tmp_path, samples[:2], 'test')
    return tmp_path / FOLDER


def _refused(folder, path, reason):
    """Check that one sentence names the file and the reason."""
    with pytest.raises(InvalidDatasetError) as refusal:
        list(load_phrasecut('test', None, folder.parent))
    message = str(refusal.value)
    assert path in message
    assert re.search(reason, message), message
    assert message.endswith('.')
    assert '\n' not in message


def test_what_is_missing_is_named(copy, samples):
    image = f'images/{samples[1].image_id}.jpg'
    for name, named in (
        ('refer_test.json', 'refer_test.json'),
        ('image_data_split3000.json', 'image_data_split*.json'),
        (image, image),
    ):
        moved = (copy / name).rename(copy / 'moved')
        _refused(copy, str(copy / named), 'Cannot read .*no such file.*: iterprime datasets phrase')
        moved.rename(copy / name)
    assert len(list(load_phrasecut('test', None, copy.parent))) == 2


def test_a_file_that_was_cut_off_is_named(copy, samples):
    for name in (
        'refer_test.json',
        'image_data_split3000.json',
        f'images/{samples[1].image_id}.jpg',
    ):
        content = (copy / name).read_bytes()
        (copy / name).write_bytes(content[: len(content) // 2])
        _refused(copy, str(copy / name), 'is no (JSON|image), or damaged')
        (copy / name).write_bytes(content)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda tasks: tasks[1].pop('phrase'), '1.phrase: Field required'),
        (lambda tasks: tasks[1].pop('Polygons'), '1.Polygons: Field required'),
        (lambda tasks: tasks[1]['phrase_structure'].pop('type'), '1.phrase_structure.type'),
        (lambda tasks: tasks[1]['Polygons'][0].append([1, 2, 3]), 'damaged'),
        (lambda tasks: tasks[1].update(Polygons=[3]), 'damaged'),
        (lambda tasks: tasks[1]['Polygons'][0].append([[0, 1e9]]), 'far outside its image'),
        (lambda tasks: tasks[1]['Polygons'][0].append([[0, float('nan')]]), 'far outside'),
        (lambda tasks: tasks.clear(), 'no phrases'),
    ],
)
def test_damaged_phrases_are_named(copy, change, reason):
    path = copy / 'refer_test.json'
    tasks = json.loads(path.read_text())
    change(tasks)
    path.write_text(json.dumps(tasks))
    _refused(copy, str(path), reason)


def test_damaged_sizes_are_named(copy, samples):
    path = copy / 'image_data_split3000.json'
    sizes = json.loads(path.read_text())
    path.write_text(json.dumps(sizes[:1]))
    _refused(copy, str(path), rf'is damaged \(no image {samples[1].image_id}\)')
    path.write_text(json.dumps([sizes[0], {**sizes[1], 'width': 0}]))
    _refused(copy, str(path), '1.width: Input should be greater than 0')
    path.write_text(json.dumps([sizes[0], {**sizes[1], 'width': 90}]))
    _refused(copy, f'images/{samples[1].image_id}.jpg', 'its annotation 120 x 90')


def test_a_phrase_without_polygons_has_an_empty_target(copy):
    path = copy / 'refer_test.json'
    tasks = json.loads(path.read_text())
    tasks[0]['Polygons'] = []
    path.write_text(json.dumps(tasks))
    question = next(iter(load_phrasecut('test', None, copy.parent))).questions[0]
    assert not question.target_mask.any()


BLOBS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(BLOBS)
def test_written_masks_come_back_to_the_pixel(mask):
    read = [np.array(each, np.int32) for each in pixel_polygons(mask)]
    np.testing.assert_array_equal(draw_polygons(read, mask.shape), mask)


@given(BLOBS)
def test_written_masks_of_coco_come_back_to_the_pixel(mask):
    np.testing.assert_array_equal(polygons_mask(polygons(mask), mask.shape, 'here'), mask)


COORDINATES = st.integers(-3, 16)


@given(st.lists(st.tuples(COORDINATES, COORDINATES), max_size=6), st.just((10, 13)))
def test_polygons_have_what_is_inside_and_end_at_their_outlines(points, size):
    polygon = np.array(points, np.int32).reshape(-1, 2)
    mask = draw_polygons([polygon], size)
    if len(points) < 2:
        assert not mask.any()
        return
    for y, x in np.ndindex(size):
        distance = _distance(x, y, points)
        if (x, y) in points:
            assert mask[y, x]
        elif distance > 1:
            assert mask[y, x] == _is_inside(x, y, points)


def _distance(x, y, points):
    """Return the distance of a point from the outline of a polygon."""
    point = np.array((x, y), float)
    distances = []
    for start, end in zip(points, [*points[1:], points[0]], strict=True):
        start, way = np.array(start, float), np.subtract(end, start)
        along = np.clip(np.dot(point - start, way) / max(np.dot(way, way), 1), 0, 1)
        distances.append(np.hypot(*(point - start - along * way)))
    return min(distances)


def _is_inside(x, y, points):
    """Return whether a ray to the right crosses the outline an odd number of times."""
    crossings = 0
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if (y0 > y) != (y1 > y):
            crossings += x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return crossings % 2 == 1


def test_a_union_of_polygons_has_the_pixels_of_each():
    square = np.array([(1, 1), (3, 1), (3, 3), (1, 3)], np.int32)
    line = np.array([(3, 2), (6, 2)], np.int32)
    expected = np.zeros((6, 8), bool)
    expected[1:4, 1:4] = True
    expected[2, 3:7] = True
    np.testing.assert_array_equal(draw_polygons([square, line, line[:1]], (6, 8)), expected)


def test_coordinates_are_cut_towards_zero(copy):
    path = copy / 'refer_test.json'
    tasks = json.loads(path.read_text())
    tasks[0]['Polygons'] = [[[[1.9, 2.1], [4.99, 2.9], [-0.5, 2.5]]]]
    path.write_text(json.dumps(tasks))
    question = next(iter(load_phrasecut('test', None, copy.parent))).questions[0]
    rows, columns = np.nonzero(question.target_mask)
    assert set(rows) == {2}
    assert set(columns) == {0, 1, 2, 3, 4}
