"""Which data sets of clips and which baselines of following there are, by name.

As in registry.py, a new one is a file and a line here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.evaluation.registry import DATA_ROOT, loader

if TYPE_CHECKING:
    from iterprime_ros.evaluation.datasets.clips import ClipDataset
    from iterprime_ros.evaluation.followers import Follower
    from iterprime_ros.pipeline import IteRPrimE

# module:function, called as load(split, limit, root).
CLIP_DATASETS: Mapping[str, str] = {
    'clips': 'iterprime_ros.evaluation.datasets.moving_tabletop:load_clips',
    'ref-davis17': 'iterprime_ros.evaluation.datasets.ref_davis:load_ref_davis',
    'ref-youtube-vos': 'iterprime_ros.evaluation.datasets.ref_youtube_vos:load_ref_youtube_vos',
    'mevis': 'iterprime_ros.evaluation.datasets.mevis:load_mevis',
}

# module:function, called as load(model).
FOLLOWERS: Mapping[str, str] = {
    'every-frame': 'iterprime_ros.evaluation.followers:EveryFrame',
}


def load_clip_dataset(
    name: str, split: str | None = None, limit: int | None = None, root: str | Path = DATA_ROOT
) -> 'ClipDataset':
    """Return a data set of clips.

    name: a key of CLIP_DATASETS.
    split: a split of that data set; None for its default split.
    limit: number of clips at most; None for the data set's default.
    root: folder that data sets on disk lie below.

    Raises InvalidSettingError for a name or a split that does not exist, or a limit out of range,
    and InvalidDatasetError for files that are missing or damaged.
    """
    dataset: ClipDataset = loader(CLIP_DATASETS, 'data set of clips', name)(
        split, limit, Path(root)
    )
    return dataset


def load_follower(name: str, model: 'IteRPrimE') -> 'Follower':
    """Return a baseline of following.

    name: a key of FOLLOWERS.
    model: the model that is compared with it.

    Raises InvalidSettingError for a name that does not exist.
    """
    follower: Follower = loader(FOLLOWERS, 'baseline of following', name)(model)
    return follower
