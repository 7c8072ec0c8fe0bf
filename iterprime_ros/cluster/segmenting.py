"""`iterprime segment --ray`: what is logged already, and the rest from the workers of a cluster."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from iterprime_ros import __version__
from iterprime_ros.cluster.answer_log import answer_log
from iterprime_ros.cluster.pool import answer_all
from iterprime_ros.cluster.segment_images import AnsweredFile, SegmentTask, segment_worker
from iterprime_ros.cluster.session import WorkerOptions, cluster_session
from iterprime_ros.profiles import load_profile


def segment_files(
    task: SegmentTask, workers: WorkerOptions, log: Path | None = None
) -> Generator[tuple[int, AnsweredFile], None, None]:
    """Yield every image of a task once, by its position, in the order in which they are done.

    workers: which replace the device of the task by their own.
    log: file of what was answered by a run of the same task that did not come to its end, and of
        what is answered now; None for none. An image that was changed since, or whose outputs are
        not there any more, is answered anew.

    Close the iterator to end the workers. Raises the errors of `answer_log`, of `cluster_session`,
    of `answer_all` and of loading the models.
    """
    import torch

    asked = {
        'commands': list(task.commands),
        'settings': load_profile(task.profile).model_dump(mode='json'),
        'iterprime_ros': __version__,
        'torch': torch.__version__,
    }
    with answer_log(log, asked) as kept:
        left = []
        for index, file in enumerate(task.files):
            before = kept.answered(file, task.outputs[index])
            if before:
                yield index, before
            else:
                left.append(index)
        if not left:
            return
        with cluster_session(workers) as cluster:
            make_worker = partial(segment_worker, replace(task, device=cluster.device))
            with closing(answer_all(cluster, make_worker, left)) as results:
                for each in results:
                    file = task.files[each.index]
                    if each.result is None:
                        yield each.index, AnsweredFile((), _fatal(file))
                        continue
                    if not each.result.error:
                        kept.append(file, each.result)
                    yield each.index, each.result


def _fatal(file: Path) -> str:
    return (
        f'{file} ended every process that worked on it: take fewer workers, if memory is full '
        'there, or replace it.'
    )
