"""Clusters that cannot be used are refused in one sentence."""

import json
import platform
import socket
import sys

import pytest

from iterprime_ros.cli import main
from iterprime_ros.cluster.session import Cluster, ClusterError, WorkerOptions, cluster_session
from iterprime_ros.errors import InvalidSettingError, MissingDependencyError


def refused(error, **options):
    with pytest.raises(error) as raised, cluster_session(WorkerOptions(**options)):
        pass
    said = str(raised.value)
    assert said.endswith('.')
    assert '\n' not in said
    return said


def test_the_workers_that_a_cluster_has_room_for(address, ray_here):
    with cluster_session(WorkerOptions(address)) as cluster:
        assert cluster == Cluster(workers=2, threads=1, gpus=0)
        assert cluster.device == 'cpu'
    with cluster_session(WorkerOptions(address, threads=2)) as cluster:
        assert cluster.workers == 1


def test_more_than_a_cluster_has_is_refused(address, ray_here):
    assert '2 CPUs and 0 GPUs' in refused(ClusterError, address=address, workers=3)
    assert '2 CPUs and 0 GPUs' in refused(ClusterError, address=address, device='cuda')
    assert '2 CPUs and 0 GPUs' in refused(ClusterError, address=address, threads=4)


def test_a_cluster_of_another_version_is_refused(address, ray_here):
    import ray
    from ray._raylet import GcsClient

    store, key, space = GcsClient(address=address), b'CLUSTER_METADATA', b'cluster'
    kept = store.internal_kv_get(key, space)
    other = json.dumps({**json.loads(kept), 'ray_version': '1.2.3'}).encode()
    store.internal_kv_put(key, other, True, space)
    try:
        said = refused(ClusterError, address=address)
    finally:
        store.internal_kv_put(key, kept, True, space)
    assert f'runs Ray 1.2.3 with Python {platform.python_version()}' in said
    assert f'this is Ray {ray.__version__}' in said


def test_an_address_where_nothing_listens_is_refused(ray_here):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        nobody = f'127.0.0.1:{probe.getsockname()[1]}'
        assert f'no Ray cluster at {nobody}' in refused(ClusterError, address=nobody)


def test_one_gpu_of_many_is_refused():
    assert 'a GPU of its own' in refused(InvalidSettingError, device='cuda:1')


def test_without_ray_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    assert "pip install 'iterprime_ros[ray]'" in refused(MissingDependencyError)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('segment', 'photos', 'the mug', '--workers', '2'), '--workers is of workers: add --ray'),
        (('segment', 'photos', 'the mug', '--log', 'a.log'), 'add --ray'),
        (('segment', 'photos', 'the mug', '--track', '--ray'), '--track is of one process'),
        (('segment', 'photos', 'the mug', '--ray', '--log', ''), '--log is empty'),
        (('evaluate', '--threads', '2'), '--threads is of workers: add --ray'),
        (('evaluate', '--ablation', '--ray'), '--ablation runs in one process'),
    ],
)
def test_arguments_that_do_not_go_together(arguments, words, capsys):
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_folder_is_no_address(capsys):
    with pytest.raises(SystemExit):
        main(['segment', '--ray', 'photos/', 'the mug'])
    assert 'for this machine write --ray local' in capsys.readouterr().err
