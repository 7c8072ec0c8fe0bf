"""The arguments of `iterprime evaluate-video` and its help."""

import argparse
from collections.abc import Callable

from iterprime_ros.cli.evaluation_arguments import add_data_root, add_questions, add_reports

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

    evaluate = commands.add_parser(
        'evaluate-video',
        help='measure how well objects are followed through clips',
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_questions(evaluate, list(CLIP_DATASETS), 'clips', 60)
    evaluate.add_argument(
        '--baseline',
        choices=list(FOLLOWERS),
        action='append',
        default=[],
        help='also evaluate a baseline on the same frames; every-frame asks every frame anew. May '
        'be given several times',
    )
    add_reports(evaluate, 'out/following')
    add_data_root(evaluate)
    evaluate.set_defaults(run=run)
