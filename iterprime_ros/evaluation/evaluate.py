"""`iterprime evaluate`: answers the questions of a data set and writes reports into a folder."""

import platform
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import torch
from tqdm import tqdm

from iterprime_ros import __version__
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.ablation import ablation_tables
from iterprime_ros.evaluation.datasets.coco_masks import require_pycocotools
from iterprime_ros.evaluation.datasets.dataset import Dataset, InvalidDatasetError, Sample
from iterprime_ros.evaluation.expression_tags import expression_tags
from iterprime_ros.evaluation.mask_rle import encoded
from iterprime_ros.evaluation.options import EvaluationOptions
from iterprime_ros.evaluation.oracle import with_oracle_iou
from iterprime_ros.evaluation.outcome import Outcome
from iterprime_ros.evaluation.outcome_log import (
    OUTCOMES,
    PROFILE,
    AnsweredImage,
    RecordedAnswer,
    read_log,
    shard_indices,
)
from iterprime_ros.evaluation.registry import DATA_ROOT, load_baseline, load_dataset
from iterprime_ros.evaluation.report import markdown_table
from iterprime_ros.evaluation.report_files import write_reports
from iterprime_ros.evaluation.run_log import run_log, sort_run_log
from iterprime_ros.evaluation.runner import AnsweredQuestion, answer_sample, embed_sample
from iterprime_ros.evaluation.segmenter import Baseline
from iterprime_ros.evaluation.shards import merged
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import Profile, load_profile
from iterprime_ros.render import atomic_write

Item = TypeVar('Item')

# Answers about the images at some positions of a data set, in any order; closed before its end
# where that is not wanted.
AnswerImages: TypeAlias = Callable[
    [Sequence[int]], Generator[tuple[int, AnsweredImage], None, None]
]

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Evaluation(EvaluationOptions):
    """An evaluation of answers about images.

    shard: [k, n]: of n parts of the images, of which each has every n-th, the k-th.
    """

    shard: tuple[int, int] = (1, 1)


def load_answerer(evaluation: Evaluation) -> Callable[[Sample], AnsweredImage]:
    """Load the models of an evaluation; return what answers the questions about an image."""
    model = IteRPrimE.from_profile(evaluation.profile, evaluation.device, evaluation.offline)
    placement = evaluation.placement(model.profile)
    baselines = {
        name: load_baseline(name, model, evaluation.dataset, placement)
        for name in evaluation.baselines
    }
    return partial(_answered, model=model, baselines=baselines, image_only=evaluation.image_only)


def answer_here(evaluation: Evaluation, dataset: Dataset) -> AnswerImages:
    """Load the models of an evaluation; return what answers about its images in this process."""
    answer = load_answerer(evaluation)

    def answers(indices: Sequence[int]) -> Generator[tuple[int, AnsweredImage], None, None]:
        samples = dataset.subset(indices) if len(indices) < len(dataset) else dataset
        for index, sample in zip(indices, samples, strict=True):
            yield index, answer(sample)

    return answers


def evaluate(
    evaluation: Evaluation,
    answering: Callable[[Evaluation, Dataset], AnswerImages] = answer_here,
) -> list[Outcome]:
    """Answer every question; write outcomes.jsonl as it goes, then the reports.

    answering: how; cluster.evaluating has one for many processes.

    Returns the outcomes of the profile's model and prints the report.
    Raises InvalidSettingError, InvalidDatasetError, InvalidLogError, UnwritableError and the errors
    of loading the model.
    """
    require_pycocotools()  # before hours of work
    dataset = _dataset(evaluation)
    indices = shard_indices(len(dataset), evaluation.shard)
    if dataset and not indices:
        raise InvalidSettingError(
            f'There are {len(dataset)} images, fewer than shards: take fewer shards.'
        )
    answer = answering(evaluation, dataset)
    profile = load_profile(evaluation.profile)
    _give_notice(profile)
    header = _header(evaluation, dataset, profile)
    with run_log(evaluation.out, OUTCOMES, header, evaluation.resume) as log:
        left = [index for index in indices if index not in log.done]
        with closing(answer(left)) as answers:
            for index, image in _progress(
                evaluation, dataset, answers, len(indices), len(log.done)
            ):
                log.append(index, image)
        sort_run_log(evaluation.out, OUTCOMES)
    recorded = read_log(evaluation.out)
    write_reports(evaluation.out, recorded, dataset)
    return recorded.outcomes()


