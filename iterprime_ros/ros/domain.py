"""A private ROS domain, which isolates a demo or a test from every other robot."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from iterprime_ros.errors import IterprimeError

# DDS derives its ports from the domain, 7400 + 250 * domain and on. The first participant listens
# at 10 and 11 of them; the last one belongs to participant 119, which hardly exists.
_BASE_PORT, _PORTS_PER_DOMAIN, _LOCK_PORT = 7400, 250, 249
_FIRST_PARTICIPANT = (10, 11)
_LAST_DOMAIN = 100  # beyond it the ports reach those that Linux hands out to anybody


class NoDomainError(IterprimeError):
    """Every ROS domain of this machine is in use."""


@contextmanager
def private_domain() -> Iterator[dict[str, str]]:
    """Yield the environment of a ROS domain that nothing else on this machine uses.

    The domain is reserved by a UDP port that DDS does not use, so that it becomes free however this
    process ends. Raises NoDomainError when all 100 are.
    """
    for domain in range(1, _LAST_DOMAIN + 1):
        first = _BASE_PORT + _PORTS_PER_DOMAIN * domain
        lock = _bound(first + _LOCK_PORT)
        if lock is None:
            continue
        listening = [_bound(first + offset) for offset in _FIRST_PARTICIPANT]
        for port in listening:
            if port:
                port.close()
        if None in listening:
            lock.close()
            continue
        with lock:
            yield {
                **os.environ,
                'ROS_DOMAIN_ID': str(domain),
                'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            }
            return
    raise NoDomainError(
        'All 100 ROS domains of this machine are in use: end other demos or tests first.'
    )


def _bound(port: int) -> socket.socket | None:
    """Return a UDP socket bound to a port, or None where the port is in use."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind(('', port))
    except OSError:
        made.close()
        return None
    return made
