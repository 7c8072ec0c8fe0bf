"""RefCOCO, RefCOCO+ (Yu et al., ECCV 2016) and RefCOCOg (Mao et al., CVPR 2016)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.coco_masks import decode_mask, require_pycocotools
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
    read_rgb,
    where_to_find,
)
from iterprime_ros.evaluation.datasets.refcoco_layouts import READERS, Referral
from iterprime_ros.evaluation.datasets.sources import (
    SOURCES,
    Layout,
    Source,
    first_layout,
    found,
)
from iterprime_ros.language.command_parser import BareExpression


@dataclass(frozen=True)
class RecordedImage:
    """An image that is not read yet, with what is said about it.

    path: of the image.
    size: rows and columns.
    referrals: objects with their sentences, in the order of the files.
    """

    path: Path
    size: tuple[int, int]
    referrals: tuple[Referral, ...]


def load_referrals(
    name: str, split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedImages[RecordedImage]:
    """Return the images of a split in the order in which the annotations name them first.

    name: 'refcoco', 'refcoco+', 'refcocog-umd' or 'refcocog-google'.
    split: one of the splits that sources.SOURCES names; the first one by default.
    limit: number of images at most; all by default.
    root: data root. The layouts that sources.SOURCES names are looked for below it in their order,
        and the first one that is there is read.

    Every sentence about an object is a question, in its form without capitals and punctuation
    (`sent`), and names exactly one object. A mask is the union of the polygons of its object.
    Zero-shot-RIS (GL-CLIP) and LAVT leave out the pixels that two polygons of an object share, as
    refer.py's getMask counts polygons and they take the pixels that count 1.

    Raises InvalidSettingError for an unknown split, a limit below 1, or without the packages that
    the files need, and InvalidDatasetError for files that are missing or damaged.
    """
    source = SOURCES[name]
    split = chosen_split(name, source.splits, split)
    if limit is not None and limit < 1:
        raise InvalidSettingError(f'The limit must be at least 1, not {limit}.')
    require_pycocotools()
    layout = first_layout(source.layouts, split, root)
    if layout is None:
        raise InvalidDatasetError(_nothing_there(name, source, split, root))
    files = [found(each, root) or [root / each] for each in layout.patterns(split)]
    paths = [path for alternatives in files for path in alternatives]
    referrals = READERS[layout.name](paths, split, name, limit)
    if not referrals:
        raise InvalidDatasetError(
            f'{paths[0]} has nothing of the split {split}: {where_to_find(name)}.'
        )
    folder = _image_folder(name, source, root)
    images = _by_image(referrals, folder)
    check_files([each.path for each in images], name)
    return RecordedImages(
        split, _provenance(layout, paths, folder), images, partial(_sample, dataset=name)
    )


load_refcoco = partial(load_referrals, 'refcoco')
load_refcoco_plus = partial(load_referrals, 'refcoco+')
load_refcocog_umd = partial(load_referrals, 'refcocog-umd')
load_refcocog_google = partial(load_referrals, 'refcocog-google')


def _nothing_there(name: str, source: Source, split: str, root: Path) -> str:
    first, *others = (str(root / each.patterns(split)[0]) for each in source.layouts)
    instead = f', nor {" nor ".join(others)} in its place' if others else ''
    return f'Cannot read {first} (no such file{instead}): {where_to_find(name)}.'


def _image_folder(name: str, source: Source, root: Path) -> Path:
    folders = [root / each for each in source.images]
    folder = next((each for each in folders if each.is_dir()), None)
    if folder is None:
        raise InvalidDatasetError(
            f'Cannot read {folders[0]} (no such folder, nor '
            f'{" nor ".join(map(str, folders[1:]))} in its place): {where_to_find(name)}.'
        )
    return folder


def _by_image(referrals: Iterable[Referral], folder: Path) -> list[RecordedImage]:
    by_image: dict[int, list[Referral]] = {}
    for each in referrals:
        by_image.setdefault(each.image.id, []).append(each)
    return [
        # The folder of a name is not looked at: it may lead anywhere.
        RecordedImage(
            folder / Path(group[0].image.file_name).name, group[0].image.size, tuple(group)
        )
        for group in by_image.values()
    ]


def _provenance(layout: Layout, paths: list[Path], folder: Path) -> str:
    files = ', '.join(f'{path} (SHA-256 {checksum(path)[:12]})' for path in paths)
    return (
        f'{layout.name}: {files}; images of {folder}; a mask is the union of the polygons of its '
        'object, overlaps included'
    )


def _sample(image: RecordedImage, dataset: str) -> Sample:
    pixels = read_rgb(image.path, image.size, dataset)
    by_annotation = {each.annotation_id: each for each in image.referrals}
    masks = {
        number: decode_mask(each.segmentation, image.size, each.where)
        for number, each in by_annotation.items()
    }
    questions = tuple(
        Question(
            command=BareExpression(sentence),
            expression=sentence,
            group='all',
            target_mask=masks[each.annotation_id],
        )
        for each in image.referrals
        for sentence in each.sentences
    )
    return Sample(str(image.referrals[0].image.id), pixels, questions)
