"""The arguments of `iterprime evaluate-video` and its help."""

import argparse
from collections.abc import Callable
from pathlib import Path

from iterprime_ros.cli.argument_types import whole_number

_DESCRIPTION = """\
Follows the object that an expression names through clips whose ground truth is known, and writes
into a folder:
  clips.jsonl    a line for each clip, appended once it is followed
  report.md      J, F, J&F, identity switches, and times to lose and find again, by group of clips
  results.json   the same, and what was found of every frame
  worst.png      the worst clips, a row of frames for each

The data set clips consists of rendered clips of 90 frames with depth, in which the camera goes
round or shakes, or objects are pushed, exchanged, hidden or gone for a while, in turn. The splits
are test, on which nothing was tuned, and calibration, on which settings are chosen. The other data
sets lie on disk: "iterprime datasets" says where, and what to download.

A run that was killed goes on with --resume.
"""

_EXAMPLES = """\
examples:
  iterprime evaluate-video --baseline every-frame
      60 clips of the tabletop, ten of each motion, beside asking every frame anew
  iterprime evaluate-video --split calibration --limit 12 --profile mine.yaml
      settings of your own, on the clips that are meant for choosing them
  iterprime evaluate-video --dataset mevis --profile fast
      MeViS, whose files "iterprime datasets mevis" names
"""


def add_evaluate_video(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    from iterprime_ros.evaluation.clip_registry import CLIP_DATASETS, FOLLOWERS
    from iterprime_ros.evaluation.registry import default_data_root

    evaluate = commands.add_parser(
        'evaluate-video',
        help='measure how well objects are followed through clips',
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate.add_argument(
        '--dataset',
        choices=list(CLIP_DATASETS),
        default='clips',
        help='clips to follow objects in (default: clips)',
    )
    evaluate.add_argument(
        '--split', help="split of the data set (default: the data set's own; for clips test)"
    )
    evaluate.add_argument(
        '--limit',
        type=whole_number(1, 10**9),
        metavar='N',
        help="number of clips at most (default: the data set's own; for clips 60)",
    )
    evaluate.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings to evaluate: a name that "iterprime models list" shows, or a '
        'YAML file (default: tabletop)',
    )
    evaluate.add_argument(
        '--baseline',
        choices=list(FOLLOWERS),
        action='append',
        default=[],
        help='also evaluate a baseline on the same frames; every-frame asks every frame anew. May '
        'be given several times',
    )
    evaluate.add_argument(
        '--out',
        type=Path,
        default=Path('out/following'),
        help='folder for the reports (default: out/following)',
    )
    evaluate.add_argument(
        '--data-root',
        type=Path,
        default=default_data_root(),
        metavar='DIR',
        help='folder that data sets on disk lie below (default: $ITERPRIME_DATA, or else data)',
    )
    evaluate.add_argument(
        '--resume',
        action='store_true',
        help='go on with the evaluation that the folder for the reports holds, if it holds one '
        'that was not finished',
    )
    evaluate.add_argument(
        '--device', default='auto', help='auto, cpu, cuda, cuda:1 ... (default: auto)'
    )
    evaluate.add_argument(
        '--offline',
        action='store_true',
        help='load weights from local folders and the cache of the hub alone',
    )
    evaluate.add_argument(
        '--image-only',
        action='store_true',
        help='withhold depth and calibration, which are given where the data set has them',
    )
    evaluate.set_defaults(run=run)
