"""What a bag holds: streams of messages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from iterprime_ros.errors import IterprimeError

Storage = Literal['mcap', 'sqlite3']


class InvalidBagError(IterprimeError):
    """What is no bag, or a bag of which nothing can be read, or not what is asked for."""


@dataclass(frozen=True, eq=False)
class Stream:
    """The messages of one topic, of one type.

    topic: its name.
    kind: the type of its messages, like sensor_msgs/msg/Image.
    definition: of the type, as rosbag2 stores it; '' where it is not known.
    type_hash: RIHS01_...; '' where it is not known.
    qos: the offered QoS profiles, as rosbags has them.
    count: how many messages the bag says that it has.
    converted: returns a message as recorded as CDR.
    """

    topic: str
    kind: str
    definition: str
    type_hash: str
    qos: Sequence[Any]
    count: int
    converted: Callable[[bytes], bytes | memoryview]


@dataclass(frozen=True, eq=False)
class Message:
    """A message of a bag.

    stream: which it belongs to.
    time: when it was recorded (log time), in nanoseconds.
    data: CDR.
    """

    stream: Stream
    time: int
    data: bytes | memoryview


@dataclass(frozen=True, eq=False)
class Bag:
    """An open bag.

    path: of it.
    storage: what a copy of it is stored as.
    streams: of its topics.
    messages: yields its messages by log time; those of a damaged bag as far as they can be read.
    problems: what is wrong with it, one sentence each; more may be found while it is read.
    """

    path: Path
    storage: Storage
    streams: tuple[Stream, ...]
    messages: Callable[[], Iterator[Message]]
    problems: list[str]
