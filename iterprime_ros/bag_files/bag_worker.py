"""Answers the bags of a folder, each on its own."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.bag_files.answer_bag import BagSummary, answer_bag
from iterprime_ros.bag_files.bag_job import BagJob
from iterprime_ros.bag_files.stream import InvalidBagError
from iterprime_ros.errors import InvalidSettingError, UnwritableError

if TYPE_CHECKING:
    from iterprime_ros.pipeline import IteRPrimE
    from iterprime_ros.tracking.tracker import Tracker


@dataclass(frozen=True)
class BagFolderTask:
    """What a worker needs to know before it has any bag.

    profile: name, or YAML file, of the models.
    device: of the models.
    offline: whether the hub is never asked.
    is_tracking: whether objects are followed.
    jobs: the bags, with paths as they are named on the command line.
    folder: absolute path that relative ones begin at, the same on every machine.
    """

    profile: str
    device: str
    offline: bool
    is_tracking: bool
    jobs: Sequence[BagJob]
    folder: Path


@dataclass(frozen=True)
class AnsweredBag:
    """What became of a bag of a folder.

    summary: None where it was not answered now.
    error: why it could not be, or '': then its output was there already.
    """

    summary: BagSummary | None
    error: str = ''


def bag_worker(
    task: BagFolderTask, should_stop: Callable[[], bool] | None = None
) -> Callable[[int], AnsweredBag]:
    """Load the models, and return what answers a bag by its position in `task.jobs`.

    should_stop: asked after every message of a bag.

    Raises the errors of loading the models. What is returned raises those of `answer_bag` that are
    not about one bag: InvalidCommandError, UnwritableError and StoppedError.
    """
    from iterprime_ros.pipeline import IteRPrimE

    profile = task.profile
    if profile.endswith(('.yaml', '.yml')):
        profile = str(task.folder / profile)
    model = IteRPrimE.from_profile(profile, task.device, task.offline)
    new_tracker = None
    if task.is_tracking:
        new_tracker = tracker_maker(model, profile, task.device, task.offline)
    return partial(_answered, model, new_tracker, should_stop, task)


def tracker_maker(
    model: 'IteRPrimE', profile: str, device: str, offline: bool
) -> 'Callable[[], Tracker]':
    """Return what loads a tracker for each object, from where the model comes from."""
    from iterprime_ros.tracking.tracker import load_tracker
    from iterprime_ros.weights import Placement

    placement = Placement.named(device, model.profile.encoder_dtype, offline, profile)
    return partial(load_tracker, model, placement)


def _answered(
    model: 'IteRPrimE',
    new_tracker: 'Callable[[], Tracker] | None',
    should_stop: Callable[[], bool] | None,
    task: BagFolderTask,
    index: int,
) -> AnsweredBag:
    named = task.jobs[index]
    job = replace(named, source=task.folder / named.source, target=task.folder / named.target)
    if os.path.lexists(job.target):
        return AnsweredBag(None)  # by a process that died before it could say so

    def as_named(text: str) -> str:
        for whole, short in ((job.source, named.source), (job.target, named.target)):
            text = text.replace(str(whole), str(short))
        return text

    try:
        summary = answer_bag(model, job, new_tracker, should_stop=should_stop)
    except (InvalidBagError, InvalidSettingError) as error:
        return AnsweredBag(None, as_named(str(error)))
    except UnwritableError as error:
        raise UnwritableError(as_named(str(error))) from error
    return AnsweredBag(replace(summary, problems=tuple(map(as_named, summary.problems))))


def answer_bags(
    task: BagFolderTask, should_stop: Callable[[], bool] | None = None
) -> Iterator[tuple[int, AnsweredBag]]:
    """Yield what became of every bag of a task, by its position. Raises as `bag_worker` does."""
    answer = bag_worker(task, should_stop)
    for index in range(len(task.jobs)):
        yield index, answer(index)
