"""Samples written as the files of gRefCOCO, Ref-ZOM and PhraseCut are."""

import json
from dataclasses import replace
from itertools import zip_longest

import numpy as np
from PIL import Image

from helpers import python2_pickle
from helpers.coco_polygons import FORMS, polygons
from iterprime_ros.evaluation.datasets.dataset import Sample

CATEGORY = {'supercategory': 'kitchen', 'id': 47, 'name': 'cup'}
UNNAMED = 1  # an annotation that no reference names


def write_grefcoco(root, samples, splits, suffix='json'):
    """Write grefs(unc) and instances.json; splits has the one of each sample."""
    refs, instances = _references(samples, splits, 'train2014')
    for ref in refs:
        ref['ann_id'] = ref.pop('objects') or [-1]
        ref['category_id'] = [47 if each != -1 else -1 for each in ref['ann_id']]
    at = root / 'grefcoco'
    at.mkdir(parents=True)
    (at / 'instances.json').write_text(json.dumps(instances))
    content = json.dumps(refs).encode() if suffix == 'json' else python2_pickle.dumps(refs)
    (at / f'grefs(unc).{suffix}').write_bytes(content)
    _write_images(root / 'images' / 'mscoco' / 'images' / 'train2014', samples, instances)


def write_ref_zom(root, samples, splits, file_name='refs(final).p'):
    """Write the references and instances.json, with images of val2014."""
    refs, instances = _references(samples, splits, 'val2014')
    for ref in refs:
        ids = ref.pop('objects')
        ref['source'] = ('zero', 'one', 'many')[min(len(ids), 2)]
        # One object may be a list or not, and a reference of nothing may name something.
        ref['ann_id'] = ids if ref['ref_id'] % 2 or len(ids) != 1 else ids[0]
        if not ids and ref['ref_id'] % 2:
            ref['ann_id'] = [UNNAMED]
    at = root / 'ref-zom'
    at.mkdir(parents=True)
    (at / 'instances.json').write_text(json.dumps(instances))
    (at / file_name).write_bytes(python2_pickle.dumps(refs))
    _write_images(root / 'images' / 'mscoco' / 'images' / 'val2014', samples, instances)


def write_phrasecut(root, samples, split, sizes_name='image_data_split3000.json'):
    """Write refer_SPLIT.json, the sizes of the images and the images, of what has a target."""
    at = root / 'VGPhraseCut_v0'
    (at / 'images').mkdir(parents=True)
    by_sample = [
        [
            _task(sample, question, number)
            for number, question in enumerate(sample.questions)
            if question.target_mask is not None
        ]
        for sample in samples
    ]
    (at / f'refer_{split}.json').write_text(json.dumps(_interleaved(by_sample)))
    sizes = [
        {
            'image_id': int(sample.image_id),
            'coco_id': None,
            'flickr_id': None,
            'width': sample.image.shape[1],
            'height': sample.image.shape[0],
            'url': '',
            'split': split,
        }
        for sample in samples
    ]
    (at / sizes_name).write_text(json.dumps(sizes))
    for sample in samples:
        Image.fromarray(sample.image).save(at / 'images' / f'{sample.image_id}.jpg', format='PNG')


def pixel_polygons(mask):
    """Return rectangles [[x, y], ...] of pixels that tile a mask: PhraseCut's Polygons."""
    return [
        [[x0, y0], [x1 - 1, y0], [x1 - 1, y1 - 1], [x0, y1 - 1]]
        for x0, y0, _, _, x1, y1, _, _ in polygons(mask)
    ]


def scaled_down(sample):
    """Return every fourth pixel of a sample each way, without its depth."""
    questions = (
        replace(
            each,
            target_mask=None if each.target_mask is None else each.target_mask[::4, ::4],
            target_masks=tuple(mask[::4, ::4] for mask in each.target_masks),
        )
        for each in sample.questions
    )
    return Sample(sample.image_id, sample.image[::4, ::4], tuple(questions))


def masks_of(question):
    """Return the mask of every object that a question is about."""
    if question.target_mask is None:
        return ()
    return question.target_masks or (question.target_mask,)


def _interleaved(by_sample):
    """Return what belongs to samples, first of each, then second of each, and so on."""
    return [each for row in zip_longest(*by_sample) for each in row if each is not None]


def _references(samples, splits, folder):
    """Return references with their `objects`, and instances.json; the forms of masks take turns."""
    annotations, by_sample = [], []
    for sample, split in zip(samples, splits, strict=True):
        ids, refs = {}, []
        for question in sample.questions:
            for mask in masks_of(question):
                if mask.tobytes() not in ids:
                    id_ = 1000 + len(annotations)
                    ids[mask.tobytes()] = id_
                    annotations.append(_annotation(sample, mask, id_))
            ref_id = len(refs) + 100 * len(by_sample)
            refs.append(_reference(sample, question, split, ref_id))
            refs[-1]['objects'] = [ids[mask.tobytes()] for mask in masks_of(question)]
        by_sample.append(refs)
    annotations.append({**annotations[0], 'id': UNNAMED})
    images = [
        {
            'license': 1,
            'file_name': f'COCO_{folder}_{int(sample.image_id):012}.jpg',
            'height': sample.image.shape[0],
            'width': sample.image.shape[1],
            'id': int(sample.image_id),
        }
        for sample in samples
    ]
    instances = {
        'info': {},
        'licenses': [],
        'images': images,
        'annotations': annotations,
        'categories': [CATEGORY],
    }
    return _interleaved(by_sample), instances


def _reference(sample, question, split, ref_id):
    sentence = question.expression
    return {
        'ref_id': ref_id,
        'image_id': int(sample.image_id),
        'split': split,
        'sent_ids': [ref_id],
        'sentences': [
            {
                'tokens': sentence.split(),
                'raw': sentence.capitalize(),
                'sent': sentence,
                'sent_id': ref_id,
                'exist': question.target_mask is not None,
            }
        ],
        'file_name': f'COCO_train2014_{int(sample.image_id):012}_{ref_id}.jpg',
    }


def _annotation(sample, mask, id_):
    return {
        'segmentation': FORMS[id_ % len(FORMS)](mask),
        'area': int(mask.sum()),
        'iscrowd': 0,
        'image_id': int(sample.image_id),
        'bbox': _box(mask),
        'category_id': 47,
        'id': id_,
    }


def _task(sample, question, number):
    masks = masks_of(question)
    return {
        'task_id': f'{sample.image_id}__{number}',
        'image_id': int(sample.image_id),
        'ann_ids': [number],
        'instance_boxes': [_box(mask) for mask in masks],
        'Polygons': [pixel_polygons(mask) for mask in masks],
        'phrase': question.expression,
        'phrase_structure': {
            'name': 'cup',
            'attributes': [],
            'relation_ids': [],
            'relation_descriptions': [['on', 'table']],
            'type': ('name', 'attribute', 'relation', 'verbose')[number % 4],
        },
    }


def _box(mask):
    rows, columns = np.nonzero(mask)
    left, top = int(columns.min()), int(rows.min())
    return [left, top, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]


def _write_images(folder, samples, instances):
    """Write the images; PNG keeps them to the pixel, whatever their names say."""
    folder.mkdir(parents=True)
    for sample, record in zip(samples, instances['images'], strict=True):
        Image.fromarray(sample.image).save(folder / record['file_name'], format='PNG')
