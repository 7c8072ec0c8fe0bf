"""Rendered clips of the tabletop: moving cameras and objects, with exact masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.evaluation.datasets.clips import AnnotatedClip, ClipFrame
from iterprime_ros.evaluation.datasets.dataset import chosen_split
from iterprime_ros.evaluation.datasets.tabletop import HEIGHT, WIDTH
from iterprime_ros.sim.motion import Clip, Motion, sample_clip
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.seeds import CLIP_CALIBRATION, CLIP_TEST

SPLITS = {'test': CLIP_TEST, 'calibration': CLIP_CALIBRATION}
FRAMES = 90
DEFAULT_CLIPS = 60
MOTIONS = tuple(motion for motion in Motion if motion is not Motion.NONE)


@dataclass(frozen=True)
class MovingTabletop:
    """Rendered clips with depth and calibration; the motions take turns, and are the groups.

    split: a key of SPLITS.
    seeds: of the clips, of which there is at least one.
    motions: of the clips, as many.
    """

    split: str
    seeds: Sequence[int]
    motions: Sequence[Motion]

    @property
    def provenance(self) -> str:
        """The range of seeds."""
        return f'clips {self.seeds[0]} to {self.seeds[-1]} of {FRAMES} frames'

    def __len__(self) -> int:
        return len(self.seeds)

    def __iter__(self) -> Iterator[AnnotatedClip]:
        with Renderer(WIDTH, HEIGHT) as renderer:
            for seed, motion in zip(self.seeds, self.motions, strict=True):
                yield annotated(renderer, sample_clip(seed, motion, FRAMES))

    def subset(self, indices: Sequence[int]) -> 'MovingTabletop':
        """See clips.ClipDataset."""
        return replace(
            self,
            seeds=[self.seeds[index] for index in indices],
            motions=[self.motions[index] for index in indices],
        )


def load_clips(
    split: str | None = None, limit: int | None = None, _root: Path | None = None
) -> MovingTabletop:
    """Return the first clips of a split.

    split: a key of SPLITS; test by default.
    limit: number of clips; DEFAULT_CLIPS by default.
    _root: of data sets on disk; clips are rendered.

    Raises InvalidSettingError for an unknown split or more clips than it has.
    """
    name = chosen_split('clips', tuple(SPLITS), split)
    count = DEFAULT_CLIPS if limit is None else limit
    available = len(SPLITS[name])
    if not 0 < count <= available:
        raise InvalidSettingError(
            f'The {name} split has {available} clips: the limit must be from 1 to {available}, '
            f'not {count}.'
        )
    motions = [MOTIONS[k % len(MOTIONS)] for k in range(count)]
    return MovingTabletop(name, SPLITS[name][:count], motions)


def annotated(renderer: Renderer, clip: Clip) -> AnnotatedClip:
    """Return a clip, whose frames the renderer draws when they are asked for."""
    return AnnotatedClip(
        clip_id=f'{clip.motion.value}-{clip.seed}',
        video_id=f'{clip.motion.value}-{clip.seed}',
        command=clip.command,
        expression=clip.expression,
        group=clip.motion.value,
        length=len(clip.scenes),
        read=partial(_frames, renderer, clip),
    )


def _frames(renderer: Renderer, clip: Clip, indices: Sequence[int]) -> Iterator[ClipFrame]:
    for index in indices:
        yield _frame(renderer.render(clip.scenes[index]), clip.target)


def _frame(picture: Picture, target: int) -> ClipFrame:
    numbers = np.arange(1, len(picture.scene.objects) + 1)
    others = numbers[numbers != target]
    return ClipFrame(
        image=picture.rgb,
        target=picture.ids == target,
        others=picture.ids == others[:, None, None],
        depth=picture.depth,
        pinhole=picture.pinhole,
    )
