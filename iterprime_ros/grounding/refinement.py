"""Iterative Grad-CAM Refinement (IGRS): ground again without the patches that stood out.

Wang et al., "IteRPrimE", AAAI 2025 (arXiv 2503.00936). Round 0 sees the whole image. After every
round the patches that stand out are hidden from later rounds, whose maps join the running map
R <- momentum * R + (1 - momentum) * map, until the matching probability falls.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.errors import StoppedError
from iterprime_ros.grounding.alignment import (
    Expression,
    Span,
    TokenRoles,
    expression_offsets,
    token_roles,
)
from iterprime_ros.grounding.device_copy import on_device
from iterprime_ros.grounding.emphasis import (
    emphasised_map,
    head_means_map,
    with_most_attended_word,
)
from iterprime_ros.grounding.gradcam import word_maps
from iterprime_ros.grounding.heatmap import scaled, sharpened
from iterprime_ros.grounding.matcher import CrossAttention, Matcher
from iterprime_ros.grounding.settings import GroundingSettings
from iterprime_ros.weights import damaged_weights

# Called after every round with its number, the running maps (B, rows, cols) float32 in [0, 1] on
# the matcher's device, and the matching probabilities of that round.
OnRound = Callable[[int, Tensor, list[float]], None]


@dataclass(frozen=True)
class RefinementRound:
    """One round of refinement of one expression.

    heatmap: (rows, cols) float32 in [0, 1], the round's own map over the patches.
    probability: matching probability, in [0, 1].
    hidden: (rows, cols) bool, the patches that were hidden from this round.
    kept: whether the final heatmap includes this round.
    """

    heatmap: NDArray[np.float32]
    probability: float
    hidden: NDArray[np.bool_]
    kept: bool


@dataclass(frozen=True)
class Grounding:
    """Where in an image an expression is.

    heatmap: (rows, cols) float32 in [0, 1], R after the last round, on the matcher's device.
    rounds: every round, in order.
    expression: the expression, with a primary word where the parser had found none.
    word_maps: (focus words, rows, cols) float32 >= 0, each focus word's Grad-CAM in round 0.
    truncated: whether the end of the expression was cut off by the matcher.
    """

    heatmap: Tensor
    rounds: tuple[RefinementRound, ...]
    expression: Expression
    word_maps: NDArray[np.float32]
    truncated: bool

    @property
    def probability(self) -> float:
        """The matching probability of round 0, which sees the whole image, in [0, 1]."""
        return self.rounds[0].probability


def ground(
    matcher: Matcher,
    image: Any,
    expressions: Sequence[Expression],
    settings: GroundingSettings,
    on_round: OnRound | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Grounding]:
    """Ground expressions in one image, together.

    image: what matcher.encode_image returned.
    on_round: called after every round.
    should_stop: asked after every round.

    Raises StoppedError once `should_stop` returns True, and WeightsMismatchError where the matcher
    gives numbers that are not finite.
    """
    if not expressions:
        return []
    batch = matcher.encode_text(
        [settings.prompt.format(expression=expression.text) for expression in expressions]
    )
    start = settings.prompt.index('{expression}')
    offsets = [
        expression_offsets(spans, start, len(expression.text))
        for spans, expression in zip(batch.offsets, expressions, strict=True)
    ]
    tracks = [_Track(expression) for expression in expressions]
    rows, columns = matcher.grid
    keep = torch.ones(len(batch), rows * columns, dtype=torch.bool, device=batch.real.device)
    active, text = list(range(len(batch))), batch  # of `active` are the rows of all tensors below
    roles: TokenRoles | None = None
    for number in range(settings.rounds):
        seen = matcher.attend(image, text, keep, settings.block)
        if number == 0:
            for row, track in enumerate(tracks):
                track.read_words(seen, row, offsets[row], settings)
        roles = roles or token_roles(
            text.real, [offsets[k] for k in active], [tracks[k].expression for k in active]
        )
        unscaled = _maps(seen, roles, settings)
        probabilities = _probabilities(seen, unscaled)
        maps, hidden = scaled(unscaled), ~keep
        going = [
            row
            for row, k in enumerate(active)
            if tracks[k].add(maps[row], probabilities[row], hidden[row], settings)
        ]
        if should_stop and should_stop():
            raise StoppedError('The grounding was stopped between two rounds.')
        if on_round:
            on_round(number, *_running(tracks, matcher.grid))
        if number + 1 == settings.rounds or not going:
            break
        sharp = sharpened(maps, settings.sharpness, settings.midpoint)
        # A map without contrast singles nothing out.
        standing_out = (sharp >= settings.drop_threshold) & (maps.amax(dim=1, keepdim=True) > 0)
        keep = keep & ~standing_out
        if len(going) < len(active):
            active = [active[row] for row in going]
            index = on_device(torch.tensor(going, dtype=torch.int64), keep.device)
            keep, text, roles = keep.index_select(0, index), matcher.select(batch, active), None
    return _groundings(tracks, batch.truncated, matcher.grid, settings)


class _Track:
    """One expression on its way through the rounds."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.probability = 0.0
        self.rounds: list[tuple[Tensor, float, Tensor, bool]] = []
        self._running: Tensor | None = None
        self.word_maps = torch.empty(0)

    @property
    def running(self) -> Tensor:
        """R, (N,) float32 in [0, 1]."""
        return self.rounds[0][0] if self._running is None else self._running

    def read_words(
        self, seen: CrossAttention, row: int, offsets: Sequence[Span], settings: GroundingSettings
    ) -> None:
        """Keep the words' maps of round 0, and find a primary word where there is none."""
        self.word_maps = word_maps(
            seen.attention[row], seen.gradient[row], offsets, self.expression.focus_words
        )
        if not self.expression.primary_word and settings.no_primary_word == 'find':
            self.expression = with_most_attended_word(self.expression, self.word_maps)

    def add(
        self, heatmap: Tensor, probability: float, hidden: Tensor, settings: GroundingSettings
    ) -> bool:
        """Add a round, and return whether another may follow."""
        failed = settings.stop_early and probability < self.probability
        kept = not failed or settings.keep_failed_round
        self.probability = probability
        self.rounds.append((heatmap, probability, hidden, kept))
        if self._running is None:
            self._running = heatmap
        elif kept:
            self._running = settings.momentum * self._running + (1 - settings.momentum) * heatmap
        return not failed

    def heatmap(self, settings: GroundingSettings) -> Tensor:
        """Return the result after the last round, (N,) float32 in [0, 1]."""
        if settings.rounds == 1 and settings.sharpen_single_round:
            return sharpened(self.running[None], settings.sharpness, settings.midpoint)[0]
        return self.running