def merge(folders: Sequence[Path], out: Path, data_root: Path = Path(DATA_ROOT)) -> None:
    """Write what an evaluation in one go would have written of the shards in folders.

    data_root: folder that the data set lies below; its images are on the contact sheets.

    Raises InvalidLogError, InvalidSettingError, InvalidDatasetError and UnwritableError.
    """
    recorded = merged(folders)
    header = recorded.header
    dataset = load_dataset(header['dataset'], header['split'], header['limit'], data_root)
    found = _portable(dataset.provenance, data_root)
    if (found, len(dataset)) != (header['provenance'], header['images']):
        raise InvalidDatasetError(
            f'{header["dataset"]} below {data_root} is not what was evaluated: it has '
            f'{len(dataset)} images ({found}), which were {header["images"]} '
            f'({header["provenance"]}).'
        )
    with run_log(out, OUTCOMES, header, resume=False) as log:
        for index, image in recorded.images.items():
            log.append(index, image)
    write_reports(out, recorded, dataset)


def ablate(evaluation: Evaluation) -> None:
    """Answer every question with every variant of the model; write and print ablation.md."""
    dataset = _dataset(evaluation)
    model = IteRPrimE.from_profile(evaluation.profile, evaluation.device, evaluation.offline)
    _give_notice(model.profile)
    samples = _progress(evaluation, dataset, dataset, len(dataset), 0)
    tables = ablation_tables(model, samples, evaluation.image_only)
    text = '\n\n'.join(map(markdown_table, tables))
    with atomic_write(evaluation.out / 'ablation.md') as path:
        path.write_text(text + '\n', encoding='utf-8')
    print(text)


def _answered(
    sample: Sample,
    model: IteRPrimE,
    baselines: Mapping[str, Baseline],
    image_only: bool,
) -> AnsweredImage:
    sample = _tagged(sample, model)
    frame = embed_sample(model, sample, image_only)
    answered = answer_sample(model, sample, frame)
    answers = {PROFILE: tuple(map(_recorded, with_oracle_iou(model, frame, answered)))}
    for name, baseline in baselines.items():
        kept = baseline.embed(sample.image, frame)
        answers[name] = tuple(map(_recorded, answer_sample(baseline, sample, kept)))
    return AnsweredImage(sample.depth is not None and not image_only, answers)


def _tagged(sample: Sample, model: IteRPrimE) -> Sample:
    """Return a sample whose questions have the tags that follow from their expressions."""
    questions = [
        replace(each, tags={**each.tags, **expression_tags(each.expression, model.parser)})
        for each in sample.questions
    ]
    return replace(sample, questions=tuple(questions))


def _recorded(answered: AnsweredQuestion) -> RecordedAnswer:
    return RecordedAnswer(
        answered.question.expression, answered.outcome, encoded(answered.answer.mask)
    )


def _dataset(evaluation: Evaluation) -> Dataset:
    return load_dataset(
        evaluation.dataset, evaluation.split, evaluation.limit, evaluation.data_root
    )


def _give_notice(profile: Profile) -> None:
    if profile.notice:
        print(profile.notice, file=sys.stderr)


def _progress(
    evaluation: Evaluation, dataset: Dataset, items: Iterable[Item], total: int, done: int
) -> Iterable[Item]:
    title = f'{evaluation.dataset}, {dataset.split}'
    return tqdm(items, total=total, initial=done, unit=' images', desc=title)


def _header(evaluation: Evaluation, dataset: Dataset, profile: Profile) -> dict[str, Any]:
    return {
        'profile': evaluation.profile,
        'settings': _portable(profile.model_dump(), _PACKAGE),
        'dataset': evaluation.dataset,
        'split': dataset.split,
        'limit': evaluation.limit,
        'images': len(dataset),
        'provenance': _portable(dataset.provenance, evaluation.data_root),
        'image only': evaluation.image_only,
        'baselines': list(evaluation.baselines),
        'shard': list(evaluation.shard),
        'device': evaluation.device,
        'iterprime_ros': __version__,
        'torch': torch.__version__,
        'python': platform.python_version(),
    }


def _portable(value: Any, folder: Path) -> Any:
    """Return texts without the folder that they begin with, or name, on this machine alone."""
    if isinstance(value, dict):
        return {name: _portable(each, folder) for name, each in value.items()}
    return value.replace(f'{folder}/', '') if isinstance(value, str) else value
