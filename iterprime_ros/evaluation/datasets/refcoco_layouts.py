"""The three forms in which the annotations of RefCOCO, RefCOCO+ and RefCOCOg are found."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Json, PositiveInt, TypeAdapter

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.files import damaged, read_json, read_pickle, validated


class ImageRecord(BaseModel):
    """An image in COCO's annotations: its file and size in pixels."""

    id: int
    file_name: str
    height: PositiveInt
    width: PositiveInt

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width


@dataclass(frozen=True)
class Referral:
    """An object of an image, and sentences that single it out.

    annotation_id: of the object.
    segmentation: its mask as coco_masks.decode_mask takes it.
    where: file and annotation, for error messages.
    """

    image: ImageRecord
    annotation_id: int
    segmentation: object
    where: str
    sentences: tuple[str, ...]


class _Sentence(BaseModel):
    sent: str


class _Reference(BaseModel):
    image_id: int
    ann_id: int
    split: str
    sentences: list[_Sentence]


class _Annotation(BaseModel):
    id: int
    segmentation: list[Any] | dict[str, Any]


class _Instances(BaseModel):
    images: list[ImageRecord]
    annotations: list[_Annotation | None]


class _CaptionedImage(ImageRecord):
    original_id: int
    caption: str


class _CaptionAnnotation(BaseModel):
    image_id: int
    original_id: int
    segmentation: list[Any] | dict[str, Any]


class _Captions(BaseModel):
    images: list[_CaptionedImage]
    annotations: list[_CaptionAnnotation]


class _Row(BaseModel):
    ann_id: int
    sentences: list[_Sentence]
    raw_anns: Json[_Annotation]
    raw_image_info: Json[ImageRecord]


def read_refer(
    paths: Sequence[Path], split: str, dataset: str, limit: int | None
) -> list[Referral]:
    """Return what a split of refer.py's files has to say about the first images.

    paths: refs(WHOSE).p and instances.json.
    limit: number of images at most.

    Of the other annotations of instances.json nothing is kept in memory, as it has hundreds of
    megabytes. Source: lichengunc/refer:refer.py.

    Raises InvalidDatasetError for files that are missing or damaged.
    """
    refs_path, instances_path = paths
    content = validated(
        TypeAdapter(list[_Reference]), read_pickle(refs_path, dataset), refs_path, dataset
    )
    of_split = (each for each in content if each.split == split)
    references = _of_first_images(of_split, lambda each: each.image_id, limit)
    wanted = {each.ann_id for each in references}

    def keep(value: dict[str, Any]) -> dict[str, Any] | None:
        return value if 'segmentation' not in value or value.get('id') in wanted else None

    instances = validated(
        TypeAdapter(_Instances), read_json(instances_path, dataset, keep), instances_path, dataset
    )
    images = {each.id: each for each in instances.images}
    annotations = {each.id: each for each in instances.annotations if each}
    for each in references:
        if each.image_id not in images:
            damaged(instances_path, f'no image {each.image_id}', dataset)
        if each.ann_id not in annotations:
            damaged(instances_path, f'no annotation {each.ann_id}', dataset)
    return [
        Referral(
            images[each.image_id],
            each.ann_id,
            annotations[each.ann_id].segmentation,
            f'{instances_path}: annotation {each.ann_id}',
            tuple(sentence.sent for sentence in each.sentences),
        )
        for each in references
    ]


def read_captions(
    paths: Sequence[Path], _split: str, dataset: str, limit: int | None
) -> list[Referral]:
    """Return what ReferFormer's JSON of a split has to say about the first images.

    paths: instances_DATASET_SPLIT.json, where every sentence has an image of its own with one
        annotation.
    limit: number of images at most.

    Source: wjn922/ReferFormer:tools/data/convert_refexp_to_coco.py.

    Raises InvalidDatasetError for a file that is missing or damaged.
    """
    (path,) = paths
    content = validated(TypeAdapter(_Captions), read_json(path, dataset), path, dataset)
    captions = _of_first_images(content.images, lambda each: each.original_id, limit)
    annotations = {each.image_id: each for each in content.annotations}
    for each in captions:
        if each.id not in annotations:
            damaged(path, f'no annotation of image {each.id}', dataset)
    return [
        Referral(
            each.model_copy(update={'id': each.original_id}),
            annotations[each.id].original_id,
            annotations[each.id].segmentation,
            f'{path}: annotation of image {each.id}',
            (each.caption,),
        )
        for each in captions
    ]


def read_parquet(
    paths: Sequence[Path], _split: str, dataset: str, limit: int | None
) -> list[Referral]:
    """Return what the hub's parquet of a split has to say about the first images.

    paths: SPLIT-00000-of-00001-HASH.parquet, or all parts of a split in this order.
    limit: number of images at most.

    Source: the card of https://huggingface.co/datasets/jxu124/refcoco.

    Raises InvalidDatasetError for files that are missing or damaged, and InvalidSettingError
    without pyarrow.
    """
    _check_parts(paths, dataset)
    schema = TypeAdapter(_Row)
    rows = (
        (path, number, validated(schema, row, path, dataset))
        for path in paths
        for number, row in enumerate(_rows(path, dataset))
    )
    return [
        Referral(
            row.raw_image_info,
            row.ann_id,
            row.raw_anns.segmentation,
            f'{path}: row {number}',
            tuple(sentence.sent for sentence in row.sentences),
        )
        for path, number, row in _of_first_images(
            rows, lambda each: each[2].raw_image_info.id, limit
        )
    ]


# By the name of the layout in sources.SOURCES.
READERS: Mapping[str, Callable[[Sequence[Path], str, str, int | None], list[Referral]]] = {
    "refer.py's files": read_refer,
    "ReferFormer's JSON": read_captions,
    "the hub's parquet": read_parquet,
}


def _of_first_images(records: Any, image_of: Callable[[Any], int], limit: int | None) -> list[Any]:
    """Return the records of the first images, in their order."""
    images: set[int] = set()
    kept = []
    for each in records:
        if image_of(each) in images or len(images) != limit:
            images.add(image_of(each))
            kept.append(each)
    return kept


def _check_parts(paths: Sequence[Path], dataset: str) -> None:
    """Raise InvalidDatasetError unless each part is there once: a folder may have two versions."""
    parts = [re.search(r'-(\d+)-of-(\d+)', path.name) for path in paths]
    numbers = [(int(part[1]), int(part[2])) if part else None for part in parts]
    if numbers != [(number, len(paths)) for number in range(len(paths))]:
        names = ', '.join(path.name for path in paths)
        damaged(paths[0].parent, f'parts that do not make one split: {names}', dataset)


def _rows(path: Path, dataset: str) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise InvalidSettingError(
            'Reading parquet files needs pyarrow: pip install iterprime_ros[evaluation].'
        ) from error
    columns = list(_Row.model_fields)
    try:
        with parquet.ParquetFile(path) as file:
            absent = [each for each in columns if each not in file.schema_arrow.names]
            if absent:
                damaged(path, f'no column {absent[0]}', dataset)
            for batch in file.iter_batches(columns=columns):
                yield from batch.to_pylist()
    except (ArrowException, OSError) as error:
        damaged(path, ' '.join(str(error).split()).rstrip('.'), dataset)
