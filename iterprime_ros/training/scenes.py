"""Training scenes rendered once to files, so that training does not wait for the renderer."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import ConcatDataset, Dataset
from tqdm import tqdm

from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import COLOURS, KINDS, MAX_OBJECTS, SIZES, World, sample_scene
from iterprime_ros.sim.seeds import TRAINING, require_seeds

WIDTH, HEIGHT = 384, 288
SCENES_PER_FILE = 256

# One scene. kind, colour and size are indices in sim.scene.KINDS, COLOURS and SIZES, -1 in the
# places of absent objects; rgb and ids are as in sim.renderer.Picture.
SCENE = np.dtype(
    [
        ('seed', 'i8'),
        ('rgb', 'u1', (HEIGHT, WIDTH, 3)),
        ('ids', 'u1', (HEIGHT, WIDTH)),
        ('kind', 'i1', (MAX_OBJECTS,)),
        ('colour', 'i1', (MAX_OBJECTS,)),
        ('size', 'i1', (MAX_OBJECTS,)),
    ]
)
_CATEGORIES = {'kind': KINDS, 'colour': tuple(COLOURS), 'size': SIZES}
_MIX = {World.PLAIN: 8, World.CLUTTER: 6, World.STACKED: 3}


class Scenes(Protocol):
    """Scenes to train on; each item is a SCENE."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.void: ...


class RenderedScenes(Dataset[np.void]):
    """The first `count` training scenes of a world; each item is a SCENE, read from disk on access.

    Scenes that `folder` lacks are rendered first. A file is complete or absent, so that
    interrupted rendering can be resumed.

    folder: folder of the files; created if missing.
    count: number of scenes.
    world: what the scenes look like; not World.UNSEEN, which no model is trained on.

    Raises ValueError for World.UNSEEN.
    """

    def __init__(self, folder: Path, count: int, world: World = World.PLAIN) -> None:
        if world is World.UNSEEN:
            raise ValueError(
                'Scenes of the unseen world are for testing: no training may use them.'
            )
        firsts = range(TRAINING.start, TRAINING.start + count, SCENES_PER_FILE)
        self._count = count
        folder.mkdir(parents=True, exist_ok=True)
        self._files = [folder / f'{world.value}-{first}.npy' for first in firsts]
        missing = [
            (file, first)
            for file, first in zip(self._files, firsts, strict=True)
            if not file.exists()
        ]
        if missing:
            _render_all(missing, world)
        self._arrays: dict[int, NDArray[np.void]] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> np.void:
        if not 0 <= index < self._count:
            raise IndexError(index)
        number, row = divmod(index, SCENES_PER_FILE)
        if number not in self._arrays:
            self._arrays[number] = np.load(self._files[number], mmap_mode='r')
        record: np.void = self._arrays[number][row]
        return record


def mixed_scenes(folder: Path, count: int) -> Scenes:
    """Return about `count` training scenes of all worlds that models are trained on.

    Eight of 17 are plain, six have clutter, and three have stacks; see World.
    """
    return ConcatDataset(
        [
            RenderedScenes(folder, max(1, round(count * share / sum(_MIX.values()))), world)
            for world, share in _MIX.items()
        ]
    )


def record_of(picture: Picture) -> NDArray[np.void]:
    """Return a picture of WIDTH x HEIGHT pixels as an array () of dtype SCENE."""
    record = np.zeros((), SCENE)
    record['seed'], record['rgb'], record['ids'] = picture.scene.seed, picture.rgb, picture.ids
    for name, categories in _CATEGORIES.items():
        record[name] = -1
        values = [categories.index(getattr(item, name)) for item in picture.scene.objects]
        record[name][: len(values)] = values
    return record


def _render_all(missing: Sequence[tuple[Path, int]], world: World) -> None:
    processes = min(len(missing), os.cpu_count() or 1)
    title = f'rendering {world.value}'
    # Spawned, because a graphics context does not survive a fork.
    with (
        multiprocessing.get_context('spawn').Pool(processes) as pool,
        tqdm(total=len(missing) * SCENES_PER_FILE, unit=' scenes', desc=title) as bar,
    ):
        for _ in pool.imap_unordered(partial(_render_file, world=world), missing):
            bar.update(SCENES_PER_FILE)


def _render_file(task: tuple[Path, int], world: World) -> None:
    path, first = task
    unfinished = path.with_suffix('.partial')
    with unfinished.open('wb') as file:
        np.save(file, np.array(list(_records(range(first, first + SCENES_PER_FILE), world))))
    unfinished.rename(path)


def _records(seeds: range, world: World) -> Iterator[NDArray[np.void]]:
    require_seeds(seeds, TRAINING, 'training')
    with Renderer(WIDTH, HEIGHT) as renderer:
        for seed in seeds:
            yield record_of(renderer.render(sample_scene(seed, world)))
