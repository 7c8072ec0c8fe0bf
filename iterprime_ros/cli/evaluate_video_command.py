"""What `iterprime evaluate-video` does: measure, and say where the reports are."""

import argparse
import sys

from iterprime_ros.cli.evaluation_arguments import evaluation_options, resumable
from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import quieten_the_hub


def evaluate_following(options: argparse.Namespace) -> int:
    """Measure what the arguments ask for, and return the exit code."""
    with exit_on_interrupt():
        quieten_the_hub()
        from iterprime_ros.evaluation.evaluate_clips import evaluate_clips
        from iterprime_ros.evaluation.options import EvaluationOptions

    with resumable():
        evaluate_clips(EvaluationOptions(**evaluation_options(options)))
    print(f'The reports are in {options.out}.', file=sys.stderr)
    return 0
