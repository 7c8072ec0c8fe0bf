"""Choose the settings of a profile on the calibration scenes, which nothing is measured on.

First the fusion block and the emphasis, then the numbers of the refinement, each for the highest
mean IoU without a match threshold; then the threshold, where the refusals that are right and those
that are wrong lie farthest apart.
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
from iterprime_ros.evaluation.datasets.tabletop import QuestionedScene, questioned_scenes
from iterprime_ros.evaluation.metrics import STRATA, Outcome, miou, precision
from iterprime_ros.evaluation.report import plain_table
from iterprime_ros.evaluation.runner import answer_scene
from iterprime_ros.grounding.settings import GroundingSettings
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.profiles import AnswerSettings

Asked = Sequence[tuple[QuestionedScene, Frame]]


def emphases(blocks: range) -> list[dict[str, Any]]:
    """Return every block with and without each part of the emphasis, in one round."""
    return [
        {'block': block, 'local_emphasis': local, 'global_emphasis': whole, 'rounds': 1}
        for block, local, whole in product(blocks, (False, True), (False, True))
    ]


def refinements() -> list[dict[str, Any]]:
    """Return what is tried of the refinement; one round is what it has to beat."""
    tried = product((2, 3), (0.5, 0.8), (0.5, 0.8), (True, False))
    return [{'rounds': 1}] + [
        {'rounds': rounds, 'drop_threshold': drop, 'momentum': momentum, 'stop_early': stop}
        for rounds, drop, momentum, stop in tried
    ]


def calibrated(model: IteRPrimE, scenes: Sequence[QuestionedScene]) -> IteRPrimE:
    """Return the pipeline with the settings that answer these scenes best; print what was tried."""
    asked = [(scene, model.embed(scene.rgb)) for scene in tqdm(scenes, desc='encoding')]
    open_minded = model.profile.answer.model_copy(
        update={'match_threshold': 0.0, 'ambiguity_margin': 0.0}
    )
    start = _with(model, model.profile.grounding, open_minded)
    best = _best(start, asked, emphases(model.matcher.fusion_blocks))
    best = _best(best, asked, refinements())
    outcomes = _outcomes(best, asked)
    threshold = match_threshold(outcomes)
    present = [outcome for outcome in outcomes if outcome.is_present]
    absent = [outcome for outcome in outcomes if not outcome.is_present]
    right, wrong = (
        np.mean([outcome.probability < threshold for outcome in some]) for some in (absent, present)
    )
    print(f'match threshold {threshold}: {right:.3f} rightly refused, {wrong:.3f} wrongly')
    answer = model.profile.answer.model_copy(update={'match_threshold': threshold})
    return _with(model, best.profile.grounding, answer)


def match_threshold(outcomes: Sequence[Outcome]) -> float:
    """Return the probability that best parts what is there from what is not, to two decimals."""
    present = np.array([outcome.probability for outcome in outcomes if outcome.is_present])
    absent = np.array([outcome.probability for outcome in outcomes if not outcome.is_present])
    tried = np.arange(1, 100) / 100
    apart = [(absent < t).mean() - (present < t).mean() for t in tried]
    return round(float(tried[int(np.argmax(apart))]), 2)


def _best(start: IteRPrimE, asked: Asked, changes: Sequence[dict[str, Any]]) -> IteRPrimE:
    rows, scores, models = [], [], []
    for change in tqdm(changes, desc='trying'):
        grounding = start.profile.grounding.model_copy(update=change)
        model = _with(start, grounding, start.profile.answer)
        outcomes = [outcome for outcome in _outcomes(model, asked) if outcome.is_present]
        models.append(model)
        scores.append(miou(outcomes))
        rows.append(_row(change, scores[-1], outcomes))
    print(plain_table([{name: row.get(name, '') for name in rows[-1]} for row in rows]))
    return models[int(np.argmax(scores))]


def _row(change: dict[str, Any], score: float, outcomes: Sequence[Outcome]) -> dict[str, str]:
    row = {name: str(value) for name, value in change.items()}
    row['mIoU'] = f'{score:.3f}'
    for stratum in STRATA:
        some = [outcome for outcome in outcomes if outcome.stratum == stratum]
        row[f'{stratum} P@0.5'] = f'{precision(some, 0.5):.3f}'
    return row


def _outcomes(model: IteRPrimE, asked: Asked) -> list[Outcome]:
    return [each.outcome for scene, frame in asked for each in answer_scene(model, scene, frame)]


def _with(model: IteRPrimE, grounding: GroundingSettings, answer: AnswerSettings) -> IteRPrimE:
    profile = model.profile.model_copy(update={'grounding': grounding, 'answer': answer})
    return model.with_profile(profile)


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate a profile and write the grounding and answer settings into its file."""
    parser = argparse.ArgumentParser(
        prog='python -m iterprime_ros.evaluation.calibrate',
        description='Choose the settings of a profile on the calibration scenes of the tabletop.',
        epilog='example: python -m iterprime_ros.evaluation.calibrate new/profile.yaml',
    )
    parser.add_argument('profile', type=Path, help='YAML file, which is rewritten')
    parser.add_argument('--scenes', type=int, default=150, help='how many (default: 150)')
    options = parser.parse_args(arguments)
    try:
        model = IteRPrimE.from_profile(options.profile)
        best = calibrated(model, list(questioned_scenes('calibration', options.scenes)))
    except IterprimeError as error:
        print(error, file=sys.stderr)
        return 1
    fields = yaml.safe_load(options.profile.read_text(encoding='utf-8'))
    fields['grounding'] = best.profile.grounding.model_dump()
    fields['answer'] = best.profile.answer.model_dump()
    options.profile.write_text(yaml.safe_dump(fields, sort_keys=False), encoding='utf-8')
    print(f'{options.profile} has them now.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
