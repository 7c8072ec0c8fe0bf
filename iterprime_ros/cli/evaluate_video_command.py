"""What `iterprime evaluate-video` does: measure, and say where the reports are."""

import argparse
import sys

from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.standard_streams import complain, quieten_the_hub


def evaluate_following(options: argparse.Namespace) -> int:
    """Measure what the arguments ask for, and return the exit code."""
    with exit_on_interrupt():
        quieten_the_hub()
        from iterprime_ros.evaluation.evaluate_clips import ClipEvaluation, evaluate_clips

    evaluation = ClipEvaluation(
        profile=options.profile,
        out=options.out,
        dataset=options.dataset,
        split=options.split,
        limit=options.limit,
        baselines=tuple(dict.fromkeys(options.baseline)),
        device=options.device,
        offline=options.offline,
        image_only=options.image_only,
        data_root=options.data_root,
        resume=options.resume,
    )
    try:
        evaluate_clips(evaluation)
    except KeyboardInterrupt:
        complain('Stopped: the same command with --resume goes on.')
        raise
    print(f'The reports are in {options.out}.', file=sys.stderr)
    return 0
