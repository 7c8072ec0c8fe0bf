"""The RefCOCO family: what was written comes back from each layout; damage is one sentence."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from helpers import python2_pickle
from helpers.refcoco_files import (
    Said,
    Scene,
    tabletop_scenes,
    write_captions,
    write_images,
    write_parquet,
    write_refer,
)
from iterprime_ros.answer import Status
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets import refcoco, refcoco_layouts
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.evaluation.datasets.sources import SOURCES
from iterprime_ros.evaluation.registry import load_dataset

# pycocotools' own use of numpy.

WRITERS = (write_refer, write_captions, write_parquet)
REFS, INSTANCES = 'refcoco/refs(unc).p', 'refcoco/instances.json'
CAPTIONS = 'coco/refcoco/instances_refcoco_val.json'
PARQUET = 'jxu124/refcoco/data/validation-00000-of-00001-0123456789abcdef.parquet'
IMAGES = 'images/mscoco/images/train2014'


@pytest.fixture(scope='module')
def tabletop():
    return tabletop_scenes(3)


def small_scenes(splits=('val', 'val')):
    """Scenes of a few pixels, two objects each."""
    rng = np.random.default_rng(5)
    scenes = []
    for number, split in enumerate(splits):
        image = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        left, right = np.zeros((2, 9, 12), dtype=bool)
        left[2:5, 1:4] = right[3:8, 6:11] = True
        right[5, 8] = False
        said = (
            Said(left, (f'left {number}', f'the left one {number}'), split),
            Said(right, (f'right {number}',), split),
        )
        scenes.append(Scene(100 - number, image, said))
    return scenes


def expected_questions(scenes):
    """Return for each image (image_id, [(sentence, mask)]) in the order of the files."""
    return [
        (
            str(scene.image_id),
            [(sentence, said.mask) for said in scene.objects for sentence in said.sentences],
        )
        for scene in scenes
    ]


def check_equal(dataset, scenes):
    expected = expected_questions(scenes)
    assert len(dataset) == len(expected)
    for sample, scene, (image_id, questions) in zip(dataset, scenes, expected, strict=True):
        assert sample.image_id == image_id
        np.testing.assert_array_equal(sample.image, scene.image)
        assert [each.expression for each in sample.questions] == [text for text, _ in questions]
        for question, (text, mask) in zip(sample.questions, questions, strict=True):
            assert question.command == text
            assert question.group == 'all'
            assert question.tags == {}
            assert question.expected_status is Status.FOUND
            np.testing.assert_array_equal(question.target_mask, mask)


def write(root, writer, scenes):
    writer(root, scenes)
    write_images(Path(root, IMAGES), scenes)
    return Path(root)


def failure(root, name='refcoco', split=None, limit=None):
    """Return the sentence of the error of loading and reading everything."""
    with pytest.raises(InvalidDatasetError) as caught:
        list(load_dataset(name, split, limit, root))
    message = str(caught.value)
    assert message.endswith('.')
    assert '\n' not in message
    assert f'iterprime datasets {name}' in message
    return message


@pytest.mark.parametrize('writer', WRITERS)
def test_the_tabletop_comes_back_to_the_pixel(writer, tabletop, tmp_path):
    root = write(tmp_path, writer, tabletop)
    dataset = load_dataset('refcoco', 'val', None, root)
    assert dataset.split == 'val'
    check_equal(dataset, tabletop)
    check_equal(dataset, tabletop)  # the same ones every time


def test_layouts_are_looked_for_in_their_order(tmp_path):
    root = write(tmp_path, write_parquet, small_scenes())
    provenance = [load_dataset('refcoco', None, None, root).provenance]
    for writer in (write_captions, write_refer):
        writer(root, small_scenes())
        provenance.append(load_dataset('refcoco', None, None, root).provenance)
    for text, name in zip(provenance, (PARQUET, CAPTIONS, REFS), strict=True):
        assert f'{root / name} (SHA-256 ' in text
        assert str(root / IMAGES) in text
    assert str(root / INSTANCES) in provenance[2]
    assert {text.split(':')[0] for text in provenance} == set(refcoco_layouts.READERS)


def test_every_layout_has_a_reader():
    layouts = {layout.name for name in FAMILY for layout in SOURCES[name].layouts}
    assert layouts == set(refcoco_layouts.READERS)


FAMILY = {
    'refcoco': ('refcoco', 'unc', 'refcoco'),
    'refcoco+': ('refcoco+', 'unc', 'refcocoplus'),
    'refcocog-umd': ('refcocog', 'umd', 'refcocog'),
    'refcocog-google': ('refcocog', 'google', None),
}


@pytest.mark.parametrize('name', FAMILY)
def test_every_split_of_every_data_set(name, tmp_path):
    folder, split_by, hub = FAMILY[name]
    splits = SOURCES[name].splits
    scenes = small_scenes(splits)
    write_refer(tmp_path / 'a', scenes, folder, split_by)
    roots = [tmp_path / 'a']
    if hub:
        write_captions(tmp_path / 'b', scenes, folder)
        write_parquet(tmp_path / 'c', scenes, hub)
        roots += [tmp_path / 'b', tmp_path / 'c']
    for root in roots:
        write_images(root / IMAGES, scenes)
        for split, scene in zip(splits, scenes, strict=True):
            check_equal(load_dataset(name, split, None, root), [scene])
        check_equal(load_dataset(name, None, None, root), [scenes[0]])
    with pytest.raises(InvalidSettingError, match='has no split "minival"'):
        load_dataset(name, 'minival', None, tmp_path / 'a')


def test_two_splits_of_one_file_do_not_mix(tmp_path):
    scenes = small_scenes(('val', 'testA', 'val', 'testB'))
    root = write(tmp_path, write_refer, scenes)
    check_equal(load_dataset('refcoco', 'val', None, root), [scenes[0], scenes[2]])
    google = small_scenes(('val', 'train'))
    shared = [replace(google[0], objects=(google[0].objects[0], google[1].objects[0]))]
    write_refer(root, shared, 'refcocog', 'google')
    write_images(root / IMAGES, shared)
    for split, said in zip(('val', 'train'), shared[0].objects, strict=True):
        part = [replace(shared[0], objects=(said,))]
        check_equal(load_dataset('refcocog-google', split, None, root), part)


@pytest.mark.parametrize('writer', WRITERS)
def test_a_limit_counts_images_and_needs_no_others(writer, tmp_path):
    scenes = small_scenes(('val',) * 4)
    writer(tmp_path, scenes)
    write_images(tmp_path / IMAGES, scenes[:2])
    for limit in (1, 2):
        check_equal(load_dataset('refcoco', 'val', limit, tmp_path), scenes[:limit])
    message = failure(tmp_path, limit=3)
    assert f'Cannot read {tmp_path / IMAGES / scenes[2].file_name} (no such file)' in message
    write_images(tmp_path / IMAGES, scenes)
    check_equal(load_dataset('refcoco', 'val', 99, tmp_path), scenes)
    with pytest.raises(InvalidSettingError, match='at least 1'):
        load_dataset('refcoco', 'val', 0, tmp_path)


def test_a_part_of_the_images(tmp_path):
    scenes = small_scenes(('val',) * 4)
    dataset = load_dataset('refcoco', 'val', None, write(tmp_path, write_refer, scenes))
    check_equal(dataset.subset([3, 1]), [scenes[3], scenes[1]])


def test_parts_of_a_parquet_follow_each_other(tmp_path):
    scenes = small_scenes(('val',) * 4)
    write_parquet(tmp_path, scenes, parts=3)
    write_images(tmp_path / IMAGES, scenes)
    check_equal(load_dataset('refcoco', 'val', None, tmp_path), scenes)


@pytest.mark.parametrize('folder', SOURCES['refcoco'].images)
def test_images_lie_in_one_of_several_folders(folder, tmp_path):
    scenes = small_scenes()
    write_captions(tmp_path, scenes)
    write_images(tmp_path / folder, scenes)
    check_equal(load_dataset('refcoco', 'val', None, tmp_path), scenes)


def test_a_jpeg_is_read_as_pillow_reads_it(tabletop, tmp_path):
    write_refer(tmp_path, tabletop)
    write_images(tmp_path / IMAGES, tabletop, 'JPEG')
    lossy = [
        replace(scene, image=np.asarray(Image.open(tmp_path / IMAGES / scene.file_name)))
        for scene in tabletop
    ]
    assert (lossy[0].image != tabletop[0].image).any()
    check_equal(load_dataset('refcoco', 'val', None, tmp_path), lossy)


def test_polygons_of_an_object_may_overlap(tmp_path):
    scenes = small_scenes(('val',))
    root = write(tmp_path, write_refer, scenes)
    content = json.loads((root / INSTANCES).read_text())
    squares = [[0, 0, 4, 0, 4, 4, 0, 4], [2, 2, 6, 2, 6, 6, 2, 6]]
    for annotation in content['annotations']:
        annotation['segmentation'] = squares
    (root / INSTANCES).write_text(json.dumps(content))
    expected = np.zeros((9, 12), dtype=bool)
    expected[:4, :4] = expected[2:6, 2:6] = True
    dataset = load_dataset('refcoco', 'val', None, root)
    for sample in dataset:
        for question in sample.questions:
            np.testing.assert_array_equal(question.target_mask, expected)
    assert 'union' in dataset.provenance


@pytest.mark.parametrize('name', FAMILY)
def test_without_any_file_it_says_what_was_looked_for(name, tmp_path):
    message = failure(tmp_path, name)
    for layout in SOURCES[name].layouts:
        assert str(tmp_path / layout.patterns('val')[0]) in message


@pytest.mark.parametrize(
    ('writer', 'absent'), [(write_refer, INSTANCES), *((each, IMAGES) for each in WRITERS)]
)
def test_a_missing_part_is_named(writer, absent, tmp_path):
    root = write(tmp_path, writer, small_scenes())
    (root / absent).rename(tmp_path / 'elsewhere')
    assert f'Cannot read {root / absent} (no such f' in failure(root)


def test_a_split_that_has_nothing_is_named(tmp_path):
    root = write(tmp_path, write_refer, small_scenes())
    assert f'{root / REFS} has nothing of the split testA' in failure(root, split='testA')


@pytest.mark.parametrize(
    ('writer', 'name'),
    [
        (write_refer, REFS),
        (write_refer, INSTANCES),
        (write_captions, CAPTIONS),
        (write_parquet, PARQUET),
    ],
)
@pytest.mark.parametrize('content', [None, b'', b'version https://git-lfs.github.com/spec/v1'])
def test_a_damaged_file_is_named(writer, name, content, tmp_path):
    root = write(tmp_path, writer, small_scenes())
    whole = (root / name).read_bytes()
    (root / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert str(root / name) in failure(root)


@pytest.mark.parametrize('writer', WRITERS)
def test_a_damaged_image_is_named(writer, tmp_path):
    scenes = small_scenes()
    path = write(tmp_path, writer, scenes) / IMAGES / scenes[1].file_name
    path.write_bytes(path.read_bytes()[:40])
    assert str(path) in failure(tmp_path)


@pytest.mark.parametrize('writer', WRITERS)
def test_an_image_of_another_size_is_named(writer, tmp_path):
    scenes = small_scenes()
    path = write(tmp_path, writer, scenes) / IMAGES / scenes[1].file_name
    Image.new('RGB', (9, 12)).save(path)
    message = failure(tmp_path)
    assert f'{path} has 12 x 9 pixels' in message
    assert '9 x 12' in message


def remove(key):
    return lambda record: record.pop(key)


def put(key, value):
    return lambda record: record.update({key: value})


JSON_DAMAGE = [
    ('images', remove('height')),
    ('images', put('height', 0)),
    ('images', put('width', 'wide')),
    ('images', put('file_name', None)),
    ('annotations', put('segmentation', 'mask')),
]


@pytest.mark.parametrize(('part', 'damage'), JSON_DAMAGE)
@pytest.mark.parametrize(('writer', 'name'), [(write_refer, INSTANCES), (write_captions, CAPTIONS)])
def test_a_damaged_record_of_json_is_named(writer, name, part, damage, tmp_path):
    root = write(tmp_path, writer, small_scenes())
    content = json.loads((root / name).read_text())
    damage(content[part][0])
    (root / name).write_text(json.dumps(content))
    assert f'{root / name} is damaged ({part}.0' in failure(root)


@pytest.mark.parametrize(('writer', 'name'), [(write_refer, INSTANCES), (write_captions, CAPTIONS)])
@pytest.mark.parametrize('part', ['images', 'annotations'])
def test_a_record_that_is_named_and_not_there(writer, name, part, tmp_path):
    root = write(tmp_path, writer, small_scenes())
    content = json.loads((root / name).read_text())
    if (writer, part) == (write_captions, 'images'):
        content['annotations'] = content['annotations'][:-1]
    else:
        content[part] = content[part][1:]
    (root / name).write_text(json.dumps(content))
    assert f'{root / name} is damaged (no ' in failure(root)


@pytest.mark.parametrize(
    ('writer', 'name'),
    [(write_refer, INSTANCES), (write_captions, CAPTIONS), (write_parquet, PARQUET)],
)
def test_a_damaged_mask_is_named(writer, name, tmp_path):
    root = write(tmp_path, writer, small_scenes())
    if writer is write_parquet:
        table = pyarrow.parquet.read_table(root / name)
        rows = table.to_pylist()
        annotation = json.loads(rows[0]['raw_anns'])
        rows[0]['raw_anns'] = json.dumps({**annotation, 'segmentation': [[1, 2, 3]]})
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), root / name)
    else:
        content = json.loads((root / name).read_text())
        for annotation in content['annotations']:
            annotation['segmentation'] = [[1, 2, 3]]
        (root / name).write_text(json.dumps(content))
    with pytest.raises(InvalidDatasetError, match='polygon') as caught:
        list(load_dataset('refcoco', None, None, root))
    assert str(caught.value).startswith(f'{root / name}: ')


@pytest.mark.parametrize(
    'refs',
    [
        {},
        [],
        [3],
        [{'image_id': 100}],
        [{'image_id': 'x', 'ann_id': 1, 'split': 'val', 'sentences': []}],
        [{'image_id': 100, 'ann_id': 1, 'split': 'val', 'sentences': ['left']}],
        [{'image_id': 100, 'ann_id': 1, 'split': 'val', 'sentences': [{'sent': None}]}],
    ],
)
def test_damaged_refs_are_named(refs, tmp_path):
    root = write(tmp_path, write_refer, small_scenes())
    (root / REFS).write_bytes(python2_pickle.dumps(refs))
    assert str(root / REFS) in failure(root)


@pytest.mark.parametrize('column', ['ann_id', 'sentences', 'raw_anns', 'raw_image_info'])
def test_a_parquet_without_a_column_is_named(column, tmp_path):
    root = write(tmp_path, write_parquet, small_scenes())
    table = pyarrow.parquet.read_table(root / PARQUET)
    pyarrow.parquet.write_table(table.drop_columns([column]), root / PARQUET)
    assert f'{root / PARQUET} is damaged (no column {column})' in failure(root)
    place = table.column_names.index(column)
    spoilt = table.set_column(place, column, pa.array(['{'] * len(table)))
    pyarrow.parquet.write_table(spoilt, root / PARQUET)
    assert f'{root / PARQUET} is damaged ({column}: ' in failure(root)


def test_two_versions_of_a_parquet_are_refused(tmp_path):
    root = write(tmp_path, write_parquet, small_scenes())
    copy = root / PARQUET.replace('0123', '4567')
    copy.write_bytes((root / PARQUET).read_bytes())
    message = failure(root)
    assert str(copy.parent) in message
    assert copy.name in message


def test_names_of_images_lead_nowhere_else(tmp_path):
    scenes = small_scenes(('val',))
    root = write(tmp_path, write_refer, scenes)
    content = json.loads((root / INSTANCES).read_text())
    content['images'][0]['file_name'] = f'../../../../{scenes[0].file_name}'
    (root / INSTANCES).write_text(json.dumps(content))
    check_equal(load_dataset('refcoco', 'val', None, root), scenes)


@pytest.mark.parametrize('package', ['pycocotools', 'pyarrow'])
def test_without_a_package_it_says_what_to_install(package, tmp_path, monkeypatch):
    root = write(tmp_path, write_parquet, small_scenes())
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InvalidSettingError, match=rf'{package}: pip install .*\[evaluation\]'):
        load_dataset('refcoco', None, None, root)


def test_other_annotations_are_not_kept(tmp_path):
    root = write(tmp_path, write_refer, small_scenes(('val', 'train')))
    content = json.loads((root / INSTANCES).read_text())
    content['annotations'] += [{'id': 5, 'segmentation': 'nobody asks for this one'}]
    (root / INSTANCES).write_text(json.dumps(content))
    dataset = load_dataset('refcoco', 'val', None, root)
    check_equal(dataset, small_scenes(('val',)))
    assert isinstance(dataset.records[0], refcoco.RecordedImage)
