"""PhraseCut (Wu et al., CVPR 2020): phrases about one or many regions of Visual Genome's images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydantic import BaseModel, ConfigDict, PositiveInt, TypeAdapter

from iterprime_ros.evaluation.coco_nouns import CATEGORIES
from iterprime_ros.evaluation.datasets.coco_masks import union
from iterprime_ros.evaluation.datasets.dataset import (
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
    read_rgb,
    validated,
)
from iterprime_ros.evaluation.datasets.sources import SOURCES, found
from iterprime_ros.language.command_parser import BareExpression

NAME = 'phrasecut'
# Coordinates beyond it are damage: Visual Genome's images have fewer pixels a side.
MAX_COORDINATE = 2**15

Polygons = Sequence[NDArray[np.int32]]  # (P, 2) each, x and y in pixels


class _Structure(BaseModel):
    name: str
    type: str


class _Phrase(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    image_id: int
    phrase: str
    phrase_structure: _Structure
    Polygons: list[list[np.ndarray[Any, Any]]]


class _Size(BaseModel):
    image_id: int
    height: PositiveInt
    width: PositiveInt


@dataclass(frozen=True)
class _Picture:
    image_id: int
    path: Path
    size: tuple[int, int]
    phrases: Sequence[_Phrase]


def load_phrasecut(
    split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedImages[_Picture]:
    """Return the images of a split, in the layout of ChenyunWu/PhraseCutDataset.

    split: test by default, val, miniv or train. The 100 images of miniv are not in val.
    limit: number of images at most; all by default.
    root: data root.

    A phrase is expression and command at once. Groups: 'one target' and 'several targets'. The
    tag 'phrase type' says what tells the target apart from Visual Genome's other boxes: its
    'name', an 'attribute', a 'relation', or nothing ('verbose').

    Raises InvalidSettingError for an unknown split, and InvalidDatasetError for files that are
    missing or damaged.
    """
    source = SOURCES[NAME]
    split = chosen_split(NAME, source.splits, split)
    path, sizes_path = (
        (found(each, root) or [root / each])[0] for each in source.layouts[0].patterns(split)
    )
    by_image: dict[int, list[_Phrase]] = {}
    content = read_json(path, NAME, _with_arrays)
    for each in validated(TypeAdapter(list[_Phrase]), content, path, NAME):
        if each.image_id in by_image or len(by_image) != limit:
            by_image.setdefault(each.image_id, []).append(each)
    if not by_image:
        damaged(path, 'no phrases', NAME)
    sizes = _sizes(sizes_path, by_image)
    pictures = [
        _Picture(image_id, root / source.images[0] / f'{image_id}.jpg', sizes[image_id], phrases)
        for image_id, phrases in by_image.items()
    ]
    check_files([each.path for each in pictures], NAME)
    read_from = f'{path} (SHA-256 {checksum(path)[:12]})'
    return RecordedImages(split, read_from, pictures, _sample)


def draw_polygons(polygons: Polygons, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the union (H, W) bool of polygons as PhraseCut's own evaluation draws them.

    polygons: (P, 2) int32 each, x and y of pixels, (0, 0) the first one. Their outlines belong to
        them; one of two points is a line, one of fewer is nothing.
    size: rows and columns.

    COCO's masks of the same polygons are smaller by about half a pixel all round, as their points
    are corners of pixels. Source: ChenyunWu/PhraseCutDataset:utils/data_transfer.py
    (polygons_to_mask).
    """
    image = Image.new('L', (size[1], size[0]))
    draw = ImageDraw.Draw(image)
    for polygon in polygons:
        if len(polygon) >= 2:
            draw.polygon(polygon.ravel().tolist(), fill=1, outline=1)
    return np.asarray(image) > 0


def _with_arrays(value: dict[str, Any]) -> dict[str, Any]:
    """Return a phrase with its polygons as arrays, which take a twentieth of the memory."""
    if 'Polygons' in value:
        value['Polygons'] = [[_points(each) for each in polygons] for polygons in value['Polygons']]
    return value


def _points(polygon: Any) -> NDArray[np.int32]:
    points = np.array(polygon, dtype=np.float64).reshape(len(polygon), 2)
    if not (np.abs(points) <= MAX_COORDINATE).all():  # nor is NaN
        raise ValueError('a polygon far outside its image')
    return points.astype(np.int32)  # towards zero, as its own evaluation does


def _sizes(path: Path, image_ids: Any) -> dict[int, tuple[int, int]]:
    """Return rows and columns of images by their ids."""
    records = validated(TypeAdapter(list[_Size]), read_json(path, NAME), path, NAME)
    sizes = {each.image_id: (each.height, each.width) for each in records}
    for image_id in image_ids:
        if image_id not in sizes:
            damaged(path, f'no image {image_id}', NAME)
    return sizes


def _sample(picture: _Picture) -> Sample:
    return Sample(
        str(picture.image_id),
        read_rgb(picture.path, picture.size, NAME),
        tuple(_question(each, picture.size) for each in picture.phrases),
    )


def _question(phrase: _Phrase, size: tuple[int, int]) -> Question:
    masks = tuple(draw_polygons(polygons, size) for polygons in phrase.Polygons)
    return Question(
        command=BareExpression(phrase.phrase),
        expression=phrase.phrase,
        group='several targets' if masks[1:] else 'one target',
        target_mask=union(masks) if masks else np.zeros(size, dtype=np.bool_),
        tags={
            'phrase type': phrase.phrase_structure.type,
            # GL-CLIP's subset "unseen" has the names that are none of COCO's.
            'name in COCO': 'yes' if phrase.phrase_structure.name in CATEGORIES else 'no',
        },
        target_masks=masks if masks[1:] else (),
    )
