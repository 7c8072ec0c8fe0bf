"""The interface of a data set: images, each with questions whose answers are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.errors import InvalidSettingError, IterprimeError


class InvalidDatasetError(IterprimeError):
    """A data set whose images, questions or masks do not fit together."""


@dataclass(frozen=True)
class Question:
    """A command about an image, with its ground truth.

    command: what the model is given, for example 'pick up the red mug'.
    expression: the referring expression in the command, for example 'the red mug'.
    group: row of the report that the question counts in; 'all' if the data set has no groups.
    target_mask: (H, W) bool, the visible pixels of what the expression refers to; None if the
        image shows nothing that it refers to.
    tags: other properties, value by name; the report has a table for each name.
    """

    command: str
    expression: str
    group: str
    target_mask: NDArray[np.bool_] | None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """An image with its questions.

    image_id: unique in the data set; bootstrap intervals resample by it.
    image: (H, W, 3) uint8 RGB.
    questions: in a fixed order.

    Raises InvalidDatasetError for a target mask that is not bool or not of the image's size.
    """

    image_id: str
    image: NDArray[np.uint8]
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        for question in self.questions:
            mask, size = question.target_mask, self.image.shape[:2]
            if mask is not None and (mask.dtype != np.bool_ or mask.shape != size):
                raise InvalidDatasetError(
                    f'Image {self.image_id}: the target mask of "{question.expression}" must be '
                    f'bool {size}, not {mask.dtype} {mask.shape}.'
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
