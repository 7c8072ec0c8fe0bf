"""The shards of an evaluation as one."""

from collections.abc import Sequence
from pathlib import Path

from iterprime_ros.evaluation.outcome_log import InvalidLogError, RecordedEvaluation, read_log

_SHOWN = 5  # settings, or images, in an error


def merged(folders: Sequence[Path]) -> RecordedEvaluation:
    """Return the evaluation whose shards are in folders, its images in the order of the data set.

    Raises InvalidLogError for logs that are damaged, that are of different evaluations, that have
    an image in common, or that lack one.
    """
    logs = [read_log(folder) for folder in folders]
    first = logs[0].header
    for folder, log in zip(folders, logs, strict=True):
        names = (first.keys() | log.header.keys()) - {'shard'}
        other = sorted(name for name in names if first.get(name) != log.header.get(name))
        if other:
            raise InvalidLogError(
                f'{folder} and {folders[0]} hold different evaluations, which differ in '
                f'{", ".join(other[:_SHOWN])}: merge shards of one evaluation.'
            )
    images = sorted((image for log in logs for image in log.images), key=lambda each: each.index)
    indices = [image.index for image in images]
    if len(set(indices)) < len(indices):
        raise InvalidLogError('The folders have images in common: name each shard once.')
    lacking = sorted(set(range(first['images'])) - set(indices))
    if lacking:
        numbers = ', '.join(str(each + 1) for each in lacking[:_SHOWN])
        more = ' ...' if len(lacking) > _SHOWN else ''
        raise InvalidLogError(
            f'{len(lacking)} of {first["images"]} images are in none of the folders (number '
            f'{numbers}{more}): name every shard, and finish those that were not with --resume.'
        )
    return RecordedEvaluation({**first, 'shard': [1, 1]}, tuple(images))
