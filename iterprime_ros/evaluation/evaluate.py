"""`iterprime evaluate`: asks every question, and writes what came of them into a folder."""

import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from iterprime_ros.evaluation.ablation import ablation_rows
from iterprime_ros.evaluation.datasets.tabletop import SPLITS, QuestionedScene, questioned_scenes
from iterprime_ros.evaluation.metrics import Outcome
from iterprime_ros.evaluation.report import (
    Panel,
    breakdown_table,
    contact_sheet,
    panel_of,
    plain_table,
    sampled,
    strata_table,
    worst,
    write_json,
)
from iterprime_ros.evaluation.runner import answer_scene, with_best_possible
from iterprime_ros.pipeline import IteRPrimE


@dataclass(frozen=True)
class Evaluation:
    """Which questions to ask of which profile, and where the answers go."""

    profile: str
    split: str
    scenes: int
    out: Path
    device: str = 'auto'
    offline: bool = False


def evaluate(asked: Evaluation) -> list[Outcome]:
    """Ask every question; write report.md, results.json, worst.png and sample.png."""
    model = _model(asked)
    panels: list[Panel] = []
    began = time.monotonic()
    for scene in _scenes(asked):
        frame = model.embed(scene.rgb)
        answered = with_best_possible(model, frame, answer_scene(model, scene, frame))
        panels += map(panel_of, answered)
    asked.out.mkdir(parents=True, exist_ok=True)
    outcomes = [panel.outcome for panel in panels]
    facts = _facts(asked, len(outcomes), time.monotonic() - began)
    report = '\n\n'.join(
        (
            '# ' + ', '.join(f'{name} {value}' for name, value in facts.items()),
            strata_table(outcomes),
            breakdown_table(outcomes, 'kind'),
            breakdown_table(outcomes, 'manner'),
        )
    )
    (asked.out / 'report.md').write_text(report + '\n', encoding='utf-8')
    write_json(asked.out / 'results.json', facts, outcomes)
    contact_sheet(worst(panels)).savefig(asked.out / 'worst.png')
    contact_sheet(sampled(panels)).savefig(asked.out / 'sample.png')
    print(report)
    return outcomes


def ablate(asked: Evaluation) -> None:
    """Ask every question of every variant; write ablation.md."""
    model = _model(asked)
    rows = list(ablation_rows(model, _scenes(asked)))
    asked.out.mkdir(parents=True, exist_ok=True)
    table = plain_table(rows)
    (asked.out / 'ablation.md').write_text(table + '\n', encoding='utf-8')
    print(table)


def _model(asked: Evaluation) -> IteRPrimE:
    return IteRPrimE.from_profile(asked.profile, asked.device, asked.offline)


def _scenes(asked: Evaluation) -> Iterable[QuestionedScene]:
    scenes = questioned_scenes(asked.split, asked.scenes)
    return tqdm(scenes, total=asked.scenes, unit=' scenes', desc=f'tabletop, {asked.split}')


def _facts(asked: Evaluation, questions: int, seconds: float) -> dict[str, object]:
    seeds = SPLITS[asked.split][: asked.scenes]
    return {
        'profile': asked.profile,
        'dataset': 'tabletop',
        'split': asked.split,
        'scenes': f'{seeds[0]} to {seeds[-1]}',
        'questions': questions,
        'seconds': round(seconds),
        'device': asked.device,
        'torch': torch.__version__,
        'python': platform.python_version(),
    }
