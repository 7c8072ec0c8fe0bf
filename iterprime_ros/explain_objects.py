"""The picture of the objects: numbered, with their chances, and an arrow for each relation."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import matplotlib.patheffects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray

from iterprime_ros.answer import PartsReport, Segmentation, Status
from iterprime_ros.explain_table import WITH_ANCHOR, relation_words
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.render import instance_colour
from iterprime_ros.spatial.reasoner import Factor, Reasoning

MOST_SHOWN = 12  # objects, unless more are meant
MOST_MEANT = 24
_MOST_SOURCES = 3  # of arrows, unless more are meant
_UNLIKELY = 0.2  # of the best chance: below it a candidate that is not meant gets no arrow
_LIKELY = 0.5  # chance from which an object is something
_SPECKS = 0.02  # of a mask, on each side of the object
_OUTLINE_PIXELS = 640  # longest side of the masks that outlines are drawn from
_LETTER, _BADGE_HEIGHT = 0.072, 0.19  # inches of a badge's letters and of a badge
_BEND = 0.12  # of an arrow, over its length
_HALO = matplotlib.patheffects.withStroke(linewidth=4, foreground='black', alpha=0.55)

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Arrow:
    """A relation that is drawn.

    source, target: candidates, counted from 0.
    anchor: the noun phrase that the target serves as.
    text: the relation, and the chance that it holds.
    is_negated: whether it must not hold.
    """

    source: int
    target: int
    anchor: NounPhrase
    text: str
    is_negated: bool


def shown_candidates(answer: Segmentation, report: PartsReport) -> list[int]:
    """Return the candidates that are drawn, best first.

    They are those that are meant, at most MOST_MEANT, and the best of the others and the anchors of
    those that are meant up to MOST_SHOWN in all.
    """
    meant = marked_candidates(answer)[:MOST_MEANT]
    arrows = relation_arrows(report, meant)
    others = range(len(answer.candidates))
    wanted = dict.fromkeys([*meant, *(arrow.target for arrow in arrows), *others])
    return sorted(list(wanted)[: max(MOST_SHOWN, len(meant))])


def marked_candidates(answer: Segmentation) -> list[int]:
    """Return the candidates that are meant or, of an ambiguous answer, may be."""
    count = 2 if answer.status is Status.AMBIGUOUS else answer.instance_count
    return list(range(min(count, len(answer.candidates))))


def arrow_sources(answer: Segmentation, report: PartsReport, shown: Sequence[int]) -> list[int]:
    """Return the candidates that arrows begin at: those that are meant, and the best others.

    Where nothing is found it is the one that the phrase fits best without its constraints.
    """
    marked = set(marked_candidates(answer))
    found = [n for n in shown if n in marked]
    if not found:
        heads = report.reasoning.heads[list(report.objects)]
        return [n for n in shown if heads[n] == heads.max() >= _LIKELY][:1]
    least = _UNLIKELY * max(each.chance for each in answer.candidates)
    others = [n for n in shown if n not in marked and answer.candidates[n].chance >= least]
    return found + others[: max(0, _MOST_SOURCES - len(found))]


def relation_arrows(report: PartsReport, sources: Iterable[int]) -> list[Arrow]:
    """Return the relations of some candidates to the anchors that serve them best.

    Those of the anchors to their own anchors are among them.
    """
    place = {k: n for n, k in enumerate(report.objects)}
    arrows = (
        arrow
        for source in sources
        for arrow in _arrows(report.reasoning, report.objects[source], place)
    )
    return list(dict.fromkeys(arrows))


def draw_objects(
    axes: Axes, image: NDArray[np.uint8], answer: Segmentation, shown: Sequence[int], inches: float
) -> None:
    """Draw the objects on the image.

    shown: the candidates that are drawn.
    inches: the width of the axes.
    """
    height, width = image.shape[:2]
    axes.imshow(image)
    axes.autoscale(False)
    marked = set(marked_candidates(answer))
    for n in reversed(shown):
        _draw_outline(axes, answer.candidates[n].mask, instance_colour(n)[0], n in marked)
    report = answer.parts
    scale = width / inches  # pixels of the image an inch
    centres = candidate_centres(answer, (height, width))
    arrows = relation_arrows(report, arrow_sources(answer, report, shown)) if report else []
    arrows = [each for each in arrows if {each.source, each.target} <= set(shown)]
    for arrow in arrows:
        _draw_arrow(axes, arrow, centres, arrow.source in marked)
    labels: list[tuple[str, int, list[tuple[float, float]]]] = [
        (
            f'{n + 1}: {answer.candidates[n].chance:.2f}',
            n,
            _places_round(answer.candidates[n].mask, _BADGE_HEIGHT * scale),
        )
        for n in shown
    ]
    labels += [
        (each.text, each.source, _places_along(each, centres, _BADGE_HEIGHT * scale))
        for each in arrows
    ]
    taken: list[Box] = []
    for text, n, places in labels:
        size = ((_LETTER * len(text) + 0.06) * scale, _BADGE_HEIGHT * scale)
        box = free_box(places, size, (width, height), taken)
        taken.append(box)
        fill, letters = instance_colour(n)
        is_badge = text.startswith(f'{n + 1}:')
        axes.text(
            (box[0] + box[2]) / 2,
            (box[1] + box[3]) / 2,
            text,
            ha='center',
            va='center',
            fontsize=8.5,
            color=letters if is_badge else 'black',
            weight='bold' if n in marked else 'normal',
            bbox={
                'boxstyle': 'square,pad=0.2',
                'facecolor': fill if is_badge else 'white',
                'edgecolor': 'black' if is_badge else fill,
                'linewidth': 0.8,
            },
            clip_on=True,
            parse_math=False,
            zorder=6,
        )


def free_box(
    places: Iterable[tuple[float, float]],
    size: tuple[float, float],
    bounds: tuple[float, float],
    taken: Sequence[Box],
) -> Box:
    """Return a box that covers the least of others.

    places: centres (x, y) in the order of preference; they are moved inside the bounds.
    size, bounds: width and height of the box, and of what it must lie in.
    taken: the other boxes.
    """

    def box(place: tuple[float, float]) -> Box:
        corners = []
        for middle, extent, most in zip(place, size, bounds, strict=True):
            low = min(max(middle - extent / 2, 0), max(most - extent, 0))
            corners.append((low, low + extent))
        (left, right), (top, bottom) = corners
        return left, top, right, bottom

    return min(map(box, places), key=lambda each: sum(_shared(each, other) for other in taken))


def _shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0) * max(down, 0)


def _arrows(reasoning: Reasoning, k: int, place: dict[int, int]) -> Iterator[Arrow]:
    for factor in reasoning.factors:
        if factor.best_anchors is None or _truth(factor, k) < WITH_ANCHOR:
            continue
        text = f'{relation_words(factor.constraint)} {factor.chances[k]:.2f}'
        negated = getattr(factor.constraint, 'is_negated', False)
        for anchor, target in zip(factor.anchors, factor.best_anchors[k].tolist(), strict=True):
            if target >= 0:
                yield Arrow(place[k], place[target], anchor.phrase, text, negated)
                yield from _arrows(anchor, target, place)


def _truth(factor: Factor, k: int) -> float:
    """Return how far a relation holds, whether it must or must not."""
    chance = float(factor.chances[k])
    return 1 - chance if getattr(factor.constraint, 'is_negated', False) else chance


def candidate_centres(
    answer: Segmentation, size: tuple[int, int]
) -> dict[int, tuple[float, float]]:
    """Return the pixel (x, y) of every candidate's centre; none where one heatmap was read.

    size: (H, W) of the image.
    """
    height, width = size
    report = answer.parts
    if report is None:
        return {}
    return {
        n: (
            float((width - 1) / 2 + report.measured.centre[k, 0] * height),
            float((height - 1) / 2 + report.measured.centre[k, 1] * height),
        )
        for n, k in enumerate(report.objects)
    }


def _draw_outline(axes: Axes, mask: NDArray[np.bool_], colour: str, is_marked: bool) -> None:
    step = max(1, -(-max(mask.shape) // _OUTLINE_PIXELS))
    few = np.pad(mask[::step, ::step], 1).astype(np.float32)
    if not few.any():
        return
    rows, columns = (step * (np.arange(side) - 1) for side in few.shape)
    lines = axes.contour(columns, rows, few, levels=[0.5], colors=[colour])
    lines.set_linewidth(3 if is_marked else 1.5)
    if is_marked:
        lines.set_path_effects([_HALO])


def _draw_arrow(
    axes: Axes, arrow: Arrow, centres: dict[int, tuple[float, float]], is_marked: bool
) -> None:
    axes.add_patch(
        FancyArrowPatch(
            centres[arrow.source],
            centres[arrow.target],
            arrowstyle='-|>',
            mutation_scale=16,
            connectionstyle=f'arc3,rad={_BEND}',
            shrinkA=4,
            shrinkB=8,
            color=instance_colour(arrow.source)[0],
            linewidth=2.5 if is_marked else 1.2,
            linestyle='--' if arrow.is_negated else '-',
            path_effects=[_HALO],
            zorder=5,
        )
    )


def _places_round(mask: NDArray[np.bool_], height: float) -> list[tuple[float, float]]:
    """Return where the badge of an object may be: above, below, on it, or beside it."""
    if not mask.any():
        return [(0.0, 0.0)]
    left, right = _extent(mask.sum(axis=0))
    top, bottom = _extent(mask.sum(axis=1))
    x, y = (left + right) / 2, (top + bottom) / 2
    above, below = top - 0.7 * height, bottom + 0.7 * height
    return [
        (x, above), (x, below), (left, above), (right, above), (left, below), (right, below),
        (left - 2 * height, y), (right + 2 * height, y), (x, y),
        (x, above - height), (x, below + height),
    ]  # fmt: skip


def _extent(counts: NDArray[np.intp]) -> tuple[int, int]:
    """Return the first and the last column or row of a mask without the specks beside it."""
    shares = np.cumsum(counts) / counts.sum()
    first, last = np.searchsorted(shares, (_SPECKS, 1 - _SPECKS))
    return int(first), int(last)


def _places_along(
    arrow: Arrow, centres: dict[int, tuple[float, float]], height: float
) -> list[tuple[float, float]]:
    """Return where the words of an arrow may be: along its curve, nearer its start first.

    height: of the words, in pixels; they are above and below the curve where there is no room.
    """
    (x0, y0), (x1, y1) = centres[arrow.source], centres[arrow.target]
    # The control point of Matplotlib's arc3, in pixels, whose y is down.
    x = (x0 + x1) / 2 - _BEND * (y1 - y0)
    y = (y0 + y1) / 2 + _BEND * (x1 - x0)
    return [
        (
            (1 - t) ** 2 * x0 + 2 * t * (1 - t) * x + t**2 * x1,
            (1 - t) ** 2 * y0 + 2 * t * (1 - t) * y + t**2 * y1 + lines * height,
        )
        for lines in (0, -1.1, 1.1, -2.2, 2.2)
        for t in (0.4, 0.5, 0.3, 0.6, 0.2, 0.7, 0.8)  # arrows to one anchor meet at its centre
    ]
