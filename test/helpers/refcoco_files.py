"""Scenes with expressions, written as the files of the RefCOCO family are."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from PIL import Image

from helpers import python2_pickle
from helpers.coco_polygons import FORMS
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop


@dataclass(frozen=True)
class Said:
    """An object of a scene, (H, W) bool, and what is said about it."""

    mask: np.ndarray
    sentences: tuple[str, ...]
    split: str = 'val'


@dataclass(frozen=True)
class Scene:
    """An image (H, W, 3) uint8 with its objects."""

    image_id: int
    image: np.ndarray
    objects: tuple[Said, ...]

    @property
    def file_name(self):
        return f'COCO_train2014_{self.image_id:012}.jpg'


def tabletop_scenes(count, split='val', first_id=581719):
    """Return scenes of the tabletop; every object that one expression means is said once."""
    scenes = []
    for number, sample in enumerate(load_tabletop('held-out', count)):
        said = {}
        for question in sample.questions:
            if question.target_mask is not None and not question.target_masks:
                mask = question.target_mask
                said.setdefault(mask.tobytes(), (mask, []))[1].append(question.expression)
        objects = tuple(Said(mask, tuple(texts), split) for mask, texts in said.values())
        scenes.append(Scene(first_id + number, sample.image, objects))
    return scenes


def write_images(folder, scenes, image_format='PNG'):
    """Write the images; PNG keeps them to the pixel, whatever their names say."""
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        Image.fromarray(scene.image).save(folder / scene.file_name, format=image_format)


def write_refer(root, scenes, folder='refcoco', split_by='unc'):
    """Write refs(SPLIT_BY).p and instances.json of refer.py, with an annotation nobody names."""
    refs, annotations = [], []
    for ref in _refs(scenes):
        annotations.append(ref.pop('annotation'))
        ref.pop('image')
        refs.append(ref)
    annotations.append({**annotations[0], 'id': 1})
    instances = {
        'info': {'description': 'a fixture'},
        'licenses': [],
        'images': [_image_record(each) for each in scenes],
        'annotations': annotations,
        'categories': [{'supercategory': 'kitchen', 'id': 47, 'name': 'cup'}],
    }
    at = Path(root, folder)
    at.mkdir(parents=True, exist_ok=True)
    (at / f'refs({split_by}).p').write_bytes(python2_pickle.dumps(refs))
    (at / 'instances.json').write_text(json.dumps(instances))


def write_captions(root, scenes, folder='refcoco', below='coco'):
    """Write instances_FOLDER_SPLIT.json of every split, as ReferFormer's converter does."""
    at = Path(root, below, folder)
    at.mkdir(parents=True, exist_ok=True)
    for split, refs in _by_split(scenes).items():
        images, annotations = [], []
        for ref in refs:
            for sentence in ref['sentences']:
                number = len(images) + 1
                image, annotation = ref['image'], ref['annotation']
                kept = {key: image[key] for key in ('file_name', 'height', 'width')}
                names = {'original_id': image['id'], 'id': number, 'dataset_name': folder}
                images.append({**kept, **names, 'caption': sentence['sent']})
                original = {'original_id': annotation['id'], 'id': number, 'image_id': number}
                annotations.append({**annotation, **original})
        content = {'info': '', 'licenses': '', 'images': images, 'annotations': annotations}
        content['categories'] = []
        (at / f'instances_{folder}_{split}.json').write_text(json.dumps(content))


def write_parquet(root, scenes, name='refcoco', parts=1):
    """Write the parquet files of every split, as on the hub."""
    at = Path(root, 'jxu124', name, 'data')
    at.mkdir(parents=True, exist_ok=True)
    for split, refs in _by_split(scenes).items():
        split_name = {'val': 'validation', 'testA': 'test'}.get(split, split)
        for part, some in enumerate(np.array_split(np.arange(len(refs)), parts)):
            table = pa.Table.from_pylist([_row(refs[number]) for number in some])
            file_name = f'{split_name}-{part:05}-of-{parts:05}-0123456789abcdef.parquet'
            pyarrow.parquet.write_table(table, at / file_name)


def _image_record(scene):
    height, width = scene.image.shape[:2]
    return {
        'license': 1,
        'file_name': scene.file_name,
        'coco_url': f'http://mscoco.org/images/{scene.image_id}',
        'height': height,
        'width': width,
        'id': scene.image_id,
    }


def _refs(scenes):
    """Yield the refs of refer.py, each with its annotation and its image.

    Like in the original files the refs of an image do not follow each other: first come the first
    objects of all scenes. The forms of the masks take turns.
    """
    said = [(number, scene, each) for scene in scenes for number, each in enumerate(scene.objects)]
    sentence_id = 0
    for ref_id, (_, scene, each) in enumerate(sorted(said, key=lambda item: item[0])):
        annotation_id = 1000 + ref_id
        sentences = [
            {
                'tokens': sentence.split(),
                'raw': sentence.capitalize(),
                'sent_id': sentence_id + number,
                'sent': sentence,
            }
            for number, sentence in enumerate(each.sentences)
        ]
        sentence_id += len(sentences)
        rows, columns = np.nonzero(each.mask)
        left, top = int(columns.min()), int(rows.min())
        box = [left, top, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
        yield {
            'sent_ids': [sentence['sent_id'] for sentence in sentences],
            'file_name': scene.file_name.replace('.jpg', f'_{annotation_id}.jpg'),
            'ann_id': annotation_id,
            'ref_id': ref_id,
            'image_id': scene.image_id,
            'split': each.split,
            'sentences': sentences,
            'category_id': 47,
            'annotation': {
                'segmentation': FORMS[ref_id % len(FORMS)](each.mask),
                'area': int(each.mask.sum()),
                'iscrowd': 0,
                'image_id': scene.image_id,
                'bbox': box,
                'category_id': 47,
                'id': annotation_id,
            },
            'image': _image_record(scene),
        }


def _by_split(scenes):
    refs = list(_refs(scenes))
    return {
        split: [ref for ref in refs if ref['split'] == split]
        for split in dict.fromkeys(ref['split'] for ref in refs)
    }


def _row(ref):
    annotation, image = ref['annotation'], ref['image']
    x, y, width, height = annotation['bbox']
    columns = {key: each for key, each in ref.items() if key not in ('annotation', 'image')}
    return {
        **columns,
        'raw_anns': json.dumps(annotation),
        'raw_image_info': json.dumps(image),
        'raw_sentences': json.dumps(ref['sentences']),
        'image_path': f'coco/train2014/{image["file_name"]}',
        'bbox': [float(x), float(y), float(x + width), float(y + height)],
        'captions': [each['raw'] for each in ref['sentences']],
        'global_image_id': f'coco.{image["id"]}',
        'anns_id': f'coco.{annotation["id"]}',
    }
