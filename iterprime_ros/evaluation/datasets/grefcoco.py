"""gRefCOCO (Liu, Ding and Jiang, CVPR 2023): expressions about any number of COCO's objects."""

from pathlib import Path
from typing import Any

from iterprime_ros.evaluation.datasets.dataset import RecordedImages, chosen_split
from iterprime_ros.evaluation.datasets.object_sets import (
    NO_TARGET,
    ONE_TARGET,
    SEVERAL_TARGETS,
    ObjectSet,
    Picture,
    References,
    ids_of,
    load_object_sets,
    object_set,
)

NAME = 'grefcoco'
SPLITS = ('val', 'testA', 'testB', 'train')
_NOTHING = [-1]


def load_grefcoco(split: str | None, limit: int | None, root: Path) -> RecordedImages[Picture]:
    """Return the expressions of a split, in the layout of henghuiding/gRefCOCO.

    split: one of SPLITS; val by default.
    limit: number of images at most; all by default.
    root: folder that has grefcoco with grefs(unc).p or grefs(unc).json and instances.json, and
        images/train2014.

    Groups: 'one target', 'several targets' and 'no target'. Expressions are the `raw` texts, which
    henghuiding/ReLA evaluates.

    Raises InvalidSettingError for an unknown split or a limit below 1, and InvalidDatasetError for
    a file that is missing or damaged.
    """
    name = chosen_split(NAME, SPLITS, split)
    path = root / NAME / 'grefs(unc).p'  # grefer.py, too, prefers it
    if not path.exists():
        path = path.with_suffix('.json')
    return load_object_sets(References(NAME, path, _object_set), name, limit, root)


def _object_set(reference: Any) -> ObjectSet:
    ids = ids_of(reference)
    objects = [] if ids == _NOTHING else ids
    group = (NO_TARGET, ONE_TARGET, SEVERAL_TARGETS)[min(len(objects), 2)]
    return object_set(reference, group, objects)
