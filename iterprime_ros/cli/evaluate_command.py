"""What `iterprime evaluate` and `iterprime merge` do: measure, and say where the reports are."""

import argparse
import sys
from functools import partial

from iterprime_ros.cli.evaluation_arguments import evaluation_options, resumable
from iterprime_ros.cli.interrupts import exit_on_interrupt
from iterprime_ros.cli.ray_arguments import worker_options
from iterprime_ros.cli.standard_streams import quieten_the_hub
from iterprime_ros.errors import InvalidSettingError


def evaluate_profile(options: argparse.Namespace) -> int:
    """Measure what the arguments of `iterprime evaluate` ask for, and return the exit code."""
    if options.ablation and (options.resume or options.shard != (1, 1)):
        raise InvalidSettingError('--ablation takes neither --resume nor --shard.')
    workers = worker_options(options)
    if workers and options.ablation:
        raise InvalidSettingError('--ablation runs in one process: leave --ray out.')
    with exit_on_interrupt():
        quieten_the_hub()
        from iterprime_ros.evaluation.evaluate import Evaluation, ablate, evaluate

    evaluation = Evaluation(**evaluation_options(options), shard=options.shard)
    if options.ablation:
        ablate(evaluation)
    else:
        with resumable():
            if workers:
                with exit_on_interrupt():
                    from iterprime_ros.cluster.evaluating import answer_on_cluster
                    from iterprime_ros.cluster.session import import_ray

                    import_ray()
                evaluate(evaluation, partial(answer_on_cluster, workers))
            else:
                evaluate(evaluation)
    print(f'The reports are in {options.out}.', file=sys.stderr)
    return 0


def merge_shards(options: argparse.Namespace) -> int:
    """Make one evaluation of its shards, and return the exit code."""
    with exit_on_interrupt():
        from iterprime_ros.evaluation.evaluate import merge

    merge(options.shards, options.out, options.data_root)
    print(f'The reports are in {options.out}.', file=sys.stderr)
    return 0
