"""Ref-ZOM (Hu et al., ICCV 2023): expressions about zero, one or many of COCO's objects."""

from pathlib import Path
from typing import Literal

from iterprime_ros.evaluation.datasets.dataset import RecordedImages
from iterprime_ros.evaluation.datasets.object_sets import (
    NO_TARGET,
    ONE_TARGET,
    SEVERAL_TARGETS,
    Picture,
    Reference,
    load_object_sets,
)

_GROUPS = {'zero': NO_TARGET, 'one': ONE_TARGET, 'many': SEVERAL_TARGETS}


class _Reference(Reference):
    source: Literal['zero', 'one', 'many']

    @property
    def objects(self) -> list[int]:
        """See Reference."""
        # toggle1995/RIS-DMMI:refer/refer.py, too, ignores what a reference of source zero names.
        return [] if self.source == 'zero' else super().objects

    @property
    def group(self) -> str:
        """See Reference."""
        return _GROUPS[self.source]


def load_ref_zom(
    split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedImages[Picture]:
    """Return the images of a split; see object_sets.load_object_sets.

    Groups: 'one target', 'several targets' and 'no target', by the `source` of a reference.
    """
    return load_object_sets('ref-zom', _Reference, split, limit, root)
