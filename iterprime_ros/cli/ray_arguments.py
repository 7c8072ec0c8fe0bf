"""The arguments of commands that can be divided among the workers of a Ray cluster."""

import argparse
import re
from typing import TYPE_CHECKING

from iterprime_ros.cli.argument_types import whole_number
from iterprime_ros.errors import InvalidSettingError

if TYPE_CHECKING:
    from iterprime_ros.cluster.session import WorkerOptions

_HERE = 'local'
_MOST = 10**5


def add_ray(parser: argparse.ArgumentParser) -> None:
    """Add where the work is done."""
    group = parser.add_argument_group('on many processes, GPUs or machines (docs/clusters.md)')
    group.add_argument(
        '--ray',
        nargs='?',
        type=_address,
        const=_HERE,
        metavar='HOST:PORT',
        help='divide the images, or bags, among workers, each a process with models of its own: '
        'on this machine (without an address, or "local"), or on all machines of the Ray cluster '
        'with that address ("auto": the one that this machine belongs to). Every machine needs '
        'this package, the weights, and the files under the same paths',
    )
    group.add_argument(
        '--workers',
        type=whole_number(1, _MOST),
        metavar='N',
        help='with --ray: number of workers (default: one for each GPU, or without GPUs as many '
        'as the CPUs have room for)',
    )
    group.add_argument(
        '--threads',
        type=whole_number(1, _MOST),
        metavar='N',
        help='with --ray: CPU threads of each worker (default: 1)',
    )


def worker_options(options: argparse.Namespace) -> 'WorkerOptions | None':
    """Return the workers that the arguments ask for, or None without --ray.

    Raises InvalidSettingError for arguments that need --ray.
    """
    if options.ray is None:
        for name in ('workers', 'threads'):
            if getattr(options, name) is not None:
                raise InvalidSettingError(f'--{name} is of workers: add --ray.')
        return None
    from iterprime_ros.cluster.session import WorkerOptions

    return WorkerOptions(options.ray, options.workers, options.threads or 1, options.device)


def _address(text: str) -> str:
    """Return an address; anything else is probably the next argument."""
    if text not in (_HERE, 'auto') and not re.fullmatch(
        r'(\[[0-9a-fA-F:]+\]|[\w.-]+):[0-9]{1,5}', text
    ):
        raise argparse.ArgumentTypeError(
            f'"{text}" is no HOST:PORT: for this machine write --ray local'
        )
    return text
