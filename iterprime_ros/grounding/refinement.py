"""Iterative Grad-CAM Refinement (IGRS): look again without what has been seen.

Wang et al., "IteRPrimE", AAAI 2025 (arXiv 2503.00936). Round 0 sees the whole image. After every
round the patches that stand out are hidden from later rounds, whose maps join the running map
R <- momentum * R + (1 - momentum) * map, until the matching probability falls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from iterprime_ros.grounding.alignment import (
    Expression,
    token_roles,
    with_found_primary_word,
    word_maps,
)
from iterprime_ros.grounding.emphasis import emphasised_map, head_means_map
from iterprime_ros.grounding.matcher import Attended, Matcher, TextBatch
from iterprime_ros.grounding.settings import GroundingSettings

# Told after every round: its number, the running maps (B, rows, cols) float32 in [0, 1], and the
# probabilities of that round. What it raises ends the grounding.
Watch = Callable[[int, Tensor, list[float]], None]


@dataclass(frozen=True)
class Round:
    """One look.

    heatmap: (rows, cols) float32 in [0, 1], its map. probability: of a match, in [0, 1]. hidden:
    (rows, cols) bool, the patches that it did not see. kept: whether the final heatmap has it.
    """

    heatmap: Tensor
    probability: float
    hidden: Tensor
    kept: bool


@dataclass(frozen=True)
class Grounding:
    """Where an expression is.

    heatmap: (rows, cols) float32 in [0, 1], R after the last round. rounds: every look, in order.
    expression: with the primary word that was found where none was given. word_maps: (focus words,
    rows, cols) float32, the gradient-weighted attention of each focus word in round 0. truncated:
    whether the expression's end did not fit into the matcher.
    """

    heatmap: Tensor
    rounds: tuple[Round, ...]
    expression: Expression
    word_maps: Tensor
    truncated: bool

    @property
    def probability(self) -> float:
        """That image and expression match, in [0, 1]: of round 0, which sees the whole image."""
        return self.rounds[0].probability


def ground(
    matcher: Matcher,
    image: Any,
    expressions: Sequence[Expression],
    settings: GroundingSettings,
    words: Sequence[Sequence[tuple[int, int]]] | None = None,
    watch: Watch | None = None,
) -> list[Grounding]:
    """Ground expressions in one image, together.

    image: what matcher.encode_image returned. words: for every expression the spans among which a
    missing primary word is looked for; its focus words by default. watch: told of every round.
    """
    if not expressions:
        return []
    batch = matcher.encode_text([expression.text for expression in expressions])
    tracks = [_Track(expression, [], None) for expression in expressions]
    rows, columns = matcher.grid
    keep = torch.ones(len(batch), rows * columns, dtype=torch.bool, device=batch.real.device)
    active, text = list(range(len(batch))), batch
    by_word: list[Tensor] = []
    for number in range(settings.rounds):
        attended = matcher.attend(image, text, keep[active], settings.block)
        if number == 0:
            for row, track in enumerate(tracks):
                track.expression = _with_primary_word(
                    track.expression, attended, text, row, settings, words[row] if words else None
                )
            by_word = [
                word_maps(attended, text, row, track.expression.focus_words)
                for row, track in enumerate(tracks)
            ]
        maps = scaled(_maps(attended, text, [tracks[k].expression for k in active], settings))
        probabilities = attended.probability.tolist()
        going = [
            row
            for row, k in enumerate(active)
            if tracks[k].add(maps[row], probabilities[row], ~keep[k], settings)
        ]
        if watch:
            watch(number, *_so_far(tracks, matcher.grid))
        if number + 1 == settings.rounds or not going:
            break
        standing_out = sharpened(maps, settings) >= settings.drop_threshold
        # A map without contrast singles nothing out.
        standing_out &= (maps.amax(dim=1, keepdim=True) > 0).expand_as(maps)
        keep[active] = keep[active] & ~standing_out
        active = [active[row] for row in going]
        text = matcher.select(batch, active)
    return [
        track.grounding(by_word[k], batch.truncated[k], matcher.grid, settings)
        for k, track in enumerate(tracks)
    ]


def scaled(maps: Tensor) -> Tensor:
    """Min-max scale each map of (B, N) to [0, 1]; a map without contrast becomes 0."""
    low, high = maps.amin(dim=1, keepdim=True), maps.amax(dim=1, keepdim=True)
    return torch.where(high > low, (maps - low) / (high - low), 0)


def sharpened(maps: Tensor, settings: GroundingSettings) -> Tensor:
    """Return s(x) = sigmoid(sharpness * (x - midpoint)), over its maximum, of maps (B, N)."""
    steep = torch.sigmoid(settings.sharpness * (maps - settings.midpoint))
    return steep / steep.amax(dim=1, keepdim=True)


@dataclass
class _Track:
    """One expression on its way through the rounds."""

    expression: Expression
    rounds: list[tuple[Tensor, float, Tensor, bool]]
    running: Tensor | None

    def add(
        self, heatmap: Tensor, probability: float, hidden: Tensor, settings: GroundingSettings
    ) -> bool:
        """Take a round in, and return whether another may follow."""
        last = self.rounds[-1][1] if self.rounds else 0.0
        fell = settings.stop_early and probability < last
        kept = not fell or settings.keep_failed_round
        self.rounds.append((heatmap, probability, hidden.clone(), kept))
        if self.running is None:
            self.running = heatmap
        elif kept:
            self.running = settings.momentum * self.running + (1 - settings.momentum) * heatmap
        return not fell

    def grounding(
        self,
        by_word: Tensor,
        truncated: bool,
        grid: tuple[int, int],
        settings: GroundingSettings,
    ) -> Grounding:
        heatmap = self.rounds[0][0] if self.running is None else self.running
        if settings.rounds == 1 and settings.sharpen_single_round:
            heatmap = sharpened(heatmap[None], settings)[0]
        return Grounding(
            heatmap.view(grid),
            tuple(
                Round(seen.view(grid), probability, hidden.view(grid), kept)
                for seen, probability, hidden, kept in self.rounds
            ),
            self.expression,
            by_word.unflatten(1, grid),
            truncated,
        )


def _so_far(tracks: Sequence[_Track], grid: tuple[int, int]) -> tuple[Tensor, list[float]]:
    """Return the running maps (B, rows, cols) and the last probabilities."""
    maps = [track.rounds[0][0] if track.running is None else track.running for track in tracks]
    return torch.stack(maps).unflatten(1, grid), [track.rounds[-1][1] for track in tracks]


def _with_primary_word(
    expression: Expression,
    attended: Attended,
    text: TextBatch,
    row: int,
    settings: GroundingSettings,
    words: Sequence[tuple[int, int]] | None,
) -> Expression:
    if expression.primary_word or settings.no_primary_word != 'find':
        return expression
    candidates = words or expression.focus_words
    return with_found_primary_word(expression, attended, text, row, candidates)


def _maps(
    attended: Attended,
    text: TextBatch,
    expressions: Sequence[Expression],
    settings: GroundingSettings,
) -> Tensor:
    """Return the maps (B, N) of one round, before scaling."""
    roles = token_roles(text, expressions)
    maps = emphasised_map(
        attended.attention,
        attended.gradient,
        roles,
        settings.local_emphasis,
        settings.global_emphasis,
    )
    if settings.no_primary_word != 'head_means':
        return maps
    plain = head_means_map(attended.attention, attended.gradient, roles)
    return torch.where(roles.primary.any(dim=1, keepdim=True), maps, plain)
