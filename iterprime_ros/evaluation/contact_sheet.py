"""Pictures of many answers at once, for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iterprime_ros.evaluation.datasets.dataset import Dataset, Sample
from iterprime_ros.evaluation.mask_rle import decoded
from iterprime_ros.evaluation.outcome import Asked, Outcome
from iterprime_ros.evaluation.outcome_log import PROFILE, RecordedAnswer, RecordedEvaluation
from iterprime_ros.render import overlay

PANELS = 24  # on a sheet
_COLUMNS = 6
_MAX_WIDTH = 320  # pixels of a panel's picture, about


@dataclass(frozen=True)
class LocatedAnswer:
    """An answer and the question that it is to.

    index: of the image in the data set.
    question: number of the question about the image, from 0.
    name: of the baseline that answered, or PROFILE.
    recorded: the answer.
    """

    index: int
    question: int
    name: str
    recorded: RecordedAnswer

    @property
    def key(self) -> tuple[int, int, str]:
        """What tells it from the other answers of an evaluation."""
        return self.index, self.question, self.name


@dataclass(frozen=True)
class Panel:
    """An answer as a contact sheet shows it.

    picture: (h, w, 3) uint8 RGB, the image with the answer's mask in green.
    target_mask: (h, w) bool; None without a target.
    title: the expression and the verdict.
    """

    picture: NDArray[np.uint8]
    target_mask: NDArray[np.bool_] | None
    title: str


def contact_sheets(evaluation: RecordedEvaluation, dataset: Dataset) -> dict[str, Figure]:
    """Return the sheets of an evaluation, which has an answer, by the names of their files.

    dataset: the whole data set, of which the images that are shown are read again.

    worst, best, sample (from first to last), and for each baseline the disagreements: the questions
    that one answers well and the other badly.
    """
    answers = list(located_answers(evaluation, PROFILE))
    chosen = {
        'worst': ('The worst answers', worst(answers)),
        'best': ('The best answers', best(answers)),
        'sample': ('Answers from first to last', evenly_spaced(answers)),
    }
    for name in evaluation.header['baselines']:
        others = list(located_answers(evaluation, name))
        if pairs := disagreements(answers, others):
            title = f"Pairs of answers, the profile's and {name}'s: the profile better, then worse"
            chosen[f'disagreements-{name}'] = (title, pairs)
    panels = _panels(dataset, [each for _, some in chosen.values() for each in some])
    return {
        f'{name}.png': contact_sheet(title, [panels[each.key] for each in some])
        for name, (title, some) in chosen.items()
    }


def located_answers(evaluation: RecordedEvaluation, name: str) -> Iterator[LocatedAnswer]:
    """Yield the answers of a baseline, or of PROFILE, in the order of the questions."""
    for index, image in evaluation.images.items():
        for question, answer in enumerate(image.answers[name]):
            yield LocatedAnswer(index, question, name, answer)


def worst(answers: Sequence[LocatedAnswer], count: int = PANELS) -> list[LocatedAnswer]:
    """Return the worst answers: lowest IoU first, the surest first among equals.

    Where nothing or no single object fits, a wrong status counts as 0 and the right one as 1.
    """
    return sorted(answers, key=lambda each: (_worth(each), -_sureness(each)))[:count]


def best(answers: Sequence[LocatedAnswer], count: int = PANELS) -> list[LocatedAnswer]:
    """Return the best answers to questions with a target, the surest first among equals."""
    some = [each for each in answers if each.recorded.outcome.has_target]
    return sorted(some or answers, key=lambda each: (-_worth(each), -_sureness(each)))[:count]


def disagreements(
    answers: Sequence[LocatedAnswer], others: Sequence[LocatedAnswer], count: int = PANELS
) -> list[LocatedAnswer]:
    """Return pairs of answers to questions with a target, those that differ most in IoU.

    answers, others: to the same questions in the same order.
    count: of answers at most, two for each question: half of them where `answers` has the higher
        IoU, then half where `others` has, or more of one where there are fewer of the other.
    """
    gains = [
        (one.recorded.outcome.iou - other.recorded.outcome.iou, one, other)
        for one, other in zip(answers, others, strict=True)
        if one.recorded.outcome.has_target
    ]
    ranked = sorted(gains, key=lambda gain: -gain[0])
    better = [gain for gain in ranked if gain[0] > 0]
    worse = [gain for gain in reversed(ranked) if gain[0] < 0]
    half, pairs = count // 4, count // 2
    chosen = better[: max(half, pairs - len(worse))]
    chosen += worse[: pairs - len(chosen)]
    return [each for _, one, other in chosen for each in (one, other)]


def evenly_spaced(answers: Sequence[LocatedAnswer], count: int = PANELS) -> list[LocatedAnswer]:
    """Return answers at even steps from the first to the last."""
    chosen = np.linspace(0, len(answers) - 1, min(count, len(answers))).round().astype(int)
    return [answers[k] for k in chosen]


def contact_sheet(title: str, panels: Sequence[Panel]) -> Figure:
    """Return a figure of at least one answer under a title."""
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(16, 2.75 * rows + 0.4), dpi=90, layout='constrained')
    figure.suptitle(
        f'{title}. Green: the mask of the answer. White outline: the ground truth.',
        fontsize=10,
        parse_math=False,
    )
    cells = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, panel in zip(cells, panels, strict=False):
        axes.imshow(panel.picture)
        if panel.target_mask is not None and panel.target_mask.any():
            axes.contour(panel.target_mask, levels=[0.5], colors='white', linewidths=0.8)
        axes.set_title(panel.title, fontsize=8, parse_math=False)
    for axes in cells:
        axes.set_axis_off()
    return figure


def _panels(dataset: Dataset, chosen: Sequence[LocatedAnswer]) -> dict[tuple[int, int, str], Panel]:
    """Return the panels of answers by their keys; each image is read once."""
    indices = sorted({each.index for each in chosen})
    panels: dict[tuple[int, int, str], Panel] = {}
    for index, sample in zip(indices, dataset.subset(indices), strict=True):
        panels |= {each.key: _panel(sample, each) for each in chosen if each.index == index}
    return panels


def _panel(sample: Sample, answer: LocatedAnswer) -> Panel:
    step = max(1, sample.image.shape[1] // _MAX_WIDTH)
    target = sample.questions[answer.question].target_mask
    outcome = answer.recorded.outcome
    by = '' if answer.name == PROFILE else f'{answer.name}: '
    return Panel(
        overlay(sample.image, decoded(answer.recorded.mask))[::step, ::step],
        None if target is None else target[::step, ::step],
        f'{fill(answer.recorded.expression, 38)}\n{by}{_verdict(outcome)}',
    )


def _worth(answer: LocatedAnswer) -> float:
    outcome = answer.recorded.outcome
    right = {Asked.NOTHING: outcome.is_rejected, Asked.UNCLEAR: outcome.is_ambiguous}
    return float(right.get(outcome.asked, outcome.iou))


def _sureness(answer: LocatedAnswer) -> float:
    return float(np.nan_to_num(answer.recorded.outcome.match_probability))


def _verdict(outcome: Outcome) -> str:
    known = not np.isnan(outcome.match_probability)
    probability = f', match {outcome.match_probability:.2f}' if known else ''
    match outcome.asked:
        case Asked.NOTHING:
            verdict = 'correct rejection' if outcome.is_rejected else 'false positive'
        case Asked.UNCLEAR:
            right = 'correctly' if outcome.is_ambiguous else 'ambiguous, but'
            verdict = f'{right} {outcome.status}'
        case _ if outcome.is_rejected:
            verdict = 'false rejection'
        case _:
            verdict = f'{outcome.status}, IoU {outcome.iou:.2f}'
    return f'{verdict}{probability}'
