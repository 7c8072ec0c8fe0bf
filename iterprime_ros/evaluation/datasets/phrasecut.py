"""PhraseCut (Wu et al., CVPR 2020): phrases about one or many regions of Visual Genome's images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from iterprime_ros.evaluation.datasets.coco_masks import MAX_SIDES, union
from iterprime_ros.evaluation.datasets.dataset import (
    Question,
    RecordedImages,
    Sample,
    chosen_split,
)
from iterprime_ros.evaluation.datasets.files import check_files, damaged, read_json, read_rgb
from iterprime_ros.evaluation.datasets.records import check_limit, identity, reason, text

NAME = 'phrasecut'
FOLDER = 'VGPhraseCut_v0'
# ChenyunWu/PhraseCutDataset: README.md names the first, download_dataset.py writes the second.
SIZES = ('image_data_split3000.json', 'image_data_split.json')
# Its files of val do not have the 100 images of miniv; 'val_miniv' is its name for both.
SPLITS = {
    'test': ('test',),
    'val': ('val',),
    'miniv': ('miniv',),
    'val_miniv': ('val', 'miniv'),
    'train': ('train',),
}

Polygons = Sequence[NDArray[np.int32]]  # (P, 2) each, x and y


@dataclass(frozen=True)
class _Phrase:
    text: str
    kind: str
    instances: tuple[Polygons, ...]


@dataclass(frozen=True)
class _Picture:
    image_id: str
    path: Path
    size: tuple[int, int]
    phrases: list[_Phrase]


def load_phrasecut(split: str | None, limit: int | None, root: Path) -> RecordedImages[_Picture]:
    """Return the phrases of a split, in the layout of ChenyunWu/PhraseCutDataset.

    split: a key of SPLITS; test by default.
    limit: number of images at most; all by default.
    root: folder that has VGPhraseCut_v0 with refer_SPLIT.json, image_data_split3000.json and
        images/ID.jpg.

    A phrase is expression and command at once. Groups: 'one target' and 'several targets'. The
    tag 'phrase type' says what tells the target apart from all of Visual Genome's boxes: its
    'name', an 'attribute', a 'relation', or nothing ('verbose').

    Raises InvalidSettingError for an unknown split or a limit below 1, and InvalidDatasetError for
    a file that is missing or damaged.
    """
    name = chosen_split(NAME, tuple(SPLITS), split)
    check_limit(NAME, limit)
    folder = root / FOLDER
    files = [folder / f'refer_{part}.json' for part in SPLITS[name]]
    sizes_file = next(
        (folder / each for each in SIZES if (folder / each).exists()), folder / SIZES[0]
    )
    sizes = _sizes(sizes_file)
    pictures: dict[int, _Picture] = {}
    for file in files:
        for number, task in enumerate(_list(file)):
            try:
                _add(task, pictures, sizes, folder, limit)
            except (KeyError, TypeError, ValueError) as error:
                damaged(file, f'phrase {number}: {reason(error)}', NAME)
    check_files([picture.path for picture in pictures.values()], NAME)
    return RecordedImages(
        name, f'PhraseCut {name}: {", ".join(map(str, files))}', list(pictures.values()), _sample
    )


def polygons_mask(polygons: Polygons, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the union (H, W) bool of polygons as PhraseCut's own evaluation draws them.

    polygons: (P, 2) int32 each, x and y of pixels. Their outlines belong to them; one of two
        points is a line, one of fewer is nothing.
    size: rows and columns.

    COCO's rasterising gives smaller masks, as it takes points for corners of pixels. Source:
    ChenyunWu/PhraseCutDataset:utils/data_transfer.py (polygons_to_mask).
    """
    image = Image.new('L', (size[1], size[0]))
    draw = ImageDraw.Draw(image)
    for polygon in polygons:
        if len(polygon) >= 2:
            draw.polygon(polygon.ravel().tolist(), fill=1, outline=1)
    return np.asarray(image) > 0


def _list(path: Path) -> list[Any]:
    content = read_json(path, NAME)
    if not isinstance(content, list):
        damaged(path, 'no list', NAME)
    return content


def _sizes(path: Path) -> dict[int, tuple[int, int]]:
    """Return rows and columns of every image by its id."""
    try:
        return {each['image_id']: (int(each['height']), int(each['width'])) for each in _list(path)}
    except (KeyError, TypeError, ValueError) as error:
        damaged(path, reason(error), NAME)


def _add(
    task: dict[str, Any],
    pictures: dict[int, _Picture],
    sizes: dict[int, tuple[int, int]],
    folder: Path,
    limit: int | None,
) -> None:
    """Add a phrase to its picture, unless the picture is one beyond the limit.

    Raises KeyError, TypeError or ValueError for a task of another form.
    """
    image_id = identity(task['image_id'])
    if image_id not in pictures:
        if len(pictures) == limit:
            return
        if image_id not in sizes:
            raise ValueError(f'image {image_id} is not in {SIZES[0]}')
        path = folder / 'images' / f'{image_id}.jpg'
        pictures[image_id] = _Picture(str(image_id), path, sizes[image_id], [])
    picture = pictures[image_id]
    picture.phrases.append(
        _Phrase(
            text(task['phrase']),
            text(task['phrase_structure']['type']),
            tuple(_polygons(instance, picture.size) for instance in task['Polygons']),
        )
    )


def _polygons(instance: Iterable[Any], size: tuple[int, int]) -> Polygons:
    polygons = []
    for polygon in instance:
        points = np.array(polygon, dtype=np.float64).reshape(len(polygon), 2)
        if not (np.abs(points) <= MAX_SIDES * max(size)).all():  # nor is NaN
            raise ValueError('a polygon far outside its image')
        polygons.append(points.astype(np.int32))  # towards zero, as its own evaluation does
    return polygons


def _sample(picture: _Picture) -> Sample:
    return Sample(
        picture.image_id,
        read_rgb(picture.path, picture.size, NAME),
        tuple(_question(phrase, picture.size) for phrase in picture.phrases),
    )


def _question(phrase: _Phrase, size: tuple[int, int]) -> Question:
    masks = tuple(polygons_mask(polygons, size) for polygons in phrase.instances)
    return Question(
        command=phrase.text,
        expression=phrase.text,
        group='several targets' if masks[1:] else 'one target',
        target_mask=union(masks) if masks else np.zeros(size, dtype=np.bool_),
        tags={'phrase type': phrase.kind},
        target_masks=masks if masks[1:] else (),
    )
