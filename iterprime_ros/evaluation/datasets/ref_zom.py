"""Ref-ZOM (Hu et al., ICCV 2023): expressions about zero, one or many of COCO's objects."""

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

NAME = 'ref-zom'
SPLITS = ('test', 'train')
_GROUPS = {'zero': NO_TARGET, 'one': ONE_TARGET, 'many': SEVERAL_TARGETS}


def load_ref_zom(split: str | None, limit: int | None, root: Path) -> RecordedImages[Picture]:
    """Return the expressions of a split, in the layout of toggle1995/RIS-DMMI.

    split: one of SPLITS; test by default.
    limit: number of images at most; all by default.
    root: folder that has ref-zom with refs(final).p, or Ref-ZOM(final).p as it is downloaded, and
        instances.json, and images/train2014 and images/val2014, or both in images/trainval2014.

    Groups: 'one target', 'several targets' and 'no target', by the `source` of a reference.

    Raises InvalidSettingError for an unknown split or a limit below 1, and InvalidDatasetError for
    a file that is missing or damaged.
    """
    name = chosen_split(NAME, SPLITS, split)
    path, downloaded = (root / NAME / each for each in ('refs(final).p', 'Ref-ZOM(final).p'))
    if downloaded.exists() and not path.exists():
        path = downloaded
    return load_object_sets(References(NAME, path, _object_set), name, limit, root)


def _object_set(reference: Any) -> ObjectSet:
    source = reference['source']
    if source not in _GROUPS:
        raise ValueError(f'source {source!r}')
    # RIS-DMMI:refer/refer.py (getMask), too, ignores what a reference of source zero names.
    objects = [] if source == 'zero' else ids_of(reference)
    return object_set(reference, _GROUPS[source], objects)
