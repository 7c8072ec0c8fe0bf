"""Choose from which chance an object counts as found, and how near another makes it ambiguous."""

from collections.abc import Sequence

import numpy as np

from iterprime_ros.evaluation.decisions import JudgedQuestion, decided
from iterprime_ros.evaluation.metrics import (
    CORRECT_AMBIGUOUS,
    CORRECT_REJECTIONS,
    FALSE_AMBIGUOUS,
    FALSE_REJECTIONS,
    Metric,
    Outcome,
)

THRESHOLDS = tuple(k / 100 for k in range(1, 100))
MARGINS = tuple(k / 100 for k in range(2, 100, 2))


def chosen_threshold(judged: Sequence[JudgedQuestion]) -> float:
    """Return the one of THRESHOLDS with the most correct minus false rejections.

    Of several that are equally good it is the one in their middle.
    """
    return _best(
        THRESHOLDS,
        [
            _difference(CORRECT_REJECTIONS, FALSE_REJECTIONS, _outcomes(judged, threshold, 0.0))
            for threshold in THRESHOLDS
        ],
    )


def chosen_margin(judged: Sequence[JudgedQuestion], match_threshold: float) -> float | None:
    """Return the one of MARGINS with the most correct minus false AMBIGUOUS; None without data.

    Of several that are equally good it is the one in their middle.
    """
    differences = [
        _difference(CORRECT_AMBIGUOUS, FALSE_AMBIGUOUS, _outcomes(judged, match_threshold, margin))
        for margin in MARGINS
    ]
    return None if np.isnan(differences).all() else _best(MARGINS, differences)


def _outcomes(
    judged: Sequence[JudgedQuestion], match_threshold: float, ambiguity_margin: float
) -> list[Outcome]:
    return [decided(each, match_threshold, ambiguity_margin) for each in judged]


def _difference(more: Metric, fewer: Metric, outcomes: Sequence[Outcome]) -> float:
    return more(outcomes) - fewer(outcomes)


def _best(values: Sequence[float], merits: Sequence[float]) -> float:
    best = np.flatnonzero(np.array(merits) >= np.nanmax(merits) - 1e-9)
    return values[int(best[len(best) // 2])]
