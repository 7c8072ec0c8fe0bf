"""IteRPrimE: an image and a command in, the object's mask out. Knows no ROS.

Wang et al., "IteRPrimE: Zero-shot Referring Image Segmentation with Iterative Grad-CAM Refinement
and Primary Word Emphasis", AAAI 2025 (arXiv 2503.00936).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.answer import Segmentation, Status, invalid, resized
from iterprime_ros.answering.by_heatmap import answer_by_heatmap
from iterprime_ros.answering.by_parts import (
    FrameObjects,
    answer_by_parts,
    frame_objects,
    phrase_matches,
)
from iterprime_ros.answering.decision import Decision, segmentation
from iterprime_ros.answering.grounded_expression import phrase_expression, whole_expression
from iterprime_ros.answering.object_search import described_objects, noun_phrase_expressions
from iterprime_ros.answering.primary_word_choice import primary_word_opinions
from iterprime_ros.backends import load_matcher, load_proposer
from iterprime_ros.errors import (
    InvalidCommandError,
    InvalidImageError,
    InvalidSettingError,
)
from iterprime_ros.geometry.pinhole import Pinhole
from iterprime_ros.geometry.surface import check_registered
from iterprime_ros.grounding.cuda_graphs import check_device, with_graphs
from iterprime_ros.grounding.device_copy import on_device
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.matcher import Matcher
from iterprime_ros.grounding.primary_word_head import head_of_profile
from iterprime_ros.grounding.refinement import Grounding, OnRound, ground
from iterprime_ros.language.command_parser import CommandParser, ParsedCommand, permitted
from iterprime_ros.masks.object_masks import (
    PhraseProposer,
    coarse,
    distinct,
    instances_of,
    joined,
    objects_of,
    taken,
)
from iterprime_ros.masks.proposer import MaskProposer, Proposals
from iterprime_ros.masks.selection import peak_points
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
    objects: the objects of the frame by the settings they were found with, once they are needed.
    """

    image_size: tuple[int, int]
    size: tuple[int, int]
    depth: NDArray[np.float32] | None
    pinhole: Pinhole | None
    matcher_embedding: Any
    mask_embedding: Any
    milliseconds: dict[str, float]
    objects: dict[Any, FrameObjects] = field(default_factory=dict)


