"""IteRPrimE: an image and a command in, the object's mask out. Knows no ROS.

Wang et al., "IteRPrimE: Zero-shot Referring Image Segmentation with Iterative Grad-CAM Refinement
and Primary Word Emphasis", AAAI 2025 (arXiv 2503.00936).
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from iterprime_ros.errors import (
    InvalidCommandError,
    InvalidImageError,
    InvalidSettingError,
    WeightsMismatchError,
)
from iterprime_ros.grounding.albef import TOKENIZER, load_albef
from iterprime_ros.grounding.alignment import prompted
from iterprime_ros.grounding.blip import load_blip
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.refinement import Grounding, Watch, ground
from iterprime_ros.language.command_parser import (
    MAX_CHARACTERS,
    MAX_WORDS,
    CommandParser,
    ParsedCommand,
)
from iterprime_ros.masks.proposer import MaskProposer
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.masks.sam import load_sam
from iterprime_ros.masks.segment_anything import load_segment_anything
from iterprime_ros.masks.selection import peak_points, select
from iterprime_ros.profiles import DEFAULT, MaskChoice, Profile, profile

_SAME_OBJECT = 0.1  # share of the smaller mask from which two are taken for one object


class Status(Enum):
    """What came of a command."""

    FOUND = 'found'
    NOT_FOUND = 'not found'
    AMBIGUOUS = 'ambiguous'
    INVALID = 'invalid'


@dataclass(frozen=True)
class Candidate:
    """A mask that could be the object.

    mask: (H, W) bool. score: mean of the heatmap inside it, in [0, 1]. confidence: the proposer's
    own (a predicted IoU, about 0 to 1).
    """

    mask: NDArray[np.bool_]
    score: float
    confidence: float


@dataclass(frozen=True)
class Look:
    """One round.

    heatmap: (rows, cols) float32 in [0, 1], its map over the patches. probability: of a match, in
    [0, 1]. hidden: (rows, cols) bool, the patches that it did not see. kept: whether the final
    heatmap has it.
    """

    heatmap: NDArray[np.float32]
    probability: float
    hidden: NDArray[np.bool_]
    kept: bool


@dataclass(frozen=True)
class Word:
    """A focus word.

    span: [start, end) in the expression. heatmap: (rows, cols) float32 >= 0, its map over the
    patches in round 0. is_primary: whether it is the head noun, or stands for it.
    """

    span: tuple[int, int]
    heatmap: NDArray[np.float32]
    is_primary: bool


@dataclass(frozen=True)
class Segmentation:
    """The answer to one command on one image of H x W pixels.

    text: one sentence for a person. command: as parsed, None where it could not be. mask: (H, W)
    bool, all False unless status is FOUND or AMBIGUOUS. heatmap: (H, W) float32 in [0, 1].
    match_probability: in [0, 1], NaN where it was not computed. candidates: the mask, then its
    rival where status is AMBIGUOUS, then the others, best first. looks: every round. words: the
    focus words. notes: what the user should know besides, one sentence each. milliseconds: by
    stage; encoding counts where a frame is new.
    """

    status: Status
    text: str
    command: ParsedCommand | None
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float32]
    match_probability: float
    candidates: tuple[Candidate, ...] = ()
    looks: tuple[Look, ...] = ()
    words: tuple[Word, ...] = ()
    notes: tuple[str, ...] = ()
    milliseconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """An image and what both encoders made of it; every command on it uses them again."""

    size: tuple[int, int]
    memory: Any
    embedding: Any
    milliseconds: dict[str, float]


class IteRPrimE:
    """Finds what commands refer to.

    matcher, proposer, parser: the three models; chosen: the settings; device: where matcher and
    proposer are.
    """

    def __init__(
        self,
        matcher: Matcher,
        proposer: MaskProposer,
        parser: CommandParser,
        chosen: Profile,
        device: torch.device | str = 'cpu',
    ) -> None:
        blocks = matcher.fusion_blocks
        if chosen.grounding.block not in blocks:
            raise InvalidSettingError(
                f'grounding.block must be from {blocks.start} to {blocks.stop - 1} for this '
                f'matcher, not {chosen.grounding.block}.'
            )
        self.matcher, self.proposer, self.parser = matcher, proposer, parser
        self.profile = chosen
        self._device = torch.device(device)

    @classmethod
    def from_profile(
        cls, name_or_file: str | Path = DEFAULT, device: str = 'auto', offline: bool = False
    ) -> 'IteRPrimE':
        """Load a profile by name, or from a YAML file.

        device: 'auto' (CUDA where there is one), 'cpu', 'cuda', 'cuda:1'. offline: never ask the
        hub. Raises the errors of iterprime_ros.errors, each one sentence.
        """
        chosen = profile(name_or_file)
        place = _device(device)
        dtype = _dtype(chosen.encoder_dtype, place)
        parser = CommandParser.load(chosen.language)
        matcher = _matcher(chosen, place, dtype, offline)
        proposer = _proposer(chosen.masks, place, dtype, offline)
        return cls(matcher, proposer, parser, chosen, place)

    def with_profile(self, chosen: Profile) -> 'IteRPrimE':
        """Return a pipeline of the same models with the settings of another profile."""
        return IteRPrimE(self.matcher, self.proposer, self.parser, chosen, self._device)

    @torch.inference_mode(False)
    def embed(self, image: NDArray[np.uint8]) -> Frame:
        """Encode an image (H, W, 3) uint8 RGB, once for any number of commands.

        Raises InvalidImageError for anything else.
        """
        if (
            not isinstance(image, np.ndarray)
            or image.dtype != np.uint8
            or image.ndim != 3
            or image.shape[2] != 3
            or not image.size
        ):
            kind = f'{image.dtype} {image.shape}' if isinstance(image, np.ndarray) else type(image)
            raise InvalidImageError(f'An image must be (H, W, 3) uint8 with a pixel, not {kind}.')
        spent: dict[str, float] = {}
        owned = np.require(image, requirements=['C', 'W'])
        pixels = torch.from_numpy(owned).to(self._device).permute(2, 0, 1)
        with _clocked(spent, 'encode image for matching', self._device):
            memory = self.matcher.encode_image(pixels)
        with _clocked(spent, 'encode image for masks', self._device):
            embedding = self.proposer.embed(pixels.contiguous())
        return Frame((image.shape[0], image.shape[1]), memory, embedding, spent)

    def segment(
        self,
        image: NDArray[np.uint8] | Frame,
        command: str,
        watch: Callable[[int, NDArray[np.float32], float], None] | None = None,
    ) -> Segmentation:
        """Answer one command; see segment_many.

        watch: told of every round, in this thread: its number, the heatmap so far (H, W) float32 in
        [0, 1], and the match probability of that round. What it raises ends the work.
        """
        if watch is None:
            return self.segment_many(image, [command])[0]

        def told(number: int, maps: Tensor, probabilities: list[float]) -> None:
            size = image.size if isinstance(image, Frame) else (image.shape[0], image.shape[1])
            watch(number, upsampled(maps[0], size).cpu().numpy(), probabilities[0])

        return self.segment_many(image, [command], told)[0]

    @torch.inference_mode(False)
    def segment_many(
        self,
        image: NDArray[np.uint8] | Frame,
        commands: Sequence[str],
        watch: Watch | None = None,
    ) -> list[Segmentation]:
        """Answer several commands on one image, or on what `embed` made of it, together.

        A command that cannot be used is answered with INVALID and a sentence. watch: see
        grounding.refinement; of the commands that can be used.
        Raises InvalidImageError for an image that is not (H, W, 3) uint8.
        """
        if isinstance(image, Frame):
            frame, spent = image, {}
        else:
            frame = self.embed(image)
            spent = dict(frame.milliseconds)
        answers: dict[int, Segmentation] = {}
        parsed: dict[int, ParsedCommand] = {}
        with _clocked(spent, 'parse', self._device):
            for number, command in enumerate(commands):
                try:
                    parsed[number] = self.parser.parse(command)
                except InvalidCommandError as error:
                    answers[number] = _no_answer(Status.INVALID, str(error), None, frame.size)
        template = self.profile.grounding.prompt
        expressions = [
            prompted(template, each.expression, each.primary_word, each.focus_words)
            for each in parsed.values()
        ]
        with _clocked(spent, 'ground', self._device):
            groundings = ground(
                self.matcher, frame.memory, expressions, self.profile.grounding, watch=watch
            )
        for (number, read), grounding in zip(parsed.items(), groundings, strict=True):
            answers[number] = self._answer(frame, read, grounding, dict(spent), commands[number])
        return [answers[number] for number in range(len(commands))]

    def _answer(
        self,
        frame: Frame,
        command: ParsedCommand,
        grounding: Grounding,
        spent: dict[str, float],
        said: str,
    ) -> Segmentation:
        if not math.isfinite(grounding.probability):
            raise WeightsMismatchError(
                'The matcher gave no number: its weights are damaged, or encoder_dtype float16 is '
                'too narrow for them and bfloat16 or float32 will do.'
            )
        with _clocked(spent, 'select mask', self._device):
            heatmap = upsampled(grounding.heatmap, frame.size)
            threshold = self.profile.answer.match_threshold
            found = grounding.probability >= threshold
            has_peak = bool(heatmap.max() > 0)
            candidates = self._candidates(frame, heatmap) if found and has_peak else ()
            rival = (
                self._rival(frame, grounding.heatmap, heatmap, candidates[0])
                if candidates
                else None
            )
        offset = self.profile.grounding.prompt.index('{expression}')
        status, text = _verdict(command, grounding, threshold, has_peak, candidates, rival)
        mask = candidates[0].mask if candidates else np.zeros(frame.size, bool)
        return Segmentation(
            status,
            text,
            command,
            mask,
            heatmap.cpu().numpy(),
            grounding.probability,
            (*candidates[:1], *([rival] if rival else []), *candidates[1:]),
            tuple(
                Look(
                    each.heatmap.float().cpu().numpy(),
                    each.probability,
                    each.hidden.cpu().numpy(),
                    each.kept,
                )
                for each in grounding.rounds
            ),
            tuple(
                Word(
                    (span[0] - offset, span[1] - offset),
                    seen.float().cpu().numpy(),
                    span == grounding.expression.primary_word,
                )
                for span, seen in zip(
                    grounding.expression.focus_words, grounding.word_maps, strict=True
                )
            ),
            tuple(_notes(command, grounding, said, offset)),
            spent,
        )

    def _candidates(self, frame: Frame, heatmap: Tensor) -> tuple[Candidate, ...]:
        """Return the masks that may be the object, best first; see masks.selection."""
        answer = self.profile.answer
        proposals = self.proposer.propose(frame.embedding, peak_points(heatmap, answer.max_peaks))
        selection = select(heatmap, proposals, answer.max_components, answer.mask_rank)
        return tuple(
            Candidate(
                proposals.masks[k].cpu().numpy(),
                float(selection.heatmap_means[k]),
                float(proposals.scores[k]),
            )
            for k in selection.order.tolist()
        )

    def _rival(
        self, frame: Frame, patches: Tensor, heatmap: Tensor, winner: Candidate
    ) -> Candidate | None:
        """Return the best mask on another peak that is about as high, None where there is none.

        patches: (rows, cols), the heatmap before it was enlarged; its local maxima are the peaks.
        """
        margin = self.profile.answer.ambiguity_margin
        if margin == 0:
            return None
        neighbours = functional.max_pool2d(patches[None], 3, 1, 1)[0]
        peaks = (patches >= neighbours) & (patches >= (1 - margin) * patches.max())
        cells = torch.tensor(patches.shape, device=patches.device)
        size = torch.tensor(frame.size, device=patches.device)
        rows, columns = ((peaks.nonzero() + 0.5) * size / cells).long().T
        apart = ~torch.from_numpy(winner.mask).to(patches.device)[rows, columns]
        points = torch.stack([columns, rows], dim=1)[apart]
        if not len(points):
            return None
        points = points[: self.profile.answer.max_peaks]
        proposals = self.proposer.propose(frame.embedding, points)
        means = select(heatmap, proposals, self.profile.answer.max_components).heatmap_means
        holds_peak = proposals.masks[:, points[:, 1], points[:, 0]].any(dim=1)
        for k in means.argsort(descending=True).tolist():
            mask = proposals.masks[k].cpu().numpy()
            # A mask inside the other, or round it, is no other object but a part or the whole.
            shared = (mask & winner.mask).sum() / max(1, min(mask.sum(), winner.mask.sum()))
            pieces = ndimage.label(mask)[1] if holds_peak[k] else 0
            if shared < _SAME_OBJECT and 0 < pieces <= self.profile.answer.max_components:
                return Candidate(mask, float(means[k]), float(proposals.scores[k]))
        return None


def upsampled(patches: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a map (rows, cols) bicubically enlarged to `size` and min-max scaled, float32.

    A map without contrast becomes 0 everywhere.
    """
    enlarged = functional.interpolate(
        patches[None, None].float(), size, mode='bicubic', align_corners=False
    )[0, 0]
    low, high = enlarged.min(), enlarged.max()
    flat = patches.max() <= patches.min() or high <= low
    return torch.zeros_like(enlarged) if flat else (enlarged - low) / (high - low)


