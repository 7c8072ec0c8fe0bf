"""The layout of Ref-YouTube-VOS: expressions about videos in JSON, masks as indexed PNG files.

Ref-DAVIS17 has it once wjn922/ReferFormer:tools/data/convert_davis_to_ytvos.py has converted it,
and MeViS has the same JSON with other masks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter

from iterprime_ros.evaluation.datasets.clips import AnnotatedClip, ClipFrame, RecordedClips
from iterprime_ros.evaluation.datasets.dataset import chosen_split
from iterprime_ros.evaluation.datasets.files import (
    check_files,
    checksum,
    damaged,
    read_indices,
    read_json,
    read_rgb,
    validated,
)
from iterprime_ros.evaluation.datasets.sources import SOURCES
from iterprime_ros.language.command_parser import BareExpression

_BACKGROUND, _VOID = 0, 255  # in the PNG files; the latter marks void pixels of DAVIS


class Expression(BaseModel):
    """An expression about a video.

    exp: the text.
    obj_id: of the object that it means; of the objects in MeViS.
    anno_id: in MeViS, the keys of their masks.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    exp: str
    obj_id: str | list[str] = ''
    anno_id: list[str] = []


class Video(BaseModel):
    """What is said about a video.

    expressions: by their numbers.
    frames: names of its files, without the ending, in their order.
    """

    expressions: dict[str, Expression]
    frames: list[str]


class _Videos(BaseModel):
    videos: dict[str, Video]


@dataclass(frozen=True)
class AskedVideo:
    """An expression about a video.

    video_id: of the video.
    expression_id: of the expression, among those of the video.
    expression: the one that is asked.
    video: all that is said about it.
    """

    video_id: str
    expression_id: str
    expression: Expression
    video: Video


def load_indexed(
    name: str,
    split: str | None,
    limit: int | None,
    root: Path,
    group_of: Callable[[AskedVideo], str],
) -> RecordedClips:
    """Return the clips of a data set whose masks are indexed PNG files.

    name: key of SOURCES.
    split, limit: see clip_registry.load_clip_dataset; each expression is a clip.
    root: data root.
    group_of: returns the group of a clip.

    Raises InvalidSettingError for an unknown split, and InvalidDatasetError for files that are
    missing or damaged.
    """
    source = SOURCES[name]
    split = chosen_split(name, source.splits, split)
    path = root / source.layouts[0].patterns(split)[0]
    asked = asked_videos(path, name, limit)
    folder = root / source.image_folders(split)[0]
    clips = []
    for each in asked:
        if not str(each.expression.obj_id).isdecimal():
            damaged(path, f'video {each.video_id} has an obj_id that is no number', name)
        masks = folder.parent / 'Annotations' / each.video_id
        read = partial(_indexed_frames, name, each, folder / each.video_id, masks)
        clips.append(annotated(each, group_of(each), read))
    videos = {each.video_id: each.video for each in asked}
    check_files(list(_files_of(videos, folder)), name)
    return RecordedClips(split, provenance(path), clips)


def asked_videos(path: Path, dataset: str, limit: int | None) -> list[AskedVideo]:
    """Return the expressions of a file meta_expressions.json, at most `limit`, at least one.

    dataset: name of the data set, for the error message.

    Raises InvalidDatasetError.
    """
    content = read_json(path, dataset)
    asked = [
        AskedVideo(video_id, number, expression, video)
        for video_id, video in validated(
            TypeAdapter(_Videos), content, path, dataset
        ).videos.items()
        for number, expression in video.expressions.items()
    ][:limit]
    if not asked:
        damaged(path, 'no expressions', dataset)
    for each in asked:
        if not each.video.frames:
            damaged(path, f'video {each.video_id} has no frames', dataset)
    return asked


def annotated(
    asked: AskedVideo, group: str, read: Callable[[Sequence[int]], Iterator[ClipFrame]]
) -> AnnotatedClip:
    """Return the clip of an expression."""
    return AnnotatedClip(
        clip_id=f'{asked.video_id}/{asked.expression_id}',
        video_id=asked.video_id,
        command=BareExpression(asked.expression.exp),
        expression=asked.expression.exp,
        group=group,
        length=len(asked.video.frames),
        read=read,
    )


def provenance(path: Path) -> str:
    """Return the file that expressions were read from, with its version."""
    return f'{path} (SHA-256 {checksum(path)[:12]})'


def image_path(folder: Path, frame: str) -> Path:
    """Return the image of a frame in the folder of its video."""
    return folder / f'{frame}.jpg'


def _indexed_frames(
    dataset: str, asked: AskedVideo, images: Path, masks: Path, indices: Sequence[int]
) -> Iterator[ClipFrame]:
    target = int(str(asked.expression.obj_id))
    named = {int(str(each.obj_id)) for each in asked.video.expressions.values()}
    others = np.array(sorted(named - {target}), dtype=np.int64)
    for frame in (asked.video.frames[index] for index in indices):
        image = read_rgb(image_path(images, frame), None, dataset)
        ids = read_indices(masks / f'{frame}.png', image.shape[:2], dataset)
        yield ClipFrame(
            image=image,
            target=ids == target,
            others=ids == others[:, None, None],
            void=_void(ids),
        )


def _void(ids: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    void: NDArray[np.bool_] = ids == _VOID
    return void if void.any() else None


def _files_of(videos: Mapping[str, Video], images: Path) -> Iterable[Path]:
    for video_id, video in videos.items():
        for frame in video.frames:
            yield image_path(images / video_id, frame)
            yield images.parent / 'Annotations' / video_id / f'{frame}.png'
