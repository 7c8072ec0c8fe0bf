"""What a worker does for `iterprime segment --ray`: commands about an image file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from iterprime_ros.errors import InvalidImageError, UnwritableError

if TYPE_CHECKING:
    from iterprime_ros.pipeline import IteRPrimE


@dataclass(frozen=True)
class SegmentTask:
    """What a worker needs to know before it has any image.

    profile: name, or YAML file, of the models.
    device: 'cpu' or 'cuda'.
    offline: whether the hub is never asked.
    files: the images as they are named on the command line, relative to `folder` or absolute.
    commands: to answer about each image.
    outputs: of each image, for each command where to write what kind of output; named as the
        images are.
    folder: absolute path that relative ones begin at, the same on every machine.
    """

    profile: str
    device: str
    offline: bool
    files: Sequence[Path]
    commands: Sequence[str]
    outputs: Sequence[Sequence[Mapping[str, Path]]]
    folder: Path


@dataclass(frozen=True)
class ImageAnswer:
    """The answer to one command about an image.

    status: value of its Status.
    lines: its sentence and its notes.
    report: as one line of JSON.
    """

    status: str
    lines: tuple[str, ...]
    report: str


@dataclass(frozen=True)
class AnsweredFile:
    """The answers to all commands about an image.

    answers: in the order of the commands; empty where there is an error.
    error: why the image could not be read, or ''.
    """

    answers: tuple[ImageAnswer, ...]
    error: str = ''


def segment_worker(task: SegmentTask) -> Callable[[int], AnsweredFile]:
    """Load the models, and return what answers about an image by its position in `task.files`.

    Raises the errors of loading the models. What is returned writes the outputs, and raises
    UnwritableError.
    """
    from iterprime_ros.pipeline import IteRPrimE

    profile = task.profile
    if profile.endswith(('.yaml', '.yml')):
        profile = str(task.folder / profile)
    return partial(_answered, IteRPrimE.from_profile(profile, task.device, task.offline), task)


def _answered(model: 'IteRPrimE', task: SegmentTask, index: int) -> AnsweredFile:
    from iterprime_ros.image_files import read_image, report, write_outputs

    file = task.files[index]
    try:
        image = read_image(task.folder / file)
    except InvalidImageError as error:
        return AnsweredFile((), _as_named(error, task, file))
    answers = []
    for command, outputs, answer in zip(
        task.commands, task.outputs[index], model.segment_many(image, task.commands), strict=True
    ):
        absolute = {kind: task.folder / path for kind, path in outputs.items()}
        try:
            write_outputs(absolute, image, answer)
        except UnwritableError as error:
            raise UnwritableError(_as_named(error, task, *outputs.values())) from error
        lines = (answer.text, *answer.notes)
        answers.append(ImageAnswer(answer.status.value, lines, report(file, command, answer)))
    return AnsweredFile(tuple(answers))


def _as_named(error: Exception, task: SegmentTask, *paths: Path) -> str:
    """Return a message with paths as they are named on the command line."""
    message = str(error)
    for path in paths:
        message = message.replace(str(task.folder / path), str(path))
    return message
