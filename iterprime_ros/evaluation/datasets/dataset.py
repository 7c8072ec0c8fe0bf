"""The interface of a data set: images, each with questions whose answers are known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Status
from iterprime_ros.errors import InvalidSettingError, IterprimeError
from iterprime_ros.geometry.pinhole import Pinhole

Record = TypeVar('Record')


class InvalidDatasetError(IterprimeError):
    """A data set whose images, questions or masks do not fit together."""


@dataclass(frozen=True)
class Question:
    """A command about an image, with its ground truth.

    command: what the model is given, for example 'pick up the red mug'.
    expression: the referring expression in the command, for example 'the red mug'.
    group: row of the report that the question counts in; 'all' if the data set has no groups.
    target_mask: (H, W) bool, the visible pixels of all that the expression fits; None if the
        image shows nothing that it fits.
    target_masks: (H, W) bool each, one for each object that the expression fits, where there are
        several; together they are target_mask. Empty stands for target_mask alone.
    is_ambiguous: whether the expression asks for one object, but fits several.
    tags: other properties, value by name; the report has a table for each name.
    """

    command: str
    expression: str
    group: str
    target_mask: NDArray[np.bool_] | None
    tags: Mapping[str, str] = field(default_factory=dict)
    target_masks: tuple[NDArray[np.bool_], ...] = ()
    is_ambiguous: bool = False

    @property
    def expected_status(self) -> Status:
        """The status of a correct answer: FOUND, FOUND_SEVERAL, NOT_FOUND or AMBIGUOUS."""
        if self.target_mask is None:
            return Status.NOT_FOUND
        if self.is_ambiguous:
            return Status.AMBIGUOUS
        return Status.FOUND_SEVERAL if len(self.target_masks) > 1 else Status.FOUND


@dataclass(frozen=True)
class Sample:
    """An image with its questions.

    image_id: unique in the data set; bootstrap intervals resample by it.
    image: (H, W, 3) uint8 RGB.
    questions: in a fixed order.
    depth: (H, W) float32, along the optical axis, in metres, registered to the image; None where
        the data set has none.
    pinhole: the camera model of the image; None where it is not known.

    Raises InvalidDatasetError for a target mask that is not bool or not of the image's size, and
    for a depth that is not float32 or not of that size.
    """

    image_id: str
    image: NDArray[np.uint8]
    questions: tuple[Question, ...]
    depth: NDArray[np.float32] | None = None
    pinhole: Pinhole | None = None

    def __post_init__(self) -> None:
        size = self.image.shape[:2]
        for question in self.questions:
            for mask in (question.target_mask, *question.target_masks):
                if mask is not None and (mask.dtype != np.bool_ or mask.shape != size):
                    raise InvalidDatasetError(
                        f'Image {self.image_id}: the target mask of "{question.expression}" must '
                        f'be bool {size}, not {mask.dtype} {mask.shape}.'
                    )
        depth = self.depth
        if depth is not None and (depth.dtype != np.float32 or depth.shape != size):
            raise InvalidDatasetError(
                f'Image {self.image_id}: the depth must be float32 {size}, not {depth.dtype} '
                f'{depth.shape}.'
            )


class Dataset(Protocol):
    """The samples of one split, the same ones in the same order every time.

    Iterating reads or renders one image at a time. The length is the number of images.
    """

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def provenance(self) -> str:
        """Where the samples come from, for the report: files and versions, or a range of seeds."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sample]: ...

    def subset(self, indices: Sequence[int]) -> 'Dataset':
        """Return the samples at some positions, in the order given, as a data set."""


@dataclass(frozen=True)
class RecordedImages(Generic[Record]):
    """A data set whose annotations are in memory and whose images are on disk.

    split: see Dataset.
    provenance: see Dataset.
    records: what is known of each image, in a fixed order.
    read: makes the sample of a record; called when the sample is asked for.
    """

    split: str
    provenance: str
    records: Sequence[Record]
    read: Callable[[Record], Sample]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Sample]:
        return map(self.read, self.records)

    def subset(self, indices: Sequence[int]) -> 'RecordedImages[Record]':
        """See Dataset."""
        return replace(self, records=[self.records[index] for index in indices])


def chosen_split(dataset: str, splits: Sequence[str], split: str | None) -> str:
    """Return the split to use.

    dataset: name of the data set, for the error message.
    splits: names of its splits, the default one first.
    split: the one asked for; None for the default one.

    Raises InvalidSettingError for a split that does not exist.
    """
    if split is None:
        return splits[0]
    if split not in splits:
        raise InvalidSettingError(
            f'Data set {dataset} has no split "{split}": choose one of {", ".join(splits)}.'
        )
    return split
