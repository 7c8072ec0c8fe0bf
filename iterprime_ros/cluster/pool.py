"""A pool of workers, each with models of its own, that answers for items in any order."""

import pickle
import platform
import socket
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from iterprime_ros import __version__
from iterprime_ros.cluster.session import Cluster, ClusterError
from iterprime_ros.errors import IterprimeError
from iterprime_ros.openmp import limit_spinning

Result = TypeVar('Result')

_ATTEMPTS = 3  # at an item, each of which ended its worker
_BLOCK = 8  # items of a task; a task costs the driver some milliseconds
_BLOCKS_PER_WORKER = 8  # at least, so that all workers end at about the same time


class WorkerError(Exception):
    """An error in a worker that is nobody's input: its traceback, as text."""


@dataclass(frozen=True)
class Answered(Generic[Result]):
    """What came of an item.

    index: the item.
    result: of the worker; None where the item ended each process that worked on it.
    """

    index: int
    result: Result | None


def answer_all(
    cluster: Cluster,
    make_worker: Callable[[], Callable[[int], Result]],
    items: Sequence[int],
    together: int = _BLOCK,
) -> Generator[Answered[Result], None, None]:
    """Yield the result of every item once, in the order in which they are done.

    make_worker: called once in each worker; it loads the models, and returns what answers for an
        item. Both it and the results are pickled.
    items: distinct numbers, whose meaning is the worker's.
    together: of them at most are given out, and known, together.

    A worker that dies is started again, and the items that it had are answered anew, there or
    elsewhere. An item that has ended its worker three times is yielded without a result.

    Raises ClusterError where no worker can be started, and what a worker raises: an IterprimeError
    as it is, anything else as WorkerError.
    """
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    size = min(together, -(-len(items) // (_BLOCKS_PER_WORKER * cluster.workers)))
    blocks = -(-len(items) // size)
    answered = ray.data.from_items(
        [{'index': index} for index in items], override_num_blocks=blocks
    ).map_batches(
        _Worker,
        fn_constructor_kwargs={
            'make_worker': make_worker,
            'threads': cluster.threads,
            'driver': _versions(),
            'attempts': ray.remote(num_cpus=0, max_restarts=-1)(_Attempts).remote(),
        },
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(cluster.workers, blocks)),
        num_cpus=cluster.threads,
        num_gpus=cluster.gpus,
    )
    try:
        for batch in answered.iter_batches(batch_size=None, prefetch_batches=0):
            for index, content in zip(batch['index'], batch['result'], strict=True):
                result = pickle.loads(content)  # noqa: S301 - of our own workers
                if isinstance(result, BaseException):
                    raise result
                yield Answered(int(index), result)
    except ray.exceptions.RayError as error:
        raise ClusterError(_why(str(error))) from error


class _Attempts:
    """Counts the attempts at each item that have not come to their end, in a process of its own."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()

    def begin(self, index: int) -> int:
        """Return how many attempts before this one have not ended."""
        self._open[index] += 1
        return self._open[index] - 1

    def end(self, index: int) -> None:
        """Forget the attempts at an item."""
        del self._open[index]


class _Worker:
    """What Ray starts once in each process of the pool."""

    def __init__(
        self,
        make_worker: Callable[[], Callable[[int], Any]],
        threads: int,
        driver: Mapping[str, str],
        attempts: Any,
    ) -> None:
        limit_spinning()
        self._attempts = attempts
        # An exception here would be retried, and end the run with pages of Ray's; so every item
        # has it as its result.
        self._failure: BaseException | None = None
        try:
            _check_versions(driver, _versions())
            import torch

            torch.set_num_threads(threads)
            self._answer = make_worker()
        except Exception as error:
            self._failure = _portable(error)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Return the results of a batch."""
        indices = [int(index) for index in batch['index']]
        return {
            'index': indices,
            'result': [pickle.dumps(self._result(index)) for index in indices],
        }

    def _result(self, index: int) -> Any:
        import ray

        if self._failure:
            return self._failure
        if ray.get(self._attempts.begin.remote(index)) >= _ATTEMPTS:
            return None
        try:
            return self._answer(index)
        except Exception as error:
            return _portable(error)
        finally:
            self._attempts.end.remote(index)


def _versions() -> dict[str, str]:
    import torch

    return {
        'node': socket.gethostname(),
        'iterprime_ros': __version__,
        'torch': torch.__version__,
        'Python': platform.python_version(),
    }


def _check_versions(driver: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Raise ClusterError where a worker has other versions, which would answer otherwise."""
    differing = [name for name in here if name != 'node' and here[name] != driver[name]]
    if differing:
        raise ClusterError(
            f'{here["node"]} has '
            + ', '.join(f'{name} {here[name]}' for name in differing)
            + f' and {driver["node"]} has '
            + ', '.join(f'{name} {driver[name]}' for name in differing)
            + ': install the same on all machines.'
        )


def _portable(error: Exception) -> Exception:
    """Return an error as the driver raises it."""
    if isinstance(error, IterprimeError):
        return error
    return WorkerError(
        f'On {socket.gethostname()}:\n{"".join(traceback.format_exception(error)).rstrip()}'
    )


def _why(reason: str) -> str:
    """Return a sentence of what Ray says when workers cannot be started."""
    if 'iterprime_ros' in reason and 'No module named' in reason:
        return (
            'A machine of the cluster has no iterprime_ros: install it on all of them, in the '
            'Python that "ray start" runs in.'
        )
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return f'The cluster cannot run the workers ({lines[-1].rstrip(".")}): see docs/clusters.md.'