def _groundings(
    tracks: Sequence[_Track],
    truncated: Sequence[bool],
    grid: tuple[int, int],
    settings: GroundingSettings,
) -> list[Grounding]:
    """Return the results after the last round."""
    # All expressions and rounds together, since every copy to the host waits for the device.
    rounds = [each for track in tracks for each in track.rounds]
    maps, hidden, words = (
        torch.cat(some).unflatten(1, grid).cpu().numpy()
        for some in (
            [heatmap[None] for heatmap, _, _, _ in rounds],
            [unseen[None] for _, _, unseen, _ in rounds],
            [track.word_maps for track in tracks],
        )
    )
    each_round = (
        RefinementRound(heatmap, probability, unseen, kept)
        for heatmap, unseen, (_, probability, _, kept) in zip(maps, hidden, rounds, strict=True)
    )
    ends = np.cumsum([len(track.word_maps) for track in tracks])
    return [
        Grounding(
            track.heatmap(settings).view(grid),
            tuple(islice(each_round, len(track.rounds))),
            track.expression,
            own_words,
            cut,
        )
        for track, own_words, cut in zip(tracks, np.split(words, ends[:-1]), truncated, strict=True)
    ]


def _running(tracks: Sequence[_Track], grid: tuple[int, int]) -> tuple[Tensor, list[float]]:
    """Return the running maps (B, rows, cols) and the last probabilities."""
    maps = torch.stack([track.running for track in tracks]).unflatten(1, grid)
    return maps, [track.probability for track in tracks]


def _probabilities(seen: CrossAttention, maps: Tensor) -> list[float]:
    """Return the matching probabilities; all that the host waits for in a round.

    Raises WeightsMismatchError where they or the maps (B, N) are not finite.
    """
    finite = maps.isfinite().all()[None].to(seen.probability)
    *probabilities, is_finite = torch.cat([seen.probability, finite]).tolist()
    if not is_finite or not all(map(math.isfinite, probabilities)):
        raise damaged_weights('The matcher gave no number that is finite')
    return probabilities


def _maps(seen: CrossAttention, roles: TokenRoles, settings: GroundingSettings) -> Tensor:
    """Return the maps (B, N) of one round, before scaling."""
    maps = emphasised_map(
        seen.attention,
        seen.gradient,
        roles,
        settings.local_emphasis,
        settings.global_emphasis,
    )
    if settings.no_primary_word != 'head_means':
        return maps
    plain = head_means_map(seen.attention, seen.gradient, roles)
    return torch.where(roles.primary.any(dim=1, keepdim=True), maps, plain)
