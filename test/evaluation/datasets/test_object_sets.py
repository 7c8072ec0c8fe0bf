"""gRefCOCO and Ref-ZOM give back what was written in their formats, and name what is damaged."""

import json
import pickle
import re
from functools import partial

import numpy as np
import pytest

from helpers.object_set_files import (
    UNNAMED,
    masks_of,
    scaled_down,
    write_grefcoco,
    write_ref_zom,
)
from iterprime_ros.answer import Status
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.evaluation.datasets.files import read_json, read_pickle
from iterprime_ros.evaluation.datasets.grefcoco import load_grefcoco
from iterprime_ros.evaluation.datasets.ref_zom import load_ref_zom
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop

GROUPS = ('no target', 'one target', 'several targets')
STATUSES = (Status.NOT_FOUND, Status.FOUND, Status.FOUND_SEVERAL)


@pytest.fixture(scope='module')
def samples():
    """Four scenes, with expressions about nothing, one object and several."""
    return [scaled_down(each) for each in load_tabletop('held-out', 4)]


WRITTEN = {
    'grefs(unc).json': (
        write_grefcoco,
        load_grefcoco,
        ('testA', 'val', 'testA', 'train'),
        'grefcoco/grefs(unc).json',
    ),
    'grefs(unc).p': (
        partial(write_grefcoco, suffix='p'),
        load_grefcoco,
        ('testB', 'val', 'testB', 'train'),
        'grefcoco/grefs(unc).p',
    ),
    'refs(final).p': (
        write_ref_zom,
        load_ref_zom,
        ('train', 'test', 'train', 'test'),
        'ref-zom/refs(final).p',
    ),
    'Ref-ZOM(final).p': (
        partial(write_ref_zom, file_name='Ref-ZOM(final).p'),
        load_ref_zom,
        ('train', 'test', 'train', 'test'),
        'ref-zom/Ref-ZOM(final).p',
    ),
}


@pytest.fixture(scope='module', params=WRITTEN)
def written(request, samples, tmp_path_factory):
    """The root, the loader, the split of each sample, and the file of the references."""
    write, load, splits, file_name = WRITTEN[request.param]
    root = tmp_path_factory.mktemp('data')
    write(root, samples, splits)
    return root, load, splits, file_name


def test_everything_comes_back(written, samples):
    root, load, splits, file_name = written
    for split in dict.fromkeys(splits):
        dataset = load(split, None, root)
        expected = [each for each, own in zip(samples, splits, strict=True) if own == split]
        assert dataset.split == split
        assert str(root / file_name) in dataset.provenance
        assert len(dataset) == len(expected)
        for sample, original in zip(dataset, expected, strict=True):
            assert sample.image_id == original.image_id
            np.testing.assert_array_equal(sample.image, original.image)
            assert len(sample.questions) == len(original.questions)
            for question, written_one in zip(sample.questions, original.questions, strict=True):
                _check(question, written_one)


def _check(question, original):
    masks = masks_of(original)
    count = min(len(masks), 2)
    assert question.expression == original.expression.capitalize()
    assert question.command == question.expression
    assert question.group == GROUPS[count]
    assert question.expected_status is STATUSES[count]
    if not masks:
        assert question.target_mask is None
        assert question.target_masks == ()
        return
    np.testing.assert_array_equal(question.target_mask, np.any(masks, axis=0))
    assert len(question.target_masks) == (len(masks) if len(masks) > 1 else 0)
    for mask, written_one in zip(question.target_masks, masks, strict=False):
        np.testing.assert_array_equal(mask, written_one)


def test_the_scenes_have_every_group(samples):
    counts = {
        min(len(masks_of(question)), 2) for sample in samples for question in sample.questions
    }
    assert counts == {0, 1, 2}


def test_the_first_images_are_those_that_come_first(written, samples):
    root, load, splits, _ = written
    split = splits[0]
    (sample,) = load(split, 1, root)
    assert sample.image_id == samples[0].image_id
    assert len(sample.questions) == len(samples[0].questions)
    assert len(load(split, 99, root)) == splits.count(split)


def test_a_part_of_it_is_a_data_set(written, samples):
    root, load, splits, _ = written
    (sample,) = load(splits[0], None, root).subset([1])
    assert sample.image_id == samples[2].image_id


def test_default_splits_are_those_of_the_papers(written):
    root, load, _, _ = written
    assert load(None, None, root).split == ('val' if load is load_grefcoco else 'test')
    with pytest.raises(InvalidSettingError, match='has no split "testC"'):
        load('testC', None, root)


@pytest.fixture
def copies(samples, tmp_path):
    """Both data sets with two scenes, to damage."""
    write_grefcoco(tmp_path, samples[:2], ('val', 'val'))
    write_ref_zom(tmp_path, samples[:2], ('test', 'test'))
    return tmp_path


def _image(root, name):
    """Return an image of a data set."""
    folder = {'grefcoco': 'train2014', 'ref-zom': 'val2014'}[name]
    return min((root / 'images' / 'mscoco' / 'images' / folder).iterdir())


LOADERS = {'grefcoco': load_grefcoco, 'ref-zom': load_ref_zom}
FILES = {'grefcoco': 'grefs(unc).json', 'ref-zom': 'refs(final).p'}


def _refused(root, name, path, reason):
    """Check that one sentence names the file and the reason."""
    with pytest.raises(InvalidDatasetError) as refusal:
        list(LOADERS[name](None, None, root))
    message = str(refusal.value)
    assert str(path) in message
    assert re.search(reason, message), message
    assert message.endswith('.')
    assert '\n' not in message


