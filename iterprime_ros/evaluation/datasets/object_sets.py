"""Expressions about no, one or several objects of COCO: a list of references, and instances.json.

gRefCOCO and Ref-ZOM have their references in a form after that of lichengunc/refer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from iterprime_ros.evaluation.datasets.coco_masks import decode_mask, union
from iterprime_ros.evaluation.datasets.dataset import Question, RecordedImages, Sample
from iterprime_ros.evaluation.datasets.files import (
    check_files,
    damaged,
    read_json,
    read_pickle,
    read_rgb,
)
from iterprime_ros.evaluation.datasets.records import check_limit, identity, reason, text

NO_TARGET, ONE_TARGET, SEVERAL_TARGETS = 'no target', 'one target', 'several targets'

# Where the loaders of gRefCOCO, Ref-ZOM and refer.py look for COCO's images of 2014.
IMAGE_FOLDERS = (
    Path('images', 'train2014'),
    Path('images', 'val2014'),
    Path('images', 'trainval2014'),
    Path('images', 'mscoco', 'images', 'train2014'),
)


@dataclass(frozen=True)
class ObjectSet:
    """The objects that some expressions fit.

    split: what the file says of it.
    image_id: of the image in instances.json.
    group: of the questions.
    objects: ids of annotations in instances.json; empty where nothing fits.
    expressions: as they were typed.
    """

    split: str
    image_id: int
    group: str
    objects: tuple[int, ...]
    expressions: tuple[str, ...]


@dataclass(frozen=True)
class References:
    """A file of references, which lies beside instances.json.

    dataset: name of the data set.
    path: JSON (.json) or a pickle (.p).
    read: makes the object set of a reference, and raises KeyError, TypeError or ValueError for a
        damaged one.
    """

    dataset: str
    path: Path
    read: Callable[[Any], ObjectSet]


@dataclass(frozen=True)
class Picture:
    """An image with what is asked about it.

    image_id: as in instances.json.
    path: of the image.
    size: rows and columns.
    object_sets: in the order of the file; each has at least one expression.
    segmentations: of the annotations that they name, by id, as in instances.json.
    """

    image_id: int
    path: Path
    size: tuple[int, int]
    object_sets: list[ObjectSet]
    segmentations: Mapping[int, Any]


def load_object_sets(
    references: References, split: str, limit: int | None, root: Path
) -> RecordedImages[Picture]:
    """Return the images of a split, in the order in which the references name them.

    split: only references of it are used.
    limit: number of images at most; None for all.
    root: folder that has one of IMAGE_FOLDERS.

    Annotations of crowds are no targets: the authors' loaders leave them out (gRefCOCO) or cannot
    read them (Ref-ZOM).

    Raises InvalidSettingError for a limit below 1, and InvalidDatasetError for a file that is
    missing or damaged.
    """
    check_limit(references.dataset, limit)
    chosen = _of_split(references, split, limit)
    pictures = _pictures(references, chosen, root)
    check_files([picture.path for picture in pictures], references.dataset)
    where = references.path.with_name('instances.json')
    return RecordedImages(
        split,
        f'{references.path}, split {split}',
        pictures,
        partial(_sample, dataset=references.dataset, where=where),
    )


def object_set(reference: Any, group: str, objects: list[Any]) -> ObjectSet:
    """Return the object set of a reference; raise KeyError or TypeError for a damaged one.

    The expressions are the texts as they were typed, `raw`: those that the authors' loaders of
    gRefCOCO (henghuiding/ReLA) and of Ref-ZOM (toggle1995/RIS-DMMI) evaluate.
    """
    return ObjectSet(
        text(reference['split']),
        identity(reference['image_id']),
        group,
        tuple(map(identity, objects)),
        tuple(text(sentence['raw']) for sentence in reference['sentences']),
    )


def ids_of(reference: Any) -> list[Any]:
    """Return the ids of the annotations of a reference, which may be a list or a single one."""
    ids = reference['ann_id']
    return ids if isinstance(ids, list) else [ids]


def _of_split(references: References, split: str, limit: int | None) -> dict[int, list[ObjectSet]]:
    """Return the object sets of every image of a split."""
    path, dataset = references.path, references.dataset
    content = (read_pickle if path.suffix == '.p' else read_json)(path, dataset)
    if not isinstance(content, list):
        damaged(path, 'no list of references', dataset)
    by_image: dict[int, list[ObjectSet]] = {}
    for number, reference in enumerate(content):
        try:
            objects = references.read(reference)
        except (KeyError, TypeError, ValueError) as error:
            damaged(path, f'reference {number}: {reason(error)}', dataset)
        if objects.split == split and (objects.image_id in by_image or len(by_image) != limit):
            by_image.setdefault(objects.image_id, []).append(objects)
    if not by_image:
        damaged(path, f'no reference of the split {split}', dataset)
    return by_image


def _pictures(
    references: References, chosen: Mapping[int, list[ObjectSet]], root: Path
) -> list[Picture]:
    """Return the images with what instances.json says of them and of their objects."""
    path, dataset = references.path.with_name('instances.json'), references.dataset
    wanted = {
        (id_, image_id)
        for image_id, object_sets in chosen.items()
        for objects in object_sets
        for id_ in objects.objects
    }
    instances = read_json(path, dataset)
    try:
        images = {each['id']: each for each in instances['images'] if each['id'] in chosen}
        annotations = {
            each['id']: each
            for each in instances['annotations']
            if (each['id'], each['image_id']) in wanted
        }
        names = {id_: str(each['file_name']) for id_, each in images.items()}
        sizes = {id_: (int(each['height']), int(each['width'])) for id_, each in images.items()}
        segmentations = {
            id_: each['segmentation']
            for id_, each in annotations.items()
            if not each.get('iscrowd')
        }
    except (KeyError, TypeError, ValueError) as error:
        damaged(path, reason(error), dataset)
    for image_id in chosen:
        if image_id not in names:
            damaged(path, f'no image {image_id}, which {references.path.name} names', dataset)
    for id_, image_id in sorted(wanted):
        if id_ not in annotations:
            damaged(
                path,
                f'no annotation {id_} of image {image_id}, which {references.path.name} names',
                dataset,
            )
    folders = [root / folder for folder in IMAGE_FOLDERS]
    return [
        Picture(
            image_id,
            _find(names[image_id], folders),
            sizes[image_id],
            object_sets,
            {
                id_: segmentations[id_]
                for objects in object_sets
                for id_ in objects.objects
                if id_ in segmentations
            },
        )
        for image_id, object_sets in chosen.items()
    ]


def _find(name: str, folders: list[Path]) -> Path:
    """Return an image in the first folder that has it, or where it should be."""
    paths = [folder / name for folder in folders]
    return next((path for path in paths if path.is_file()), paths[0])


def _sample(picture: Picture, dataset: str, where: Path) -> Sample:
    questions = tuple(
        question
        for objects in picture.object_sets
        for question in _questions(objects, picture, where)
    )
    return Sample(str(picture.image_id), read_rgb(picture.path, picture.size, dataset), questions)


def _questions(objects: ObjectSet, picture: Picture, where: Path) -> list[Question]:
    masks = tuple(
        decode_mask(picture.segmentations[id_], picture.size, f'Annotation {id_} of {where}')
        for id_ in objects.objects
        if id_ in picture.segmentations
    )
    target = None
    if objects.group != NO_TARGET:
        target = union(masks) if masks else np.zeros(picture.size, dtype=np.bool_)
    return [
        Question(
            command=expression,
            expression=expression,
            group=objects.group,
            target_mask=target,
            target_masks=masks if masks[1:] else (),
        )
        for expression in objects.expressions
    ]
