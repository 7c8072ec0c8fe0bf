"""A ROS domain of one's own, so that a demo or a test hears no other robot and none hears it."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

# DDS derives its ports from the domain: 7400 + 250 * domain, and uses the first of each 250.
_BASE_PORT, _PORTS_PER_DOMAIN, _UNUSED_PORT = 7400, 250, 249
_LAST_DOMAIN = 100  # beyond it the ports reach those that Linux hands out to anybody


@contextmanager
def private_domain() -> Iterator[dict[str, str]]:
    """Yield the environment of a ROS domain on this machine that no other such call holds.

    The domain is held by keeping a port of it that DDS never uses, so that it is free again however
    this process ends. Raises RuntimeError when all 100 are held.
    """
    for domain in range(1, _LAST_DOMAIN + 1):
        lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            lock.bind(('127.0.0.1', _BASE_PORT + _PORTS_PER_DOMAIN * domain + _UNUSED_PORT))
        except OSError:
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