def _edit(path, change):
    """Change what a file holds, in its own format."""
    is_pickle = path.suffix == '.p'
    content = (read_pickle if is_pickle else read_json)(path, 'a copy')
    change(content)
    path.write_bytes(pickle.dumps(content) if is_pickle else json.dumps(content).encode())


@pytest.mark.parametrize('name', LOADERS)
def test_what_is_missing_is_named(copies, name):
    folder = copies / name
    image = _image(copies, name)
    for path, reason in (
        (folder / FILES[name], 'There is neither .* nor '),
        (folder / 'instances.json', 'Cannot read .*no such file'),
        (image, 'Cannot read .*no such file'),
    ):
        moved = path.rename(path.with_name('moved'))
        _refused(copies, name, path, f'{reason}.*: iterprime datasets {name} says')
        moved.rename(path)
    assert len(LOADERS[name](None, None, copies)) == 2


@pytest.mark.parametrize('name', LOADERS)
def test_a_file_that_was_cut_off_is_named(copies, name):
    image = _image(copies, name)
    for path in (copies / name / FILES[name], copies / name / 'instances.json', image):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        _refused(copies, name, path, 'is no (JSON|pickle|image), or damaged')
        path.write_bytes(content)


@pytest.mark.parametrize('name', LOADERS)
@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda refs: refs[1].pop('image_id'), r'1.image_id: Field required'),
        (lambda refs: refs[1].update(ann_id='a mug'), r'1.ann_id'),
        (lambda refs: refs[1]['sentences'][0].pop('raw'), r'1.sentences.0.raw'),
        (lambda refs: [ref.update(split='dev') for ref in refs], 'nothing of the split'),
        (lambda refs: refs.clear(), 'nothing of the split'),
    ],
)
def test_damaged_references_are_named(copies, name, change, reason):
    path = copies / name / FILES[name]
    _edit(path, change)
    _refused(copies, name, path, reason)


def test_an_unknown_source_is_named(copies):
    path = copies / 'ref-zom' / FILES['ref-zom']
    _edit(path, lambda refs: refs[0].update(source='two'))
    _refused(copies, 'ref-zom', path, "0.source: Input should be 'zero', 'one' or 'many'")


@pytest.mark.parametrize('name', LOADERS)
@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda content: content.pop('images'), 'images: Field required'),
        (lambda content: content['images'][0].pop('height'), 'images.0.height'),
        (lambda content: content['images'].pop(0), r'is damaged \(no image \d+\)'),
        (lambda content: content['annotations'].pop(0), r'no annotation 1000 of image \d+'),
        (
            lambda content: content['annotations'][0].update(image_id=5),
            r'no annotation 1000 of image \d+',
        ),
        (
            lambda content: content['annotations'][0].update(segmentation=[[1, 2, 3]]),
            'annotation 1000 has a polygon',
        ),
    ],
)
def test_damaged_instances_are_named(copies, name, change, reason):
    path = copies / name / 'instances.json'
    _edit(path, change)
    _refused(copies, name, path, reason)


@pytest.mark.parametrize('name', LOADERS)
def test_an_image_of_another_size_is_named(copies, name):
    path = copies / name / 'instances.json'
    _edit(path, lambda content: content['images'][0].update(height=90))
    image = _image(copies, name)
    _refused(copies, name, image.parent, 'its annotation 90 x')


def test_crowds_are_no_targets(copies):
    before = next(iter(load_grefcoco('val', None, copies)))
    several = next(each for each in before.questions if each.target_masks)
    path = copies / 'grefcoco' / 'instances.json'
    ids = _ids_of(copies, several.expression)

    def make_crowd(content):
        next(each for each in content['annotations'] if each['id'] == ids[0])['iscrowd'] = 1

    _edit(path, make_crowd)
    after = next(iter(load_grefcoco('val', None, copies)))
    question = next(each for each in after.questions if each.expression == several.expression)
    left = several.target_masks[1:]
    np.testing.assert_array_equal(question.target_mask, np.any(left, axis=0))
    assert len(question.target_masks) == (len(left) if len(left) > 1 else 0)


def _ids_of(root, expression):
    refs = json.loads((root / 'grefcoco' / 'grefs(unc).json').read_text())
    return next(ref['ann_id'] for ref in refs if ref['sentences'][0]['raw'] == expression)


def test_nothing_but_what_is_named_is_kept(copies):
    for load in LOADERS.values():
        for picture in load(None, 1, copies).records:
            named = {each for reference in picture.references for each in reference.objects}
            assert set(picture.segmentations) == named
            assert UNNAMED not in named


def test_a_pickle_that_calls_something_is_refused(copies):
    class Caller:
        def __reduce__(self):
            return eval, ('called',)

    path = copies / 'ref-zom' / FILES['ref-zom']
    path.write_bytes(pickle.dumps([Caller()]))
    _refused(copies, 'ref-zom', path, 'it asks for builtins.eval')


@pytest.mark.parametrize('folder', ['images/val2014', 'images/trainval2014', 'coco/val2014'])
def test_images_are_found_wherever_the_loaders_of_the_field_have_them(copies, folder):
    images = copies / 'images' / 'mscoco' / 'images' / 'val2014'
    (copies / folder).parent.mkdir(exist_ok=True)
    images.rename(copies / folder)
    assert len(list(load_ref_zom('test', None, copies))) == 2
