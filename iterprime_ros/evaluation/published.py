"""Figures that others published, with their sources: published.yaml."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter

PUBLISHED = Path(__file__).with_name('published.yaml')
_Percent = Annotated[Decimal, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)


class _Figures(_Strict):
    oIoU: _Percent | None = None  # noqa: N815 - the field's own spelling, as in the file
    mIoU: _Percent | None = None  # noqa: N815


class _Entry(_Strict):
    method: str
    settings: str
    source: HttpUrl
    figures: dict[str, dict[str, _Figures]]  # by data set, then split


class PublishedFigure(_Strict):
    """What a publication reports of a method on one split.

    method: its name.
    settings: models, masks, and what else makes it differ from what is measured here.
    source: where the figures were read, or where to look for those that are None.
    overall_iou: oIoU in percent, with the digits that the source prints; None where not read.
    mean_iou: mIoU, likewise.
    """

    method: str
    settings: str
    source: HttpUrl
    overall_iou: Decimal | None
    mean_iou: Decimal | None


def published_figures(
    dataset: str, split: str, file: Path = PUBLISHED
) -> tuple[PublishedFigure, ...]:
    """Return the published figures on a split of a data set, by their names in the registry.

    Raises pydantic.ValidationError (a ValueError) for a file of another form.
    """
    return tuple(
        PublishedFigure(
            method=entry.method,
            settings=entry.settings,
            source=entry.source,
            overall_iou=found.oIoU,
            mean_iou=found.mIoU,
        )
        for entry in _entries(file)
        if (found := entry.figures.get(dataset, {}).get(split)) is not None
    )


@cache
def _entries(file: Path) -> tuple[_Entry, ...]:
    content = yaml.safe_load(file.read_text(encoding='utf-8'))
    return TypeAdapter(tuple[_Entry, ...]).validate_python(content)
