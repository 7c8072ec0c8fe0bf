"""The shards of an evaluation as one."""

from collections.abc import Sequence
from pathlib import Path

from iterprime_ros.evaluation.outcome_log import RecordedEvaluation, read_log
from iterprime_ros.evaluation.run_log import InvalidLogError, differing

_SHOWN = 5  # images in an error
_OF_MACHINES = ('shard', 'device', 'python')  # what shards of one evaluation may differ in


def merged(folders: Sequence[Path]) -> RecordedEvaluation:
    """Return the evaluation whose shards are in folders, its images in the order of the data set.

    Raises InvalidLogError for logs that are damaged, that are of different evaluations, that have
    an image in common, or that lack one.
    """
    logs = [read_log(folder) for folder in folders]
    whole = {**logs[0].header, 'shard': [1, 1]}
    for folder, log in zip(folders, logs, strict=True):
        own = {name: whole.get(name) for name in _OF_MACHINES}
        if other := differing(whole, {**log.header, **own}):
            raise InvalidLogError(
                f'{folder} and {folders[0]} hold different evaluations, which differ in {other}: '
                'merge shards of one evaluation.'
            )
    images = {index: image for log in logs for index, image in log.images.items()}
    if len(images) < sum(len(log.images) for log in logs):
        raise InvalidLogError('The folders have images in common: name each shard once.')
    lacking = [index for index in range(whole['images']) if index not in images]
    if lacking:
        numbers = ', '.join(str(each + 1) for each in lacking[:_SHOWN])
        more = ' ...' if len(lacking) > _SHOWN else ''
        raise InvalidLogError(
            f'{len(lacking)} of {whole["images"]} images are in none of the folders (number '
            f'{numbers}{more}): name every shard, and finish those that were not with --resume.'
        )
    return RecordedEvaluation(whole, dict(sorted(images.items())))
