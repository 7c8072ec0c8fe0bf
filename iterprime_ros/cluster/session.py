"""A Ray cluster for the time of one command: one of this machine, or one that runs already."""

import logging
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iterprime_ros.errors import InvalidSettingError, IterprimeError, MissingDependencyError

LOCAL = 'local'
RUNNING_HERE = 'auto'
_LOOPBACK = '127.0.0.1'
_STANDARD_ERROR = 2
_PATIENCE_S = 10.0
_STARTS = 4  # Ray gives up after 30 s, which are too few on a busy machine
_REASON = 300  # characters of Ray's messages in an error


class ClusterError(IterprimeError):
    """A cluster that cannot be started, reached or used."""


@dataclass(frozen=True)
class WorkerOptions:
    """Which cluster, and which workers on it.

    address: HOST:PORT of a cluster; RUNNING_HERE for the one that this machine belongs to; LOCAL
        to start one on this machine and end it afterwards.
    workers: number of processes that load the models; None for as many as the cluster has GPUs,
        or else as its CPUs have room for.
    threads: CPU threads of each.
    device: 'auto' (GPUs where the cluster has them), 'cpu' or 'cuda'.
    """

    address: str = LOCAL
    workers: int | None = None
    threads: int = 1
    device: str = 'auto'


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to.

    workers: number of workers that are started on it.
    threads: CPU threads of each.
    gpus: GPUs of each, 0 or 1.
    """

    workers: int
    threads: int
    gpus: int

    @property
    def device(self) -> str:
        """The device of the models of a worker; Ray shows it no other GPU than its own."""
        return 'cuda' if self.gpus else 'cpu'


@contextmanager
def cluster_session(options: WorkerOptions) -> Iterator[Cluster]:
    """Connect to a cluster, starting it if it is LOCAL; leave it, or end it, in the end.

    Ray's dashboard, usage statistics and messages are off.

    Raises ClusterError for a cluster that does not answer, that runs another version, or that has
    not the CPUs or GPUs for the workers; InvalidSettingError for a device that is none of the
    three; MissingDependencyError without Ray.
    """
    if options.device not in ('auto', 'cpu', 'cuda'):
        raise InvalidSettingError(
            f'--device {options.device} cannot be used with --ray, which gives each worker a GPU '
            'of its own: take cuda, cpu or auto.'
        )
    ray = import_ray()
    folder = tempfile.mkdtemp(prefix='iterprime-ray-') if options.address == LOCAL else None
    with _python_alone_prints():
        try:
            _connect(ray, options, folder)
            yield _room(ray.cluster_resources(), options)
        finally:
            with _uninterrupted():
                ray.shutdown()
                if folder:
                    shutil.rmtree(folder, ignore_errors=True)


def import_ray() -> Any:
    """Return the module ray, which will not print. Raises MissingDependencyError without it."""
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    # Messages of a cluster, such as of a worker that died, would go to standard output.
    os.environ |= {'RAY_DEDUP_LOGS': '1', 'RAY_DEDUP_LOGS_SKIP_REGEX': '^'}
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingDependencyError(
            "--ray needs Ray: pip install 'iterprime_ros[ray]', or pip install 'ray[data]'."
        ) from error
    for name in ('ray', 'ray.data'):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setLevel(logging.CRITICAL + 1)
    return ray


def _connect(ray: Any, options: WorkerOptions, folder: str | None) -> None:
    arguments: dict[str, Any] = {'address': options.address}
    if folder:
        processors = len(os.sched_getaffinity(0))
        arguments |= {
            'num_cpus': max((options.workers or 1) * options.threads, processors),
            'include_dashboard': False,
            '_node_ip_address': _LOOPBACK,
            '_temp_dir': folder,
        }
    for left in reversed(range(_STARTS if folder else 1)):
        try:
            if folder is None:
                _check_reachable(options.address)
            ray.init(**arguments, logging_level=logging.CRITICAL, log_to_driver=False)
        except Exception as error:  # Ray raises errors of many types, some of them bare Exceptions
            if 'timed out' not in str(error) or not left:
                raise ClusterError(_why(options.address, str(error))) from error
            ray.shutdown()
        else:
            return


def _check_reachable(address: str) -> None:
    """Raise OSError for an address where nothing listens; Ray would wait for minutes."""
    if address != RUNNING_HERE:
        host, _, port = address.rpartition(':')
        socket.create_connection((host, int(port)), timeout=_PATIENCE_S).close()


def _why(address: str, reason: str) -> str:
    """Return a sentence of what Ray says when it does not connect."""
    where = 'on this machine' if address in (LOCAL, RUNNING_HERE) else f'at {address}'
    versions = re.search(
        r'started with:\s+Ray: (\S+)\s+Python: (\S+)\s.*?Ray: (\S+)\s+Python: (\S+)', reason, re.S
    )
    if versions:
        theirs, their_python, ours, our_python = versions.groups()
        return (
            f'The cluster {where} runs Ray {theirs} with Python {their_python}, and this is Ray '
            f'{ours} with Python {our_python}: install the same on all machines.'
        )
    short = ' '.join(reason.split()).rstrip('.')[:_REASON]
    if address == LOCAL:
        return f'Ray cannot start {where} ({short}): see docs/clusters.md.'
    return (
        f'There is no Ray cluster {where} that this machine belongs to ({short}): start it with '
        '"ray start", or leave the address out.'
    )


def _room(resources: dict[str, float], options: WorkerOptions) -> Cluster:
    """Return the workers that a cluster has room for. Raises ClusterError where it has none."""
    cpus, gpus = int(resources.get('CPU', 0)), int(resources.get('GPU', 0))
    on_gpu = options.device == 'cuda' or (options.device == 'auto' and gpus > 0)
    room = cpus // options.threads
    if on_gpu:
        room = min(room, gpus)
    workers = options.workers or room
    if not 0 < workers <= room:
        each = f'{options.threads} CPUs' + (' and a GPU' if on_gpu else '')
        raise ClusterError(
            f'The cluster has {cpus} CPUs and {gpus} GPUs, and each of {workers or 1} workers '
            f'takes {each}: take fewer workers or threads, or another device.'
        )
    return Cluster(workers, options.threads, int(on_gpu))


@contextmanager
def _python_alone_prints() -> Iterator[None]:
    """Drop what Ray's C++ prints to standard error, beside the messages of Python.

    It has no setting for that, and would break progress bars.
    """
    before = sys.stderr
    try:
        is_real = before is not None and before.fileno() == _STANDARD_ERROR
    except (OSError, ValueError):  # replaced by something that is no file
        is_real = False
    if not is_real:
        yield
        return
    before.flush()
    kept = os.dup(_STANDARD_ERROR)
    with Path(os.devnull).open('w') as sink:
        os.dup2(sink.fileno(), _STANDARD_ERROR)
    sys.stderr = os.fdopen(
        os.dup(kept), 'w', buffering=1, encoding=before.encoding, errors=before.errors
    )
    try:
        yield
    finally:
        sys.stderr.close()
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
        sys.stderr = before


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C until the cluster has ended; it takes some seconds."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, which alone is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
