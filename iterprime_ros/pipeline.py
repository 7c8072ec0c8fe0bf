"""IteRPrimE: an image and a command in, the object's mask out. Knows no ROS.

Wang et al., "IteRPrimE: Zero-shot Referring Image Segmentation with Iterative Grad-CAM Refinement
and Primary Word Emphasis", AAAI 2025 (arXiv 2503.00936).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.answer import (
    Candidate,
    Segmentation,
    WordHeatmap,
    invalid,
    notes,
    resized,
    verdict,
)
from iterprime_ros.backends import load_matcher, load_proposer
from iterprime_ros.errors import (
    InvalidCommandError,
    InvalidImageError,
    InvalidSettingError,
)
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import check_registered
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.refinement import Grounding, OnRound, ground
from iterprime_ros.language.command_parser import CommandParser, ParsedCommand
from iterprime_ros.masks.ambiguity import is_other_object, rival_points
from iterprime_ros.masks.proposer import MaskProposer, Proposals
from iterprime_ros.masks.selection import Selection, peak_points, select
from iterprime_ros.masks.transforms import reduced
from iterprime_ros.profiles import DEFAULT, Profile, load_profile
from iterprime_ros.weights import Placement

_LONGEST_SIDE = 1024  # pixels; the input of published SAMs, beyond which masks gain nothing


@dataclass(frozen=True)
class Frame:
    """An image as both encoders see it; every command on it uses them again.

    image_size: (H, W) of the image, in pixels.
    size: (h, w) at which masks are selected: that of the image, its longest side at most 1024.
    depth: (h', w') float32 in metres, NaN where unknown, registered to the image; None without.
    pinhole: the calibration of the image; None without.
    matcher_embedding: what the matcher keeps of the image.
    mask_embedding: what the mask proposer keeps of the image.
    milliseconds: time by stage.
    """

    image_size: tuple[int, int]
    size: tuple[int, int]
    depth: NDArray[np.float32] | None
    pinhole: Pinhole | None
    matcher_embedding: Any
    mask_embedding: Any
    milliseconds: dict[str, float]


class IteRPrimE:
    """Finds the objects that commands refer to.

    matcher, proposer, parser: the three models.
    profile: the settings.
    device: the device of matcher and proposer.

    Raises InvalidSettingError for a fusion block that the matcher does not have.
    """

    def __init__(
        self,
        matcher: Matcher,
        proposer: MaskProposer,
        parser: CommandParser,
        profile: Profile,
        device: torch.device | str = 'cpu',
    ) -> None:
        blocks = matcher.fusion_blocks
        if profile.grounding.block not in blocks:
            raise InvalidSettingError(
                f'grounding.block must be from {blocks.start} to {blocks.stop - 1} for this '
                f'matcher, not {profile.grounding.block}.'
            )
        self.matcher, self.proposer, self.parser = matcher, proposer, parser
        self.profile = profile
        self._device = torch.device(device)

    @classmethod
    def from_profile(
        cls, name_or_file: str | Path = DEFAULT, device: str = 'auto', offline: bool = False
    ) -> 'IteRPrimE':
        """Load a profile by name, or from a YAML file.

        device: 'auto' (CUDA where there is one), 'cpu', 'cuda', 'cuda:1'.
        offline: whether the hub is never asked.

        Raises the errors of iterprime_ros.errors, each one sentence.
        """
        profile = load_profile(name_or_file)
        placement = Placement.named(device, profile.encoder_dtype, offline, str(name_or_file))
        parser = CommandParser.load(profile.language)
        chosen = profile.matcher
        matcher = load_matcher(chosen.kind, chosen.weights, chosen.tokenizer, placement)
        proposer = load_proposer(profile.masks.kind, profile.masks.weights, placement)
        return cls(matcher, proposer, parser, profile, placement.device)

    def with_profile(self, profile: Profile) -> 'IteRPrimE':
        """Return a pipeline of the same models with the settings of another profile."""
        return IteRPrimE(self.matcher, self.proposer, self.parser, profile, self._device)

    def with_proposer(self, proposer: MaskProposer) -> 'IteRPrimE':
        """Return a pipeline of the same matcher and parser with another mask proposer."""
        return IteRPrimE(self.matcher, proposer, self.parser, self.profile, self._device)

    @torch.inference_mode(False)
    def embed(
        self,
        image: NDArray[np.uint8],
        depth: NDArray[np.float32] | None = None,
        pinhole: Pinhole | None = None,
    ) -> Frame:
        """Encode an image, once for any number of commands.

        image: (H, W, 3) uint8 RGB.
        depth: (h, w) float32 in metres, NaN or 0 where nothing was measured, registered to the
            image, of any resolution. It decides relations only together with `pinhole`.
        pinhole: the calibration of the image.

        Raises InvalidImageError for another image, InvalidDepthError for depth of another shape,
        and InvalidCalibrationError for a calibration of another image size.
        """
        pixels = self._pixels(image)
        check_registered(image.shape[:2], depth, pinhole)
        spent: dict[str, float] = {}
        with _timed(spent, 'encode image for matching', self._device):
            matcher_embedding = self.matcher.encode_image(pixels)
        with _timed(spent, 'encode image for masks', self._device):
            small = reduced(pixels, _LONGEST_SIDE)
            mask_embedding = self.proposer.embed(small.contiguous())
        size, small_size = ((each.shape[1], each.shape[2]) for each in (pixels, small))
        return Frame(size, small_size, depth, pinhole, matcher_embedding, mask_embedding, spent)

    @torch.inference_mode(False)
    def embed_masks(self, image: NDArray[np.uint8]) -> Any:
        """Return what the mask proposer keeps of an image (H, W, 3) uint8 RGB."""
        return self.proposer.embed(reduced(self._pixels(image), _LONGEST_SIDE).contiguous())

    def proposals_at(self, frame: Frame, points: Sequence[tuple[int, int]]) -> Proposals:
        """Return the candidate masks, of frame.size, at points (x, y), in pixels of that size."""
        where = torch.tensor(points, dtype=torch.int64, device=self._device).reshape(-1, 2)
        return self.proposer.propose(frame.mask_embedding, where)

    def segment(
        self,
        image: NDArray[np.uint8] | Frame,
        command: str,
        on_round: Callable[[int, NDArray[np.float32], float], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Segmentation:
        """Answer one command on an image, or on what `embed` returned for it.

        on_round: called after every round, in this thread, with its number, the heatmap so far
            (rows, cols) float32 in [0, 1] over the patches, and the matching probability of that
            round. grounding.heatmap.upsampled enlarges a heatmap to the image.
        should_stop: asked after every round.

        Raises InvalidImageError for an image that is not (H, W, 3) uint8, and StoppedError once
        `should_stop` returns True.
        """
        frame, spent = self._embedded(image)
        listener: OnRound | None = None
        if on_round is not None:

            def listener(number: int, maps: Tensor, probabilities: list[float]) -> None:
                on_round(number, maps[0].cpu().numpy(), probabilities[0])

        return self._segment(frame, spent, [command], listener, should_stop)[0]

    def segment_many(
        self, image: NDArray[np.uint8] | Frame, commands: Sequence[str]
    ) -> list[Segmentation]:
        """Answer several commands on an image, or on what `embed` returned for it, together.

        A command that cannot be used is answered with INVALID and a sentence.

        Raises InvalidImageError for an image that is not (H, W, 3) uint8.
        """
        frame, spent = self._embedded(image)
        return self._segment(frame, spent, commands, None, None)

    def _pixels(self, image: NDArray[np.uint8]) -> Tensor:
        """Return an image as (3, H, W) uint8 on the device."""
        _check_image(image)
        owned = np.require(image, requirements=['C', 'W'])
        return torch.from_numpy(owned).to(self._device).permute(2, 0, 1)

    def _embedded(self, image: NDArray[np.uint8] | Frame) -> tuple[Frame, dict[str, float]]:
        if isinstance(image, Frame):
            return image, {}
        frame = self.embed(image)
        return frame, dict(frame.milliseconds)

    @torch.inference_mode(False)
    def _segment(
        self,
        frame: Frame,
        spent: dict[str, float],
        commands: Sequence[str],
        on_round: OnRound | None,
        should_stop: Callable[[], bool] | None,
    ) -> list[Segmentation]:
        answers: dict[int, Segmentation] = {}
        parsed: dict[int, ParsedCommand] = {}
        with _timed(spent, 'parse', self._device):
            for number, command in enumerate(commands):
                try:
                    parsed[number] = self.parser.parse(command)
                except InvalidCommandError as error:
                    answers[number] = invalid(str(error), frame.image_size)
        expressions = [
            Expression(each.expression, each.primary_word, each.focus_words)
            for each in parsed.values()
        ]
        with _timed(spent, 'ground', self._device):
            groundings = ground(
                self.matcher,
                frame.matcher_embedding,
                expressions,
                self.profile.grounding,
                on_round,
                should_stop,
            )
        for (number, understood), grounding in zip(parsed.items(), groundings, strict=True):
            received = commands[number]
            answers[number] = self._answer(frame, understood, grounding, dict(spent), received)
        return [answers[number] for number in range(len(commands))]

    def _answer(
        self,
        frame: Frame,
        command: ParsedCommand,
        grounding: Grounding,
        spent: dict[str, float],
        received: str,
    ) -> Segmentation:
        settings = self.profile.answer
        with _timed(spent, 'select mask', self._device):
            heatmap = upsampled(grounding.heatmap, frame.size)
            matches = grounding.probability >= settings.match_threshold
            has_peak = bool(heatmap.max() > 0)
            candidates = self._candidates(frame, heatmap) if matches and has_peak else []
            rivals = self._rivals(frame, grounding.heatmap, heatmap, candidates)
        status, text = verdict(
            command.expression,
            grounding.probability,
            settings.match_threshold,
            has_peak,
            candidates,
            bool(rivals),
        )
        answer = Segmentation(
            status,
            text,
            command,
            candidates[0].mask if candidates else np.zeros(frame.size, bool),
            heatmap.cpu().numpy(),
            grounding.probability,
            settings.mask_rank,
            (*candidates[:1], *rivals, *candidates[1:]),
            grounding.rounds,
            tuple(
                WordHeatmap(span, word_map, span == grounding.expression.primary_word)
                for span, word_map in zip(
                    grounding.expression.focus_words, grounding.word_maps, strict=True
                )
            ),
            tuple(notes(command, grounding, received)),
            spent,
        )
        return answer if frame.size == frame.image_size else resized(answer, frame.image_size)

    def _candidates(self, frame: Frame, heatmap: Tensor) -> list[Candidate]:
        """Return the masks that may be the object, best first."""
        settings = self.profile.answer
        points = peak_points(heatmap, settings.max_peaks)
        proposals = self.proposer.propose(frame.mask_embedding, points)
        selection = select(heatmap, proposals, settings.max_components, settings.mask_rank)
        return [_candidate(proposals, selection, k) for k in selection.order.tolist()]

    def _rivals(
        self, frame: Frame, patches: Tensor, heatmap: Tensor, candidates: Sequence[Candidate]
    ) -> list[Candidate]:
        """Return the best mask at a rival peak, of another object than the best candidate."""
        if not candidates:
            return []
        settings = self.profile.answer
        winner = torch.from_numpy(candidates[0].mask).to(heatmap.device)
        points = rival_points(patches, winner, settings.ambiguity_margin, settings.max_peaks)
        if not len(points):
            return []
        peaks = torch.zeros_like(winner)
        peaks[points[:, 1], points[:, 0]] = True
        proposals = self.proposer.propose(frame.mask_embedding, points)
        selection = select(heatmap, proposals, settings.max_components, settings.mask_rank, peaks)
        for k in selection.order.tolist():
            if selection.contains_peak[k] and is_other_object(proposals.masks[k], winner):
                return [_candidate(proposals, selection, k)]
        return []


def _candidate(proposals: Proposals, selection: Selection, k: int) -> Candidate:
    return Candidate(
        proposals.masks[k].cpu().numpy(),
        float(selection.heatmap_mean[k]),
        float(selection.heatmap_overlap[k]),
        float(proposals.predicted_iou[k]),
    )


def _check_image(image: NDArray[np.uint8]) -> None:
    if (
        not isinstance(image, np.ndarray)
        or image.dtype != np.uint8
        or image.ndim != 3
        or image.shape[2] != 3
        or not image.size
    ):
        kind = f'{image.dtype} {image.shape}' if isinstance(image, np.ndarray) else type(image)
        raise InvalidImageError(f'An image must be (H, W, 3) uint8 with a pixel, not {kind}.')


@contextmanager
def _timed(spent: dict[str, float], stage: str, device: torch.device) -> Iterator[None]:
    """Add the milliseconds of a stage; work queued on CUDA is waited for."""
    started = time.perf_counter()
    yield
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    spent[stage] = spent.get(stage, 0.0) + 1e3 * (time.perf_counter() - started)
