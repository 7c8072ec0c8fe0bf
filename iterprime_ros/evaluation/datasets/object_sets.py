"""Expressions about no, one or several objects of COCO: a list of references, and instances.json.

gRefCOCO and Ref-ZOM have their references in a form after that of lichengunc/refer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, TypeAdapter

from iterprime_ros.evaluation.datasets.coco_masks import decode_mask, require_pycocotools, union
from iterprime_ros.evaluation.datasets.dataset import (
    InvalidDatasetError,
    Question,
    RecordedImages,
    Sample,
    chosen_split,
)
from iterprime_ros.evaluation.datasets.files import (
    check_files,
    checksum,
    damaged,
    read_json,
    read_pickle,
    read_rgb,
    validated,
    where_to_find,
)
from iterprime_ros.evaluation.datasets.refcoco_layouts import ImageRecord
from iterprime_ros.evaluation.datasets.sources import SOURCES, first_layout
from iterprime_ros.language.command_parser import BareExpression

NO_TARGET, ONE_TARGET, SEVERAL_TARGETS = 'no target', 'one target', 'several targets'


class Sentence(BaseModel):
    """An expression as it was typed."""

    raw: str


class Reference(BaseModel):
    """Expressions, and the objects that they fit.

    image_id: of the image in instances.json.
    ann_id: of the annotations in instances.json; what stands for none depends on the data set.
    """

    split: str
    image_id: int
    ann_id: int | list[int]
    sentences: list[Sentence]

    @property
    def objects(self) -> list[int]:
        """Ids of the annotations in instances.json; empty where nothing fits."""
        return self.ann_id if isinstance(self.ann_id, list) else [self.ann_id]

    @property
    def group(self) -> str:
        """Group of the questions."""
        return (NO_TARGET, ONE_TARGET, SEVERAL_TARGETS)[min(len(self.objects), 2)]


class _Annotation(BaseModel):
    id: int
    image_id: int
    segmentation: list[Any] | dict[str, Any]
    iscrowd: bool = False


class _Instances(BaseModel):
    images: list[ImageRecord]
    annotations: list[_Annotation | None]


@dataclass(frozen=True)
class Picture:
    """An image with what is asked about it.

    path: of the image.
    record: of the image in instances.json.
    references: in the order of the file.
    segmentations: of the objects that are named, by id, as in instances.json.
    """

    path: Path
    record: ImageRecord
    references: Sequence[Reference]
    segmentations: Mapping[int, object]


def load_object_sets(
    name: str, schema: type[Reference], split: str | None, limit: int | None, root: Path
) -> RecordedImages[Picture]:
    """Return the images of a split, in the order in which the references name them first.

    name: of the data set in sources.SOURCES, which says where its files are.
    schema: of its references.
    split: one of its splits; the first one by default.
    limit: number of images at most; all by default.
    root: data root.

    Every sentence is a question. Expressions are the `raw` texts, as in the loaders of gRefCOCO's
    and Ref-ZOM's authors (henghuiding/ReLA, toggle1995/RIS-DMMI). Annotations of crowds are no
    targets: the first of these loaders leaves them out, the second cannot read any.

    Raises InvalidSettingError for an unknown split or without pycocotools, and InvalidDatasetError
    for files that are missing or damaged.
    """
    source = SOURCES[name]
    split = chosen_split(name, source.splits, split)
    require_pycocotools()
    layout = first_layout(source.layouts, split, root)
    if layout is None:
        names = ' nor '.join(str(root / each.patterns(split)[0]) for each in source.layouts)
        raise InvalidDatasetError(f'There is neither {names}: {where_to_find(name)}.')
    path, instances_path = (root / each for each in layout.patterns(split))
    by_image = _by_image(path, schema, split, limit, name)
    records, segmentations = _instances(instances_path, by_image, name)
    folders = [root / each for each in source.images]
    pictures = [
        Picture(
            _find(records[image_id].file_name, folders),
            records[image_id],
            references,
            {
                each: segmentations[each]
                for reference in references
                for each in reference.objects
                if each in segmentations
            },
        )
        for image_id, references in by_image.items()
    ]
    check_files([each.path for each in pictures], name)
    read_from = ', '.join(
        f'{each} (SHA-256 {checksum(each)[:12]})' for each in (path, instances_path)
    )
    return RecordedImages(
        split, read_from, pictures, partial(_sample, dataset=name, where=instances_path)
    )


def _by_image(
    path: Path, schema: type[Reference], split: str, limit: int | None, dataset: str
) -> dict[int, list[Reference]]:
    """Return the references of the first images of a split, by image."""
    content = (read_pickle if path.suffix == '.p' else read_json)(path, dataset)
    references: Sequence[Reference] = validated(
        TypeAdapter(list[schema]),  # type: ignore[valid-type]
        content,
        path,
        dataset,
    )
    by_image: dict[int, list[Reference]] = {}
    for each in references:
        if each.split == split and (each.image_id in by_image or len(by_image) != limit):
            by_image.setdefault(each.image_id, []).append(each)
    if not by_image:
        damaged(path, f'nothing of the split {split}', dataset)
    return by_image


def _instances(
    path: Path, by_image: Mapping[int, Sequence[Reference]], dataset: str
) -> tuple[dict[int, ImageRecord], dict[int, object]]:
    """Return the images, and the segmentations of the objects, that references name, by id."""
    wanted = {
        each: image_id
        for image_id, references in by_image.items()
        for reference in references
        for each in reference.objects
    }

    def keep(value: dict[str, Any]) -> dict[str, Any] | None:
        return value if 'segmentation' not in value or value.get('id') in wanted else None

    instances = validated(TypeAdapter(_Instances), read_json(path, dataset, keep), path, dataset)
    records = {each.id: each for each in instances.images if each.id in by_image}
    annotations = {each.id: each for each in instances.annotations if each}
    for image_id in by_image:
        if image_id not in records:
            damaged(path, f'no image {image_id}', dataset)
    for each, image_id in wanted.items():
        if each not in annotations or annotations[each].image_id != image_id:
            damaged(path, f'no annotation {each} of image {image_id}', dataset)
    return records, {
        each.id: each.segmentation for each in annotations.values() if not each.iscrowd
    }


def _find(file_name: str, folders: Sequence[Path]) -> Path:
    """Return an image in the first folder that has it, or where it should be."""
    # The folder of a name is not looked at: it may lead anywhere.
    name = Path(file_name).name
    paths = [folder / name for folder in folders]
    there = (path for path in paths if path.is_file())
    of_its_half = (path for path in paths if path.parent.name in name)  # COCO_val2014_...
    return next(chain(there, of_its_half, paths))


def _sample(picture: Picture, dataset: str, where: Path) -> Sample:
    size = picture.record.size
    pixels = read_rgb(picture.path, size, dataset)
    masks = {
        each: decode_mask(segmentation, size, f'{where}: annotation {each}')
        for each, segmentation in picture.segmentations.items()
    }
    questions = []
    for reference in picture.references:
        own = tuple(masks[each] for each in reference.objects if each in masks)
        nothing = None if reference.group == NO_TARGET else np.zeros(size, dtype=np.bool_)
        questions += [
            Question(
                command=BareExpression(sentence.raw),
                expression=sentence.raw,
                group=reference.group,
                target_mask=union(own) if own else nothing,
                target_masks=own if own[1:] else (),
            )
            for sentence in reference.sentences
        ]
    return Sample(str(picture.record.id), pixels, tuple(questions))
