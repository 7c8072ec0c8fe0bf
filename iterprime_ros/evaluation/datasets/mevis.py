"""MeViS (Ding et al., ICCV 2023): expressions about the motion of one or several objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from iterprime_ros.evaluation.datasets.clips import ClipFrame, RecordedClips
from iterprime_ros.evaluation.datasets.coco_masks import decode_mask, require_pycocotools, union
from iterprime_ros.evaluation.datasets.dataset import chosen_split
from iterprime_ros.evaluation.datasets.files import (
    check_files,
    damaged,
    read_json,
    read_rgb,
    validated,
)
from iterprime_ros.evaluation.datasets.sources import SOURCES
from iterprime_ros.evaluation.datasets.video_expressions import (
    AskedVideo,
    annotated,
    asked_videos,
    image_path,
    provenance,
)

NAME = 'mevis'
_Tracks = dict[str, list[dict[str, Any] | None]]


@dataclass(frozen=True)
class _Masks:
    """The masks of a split.

    path: of the file.
    tracks: run lengths in every frame of its video, None for an empty mask, by the `anno_id`.
    """

    path: Path
    tracks: _Tracks


def load_mevis(
    split: str | None = None, limit: int | None = None, root: Path = Path('data')
) -> RecordedClips:
    """Return the clips of a split, in the layout of henghuiding/MeViS.

    split: valid_u by default, or train; only a server knows the masks of the others.
    limit: number of expressions at most; all by default.
    root: data root.

    What an expression means is one mask, however many objects it has, as in tools/eval_mevis.py.
    Groups: 'one target' and 'several targets'. The other objects are those that other expressions
    about the video mean.

    Raises InvalidSettingError for an unknown split and without pycocotools, and InvalidDatasetError
    for files that are missing or damaged.
    """
    source = SOURCES[NAME]
    split = chosen_split(NAME, source.splits, split)
    require_pycocotools()
    path, masks_path = (root / each for each in source.layouts[0].patterns(split))
    asked = asked_videos(path, NAME, limit)
    tracks = validated(TypeAdapter(_Tracks), read_json(masks_path, NAME), masks_path, NAME)
    masks = _Masks(masks_path, tracks)
    folder = root / source.image_folders(split)[0]
    clips = []
    for each in asked:
        _check(each, masks, path)
        group = 'several targets' if len(each.expression.anno_id) > 1 else 'one target'
        read = partial(_frames, each, masks, folder / each.video_id)
        clips.append(annotated(each, group, read))
    videos = {each.video_id: each.video.frames for each in asked}
    check_files(
        [image_path(folder / video, frame) for video, some in videos.items() for frame in some],
        NAME,
    )
    return RecordedClips(split, provenance(path), clips)


def _check(asked: AskedVideo, masks: _Masks, path: Path) -> None:
    if not asked.expression.anno_id:
        damaged(path, f'video {asked.video_id} has an expression without an anno_id', NAME)
    for expression in asked.video.expressions.values():
        for key in expression.anno_id:
            if len(masks.tracks.get(key, ())) != len(asked.video.frames):
                damaged(
                    masks.path,
                    f'{key}, which video {asked.video_id} names, has not one mask for each frame',
                    NAME,
                )


def _frames(
    asked: AskedVideo, masks: _Masks, folder: Path, indices: Sequence[int]
) -> Iterator[ClipFrame]:
    meant = asked.expression.anno_id
    named = {key for each in asked.video.expressions.values() for key in each.anno_id}
    others = sorted(named - set(meant))
    for index in indices:
        image = read_rgb(image_path(folder, asked.video.frames[index]), None, NAME)
        size = image.shape[0], image.shape[1]
        target, rest = (
            [_mask(masks, key, index, size) for key in keys] for keys in (meant, others)
        )
        yield ClipFrame(image, union(target), np.array(rest, np.bool_).reshape(-1, *size))


def _mask(masks: _Masks, key: str, index: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    runs = masks.tracks[key][index]
    if not runs:
        return np.zeros(size, dtype=np.bool_)
    return decode_mask(runs, size, f'{masks.path}, mask {key} of frame {index},')
