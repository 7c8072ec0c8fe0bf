"""`iterprime bag --ray`: the bags of a folder, answered by the workers of a cluster."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from functools import partial

from iterprime_ros.bag_files.bag_worker import AnsweredBag, BagFolderTask, bag_worker
from iterprime_ros.cluster.pool import answer_all
from iterprime_ros.cluster.session import WorkerOptions, cluster_session


def answer_bags_on_cluster(
    task: BagFolderTask, workers: WorkerOptions
) -> Generator[tuple[int, AnsweredBag], None, None]:
    """Yield what became of every bag of a task, by its position, in the order of their ends.

    workers: which replace the device of the task by their own.

    Close the iterator to end the workers. Raises the errors of `cluster_session`, of `answer_all`
    and of `bag_worker`.
    """
    with cluster_session(workers) as cluster:
        make_worker = partial(bag_worker, replace(task, device=cluster.device))
        indices = range(len(task.jobs))
        with closing(answer_all(cluster, make_worker, indices, together=1)) as results:
            for each in results:
                yield each.index, each.result or AnsweredBag(None, _fatal(task, each.index))


def _fatal(task: BagFolderTask, index: int) -> str:
    return (
        f'{task.jobs[index].source} ended every process that worked on it: take fewer workers, if '
        'memory is full there, or remove it.'
    )
