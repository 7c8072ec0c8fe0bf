"""What `iterprime evaluate` does: measure, and say where the reports are."""

import argparse
import sys

from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import quieten_the_hub


def evaluate_profile(options: argparse.Namespace) -> int:
    """Measure what the arguments of `iterprime evaluate` ask for, and return the exit code."""
    with exit_on_interrupt():
        quieten_the_hub()
        from iterprime_ros.evaluation.evaluate import Evaluation, ablate, evaluate

    evaluation = Evaluation(
        profile=options.profile,
        out=options.out,
        dataset=options.dataset,
        split=options.split,
        limit=options.limit,
        baselines=tuple(options.baseline),
        device=options.device,
        offline=options.offline,
        image_only=options.image_only,
    )
    if options.ablation:
        ablate(evaluation)
    else:
        evaluate(evaluation)
    print(f'The reports are in {options.out}.', file=sys.stderr)
    return 0
