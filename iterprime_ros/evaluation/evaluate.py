"""`iterprime evaluate`: answers the questions of a data set and writes reports into a folder."""

import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from iterprime_ros.evaluation.ablation import ablation_tables
from iterprime_ros.evaluation.contact_sheet import (
    Panel,
    contact_sheet,
    evenly_spaced,
    panel_of,
    worst,
)
from iterprime_ros.evaluation.datasets.dataset import Dataset, InvalidDatasetError, Sample
from iterprime_ros.evaluation.metrics import Outcome
from iterprime_ros.evaluation.oracle import with_oracle_iou
from iterprime_ros.evaluation.registry import load_baseline, load_dataset
from iterprime_ros.evaluation.report import markdown_table, report_text, results_of, write_json
from iterprime_ros.evaluation.runner import answer_sample, embed_sample
from iterprime_ros.pipeline import IteRPrimE


@dataclass(frozen=True)
class Evaluation:
    """What to evaluate, on which questions, and where to write the reports.

    profile: name or YAML file of the models and settings.
    out: folder for the reports; made where it does not exist.
    dataset: name in the registry.
    split: of the data set; None for its default split.
    limit: number of images at most; None for the data set's default.
    baselines: names in the registry.
    device: 'auto', 'cpu', 'cuda' or 'cuda:1'.
    offline: whether to load weights from local folders and the hub's cache alone.
    image_only: whether depth and calibration, where the data set has them, are withheld.
    """

    profile: str
    out: Path
    dataset: str = 'tabletop'
    split: str | None = None
    limit: int | None = None
    baselines: tuple[str, ...] = ()
    device: str = 'auto'
    offline: bool = False
    image_only: bool = False


def evaluate(evaluation: Evaluation) -> list[Outcome]:
    """Answer every question; write report.md, results.json, worst.png and sample.png.

    Returns the outcomes of the profile's model and prints the report.
    Raises InvalidSettingError, InvalidDatasetError and the errors of loading the model.
    """
    dataset = _dataset(evaluation)
    model = _model(evaluation)
    baselines = {name: load_baseline(name, model) for name in evaluation.baselines}
    panels: list[Panel] = []
    baseline_outcomes: dict[str, list[Outcome]] = {name: [] for name in baselines}
    has_depth = False
    started = time.monotonic()
    for sample in _with_progress(evaluation, dataset):
        has_depth |= sample.depth is not None
        frame = embed_sample(model, sample, evaluation.image_only)
        answered = answer_sample(model, sample, frame)
        panels += map(panel_of, with_oracle_iou(model, frame, answered))
        for name, baseline in baselines.items():
            frame = embed_sample(baseline, sample, evaluation.image_only)
            answered = answer_sample(baseline, sample, frame)
            baseline_outcomes[name] += (each.outcome for each in answered)
    outcomes = [panel.outcome for panel in panels]
    if not outcomes:
        raise InvalidDatasetError(
            f'Data set {evaluation.dataset}, split {dataset.split}, has no questions.'
        )
    facts = {
        **_facts(evaluation, dataset, len(outcomes), time.monotonic() - started),
        'depth': 'given' if has_depth and not evaluation.image_only else 'not given',
    }
    _write_reports(evaluation.out, facts, panels, baseline_outcomes)
    return outcomes


def ablate(evaluation: Evaluation) -> None:
    """Answer every question with every variant of the model; write and print ablation.md."""
    dataset = _dataset(evaluation)
    model = _model(evaluation)
    samples = _with_progress(evaluation, dataset)
    tables = ablation_tables(model, samples, evaluation.image_only)
    text = '\n\n'.join(map(markdown_table, tables))
    evaluation.out.mkdir(parents=True, exist_ok=True)
    (evaluation.out / 'ablation.md').write_text(text + '\n', encoding='utf-8')
    print(text)


def _write_reports(
    out: Path,
    facts: Mapping[str, object],
    panels: Sequence[Panel],
    baseline_outcomes: Mapping[str, Sequence[Outcome]],
) -> None:
    results = results_of([panel.outcome for panel in panels])
    baselines = {name: results_of(outcomes) for name, outcomes in baseline_outcomes.items()}
    report = report_text(facts, results, baselines)
    out.mkdir(parents=True, exist_ok=True)
    (out / 'report.md').write_text(report + '\n', encoding='utf-8')
    write_json(out / 'results.json', facts, results, baselines)
    sheets = {
        'worst.png': contact_sheet('The worst answers', worst(panels)),
        'sample.png': contact_sheet('Answers from first to last', evenly_spaced(panels)),
    }
    for file, sheet in sheets.items():
        sheet.savefig(out / file)
    print(report)


def _dataset(evaluation: Evaluation) -> Dataset:
    return load_dataset(evaluation.dataset, evaluation.split, evaluation.limit)


def _model(evaluation: Evaluation) -> IteRPrimE:
    return IteRPrimE.from_profile(evaluation.profile, evaluation.device, evaluation.offline)


def _with_progress(evaluation: Evaluation, dataset: Dataset) -> Iterable[Sample]:
    title = f'{evaluation.dataset}, {dataset.split}'
    return tqdm(dataset, total=len(dataset), unit=' images', desc=title)


def _facts(
    evaluation: Evaluation, dataset: Dataset, questions: int, seconds: float
) -> dict[str, object]:
    return {
        'profile': evaluation.profile,
        'dataset': evaluation.dataset,
        'split': dataset.split,
        'images': len(dataset),
        'provenance': dataset.provenance,
        'questions': questions,
        'seconds': round(seconds),
        'device': evaluation.device,
        'torch': torch.__version__,
        'python': platform.python_version(),
    }
