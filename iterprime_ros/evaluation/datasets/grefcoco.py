"""gRefCOCO (Liu, Ding and Jiang, CVPR 2023): expressions about any number of COCO's objects."""

from pathlib import Path

from iterprime_ros.evaluation.datasets.dataset import RecordedImages
from iterprime_ros.evaluation.datasets.object_sets import Picture, Reference, load_object_sets

_NOTHING = [-1]  # henghuiding/gRefCOCO:grefer.py


class _Reference(Reference):
    @property
    def objects(self) -> list[int]:
        """See Reference."""
        return [] if self.ann_id == _NOTHING else super().objects


def load_grefcoco(
    split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedImages[Picture]:
    """Return the images of a split; see object_sets.load_object_sets.

    Groups: 'one target', 'several targets' and 'no target'.
    """
    return load_object_sets('grefcoco', _Reference, split, limit, root)