class IteRPrimE:
    """Finds the objects that commands refer to.

    matcher, proposer, parser: the three models.
    profile: the settings.
    device: the device of matcher and proposer.

    Raises InvalidSettingError for a fusion block that the matcher does not have and for answers by
    heatmap where the proposer is asked by text, and the errors of
    grounding.primary_word_head.load_head.
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
        if isinstance(proposer, PhraseProposer) and profile.answer.by != 'parts':
            raise InvalidSettingError(
                'answer.by must be parts for these masks: they are asked for by noun phrases, and '
                'not at points of a heatmap.'
            )
        self.matcher, self.proposer, self.parser = matcher, proposer, parser
        self.profile = profile
        self._head = head_of_profile(profile.primary_word, blocks)
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
        chosen = profile.matcher
        if chosen.graphs:
            check_device(placement.device)
        parser = CommandParser.load(profile.language)
        matcher = load_matcher(chosen.kind, chosen.weights, chosen.tokenizer, placement)
        proposer = load_proposer(profile.masks.kind, profile.masks.weights, placement)
        model = cls(matcher, proposer, parser, profile, placement.device)
        if chosen.graphs:
            model.matcher = with_graphs(matcher, profile.grounding.block)
        return model

    @property
    def device(self) -> torch.device:
        """The device of matcher and proposer."""
        return self._device

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

    @torch.inference_mode(False)
    def objects_in(self, image: NDArray[np.uint8], command: ParsedCommand) -> NDArray[np.bool_]:
        """Return masks (K, H, W) bool of the objects of an image, for the mask proposer alone.

        image: (H, W, 3) uint8 RGB, its longer side at most 1024 pixels.
        command: a proposer that is asked by text is asked for its own words; with any other it
            has no say, and all objects are found.
        """
        embedding, settings = self.embed_masks(image), self.profile.objects
        if isinstance(self.proposer, PhraseProposer):
            objects = instances_of(self.proposer, embedding, [command.phrase.text], settings)
        else:
            objects = objects_of(self.proposer, embedding, settings, self._device)
        return objects.masks.cpu().numpy()

    @torch.inference_mode(False)
    def match_own_words(
        self, frame: Frame, command: ParsedCommand, masks: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the chances (K,) in [0, 1] that a command's own words describe K objects.

        The own words are those of its noun phrase, without sides, superlatives and relations to
        other objects.

        masks: (K, H, W) bool, of frame.size, none of them empty.
        """
        given = torch.from_numpy(masks).to(self._device)
        certain = torch.ones(len(given), device=self._device)
        objects = self._measured(frame, Proposals(given, certain))
        text = command.phrase.text
        return self._matches(frame, [text], objects)[text]

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
        return on_device(torch.from_numpy(owned), self._device).permute(2, 0, 1)

    def _embedded(self, image: NDArray[np.uint8] | Frame) -> tuple[Frame, dict[str, float]]:
        if isinstance(image, Frame):
            return image, {}
        frame = self.embed(image)
        return frame, dict(frame.milliseconds)

    def _objects(self, frame: Frame, command: ParsedCommand) -> FrameObjects:
        """Return the objects of a frame for a command, computed once for these settings."""
        profile, settings = self.profile, self.profile.objects
        is_for_all = settings.search == 'all' and not isinstance(self.proposer, PhraseProposer)
        described = () if is_for_all else tuple(noun_phrase_expressions(command))
        key: tuple[Any, ...] = (settings, profile.regions.patch_share)
        if not is_for_all:
            key += (described, profile.grounding, profile.answer)
        if key not in frame.objects:
            embedding = frame.mask_embedding
            if is_for_all:
                proposals = objects_of(self.proposer, embedding, settings, self._device)
            else:
                proposals = described_objects(
                    self.matcher,
                    frame.matcher_embedding,
                    self.proposer,
                    embedding,
                    described,
                    profile,
                )
            frame.objects[key] = self._measured(frame, proposals)
        return frame.objects[key]

    def _measured(self, frame: Frame, proposals: Proposals) -> FrameObjects:
        share = self.profile.regions.patch_share
        return frame_objects(proposals, self.matcher.grid, share, frame.depth, frame.pinhole)

    def _matches(
        self, frame: Frame, texts: Iterable[str], objects: FrameObjects
    ) -> dict[str, NDArray[np.float64]]:
        """Return for each text the chances that it describes the objects."""
        return phrase_matches(
            self.matcher,
            frame.matcher_embedding,
            list(dict.fromkeys(texts)),
            self.profile.grounding.prompt,
            objects,
            self.profile.regions,
        )

    def _all_matches(
        self, frame: Frame, parsed: Mapping[int, ParsedCommand], objects: Mapping[int, FrameObjects]
    ) -> dict[int, Mapping[str, NDArray[np.float64]]]:
        """Return the chances of every command's texts; those of the same objects in one batch."""
        matches: dict[int, Mapping[str, NDArray[np.float64]]] = {}
        for number in parsed:
            if number in matches:
                continue
            same = [n for n in parsed if objects[n] is objects[number]]
            texts = [text for n in same for text in parsed[n].phrase.texts()]
            matches |= dict.fromkeys(same, self._matches(frame, texts, objects[number]))
        return matches

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
                    parsed[number] = permitted(self.parser.parse(command))
                except InvalidCommandError as error:
                    answers[number] = invalid(str(error), frame.image_size)
        by_parts = self.profile.answer.by == 'parts'
        grounded = [
            phrase_expression(c) if by_parts else whole_expression(c) for c in parsed.values()
        ]
        with _timed(spent, 'ground', self._device):
            opinions = primary_word_opinions(
                self._head,
                self.matcher,
                frame.matcher_embedding,
                list(parsed.values()),
                self.profile.grounding.prompt,
            )
            grounded = [
                opinion.applied(each, command)
                for opinion, each, command in zip(opinions, grounded, parsed.values(), strict=True)
            ]
            groundings = ground(
                self.matcher,
                frame.matcher_embedding,
                grounded,
                self.profile.grounding,
                on_round,
                should_stop,
            )
        objects: dict[int, FrameObjects] = {}
        matches: dict[int, Mapping[str, NDArray[np.float64]]] = {}
        if by_parts:
            with _timed(spent, 'find objects', self._device):
                objects = {n: self._objects(frame, each) for n, each in parsed.items()}
            with _timed(spent, 'match regions', self._device):
                matches = self._all_matches(frame, parsed, objects)
        answered = zip(parsed.items(), groundings, opinions, strict=True)
        for (number, understood), grounding, opinion in answered:
            took = dict(spent)
            with _timed(took, 'reason' if by_parts else 'select mask', self._device):
                decision = (
                    self._by_parts(frame, understood, grounding, objects[number], matches[number])
                    if by_parts
                    else self._by_heatmap(frame, understood, grounding)
                )
            answer = segmentation(decision, understood, grounding, commands[number], took)
            answer = opinion.noted(answer, grounding.expression)
            is_reduced = frame.size != frame.image_size
            answers[number] = resized(answer, frame.image_size) if is_reduced else answer
        return [answers[number] for number in range(len(commands))]

    def _by_heatmap(self, frame: Frame, command: ParsedCommand, grounding: Grounding) -> Decision:
        def propose(points: Tensor) -> Proposals:
            return self.proposer.propose(frame.mask_embedding, points)

        return answer_by_heatmap(
            command.expression, grounding, frame.size, propose, self.profile.answer
        )

    def _by_parts(
        self,
        frame: Frame,
        command: ParsedCommand,
        grounding: Grounding,
        objects: FrameObjects,
        matches: Mapping[str, NDArray[np.float64]],
    ) -> Decision:
        """Return the answer among the objects, or else with the masks at the heatmap's peaks."""
        settings, patch_map = self.profile.answer, grounding.heatmap
        decision = answer_by_parts(command, matches, objects, patch_map, frame.size, settings)
        if decision.status is not Status.NOT_FOUND:
            return decision
        points = peak_points(upsampled(patch_map, frame.size), settings.max_peaks)
        extra, found = self.proposer.propose(frame.mask_embedding, points), self.profile.objects
        extra = taken(extra, distinct(coarse(extra.masks), extra.predicted_iou, found))
        proposals = joined(objects.proposals, extra, found.max_overlap)
        if len(proposals.masks) == len(objects.proposals.masks):
            return decision
        more = self._measured(frame, proposals)
        matches = self._matches(frame, command.phrase.texts(), more)
        return answer_by_parts(command, matches, more, patch_map, frame.size, settings)


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
