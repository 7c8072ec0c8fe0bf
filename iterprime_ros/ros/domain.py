"""A ROS domain of one's own, so that a demo or a test hears no other robot and none hears it."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# DDS derives its ports from the domain, 7400 + 250 * domain and on. The first participant listens
# at 10 and 11 of them; the last would be that of participant 119, which nobody has.
_BASE_PORT, _PORTS_PER_DOMAIN, _LOCK_PORT = 7400, 250, 249
_FIRST_PARTICIPANT = (10, 11)
_LAST_DOMAIN = 100  # beyond it the ports reach those that Linux hands out to anybody


@contextmanager
def private_domain() -> Iterator[dict[str, str]]:
    """Yield the environment of a ROS domain on this machine in which nobody is.

    Neither a node of any kind nor another such call. The domain is held by a port that DDS leaves
    alone, so that it is free again however this process ends. Raises RuntimeError when all 100 are
    in use.
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
    raise RuntimeError('All 100 ROS domains of this machine are in use by other demos or tests.')


def _bound(port: int) -> socket.socket | None:
    """Return a UDP socket at a port of this machine, or None where there is one already."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind(('', port))
    except OSError:
        made.close()
        return None
    return made
