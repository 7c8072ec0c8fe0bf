"""QoS profiles as bags store them."""

from functools import cache
from typing import Any


@cache
def offered(is_latched: bool) -> tuple[Any, ...]:
    """Return the profile of a publisher that is reliable.

    is_latched: whether those that come later get its last message.
    """
    from rosbags.interfaces import (
        Qos,
        QosDurability,
        QosHistory,
        QosLiveliness,
        QosReliability,
        QosTime,
    )

    unlimited = QosTime(2147483647, 4294967295)  # as rosbag2 stores it
    profile = Qos(
        QosHistory.KEEP_LAST,
        1 if is_latched else 2,
        QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL if is_latched else QosDurability.VOLATILE,
        unlimited,
        unlimited,
        QosLiveliness.AUTOMATIC,
        unlimited,
        avoid_ros_namespace_conventions=False,
    )
    return (profile,)
