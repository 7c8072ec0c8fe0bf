"""The interface of a data set of clips: frames, an expression, and true masks of every frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.evaluation.datasets.dataset import InvalidDatasetError
from iterprime_ros.geometry.pinhole import Pinhole

ALL = 'all'  # the only group of a data set without groups


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """A frame of a clip with its ground truth.

    image: (H, W, 3) uint8 RGB.
    target: (H, W) bool, the visible pixels of all that the expression of the clip means.
    others: (K, H, W) bool, those of every other object that is known. K and the order of objects
        are the same in all frames of a clip.
    void: (H, W) bool, pixels that count for nothing; None for none.
    depth: (H, W) float32, along the optical axis, in metres, registered to the image; None where
        the data set has none.
    pinhole: the camera model of the image; None where it is not known.

    Raises InvalidDatasetError for masks that are not bool or not of the image's size.
    """

    image: NDArray[np.uint8]
    target: NDArray[np.bool_]
    others: NDArray[np.bool_]
    void: NDArray[np.bool_] | None = None
    depth: NDArray[np.float32] | None = None
    pinhole: Pinhole | None = None

    def __post_init__(self) -> None:
        size = self.image.shape[:2]
        masks = {'target': self.target, 'others': self.others}
        if self.void is not None:
            masks['void'] = self.void
        for name, mask in masks.items():
            expected = (len(mask), *size) if name == 'others' else size
            if mask.dtype != np.bool_ or mask.shape != expected:
                raise InvalidDatasetError(
                    f'The {name} of a frame must be bool {expected}, not {mask.dtype} {mask.shape}.'
                )


@dataclass(frozen=True)
class AnnotatedClip:
    """A clip and one expression about it.

    clip_id: unique in the data set.
    video_id: of the video; clips of one video differ in their expressions, and bootstrap intervals
        resample by it.
    command: what a model is given with the first frame.
    expression: the referring expression in the command.
    group: row of the report that the clip counts in.
    length: number of frames.
    read: called with numbers of frames, yields these, one at a time.
    """

    clip_id: str
    video_id: str
    command: str
    expression: str
    group: str
    length: int
    read: Callable[[Sequence[int]], Iterator[ClipFrame]]

    def frames(self) -> Iterator[ClipFrame]:
        """Yield all frames, one at a time."""
        return self.read(range(self.length))


class ClipDataset(Protocol):
    """The clips of one split, the same ones in the same order every time.

    The frames of a clip may be read until the next clip is asked for. The length is the number of
    clips.
    """

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def provenance(self) -> str:
        """Where the clips come from, for the report: files and versions, or a range of seeds."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[AnnotatedClip]: ...

    def subset(self, indices: Sequence[int]) -> 'ClipDataset':
        """Return the clips at some positions, in the order given, as a data set."""


@dataclass(frozen=True)
class RecordedClips:
    """A data set whose frames are on disk.

    split: see ClipDataset.
    provenance: see ClipDataset.
    clips: in a fixed order.
    """

    split: str
    provenance: str
    clips: Sequence[AnnotatedClip]

    def __len__(self) -> int:
        return len(self.clips)

    def __iter__(self) -> Iterator[AnnotatedClip]:
        return iter(self.clips)

    def subset(self, indices: Sequence[int]) -> 'RecordedClips':
        """See ClipDataset."""
        return replace(self, clips=[self.clips[index] for index in indices])
