"""Choose the settings of answers that are read off one heatmap.

The fusion block and the emphasis come first, then the settings of the refinement, each for the
highest mean IoU without a match threshold. The threshold follows: it maximises correct rejections
minus false rejections.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from tqdm import tqdm

from iterprime_ros.evaluation.datasets.dataset import Dataset, Sample
from iterprime_ros.evaluation.metrics import MEAN_IOU, P_05, Asked, Outcome
from iterprime_ros.evaluation.report import by_group, markdown_table
from iterprime_ros.evaluation.runner import answer_sample
from iterprime_ros.evaluation.variants import with_settings
from iterprime_ros.pipeline import Frame, IteRPrimE

EncodedSample = tuple[Sample, Frame]


def emphasis_settings(blocks: range) -> list[dict[str, Any]]:
    """Return every fusion block with and without each part of the emphasis, in one round."""
    return [
        {'block': block, 'local_emphasis': local, 'global_emphasis': whole, 'rounds': 1}
        for block, local, whole in product(blocks, (False, True), (False, True))
    ]


def refinement_settings() -> list[dict[str, Any]]:
    """Return the settings of the refinement to try; the first has none."""
    grid = product((2, 3), (0.5, 0.8), (0.5, 0.8), (True, False))
    return [{'rounds': 1}] + [
        {'rounds': rounds, 'drop_threshold': drop, 'momentum': momentum, 'stop_early': stop}
        for rounds, drop, momentum, stop in grid
    ]


def calibrated_by_heatmap(model: IteRPrimE, dataset: Dataset) -> IteRPrimE:
    """Return the model with the settings that answer a data set best; print what was tried."""
    encoded = [(sample, model.embed(sample.image)) for sample in tqdm(dataset, desc='encoding')]
    never_rejecting = {'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    best = with_settings(model, answer=never_rejecting)
    best = _best(best, encoded, emphasis_settings(model.matcher.fusion_blocks))
    best = _best(best, encoded, refinement_settings())
    outcomes = _outcomes(best, encoded)
    threshold = match_threshold(outcomes)
    correct, false = (
        np.mean([o.match_probability < threshold for o in outcomes if o.asked in asked])
        for asked in ((Asked.NOTHING,), (Asked.ONE, Asked.SEVERAL))
    )
    print(
        f'match threshold {threshold}: correct rejections {correct:.3f}, '
        f'false rejections {false:.3f}'
    )
    grounding = best.profile.grounding.model_dump()
    return with_settings(model, grounding, {'match_threshold': threshold})


def match_threshold(outcomes: Sequence[Outcome]) -> float:
    """Return the threshold of two decimals with the most correct minus false rejections."""
    with_target = np.array([o.match_probability for o in outcomes if o.has_target])
    without = np.array([o.match_probability for o in outcomes if o.asked is Asked.NOTHING])
    thresholds = np.arange(1, 100) / 100
    differences = [(without < t).mean() - (with_target < t).mean() for t in thresholds]
    return round(float(thresholds[int(np.argmax(differences))]), 2)


def _best(
    model: IteRPrimE, encoded: Sequence[EncodedSample], changes: Sequence[dict[str, Any]]
) -> IteRPrimE:
    """Return the model with the change that gives the highest mean IoU; print all of them."""
    rows, values, models = [], [], []
    for change in tqdm(changes, desc='trying'):
        changed = with_settings(model, change)
        outcomes = [outcome for outcome in _outcomes(changed, encoded) if outcome.has_target]
        models.append(changed)
        values.append(MEAN_IOU(outcomes))
        rows.append(_row(change, values[-1], outcomes))
    print(markdown_table([{name: row.get(name, '') for name in rows[-1]} for row in rows]))
    return models[int(np.argmax(values))]


def _row(change: dict[str, Any], mean_iou: float, outcomes: Sequence[Outcome]) -> dict[str, str]:
    row = {name: str(value) for name, value in change.items()}
    row['mIoU'] = f'{mean_iou:.3f}'
    for group, some in by_group(outcomes).items():
        row[f'{group}: P@0.5'] = f'{P_05(some):.3f}'
    return row


def _outcomes(model: IteRPrimE, encoded: Sequence[EncodedSample]) -> list[Outcome]:
    return [
        answered.outcome
        for sample, frame in encoded
        for answered in answer_sample(model, sample, frame)
    ]
