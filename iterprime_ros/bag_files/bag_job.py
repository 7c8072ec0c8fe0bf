"""What is to be done with a bag, checked before anything is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from iterprime_ros.bag_files.reading import open_bag
from iterprime_ros.bag_files.stream import Bag, InvalidBagError
from iterprime_ros.bag_files.writing import check_output
from iterprime_ros.errors import InvalidCommandError, InvalidSettingError

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'


@dataclass(frozen=True)
class BagJob:
    """Commands to answer on the images of a bag. It can be sent to another process.

    source: the bag.
    target: the bag to write.
    commands: at least one.
    image_topic: of the images.
    depth_topic, camera_info_topic: of depth registered to the images and of their calibration;
        None for both without depth.
    every: of the images each every-th is answered, the first one first.
    image_count: of the images that are to be answered; an estimate, 0 where it is not known.
    """

    source: Path
    target: Path
    commands: tuple[str, ...]
    image_topic: str
    depth_topic: str | None
    camera_info_topic: str | None
    every: int
    image_count: int


def plan_bag(
    source: Path,
    target: Path,
    commands: Sequence[str],
    topic: str | None = None,
    depth: str | None = None,
    camera_info: str | None = None,
    every: int = 1,
) -> BagJob:
    """Return the job that is asked for.

    topic: of the images; None where the bag has only one such topic.
    depth, camera_info: topics, both or neither.

    Raises InvalidBagError for what is no bag, or has no such topic; InvalidSettingError where
    something has the name of the target; InvalidCommandError for an empty command.
    """
    if not all(command.strip() for command in commands):
        raise InvalidCommandError('A COMMAND is empty: name the object.')
    if (depth is None) != (camera_info is None):
        raise InvalidSettingError('--depth and --camera-info are used together: give both.')
    check_output(target)
    with open_bag(source) as bag:
        if topic is None:
            topic = _only_image_topic(bag, depth)
        else:
            _check_topic(bag, '--topic', topic, (IMAGE, COMPRESSED))
        if depth is not None:
            _check_topic(bag, '--depth', depth, (IMAGE, COMPRESSED))
        if camera_info is not None:
            _check_topic(bag, '--camera-info', camera_info, (CAMERA_INFO,))
        count = sum(each.count for each in bag.streams if each.topic == topic)
    every_count = -(-count // every)
    return BagJob(source, target, tuple(commands), topic, depth, camera_info, every, every_count)


def _only_image_topic(bag: Bag, depth: str | None) -> str:
    """Return the topic of images that there is, beside that of depth."""
    topics = _topics(bag, (IMAGE, COMPRESSED))
    candidates = [each for each in topics if each != depth]
    if not candidates:
        raise InvalidBagError(f'{bag.path} has no topic of images: name another bag.')
    if len(candidates) > 1:
        raise InvalidBagError(
            f'{bag.path} has {len(candidates)} topics of images: name one of '
            f'{", ".join(candidates)} with --topic.'
        )
    return candidates[0]


def _check_topic(bag: Bag, option: str, topic: str, kinds: Sequence[str]) -> None:
    topics = _topics(bag, kinds)
    if topic not in topics:
        there = f'it has {", ".join(topics)}' if topics else 'it has none'
        raise InvalidBagError(
            f'{option} {topic} is no topic of {" or ".join(kinds)} in {bag.path}: {there}.'
        )


def _topics(bag: Bag, kinds: Sequence[str]) -> list[str]:
    return sorted({each.topic for each in bag.streams if each.kind in kinds})
