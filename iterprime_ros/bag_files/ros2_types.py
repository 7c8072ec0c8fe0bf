"""Messages of ROS 2, with the definitions that bags before Iron have not."""

from typing import TYPE_CHECKING

from iterprime_ros.bag_files.stream import Stream

if TYPE_CHECKING:
    from rosbags.interfaces import Connection


def ros2_stream(connection: 'Connection', count: int) -> Stream:
    """Return a topic of a rosbag2, whose messages are copied as they are.

    Where the bag has no definition of a type it is that of Humble, if that knows the type.
    """
    from rosbags.interfaces import MessageDefinitionFormat
    from rosbags.typesys import Stores, get_typestore

    kind, definition, type_hash = connection.msgtype, '', connection.digest
    if connection.msgdef.format != MessageDefinitionFormat.NONE:
        definition = connection.msgdef.data
    else:
        store = get_typestore(Stores.ROS2_HUMBLE)
        if kind in store.fielddefs:
            definition, _ = store.generate_msgdef(kind, ros_version=2)
    qos = getattr(connection.ext, 'offered_qos_profiles', ())
    type_hash = type_hash or _hash_of(kind, definition)
    return Stream(connection.topic, kind, definition, type_hash, qos, count, bytes)


def _hash_of(kind: str, definition: str) -> str:
    """Return the hash of a definition, '' for one that rosbags cannot parse."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    if not definition:
        return ''
    try:
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(definition, kind))
        return store.hash_rihs01(kind)
    except Exception:  # of any type; the message is copied all the same
        return ''
