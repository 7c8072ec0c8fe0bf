"""The arguments of `iterprime evaluate` and its help."""

import argparse
from collections.abc import Callable
from pathlib import Path

from iterprime_ros.cli.argument_types import whole_number

_DESCRIPTION = """\
Answers commands about images whose ground truth is known, and writes into a folder:
  report.md      IoU, precision and rejections by group of questions, with intervals
  results.json   the same, and the outcome of every question
  worst.png      the worst answers
  sample.png     answers at even steps from the first to the last

The data set tabletop consists of rendered scenes with depth, each with at most one command of every
group: an object is named by its attributes, its place, a relation, nested relations and more; some
commands mean several objects, some leave open which one, and some mean nothing in the scene.
tabletop-clutter, tabletop-stacked and tabletop-unseen are harder worlds. The splits are test and
held-out, on which neither training nor tuning was done, and calibration, on which settings are
chosen. Each has 1000 scenes.

AMBIGUOUS and several objects are counted on their own; report.md says how.
"""


_EXAMPLES = """\
examples:
  iterprime evaluate --limit 100
      the first 100 scenes of the tabletop
  iterprime evaluate --limit 100 --baseline grad-cam --out out/comparison
      the same, beside Grad-CAM alone
  iterprime evaluate --split calibration --profile mine.yaml
      settings of your own, on the scenes that are meant for choosing them
  iterprime evaluate --image-only --out out/image-only
      without depth, as with an ordinary camera
  iterprime evaluate --ablation --limit 60
      the effect of each part of the algorithm
"""


def add_evaluate(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    from iterprime_ros.evaluation.registry import BASELINES, DATASETS

    evaluate = commands.add_parser(
        'evaluate',
        help='measure how good the answers are on a data set',
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate.add_argument(
        '--dataset',
        choices=list(DATASETS),
        default='tabletop',
        help='questions to answer (default: tabletop)',
    )
    evaluate.add_argument(
        '--split', help="split of the data set (default: the data set's own; for tabletop test)"
    )
    evaluate.add_argument(
        '--limit',
        type=whole_number(1, 10**9),
        metavar='N',
        help="number of images at most (default: the data set's own; for tabletop 600)",
    )
    evaluate.add_argument(
        '--profile',
        default='tabletop',
        help='models and settings to evaluate: a name that "iterprime models list" shows, or a '
        'YAML file (default: tabletop)',
    )
    compared = evaluate.add_mutually_exclusive_group()
    compared.add_argument(
        '--baseline',
        choices=list(BASELINES),
        action='append',
        default=[],
        help='also evaluate a baseline on the same questions; grad-cam is the profile without '
        'emphasis and refinement. May be given several times',
    )
    compared.add_argument(
        '--ablation',
        action='store_true',
        help='evaluate the profile with parts of the algorithm left out instead; writes only '
        'ablation.md',
    )
    evaluate.add_argument(
        '--out',
        type=Path,
        default=Path('out/evaluation'),
        help='folder for the reports (default: out/evaluation)',
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
