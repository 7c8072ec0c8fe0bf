"""An answer compared with the ground truth, and its form in JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from math import isnan
from typing import Any

from iterprime_ros.answer import Status


class Asked(Enum):
    """What a question asks for, and what the image shows of it."""

    ONE = 'one object'
    SEVERAL = 'all of several objects'
    UNCLEAR = 'one object, though several fit'
    NOTHING = 'what is not there'


@dataclass(frozen=True)
class Outcome:
    """An answer compared with the ground truth.

    image_id: of the image that the question is about.
    group: group of the question.
    command: the command as given.
    asked: what the question asks for.
    status: value of the answer's Status.
    match_probability: that image and expression match, in [0, 1]; NaN where it was not computed.
    intersection: pixels that the answer's mask and the target mask share; 0 without a target.
    union: pixels of the two masks together; 0 without a target.
    is_complete: whether the answer has exactly the objects that are asked for; see
        metrics.is_complete.
    tags: other properties of the question, value by name.
    oracle_iou: IoU of the candidate that overlaps most with the target mask, whichever was chosen,
        in [0, 1]; NaN where it was not computed.
    mask_area: pixels of the answer's mask, with or without a target.
    """

    image_id: str
    group: str
    command: str
    asked: Asked
    status: str
    match_probability: float
    intersection: int
    union: int
    is_complete: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    oracle_iou: float = float('nan')
    mask_area: int = 0

    @property
    def iou(self) -> float:
        """Intersection over union, in [0, 1]; 0 where the union is empty."""
        return self.intersection / self.union if self.union else 0.0

    @property
    def has_target(self) -> bool:
        """Whether the image shows what is asked for, and leaves no doubt what that is."""
        return self.asked in (Asked.ONE, Asked.SEVERAL)

    @property
    def is_rejected(self) -> bool:
        """Whether the answer says that nothing was found."""
        return self.status in (Status.NOT_FOUND.value, Status.INVALID.value)

    @property
    def is_ambiguous(self) -> bool:
        """Whether the answer says that several objects fit."""
        return self.status == Status.AMBIGUOUS.value


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the fields of an outcome as JSON can write them: NaN as None, Asked by its value."""
    fields = {**asdict(outcome), 'asked': outcome.asked.value}
    return {name: None if _is_nan(value) else value for name, value in fields.items()}


def outcome_from_json(fields: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `outcome_as_json` made these fields of.

    Raises TypeError where a field is missing or unknown, ValueError for an unknown `asked`.
    """
    values: dict[str, Any] = {
        name: float('nan') if value is None else value for name, value in fields.items()
    }
    return Outcome(**{**values, 'asked': Asked(fields.get('asked'))})


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)
