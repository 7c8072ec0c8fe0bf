"""The one thread that loads models, answers and renders, one request after the other."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from iterprime_ros.answer import Segmentation, Status
from iterprime_ros.app.models import Models
from iterprime_ros.app.pictures import Captioned, candidate_pictures, round_pictures
from iterprime_ros.app.table import Measured, SimulatedTable
from iterprime_ros.errors import (
    InvalidCommandError,
    InvalidImageError,
    InvalidSettingError,
    MissingDependencyError,
)
from iterprime_ros.explain import answer_overlay
from iterprime_ros.explain_objects import marked_candidates
from iterprime_ros.image_files import mask_box, read_image
from iterprime_ros.parse_report import draw
from iterprime_ros.profiles import load_profile

_Value = TypeVar('_Value')
_MEASURES = {'chance': 'chance', 'mean': 'mean of heatmap', 'overlap': 'overlap with heatmap'}


@dataclass(frozen=True)
class Shown:
    """An answer as the page shows it.

    picture: (H, W, 3) uint8 RGB, with a colour for every object that is meant.
    mask: (H, W) uint8, 0 and 255.
    status, text: as of Segmentation.
    notes: what the user should know besides, a line each.
    rounds, candidates: pictures with captions.
    headers, rows: the table of candidates, best first.
    parse: how the command was understood, in lines.
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    status: str
    text: str
    notes: str
    rounds: list[Captioned]
    candidates: list[Captioned]
    headers: list[str]
    rows: list[list[str]]
    parse: str


class Desk:
    """Answers the page's requests, in one thread, one after the other.

    profiles: those that are offered; the first is loaded now.
    device: 'auto' (CUDA where there is one), 'cpu', 'cuda', 'cuda:1'.

    Raises the errors of IteRPrimE.from_profile.
    """

    def __init__(self, profiles: Sequence[str], device: str) -> None:
        self.profiles = tuple(profiles)
        self.table_remark = ''
        self._models = Models(device)
        self._table: SimulatedTable | None = None
        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(self._start).result()

    @property
    def has_table(self) -> bool:
        """Whether there is a simulated table; else `table_remark` says why not."""
        return self._table is not None

    async def segment(self, upload: Path, name: str, command: str, profile: str) -> Shown:
        """Answer a command about an image file.

        upload: the file.
        name: of the file, as the user knows it.
        profile: one of `profiles`.

        Raises the errors of image_files.read_image and Models.segment, and InvalidSettingError for
        another profile.
        """
        return await self._run(lambda: self._segment(upload, name, command, profile))

    async def scene(self, seed: int) -> NDArray[np.uint8]:
        """Return the image of a scene of the simulated table, (480, 640, 3) uint8 RGB.

        Raises MissingDependencyError where there is none.
        """
        return await self._run(lambda: self._scene(seed))

    def close(self) -> None:
        """End what is being done, as soon as a round of it ends; nothing waits for that."""
        self._models.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, job: Callable[[], _Value]) -> _Value:
        return await asyncio.wrap_future(self._thread.submit(job))

    def _start(self) -> None:
        self._models.load(self.profiles[0])
        try:
            self._table = SimulatedTable()
        except MissingDependencyError as error:
            self.table_remark = str(error)

    def _scene(self, seed: int) -> NDArray[np.uint8]:
        if self._table is None:
            raise MissingDependencyError(self.table_remark)
        return self._table.picture(seed)

    def _segment(self, upload: Path, name: str, command: str, profile: str) -> Shown:
        if profile not in self.profiles:
            raise InvalidSettingError(
                f'This page has no profile "{profile}": choose one of {", ".join(self.profiles)}.'
            )
        if not command.strip():
            raise InvalidCommandError('The command is empty: name an object of the picture.')
        try:
            image = read_image(upload)
        except InvalidImageError as error:
            raise InvalidImageError(str(error).replace(str(upload), name)) from error
        measured = self._table.measured(image) if self._table else None
        started = time.perf_counter()
        answer = self._models.segment(profile, image, command, measured)
        spent = time.perf_counter() - started
        return _shown(image, answer, [*answer.notes, _remark(measured, spent, profile)])


def _remark(measured: Measured | None, seconds: float, profile: str) -> str:
    depth = f'with the depth of scene {measured.seed}' if measured else 'from colour alone'
    return f'Answered by {profile} in {seconds:.2f} s, {depth}.'


def _shown(image: NDArray[np.uint8], answer: Segmentation, notes: Sequence[str]) -> Shown:
    headers, rows = _candidate_table(answer)
    return Shown(
        picture=answer_overlay(image, answer),
        mask=answer.mask.astype(np.uint8) * 255,
        status=answer.status.value,
        text=answer.text,
        notes='\n'.join(notes),
        rounds=round_pictures(image, answer),
        candidates=candidate_pictures(image, answer),
        headers=headers,
        rows=rows,
        parse=draw(answer.command, answer.notes) if answer.command else answer.text,
    )


def _candidate_table(answer: Segmentation) -> tuple[list[str], list[list[str]]]:
    """Return the headers and rows of the table of candidates."""
    headers = ['object', _MEASURES[answer.ranked_by], 'predicted IoU', 'left, top', 'size', 'meant']
    marked = set(marked_candidates(answer))
    meant = 'perhaps' if answer.status is Status.AMBIGUOUS else 'yes'
    rows = []
    for number, each in enumerate(answer.candidates):
        chance = answer.ranked_by == 'chance' and not math.isnan(each.chance)
        by_mean = answer.ranked_by == 'mean'
        ranked = each.heatmap_mean if by_mean else each.heatmap_overlap
        box = mask_box(each.mask) or {'x': 0, 'y': 0, 'width': 0, 'height': 0}
        rows.append(
            [
                str(number + 1),
                f'{each.chance if chance else ranked:.3f}',
                f'{each.predicted_iou:.2f}',
                f'{box["x"]}, {box["y"]}',
                f'{box["width"]} x {box["height"]}',
                meant if number in marked else '',
            ]
        )
    return headers, rows


def description(profile: str) -> str:
    """Return what a profile is for, and its notice."""
    chosen = load_profile(profile)
    return ' '.join(each for each in (_sentence(chosen.description), chosen.notice) if each)


def _sentence(text: str) -> str:
    return f'{text[:1].upper()}{text[1:].rstrip(".")}.' if text else ''
