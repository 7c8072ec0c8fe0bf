"""Ref-YouTube-VOS (Seo et al., ECCV 2020): expressions about the objects of YouTube-VOS."""

from pathlib import Path

from iterprime_ros.evaluation.datasets.clips import ALL, RecordedClips
from iterprime_ros.evaluation.datasets.video_expressions import load_indexed


def load_ref_youtube_vos(
    split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedClips:
    """Return the clips of a split.

    split: train; only a server knows the masks of the others.
    limit: number of expressions at most; all by default.
    root: data root.

    The frames are those that are annotated, every fifth of a video. There are no groups.

    Raises InvalidSettingError for an unknown split, and InvalidDatasetError for files that are
    missing or damaged.
    """
    return load_indexed('ref-youtube-vos', split, limit, root, lambda _: ALL)
