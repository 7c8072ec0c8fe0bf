"""Which data sets and baselines there are, by name.

A new one is a file with a loader and a line here; docs/extending.md says how. Modules are imported
when they are asked for.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from iterprime_ros.errors import InvalidSettingError

if TYPE_CHECKING:
    from iterprime_ros.evaluation.datasets.dataset import Dataset
    from iterprime_ros.evaluation.segmenter import Baseline
    from iterprime_ros.pipeline import IteRPrimE
    from iterprime_ros.weights import Placement

DATA_ROOT = 'data'
_DATA_VARIABLE = 'ITERPRIME_DATA'

# module:function, called as load(split, limit, root).
DATASETS: Mapping[str, str] = {
    'tabletop': 'iterprime_ros.evaluation.datasets.tabletop:load_tabletop',
    'tabletop-clutter': 'iterprime_ros.evaluation.datasets.tabletop:load_clutter',
    'tabletop-stacked': 'iterprime_ros.evaluation.datasets.tabletop:load_stacked',
    'tabletop-unseen': 'iterprime_ros.evaluation.datasets.tabletop:load_unseen',
    'refcoco': 'iterprime_ros.evaluation.datasets.refcoco:load_refcoco',
    'refcoco+': 'iterprime_ros.evaluation.datasets.refcoco:load_refcoco_plus',
    'refcocog-umd': 'iterprime_ros.evaluation.datasets.refcoco:load_refcocog_umd',
    'refcocog-google': 'iterprime_ros.evaluation.datasets.refcoco:load_refcocog_google',
    'phrasecut': 'iterprime_ros.evaluation.datasets.phrasecut:load_phrasecut',
    'grefcoco': 'iterprime_ros.evaluation.datasets.grefcoco:load_grefcoco',
    'ref-zom': 'iterprime_ros.evaluation.datasets.ref_zom:load_ref_zom',
}

# module:function, called as load(model, dataset, placement).
BASELINES: Mapping[str, str] = {
    'grad-cam': 'iterprime_ros.evaluation.baselines.grad_cam:load_grad_cam',
    'gl-clip': 'iterprime_ros.evaluation.baselines.gl_clip:load_gl_clip',
    'position': 'iterprime_ros.evaluation.baselines.position:load_position',
}


def default_data_root() -> Path:
    """Return the folder that data sets on disk lie below: $ITERPRIME_DATA, or else data."""
    return Path(os.environ.get(_DATA_VARIABLE) or DATA_ROOT)


def load_dataset(
    name: str, split: str | None = None, limit: int | None = None, root: str | Path = DATA_ROOT
) -> 'Dataset':
    """Return a data set.

    name: a key of DATASETS.
    split: a split of that data set; None for its default split.
    limit: number of images at most; None for the data set's default.
    root: folder that data sets on disk lie below.

    Raises InvalidSettingError for a name or a split that does not exist, or a limit out of range,
    and InvalidDatasetError for files that are missing or damaged.
    """
    dataset: Dataset = loader(DATASETS, 'data set', name)(split, limit, Path(root))
    return dataset


def load_baseline(
    name: str, model: 'IteRPrimE', dataset: str, placement: 'Placement'
) -> 'Baseline':
    """Return a baseline.

    name: a key of BASELINES.
    model: the model that is compared with it; the baseline may share its parts.
    dataset: a key of DATASETS, whose questions it answers.
    placement: where models of its own are loaded.

    Raises InvalidSettingError for a name that does not exist, and the errors of loading models.
    """
    baseline: Baseline = loader(BASELINES, 'baseline', name)(model, dataset, placement)
    return baseline


def loader(registry: Mapping[str, str], what: str, name: str) -> Any:
    """Return what a registry has under a name.

    what: that is, for the error message.

    Raises InvalidSettingError for a name that it does not have.
    """
    if name not in registry:
        raise InvalidSettingError(
            f'There is no {what} "{name}": name one of {", ".join(registry)}.'
        )
    return resolve_name(registry[name])
