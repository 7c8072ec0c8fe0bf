"""Ref-DAVIS17 (Khoreva et al., ACCV 2018): expressions about the objects of DAVIS 2017."""

from pathlib import Path

from iterprime_ros.evaluation.datasets.clips import RecordedClips
from iterprime_ros.evaluation.datasets.video_expressions import AskedVideo, load_indexed

# In this order, wjn922/ReferFormer:tools/data/convert_davis_to_ytvos.py.
_GROUPS = (
    'annotator 1, first frame',
    'annotator 1, full video',
    'annotator 2, first frame',
    'annotator 2, full video',
)


def load_ref_davis(
    split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedClips:
    """Return the clips of a split, in the layout that ReferFormer converts to.

    split: valid by default, or train.
    limit: number of expressions at most; all by default.
    root: data root.

    Each object has four expressions, of two annotators who saw the first frame or the whole video;
    these are the groups. Published figures are the mean over the four, but of masks that are
    assigned to objects anew; see video_metrics.

    Raises InvalidSettingError for an unknown split, and InvalidDatasetError for files that are
    missing or damaged.
    """
    return load_indexed('ref-davis17', split, limit, root, _group_of)


def _group_of(asked: AskedVideo) -> str:
    number = list(asked.video.expressions).index(asked.expression_id)
    return _GROUPS[number % len(_GROUPS)]
