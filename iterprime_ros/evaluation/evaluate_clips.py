"""`iterprime evaluate-video`: follows the objects of clips and writes reports into a folder."""

import platform
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from iterprime_ros import __version__
from iterprime_ros.evaluation.clip_log import CLIPS, RecordedFollowing, read_clip_log
from iterprime_ros.evaluation.clip_registry import load_clip_dataset, load_follower
from iterprime_ros.evaluation.clip_report import (
    following_report,
    following_results,
    write_following_json,
)
from iterprime_ros.evaluation.clip_runner import follow_clip
from iterprime_ros.evaluation.clip_sheet import clip_sheet, worst_clips
from iterprime_ros.evaluation.datasets.clips import ClipDataset
from iterprime_ros.evaluation.datasets.coco_masks import require_pycocotools
from iterprime_ros.evaluation.followers import Follower, TrackerFollower
from iterprime_ros.evaluation.options import EvaluationOptions
from iterprime_ros.evaluation.run_log import run_log
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.render import atomic_write
from iterprime_ros.tracking.tracker import load_tracker

TRACKER = 'tracker'  # whose outcomes these are, where they are no baseline's


def evaluate_clips(evaluation: EvaluationOptions) -> RecordedFollowing:
    """Follow what every clip asks for; write clips.jsonl as it goes, then the reports.

    Prints the report. Raises InvalidSettingError, InvalidDatasetError, InvalidLogError,
    UnwritableError and the errors of loading the model and the tracker.
    """
    require_pycocotools()  # before hours of work
    dataset = load_clip_dataset(
        evaluation.dataset, evaluation.split, evaluation.limit, evaluation.data_root
    )
    model = IteRPrimE.from_profile(evaluation.profile, evaluation.device, evaluation.offline)
    followers = _followers(evaluation, model)
    header = _header(evaluation, dataset, model)
    with run_log(evaluation.out, CLIPS, header, evaluation.resume) as log:
        left = [index for index in range(len(dataset)) if index not in log.done]
        clips = dataset.subset(left) if log.done else dataset
        title = f'{evaluation.dataset}, {dataset.split}'
        bar = tqdm(clips, total=len(dataset), initial=len(log.done), unit=' clips', desc=title)
        for index, clip in zip(left, bar, strict=True):
            log.append(index, follow_clip(clip, followers, evaluation.image_only))
    recorded = read_clip_log(evaluation.out)
    write_following_reports(evaluation.out, recorded, dataset)
    return recorded


def write_following_reports(out: Path, recorded: RecordedFollowing, dataset: ClipDataset) -> None:
    """Write report.md, results.json and worst.png of an evaluation; print the report.

    dataset: the whole data set that was evaluated.

    Raises UnwritableError.
    """
    header = recorded.header
    results = {
        name: following_results(recorded.of(name)) for name in (TRACKER, *header['baselines'])
    }
    facts = {name: header[name] for name in _FACTS}
    report = following_report(facts, results)
    with atomic_write(out / 'report.md') as path:
        path.write_text(report + '\n', encoding='utf-8')
    with atomic_write(out / 'results.json') as path:
        write_following_json(path, facts, results)
    worst = worst_clips(recorded, TRACKER)
    sheet = clip_sheet('The worst clips of the tracker', recorded, dataset, worst)
    with atomic_write(out / 'worst.png') as path:
        sheet.savefig(path, format='png')
    print(report)


_FACTS = (
    'profile',
    'tracking',
    'dataset',
    'split',
    'provenance',
    'clips',
    'image only',
    'device',
    'torch',
    'threads',
    'python',
)


def _followers(evaluation: EvaluationOptions, model: IteRPrimE) -> dict[str, Follower]:
    placement = evaluation.placement(model.profile)
    tracker = TrackerFollower(model, load_tracker(model, placement))
    return {TRACKER: tracker} | {name: load_follower(name, model) for name in evaluation.baselines}


def _header(
    evaluation: EvaluationOptions, dataset: ClipDataset, model: IteRPrimE
) -> dict[str, Any]:
    return {
        'profile': evaluation.profile,
        'settings': model.profile.model_dump(),
        'tracking': model.profile.tracking.kind,
        'dataset': evaluation.dataset,
        'split': dataset.split,
        'limit': evaluation.limit,
        'clips': len(dataset),
        'provenance': dataset.provenance,
        'image only': evaluation.image_only,
        'baselines': list(evaluation.baselines),
        'device': evaluation.device,
        'iterprime_ros': __version__,
        'torch': torch.__version__,
        'threads': torch.get_num_threads(),
        'python': platform.python_version(),
    }
