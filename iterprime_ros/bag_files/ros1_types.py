"""Messages of ROS 1 as those of ROS 2."""

from functools import partial
from typing import TYPE_CHECKING, Any

from iterprime_ros.bag_files.definitions import typestore
from iterprime_ros.bag_files.qos import offered
from iterprime_ros.bag_files.stream import Stream

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

_RENAMED = {'tf/msg/tfMessage': 'tf2_msgs/msg/TFMessage'}


def ros1_stream(connection: 'Connection', count: int) -> Stream:
    """Return a topic of a bag of ROS 1, whose messages become those of ROS 2 of the same name.

    Fields that ROS 2 has not are dropped (Header.seq), and those that only it has get defaults.
    Types that ROS 2 does not know keep their definition, with the fields that have other types in
    ROS 2.
    """
    from rosbags.convert.converter import is_same_wireformat, migrate_bytes
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    kind = _RENAMED.get(connection.msgtype, connection.msgtype)
    types = get_types_from_msg(connection.msgdef.data, connection.msgtype)
    source = get_typestore(Stores.EMPTY)
    source.register(types)
    target = typestore()
    if kind not in target.fielddefs:
        target = get_typestore(Stores.ROS2_KILTED)
        target.register({name: each for name, each in types.items() if name not in target.types})
    converted: Any
    if is_same_wireformat(source, target, connection.msgtype, kind):
        converted = partial(target.ros1_to_cdr, typename=kind)
    else:
        cache: dict[str, object] = {}
        kinds = connection.msgtype, kind
        migrated = partial(migrate_bytes, source, target, *kinds, cache)
        converted = partial(migrated, src_is2=False, dst_is2=True)
    definition, _ = target.generate_msgdef(kind, ros_version=2)
    return Stream(
        connection.topic,
        kind,
        definition,
        target.hash_rihs01(kind),
        offered(is_latched=True) if getattr(connection.ext, 'latching', None) else (),
        count,
        converted,
    )