def _no_answer(
    status: Status, text: str, command: ParsedCommand | None, size: tuple[int, int]
) -> Segmentation:
    return Segmentation(
        status, text, command, np.zeros(size, bool), np.zeros(size, np.float32), float('nan')
    )


def _verdict(
    command: ParsedCommand,
    grounding: Grounding,
    threshold: float,
    has_peak: bool,
    candidates: Sequence[Candidate],
    rival: Candidate | None,
) -> tuple[Status, str]:
    what, chance = command.expression, f'match {grounding.probability:.2f}'
    if grounding.probability < threshold:
        return Status.NOT_FOUND, f'Nothing here matches "{what}" ({chance}, below {threshold:g}).'
    if not has_peak:
        return Status.NOT_FOUND, f'"{what}" matches ({chance}), but no place more than others.'
    if not candidates:
        return Status.NOT_FOUND, f'"{what}" matches ({chance}), but no mask is where it stands out.'
    if rival:
        return Status.AMBIGUOUS, f'At least two things could be "{what}" ({chance}).'
    return Status.FOUND, f'Found "{what}" ({chance}).'


def _notes(command: ParsedCommand, grounding: Grounding, said: str, offset: int) -> Iterator[str]:
    span = grounding.expression.primary_word
    if command.primary_word is None and span is not None:
        word = grounding.expression.text[slice(*span)]
        yield f'No noun was found; "{word}", which pays the most attention, stands for it.'
    if command.primary_word is None and span is None:
        yield 'No primary word was found.'
    if len(said.split()) > MAX_WORDS or len(' '.join(said.split())) > MAX_CHARACTERS:
        yield f'The command is long and was cut after {len(command.text)} characters.'
    if grounding.truncated:
        yield 'The expression is longer than the matcher reads; its end was cut.'


