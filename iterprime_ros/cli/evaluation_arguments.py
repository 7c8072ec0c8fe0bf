"""Arguments that `iterprime evaluate`, `evaluate-video`, `merge` and `datasets` have in common."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from iterprime_ros.cli.argument_types import whole_number
from iterprime_ros.cli.standard_streams import complain


def add_questions(
    parser: argparse.ArgumentParser, datasets: list[str], items: str, most: int
) -> None:
    """Add what is evaluated; the first data set is the default one, of which `most` items are."""
    default = datasets[0]
    parser.add_argument(
        '--dataset',
        choices=datasets,
        default=default,
        help=f'data set to evaluate on (default: {default})',
    )
    parser.add_argument(
        '--split',
        help=f"split of the data set (default: the data set's own; for {default} test)",
    )
    parser.add_argument(
        '--limit',
        type=whole_number(1, 10**9),
        metavar='N',
        help=f"number of {items} at most (default: the data set's own; for {default} {most})",
    )
    parser.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings to evaluate: a name that "iterprime models list" shows, or a '
        'YAML file (default: tabletop)',
    )
    parser.add_argument(
        '--device', default='auto', help='auto, cpu, cuda, cuda:1 ... (default: auto)'
    )
    parser.add_argument(
        '--offline',
        action='store_true',
        help='load weights from local folders and the cache of the hub alone',
    )
    parser.add_argument(
        '--image-only',
        action='store_true',
        help='withhold depth and calibration, which are given where the data set has them',
    )


def add_reports(parser: argparse.ArgumentParser, folder: str) -> None:
    """Add where reports are written, by default to `folder`, and whether a run goes on."""
    parser.add_argument(
        '--out',
        type=Path,
        default=Path(folder),
        help=f'folder for the reports (default: {folder})',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on with the evaluation that the folder for the reports holds, if it holds one '
        'that was not finished',
    )


def add_data_root(parser: argparse.ArgumentParser) -> None:
    """Add where data sets lie."""
    from iterprime_ros.evaluation.registry import default_data_root

    parser.add_argument(
        '--data-root',
        type=Path,
        default=default_data_root(),
        metavar='DIR',
        help='folder that data sets on disk lie below (default: $ITERPRIME_DATA, or else data)',
    )


def evaluation_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of EvaluationOptions that the arguments give."""
    return {
        'profile': options.profile,
        'out': options.out,
        'dataset': options.dataset,
        'split': options.split,
        'limit': options.limit,
        'baselines': tuple(dict.fromkeys(options.baseline)),
        'device': options.device,
        'offline': options.offline,
        'image_only': options.image_only,
        'data_root': options.data_root,
        'resume': options.resume,
    }


@contextmanager
def resumable() -> Iterator[None]:
    """Say at Ctrl-C how the evaluation goes on."""
    try:
        yield
    except KeyboardInterrupt:
        complain('Stopped: the same command with --resume goes on.')
        raise
