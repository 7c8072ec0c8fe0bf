"""Workers that answer for numbers: every one once, whatever a worker does."""

import os

import pytest

from iterprime_ros.cluster.pool import WorkerError, answer_all
from iterprime_ros.cluster.session import ClusterError, WorkerOptions, cluster_session
from iterprime_ros.errors import InvalidSettingError

# Workers are functions in functions, which travel to other processes whole: those cannot import
# the modules of tests.


@pytest.fixture
def cluster(address, ray_here):
    with cluster_session(WorkerOptions(address, workers=2)) as session:
        yield session


def test_every_number_is_answered_once_in_workers_with_models_of_their_own(cluster):
    def make_worker():
        import torch

        loaded = os.getpid()
        return lambda number: (number**2, loaded, os.getpid(), torch.get_num_threads())

    numbers = [5 * k for k in range(30)]
    answers = list(answer_all(cluster, make_worker, numbers))
    assert sorted(each.index for each in answers) == numbers
    assert all(each.result[0] == each.index**2 for each in answers)
    assert all(loaded == used for _, loaded, used, _ in (each.result for each in answers))
    assert os.getpid() not in {each.result[1] for each in answers}
    assert len({each.result[1] for each in answers}) <= 2
    assert {each.result[3] for each in answers} == {1}


def test_a_number_that_ends_its_worker_takes_no_other_with_it(cluster):
    def make_worker():
        return lambda number: os._exit(1) if number == 3 else str(number)

    answers = {each.index: each.result for each in answer_all(cluster, make_worker, range(8))}
    assert answers == {number: None if number == 3 else str(number) for number in range(8)}


@pytest.mark.parametrize('where', ['load', 'answer'])
def test_errors_of_workers_are_raised_here(cluster, where):
    def make(error):
        def make_worker():
            def fail(*_):
                raise error

            return fail() if where == 'load' else fail

        return make_worker

    with pytest.raises(InvalidSettingError, match=r'^no such thing$'):
        list(answer_all(cluster, make(InvalidSettingError('no such thing')), range(3)))
    with pytest.raises(WorkerError, match=r'(?s)Traceback.*ValueError: a fault'):
        list(answer_all(cluster, make(ValueError('a fault')), range(3)))


def test_workers_of_another_version_are_refused(cluster, monkeypatch):
    monkeypatch.setattr('iterprime_ros.cluster.pool.__version__', '0.0.7')
    with pytest.raises(ClusterError, match=r'has iterprime_ros .* has iterprime_ros 0\.0\.7: '):
        list(answer_all(cluster, lambda: str, range(3)))