def _device(name: str) -> torch.device:
    try:
        chosen = 'cuda' if torch.cuda.is_available() else 'cpu'
        device = torch.device(chosen if name == 'auto' else name)
    except RuntimeError as error:
        raise InvalidSettingError(
            f'There is no device "{name}": use auto, cpu, cuda or cuda:0.'
        ) from error
    if device.type not in ('cpu', 'cuda'):
        raise InvalidSettingError(f'Device "{name}" is not supported: use auto, cpu or cuda.')
    if device.type == 'cuda' and (device.index or 0) >= torch.cuda.device_count():
        raise InvalidSettingError(
            f'There is no device "{name}" here: PyTorch sees {torch.cuda.device_count()} CUDA '
            'devices.'
        )
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == 'auto':
        return torch.bfloat16 if device.type == 'cuda' else torch.float32
    return getattr(torch, name)


def _matcher(chosen: Profile, device: torch.device, dtype: torch.dtype, offline: bool) -> Matcher:
    choice = chosen.matcher
    if choice.kind == 'blip':
        return load_blip(choice.weights, device, dtype, offline)
    return load_albef(choice.weights, choice.tokenizer or TOKENIZER, device, dtype, offline)


def _proposer(
    choice: MaskChoice, device: torch.device, dtype: torch.dtype, offline: bool
) -> MaskProposer:
    if choice.kind == 'regions':
        return RegionProposer()
    if choice.weights is None:
        raise InvalidSettingError(f'masks.weights must be given for masks of kind {choice.kind}.')
    if choice.kind == 'sam':
        return load_sam(choice.weights, device, dtype, offline)
    return load_segment_anything(choice.weights, device, dtype)


@contextmanager
def _clocked(spent: dict[str, float], stage: str, device: torch.device) -> Iterator[None]:
    """Add the milliseconds of a stage; work queued on CUDA is waited for."""
    started = time.perf_counter()
    yield
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    spent[stage] = spent.get(stage, 0.0) + 1e3 * (time.perf_counter() - started)
