"""The definitions of messages that bags are written with: those of ROS 2, and the package's own."""

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from iterprime_ros.errors import MissingDependencyError
from iterprime_ros.messages.encodings import InvalidMessageError
from iterprime_ros.messages.message_classes import MessageClasses

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

_PACKAGES = {
    'builtin_interfaces': ('Duration',),
    'geometry_msgs': (
        'Point',
        'Pose',
        'PoseStamped',
        'PoseWithCovarianceStamped',
        'Quaternion',
        'Vector3',
    ),
    'iterprime_ros': ('Candidate', 'ReferredObject'),
    'sensor_msgs': ('Image', 'PointCloud2', 'PointField', 'RegionOfInterest'),
}
_TYPES = {name: f'{package}/msg/{name}' for package, names in _PACKAGES.items() for name in names}
_DEFAULTS = {('geometry_msgs/msg/Quaternion', 'w'): 1.0}  # all others are zero, false and empty
_OWN = ('Candidate', 'Grasp', 'ReferredObject')


def check_rosbags() -> None:
    """Raise MissingDependencyError where the package that reads bags is not installed."""
    try:
        import rosbags.rosbag2  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            'Bags are read and written by rosbags, which is not installed: pip install '
            "'iterprime_ros[bag]'."
        ) from error


@cache
def typestore() -> 'Typestore':
    """Return the message types of ROS 2 Kilted and of this package."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_KILTED)
    folder = definition_folder(Path(__file__).parents[1])
    types: dict[str, Any] = {}
    for name in _OWN:
        text = (folder / f'{name}.msg').read_text(encoding='utf-8')
        types |= get_types_from_msg(text, f'iterprime_ros/msg/{name}')
    store.register(types)
    return store


def definition_folder(package: Path) -> Path:
    """Return the folder of the .msg files: of the source tree, else where ROS and pip put them.

    package: the folder of the Python package.

    Raises MissingDependencyError where there is none.
    """
    shares = (parent / 'share' / 'iterprime_ros' / 'msg' for parent in package.parents)
    for folder in (package.parent / 'msg', *shares):
        if (folder / 'ReferredObject.msg').is_file():
            return folder
    raise MissingDependencyError(
        f'The message definitions of iterprime_ros are not where {package} was installed: '
        'install it again with pip or colcon.'
    )


@cache
def message_classes() -> MessageClasses:
    """Return what makes messages that `serialized` takes."""
    return MessageClasses(**{name: partial(new_message, kind) for name, kind in _TYPES.items()})


def new_message(kind: str, **fields: Any) -> Any:
    """Return a message of a type like sensor_msgs/msg/Image; other fields have their defaults."""
    store = typestore()
    for name, description in store.fielddefs[kind][1]:
        if name not in fields:
            fields[name] = _DEFAULTS.get((kind, name), _default(description))
    return store.types[kind](**fields)


def _default(description: Any) -> Any:
    from rosbags.interfaces import Nodetype

    node, argument = description
    if node == Nodetype.NAME:
        return new_message(argument)
    if node == Nodetype.BASE:
        return {'string': '', 'bool': False}.get(argument[0], 0)
    inner, length = argument
    count = length if node == Nodetype.ARRAY else 0
    return [_default(inner) for _ in range(count)]


def deserialized(kind: str, data: bytes | memoryview) -> Any:
    """Return a message of a type of ROS 2; raises InvalidMessageError for broken data."""
    try:
        return typestore().deserialize_cdr(data, kind)
    except MemoryError:
        raise
    except Exception as error:  # of any type, from lengths that are not what they say
        raise InvalidMessageError(f'A {kind} is broken ({error}).') from error


def serialized(message: Any) -> bytes:
    """Return a message of `message_classes` as CDR, little-endian."""
    kind = message.__msgtype__
    return bytes(typestore().serialize_cdr(_completed(message), kind, little_endian=True))


def _completed(message: Any) -> Any:
    """Return a message with arrays where rosbags wants them: for all sequences of numbers."""
    from rosbags.interfaces import Nodetype

    store = typestore()
    fields = {}
    for name, description in store.fielddefs[message.__msgtype__][1]:
        node, argument = cast('tuple[int, Any]', description)
        value = getattr(message, name)
        if node == Nodetype.NAME:
            value = _completed(value)
        elif node in (Nodetype.ARRAY, Nodetype.SEQUENCE):
            inner, inner_argument = argument[0]
            if inner == Nodetype.NAME:
                value = [_completed(each) for each in value]
            elif inner_argument[0] != 'string':
                value = np.asarray(value, dtype=inner_argument[0])
        fields[name] = value
    return type(message)(**fields)
