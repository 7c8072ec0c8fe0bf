"""`iterprime evaluate --ray`: the questions about images, answered by the workers of a cluster."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from iterprime_ros.cluster.pool import answer_all
from iterprime_ros.cluster.session import ClusterError, WorkerOptions, cluster_session
from iterprime_ros.evaluation.datasets.dataset import Dataset, Sample
from iterprime_ros.evaluation.evaluate import AnswerImages, Evaluation, load_answerer
from iterprime_ros.evaluation.outcome_log import AnsweredImage
from iterprime_ros.evaluation.registry import load_dataset


def answer_on_cluster(
    workers: WorkerOptions, evaluation: Evaluation, _dataset: Dataset
) -> AnswerImages:
    """Return what answers about the images of an evaluation on a cluster.

    workers: which replace the device of the evaluation by their own.

    What is returned raises the errors of `cluster_session` and `answer_all`, those of loading the
    models and the data set, and, after all others, ClusterError for images that ended each process
    that worked on them.
    """
    return partial(_answers, workers, evaluation)


def _answers(
    workers: WorkerOptions, evaluation: Evaluation, indices: Sequence[int]
) -> Generator[tuple[int, AnsweredImage], None, None]:
    if not indices:
        return
    fatal = []
    with cluster_session(workers) as cluster:
        on_worker = replace(
            evaluation,
            profile=_absolute(evaluation.profile),
            device=cluster.device,
            data_root=evaluation.data_root.absolute(),
        )
        with closing(answer_all(cluster, partial(_worker, on_worker), indices)) as results:
            for each in results:
                if each.result is None:
                    fatal.append(each.index + 1)
                else:
                    yield each.index, each.result
    if fatal:
        numbers = ', '.join(map(str, sorted(fatal)))
        raise ClusterError(
            f'Images that ended every process that worked on them, counted from 1: {numbers}; take '
            'fewer workers, if memory is full there, and go on with --resume.'
        )


def _absolute(profile: str) -> str:
    """Return a profile with the whole path where it is a file."""
    return str(Path(profile).absolute()) if profile.endswith(('.yaml', '.yml')) else profile


def _worker(evaluation: Evaluation) -> Callable[[int], AnsweredImage]:
    """Load models and data set; return what answers about an image by its position."""
    dataset = load_dataset(
        evaluation.dataset, evaluation.split, evaluation.limit, evaluation.data_root
    )
    answer, read = load_answerer(evaluation), _reader(evaluation.dataset, dataset)
    return lambda index: answer(read(index))


def _reader(name: str, dataset: Dataset) -> Callable[[int], Sample]:
    """Return what reads, or renders, the image at a position."""
    if not name.startswith('tabletop'):
        return lambda index: next(iter(dataset.subset([index])))
    from iterprime_ros.evaluation.datasets.tabletop import Tabletop

    if not isinstance(dataset, Tabletop):
        raise TypeError(f'{name} is no rendered data set')
    # Starting a renderer takes longer than an image: one serves all of them.
    fed = _Fed()
    rendered = iter(replace(dataset, seeds=fed))
    seeds = dataset.seeds

    def read(index: int) -> Sample:
        fed.now = seeds[index]
        return next(rendered)

    return read


class _Fed(Sequence[int]):
    """Numbers without end, each of which is set just before it is read."""

    now = 0

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: object) -> int:  # type: ignore[override]
        return self.now

    def __iter__(self) -> Iterator[int]:
        while True:
            yield self.now
