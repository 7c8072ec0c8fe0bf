"""Answers commands on the images of a bag: a copy of it with the answers."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from iterprime_ros.bag_files.bag_job import BagJob
from iterprime_ros.bag_files.definitions import deserialized, message_classes, typestore
from iterprime_ros.bag_files.image_answers import (
    Answerer,
    AnswerMessages,
    EveryImage,
    FollowedObjects,
    decoded_image,
    depth_of,
)
from iterprime_ros.bag_files.pairing import ImagePairing, RecordedImage
from iterprime_ros.bag_files.reading import open_bag
from iterprime_ros.bag_files.stream import Bag, InvalidBagError
from iterprime_ros.bag_files.writing import BagWriter, new_bag
from iterprime_ros.errors import InvalidDepthError, InvalidImageError, StoppedError
from iterprime_ros.language.command_parser import permitted
from iterprime_ros.messages.encodings import InvalidMessageError
from iterprime_ros.messages.referred_object import empty_referred_object
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.tracking.tracker import Tracker

NAMESPACE = '/segment'  # of the node


@dataclass(frozen=True)
class BagSummary:
    """What became of a bag.

    images: how many were answered.
    states: of each command, how many answers were found, not found, tracking, ...
    problems: what is wrong with the bag, one sentence each; what could be read was answered.
    """

    images: int
    states: tuple[Counter[str], ...]
    problems: tuple[str, ...]


def answer_bag(
    model: IteRPrimE,
    job: BagJob,
    new_tracker: Callable[[], Tracker] | None = None,
    on_image: Callable[[], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> BagSummary:
    """Write a copy of a bag with answers on its images, and return what became of it.

    model: answers.
    job: from `plan_bag`, here or in another process.
    new_tracker: returns what follows an object; None to answer on every image alone.
    on_image: called after every image that was answered.
    should_stop: asked after every message of the bag.

    What is written depends on the job, the model and nothing else. An error leaves nothing written.

    Raises InvalidCommandError for a command that cannot be used, InvalidBagError where no image can
    be read, InvalidSettingError where something has the name of the target, UnwritableError, and
    StoppedError once `should_stop` returns True.
    """
    for command in job.commands:
        permitted(model.parser.parse(command))
    if new_tracker is None:
        answerer: Answerer = EveryImage(model, job.commands)
    else:
        answerer = FollowedObjects(model, job.commands, new_tracker)
    with open_bag(job.source) as bag, new_bag(job.target, bag.storage) as writer:
        writer.copy_streams(bag.streams)
        run = _Run(job, answerer, writer)
        for image in _images(bag, job, writer, run.unreadable, should_stop):
            run.answer(image)
            if on_image is not None:
                on_image()
        if not run.images:
            reason = next(iter((*run.unreadable, *bag.problems)), 'there is none.')
            raise InvalidBagError(f'No image of {job.image_topic} can be read: {reason}')
    problems = (*run.problems(), *bag.problems)
    return BagSummary(run.images, tuple(run.states), problems)


def _images(
    bag: Bag,
    job: BagJob,
    writer: BagWriter,
    unreadable: list[str],
    should_stop: Callable[[], bool] | None,
) -> Iterator[RecordedImage]:
    """Copy a bag, and yield the images to answer; say of the others why they cannot be."""
    number = 0
    pairing = ImagePairing(job.depth_topic is not None)
    for message in bag.messages():
        if should_stop is not None and should_stop():
            raise StoppedError('The bag is no longer wanted.')
        writer.copy(message)
        topic, kind = message.stream.topic, message.stream.kind
        is_wanted = topic != job.image_topic or number % job.every == 0
        number += topic == job.image_topic
        if topic not in (job.image_topic, job.depth_topic, job.camera_info_topic) or not is_wanted:
            continue
        try:
            content = deserialized(kind, message.data)
        except InvalidMessageError as error:
            unreadable.append(str(error))
            continue
        if topic == job.image_topic:
            pairing.add_image(content, message.time)
        elif topic == job.depth_topic:
            pairing.add_depth(content)
        else:
            pairing.set_camera_info(content)
        yield from pairing.taken(message.time)
    yield from pairing.taken(None)


@dataclass(eq=False)
class _Run:
    """Answers images, and counts what becomes of them."""

    job: BagJob
    answerer: Answerer
    writer: BagWriter
    images: int = 0
    unreadable: list[str] = field(default_factory=list)
    states: list[Counter[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = [Counter() for _ in self.job.commands]
        self._messages = AnswerMessages()

    def answer(self, image: RecordedImage) -> None:
        """Write the answers on an image; of an image that cannot be used, that it cannot."""
        try:
            rgb = decoded_image(image.frame.image)
            depth, note = depth_of(image, rgb.shape[:2])
            answers = self.answerer.answer(rgb, depth)
        except (InvalidMessageError, InvalidImageError, InvalidDepthError) as error:
            self.unreadable.append(str(error))
            for command in self.job.commands:
                self._write(image, {'result': _invalid(image, command, str(error))})
            return
        self.images += 1
        for each in answers:
            self.states[each.number][each.state] += 1
            self._write(image, self._messages.messages(image, rgb, depth, note, each))

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the bag, one sentence each."""
        if self.unreadable:
            yield (
                f'{len(self.unreadable)} messages of {self.job.image_topic} and what belongs to it '
                f'cannot be used; the first: {self.unreadable[0]}'
            )

    def _write(self, image: RecordedImage, messages: dict[str, Any]) -> None:
        for name, message in messages.items():
            topic = f'{NAMESPACE}/{name}'
            self.writer.write(topic, message, image.time, is_latched=name == 'result')


def _invalid(image: RecordedImage, command: str, text: str) -> Any:
    kind: Any = typestore().types['iterprime_ros/msg/ReferredObject']
    header = image.frame.image.header
    return empty_referred_object(message_classes(), header, command, kind.INVALID, text)
