"""What `iterprime bag` does with a folder of bags: answer one by one, here or on a cluster."""

import argparse
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.cli.bag_report import exit_code_of, report_bag
from iterprime_ros.cli.exit_codes import FOUND, INTERRUPTED, WRONG_USE
from iterprime_ros.cli.in_order import in_order
from iterprime_ros.cli.interrupts import TO_GO_ON, noted_interrupt, raise_on_interrupt
from iterprime_ros.cli.standard_streams import complain, quieten_the_hub
from iterprime_ros.errors import InvalidSettingError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iterprime_ros.bag_files.bag_job import BagJob
    from iterprime_ros.bag_files.bag_worker import AnsweredBag, BagFolderTask
    from iterprime_ros.bag_files.folder_record import FolderRecord
    from iterprime_ros.cluster.session import WorkerOptions


def answer_bag_folder(
    options: argparse.Namespace, bags: Sequence[Path], workers: 'WorkerOptions | None'
) -> int:
    """Answer what the arguments ask about every bag of a folder, and return the exit code.

    A bag that has an output is left as it is. One that cannot be read is reported, and the others
    are still answered.
    """
    jobs, code, record = _plan(options, bags)
    if not jobs:
        return code
    quieten_the_hub()
    from iterprime_ros.bag_files.bag_worker import BagFolderTask
    from iterprime_ros.profiles import load_profile

    notice = load_profile(options.profile).notice
    if notice:
        complain(notice)
    task = BagFolderTask(
        options.profile, options.device, options.offline, options.track, jobs, Path.cwd()
    )
    record.save()  # before any output is there
    if workers:
        return max(code, _answer_on_cluster(task, record, workers))
    return max(code, _answer_here(task, record))


def _plan(
    options: argparse.Namespace, bags: Sequence[Path]
) -> 'tuple[list[BagJob], int, FolderRecord]':
    """Return what is to be done, and the exit code of the bags that are done or cannot be read."""
    from iterprime_ros.bag_files.bag_folder import targets_in
    from iterprime_ros.bag_files.bag_job import plan_bag
    from iterprime_ros.bag_files.folder_record import read_record
    from iterprime_ros.bag_files.stream import InvalidBagError

    if options.out.resolve() == options.bag.resolve():
        raise InvalidSettingError(f'--out {options.out} is the folder of the bags: name another.')
    asked = options.topic, options.depth, options.camera_info, options.every
    targets = targets_in(options.out, bags)
    is_there = [os.path.lexists(target) for target in targets]
    names = ('command', 'topic', 'depth', 'camera_info', 'every', 'track', 'profile')
    record = read_record(
        options.out, {name: getattr(options, name) for name in names}, any(is_there)
    )
    jobs, code, left = [], FOUND, 0
    for bag, target, is_left in zip(bags, targets, is_there, strict=True):
        if is_left:
            left += 1
            code = max(code, record.codes.get(target.name, FOUND))
            continue
        try:
            jobs.append(plan_bag(bag, target, options.command, *asked))
        except InvalidBagError as error:
            complain(error)
            code = WRONG_USE
    if left:
        complain(f'{left} of {len(bags)} bags have answers in {options.out}: left as they are.')
    return jobs, code, record


def _answer_here(task: 'BagFolderTask', record: 'FolderRecord') -> int:
    from iterprime_ros.bag_files.bag_worker import answer_bags

    with noted_interrupt() as is_interrupted:
        try:
            return _report(task, record, answer_bags(task, is_interrupted))
        except StoppedError:
            complain(TO_GO_ON)
            return INTERRUPTED


def _answer_on_cluster(
    task: 'BagFolderTask', record: 'FolderRecord', workers: 'WorkerOptions'
) -> int:
    from iterprime_ros.cluster.answering_bags import answer_bags_on_cluster
    from iterprime_ros.cluster.session import import_ray

    import_ray()  # while Ctrl-C ends the process at once, which an import does not bear otherwise
    with raise_on_interrupt(), closing(answer_bags_on_cluster(task, workers)) as answered:
        try:
            return _report(task, record, answered)
        except KeyboardInterrupt:
            complain(TO_GO_ON)
            raise


def _report(
    task: 'BagFolderTask', record: 'FolderRecord', answered: 'Iterator[tuple[int, AnsweredBag]]'
) -> int:
    """Print what became of the bags, in their order, and return the exit code."""
    from tqdm import tqdm

    with tqdm(total=len(task.jobs), unit='bag', disable=None) as bar:

        def note(index: int, each: 'AnsweredBag') -> None:
            record.note(task.jobs[index].target.name, _exit_code_of(each))
            bar.update()

        for index, each in in_order(answered, note):
            with bar.external_write_mode():
                _report_one(task.jobs[index], each)
    return max((record.codes[job.target.name] for job in task.jobs), default=FOUND)


def _exit_code_of(answered: 'AnsweredBag') -> int:
    if answered.summary:
        return exit_code_of(answered.summary)
    return WRONG_USE if answered.error else FOUND


def _report_one(job: 'BagJob', answered: 'AnsweredBag') -> None:
    if answered.summary:
        report_bag(job, answered.summary)
    else:
        complain(answered.error or f'{job.target} is there already: left as it is.')
