"""Choose the settings of a profile on calibration scenes, on which nothing is measured.

The fusion block and the emphasis come first, then the settings of the refinement, each for the
highest mean IoU without a match threshold. The threshold follows: it maximises correct rejections
minus false rejections.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from tqdm import tqdm

from iterprime_ros.errors import IterprimeError
from iterprime_ros.evaluation.datasets.dataset import Dataset, Sample
from iterprime_ros.evaluation.datasets.tabletop import load_tabletop
from iterprime_ros.evaluation.metrics import Outcome, miou, precision
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


def calibrated(model: IteRPrimE, dataset: Dataset) -> IteRPrimE:
    """Return the model with the settings that answer a data set best; print what was tried."""
    encoded = [(sample, model.embed(sample.image)) for sample in tqdm(dataset, desc='encoding')]
    never_rejecting = {'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    best = with_settings(model, answer=never_rejecting)
    best = _best(best, encoded, emphasis_settings(model.matcher.fusion_blocks))
    best = _best(best, encoded, refinement_settings())
    outcomes = _outcomes(best, encoded)
    threshold = match_threshold(outcomes)
    correct, false = (
        np.mean([o.match_probability < threshold for o in outcomes if o.has_target == has_target])
        for has_target in (False, True)
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
    without = np.array([o.match_probability for o in outcomes if not o.has_target])
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
        values.append(miou(outcomes))
        rows.append(_row(change, values[-1], outcomes))
    print(markdown_table([{name: row.get(name, '') for name in rows[-1]} for row in rows]))
    return models[int(np.argmax(values))]


def _row(change: dict[str, Any], mean_iou: float, outcomes: Sequence[Outcome]) -> dict[str, str]:
    row = {name: str(value) for name, value in change.items()}
    row['mIoU'] = f'{mean_iou:.3f}'
    for group, some in by_group(outcomes).items():
        row[f'{group}: P@0.5'] = f'{precision(some, 0.5):.3f}'
    return row


def _outcomes(model: IteRPrimE, encoded: Sequence[EncodedSample]) -> list[Outcome]:
    return [
        answered.outcome
        for sample, frame in encoded
        for answered in answer_sample(model, sample, frame)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate a profile and write the grounding and answer settings into its file."""
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.evaluation.calibrate',
        description='Choose the settings of a profile on the calibration scenes of the tabletop: '
        'fusion block, emphasis, refinement and match threshold.',
        epilog='example: python -m iterprime_ros.evaluation.calibrate new/profile.yaml',
    )
    parser.add_argument('profile', type=Path, help='YAML file, whose settings are replaced')
    parser.add_argument('--scenes', type=int, default=150, help='number of scenes (default: 150)')
    options = parser.parse_args(arguments)
    try:
        dataset = load_tabletop('calibration', options.scenes)
        best = calibrated(IteRPrimE.from_profile(options.profile), dataset)
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    fields = yaml.safe_load(options.profile.read_text(encoding='utf-8'))
    fields['grounding'] = best.profile.grounding.model_dump()
    fields['answer'] = best.profile.answer.model_dump()
    options.profile.write_text(yaml.safe_dump(fields, sort_keys=False), encoding='utf-8')
    print(f'Wrote the settings to {options.profile}.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
