"""The arguments of `iterprime evaluate` and `iterprime merge`, and their help."""

import argparse
from collections.abc import Callable
from pathlib import Path

from iterprime_ros.cli.argument_types import shard
from iterprime_ros.cli.evaluation_arguments import add_data_root, add_questions, add_reports
from iterprime_ros.cli.ray_arguments import add_ray

_DESCRIPTION = """\
Answers commands about images whose ground truth is known, and writes into a folder:
  outcomes.jsonl   a line for each image, appended once it is answered
  report.md        IoU, precision and rejections by group of questions, with intervals
  results.json     the same, and the outcome of every question
  worst.png, best.png, sample.png   the worst and the best answers, and some at even steps
  disagreements-BASELINE.png        where the profile and a baseline differ most

The data set tabletop consists of rendered scenes with depth, each with at most one command of every
group: an object is named by its attributes, its place, a relation, nested relations and more; some
commands mean several objects, some leave open which one, and some mean nothing in the scene.
tabletop-clutter, tabletop-stacked and tabletop-unseen are harder worlds. The splits are test and
held-out, on which neither training nor tuning was done, and calibration, on which settings are
chosen. Each has 1000 scenes. The other data sets lie on disk: "iterprime datasets" says where,
and what to download.

A run that was killed goes on with --resume. A run can be divided with --shard among machines, and
"iterprime merge" makes one of the parts.

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
  iterprime evaluate --dataset refcoco --split testA --profile paper --baseline gl-clip
      the paper's setting on RefCOCO, beside GL-CLIP over the same masks
  iterprime evaluate --dataset refcoco --profile paper --shard 2/4 --resume --out out/shard2
      the second of four machines, which begins, or goes on where it was killed
  iterprime evaluate --dataset refcoco --profile paper --resume --ray 10.0.0.5:6379
      one worker for each GPU of a Ray cluster
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
    add_questions(evaluate, list(DATASETS), 'images', 600)
    compared = evaluate.add_mutually_exclusive_group()
    compared.add_argument(
        '--baseline',
        choices=list(BASELINES),
        action='append',
        default=[],
        help='also evaluate a baseline on the same questions; grad-cam is one heatmap '
        'without emphasis and refinement, gl-clip is GL-CLIP over the masks of the profile (with '
        'CLIP of the hub), position the object nearest to the side that is named. May be given '
        'several times',
    )
    compared.add_argument(
        '--ablation',
        action='store_true',
        help='evaluate the profile with parts of the algorithm left out instead; writes only '
        'ablation.md',
    )
    add_reports(evaluate, 'out/evaluation')
    evaluate.add_argument(
        '--shard',
        type=shard,
        default=(1, 1),
        metavar='K/N',
        help='answer only every N-th image, from the K-th on (default: 1/1, all)',
    )
    add_data_root(evaluate)
    add_ray(evaluate)
    evaluate.set_defaults(run=run)


def add_merge(
    commands: argparse._SubParsersAction, run: Callable[[argparse.Namespace], int]
) -> None:
    """Add the subcommand; `run` takes the parsed arguments and returns the exit code."""
    merge = commands.add_parser(
        'merge',
        help='make one evaluation of its shards',
        description='Writes the reports that one run would have written, of runs of "iterprime '
        'evaluate --shard K/N" with the same other arguments.',
        epilog='example:\n  iterprime merge out/shard1 out/shard2 --out out/both',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    merge.add_argument('shards', type=Path, nargs='+', metavar='DIR', help='folders of the shards')
    merge.add_argument('--out', type=Path, required=True, help='folder for the reports')
    add_data_root(merge)
    merge.set_defaults(run=run)
