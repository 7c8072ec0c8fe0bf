"""How well the objects of a frame are found on the simulated table, and in how much processor time.

grid N:  objects_of with N points along the shorter side of the image.
points:  the mask model asked in the middle of every true object: what a perfect grid would give.
regions: the masks without a mask model.

With --instances the objects that a noun phrase describes are found in two ways: among the objects
of the frame by region match, and one by one by hiding what was found (grounding.instances).

python benchmarks/objects.py [--scenes 100] [--world plain] [--grids 8 9 12] [--instances]
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

os.environ['OMP_NUM_THREADS'] = '1'  # read by PyTorch when it is imported

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from iterprime_ros.answering.by_parts import frame_objects, phrase_matches
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.heatmap import upsampled
from iterprime_ros.grounding.instances import instances
from iterprime_ros.masks.object_masks import ObjectSettings, best_of_each, objects_of
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.regions import RegionProposer, Regions
from iterprime_ros.masks.selection import peak_points, select
from iterprime_ros.pipeline import Frame, IteRPrimE
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import TRAINING
from iterprime_ros.sim.view import view_of

FIRST_SEED = 1_900_000  # training scenes that no shipped model was trained on
HIT = 0.5


@dataclass
class Tally:
    """What one way of finding objects gave so far.

    best: IoU of the best mask of each true object.
    masks, extra: number of masks of each frame, and of those that show no object.
    seconds: processor time of each frame.
    """

    best: list[float] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, masks: Tensor, wanted: list[Tensor], objects: list[Tensor], spent: float) -> None:
        """Count the masks (K, H, W) of a frame with these objects, some of them wanted."""
        table = ious(masks, objects)
        self.best += ious(masks, wanted).amax(0).tolist() if len(masks) else [0.0] * len(wanted)
        self.masks.append(len(masks))
        self.extra.append(
            int((table.amax(1) < HIT).sum()) if len(masks) and objects else len(masks)
        )
        self.seconds.append(spent)

    def row(self) -> str:
        """Return a line of the table."""
        best = np.array(self.best)
        return (
            f'{np.mean(best > HIT):10.4f} {best.mean():9.4f} {np.mean(self.masks):7.2f}'
            f' {np.mean(self.extra):7.2f} {1e3 * statistics.median(self.seconds):8.1f}'
        )


HEADER = 'recall@0.5 mean IoU   masks   extra   CPU ms'


def ious(masks: Tensor, truths: list[Tensor]) -> Tensor:
    """Return (K, n), the IoU of masks (K, H, W) with n true masks."""
    if not truths:
        return torch.zeros(len(masks), 0)
    first, second = masks.flatten(1).float(), torch.stack(truths).flatten(1).float()
    shared = first @ second.T
    return shared / (first.sum(1)[:, None] + second.sum(1)[None] - shared).clamp(min=1)


def true_masks(picture: Picture) -> dict[int, Tensor]:
    """Return the masks of the objects that can be seen, by id."""
    return {
        number: torch.from_numpy(picture.ids == number)
        for number, area in enumerate(picture.seen_areas, start=1)
        if area
    }


def middle(mask: Tensor) -> list[int]:
    """Return the pixel (x, y) that is deepest inside a mask."""
    depth = ndimage.distance_transform_edt(np.pad(mask.numpy(), 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return [int(x), int(y)]


def at_truths(model: IteRPrimE, frame: Frame, truths: list[Tensor]) -> Tensor:
    """Return the best mask at the middle of each object."""
    points = torch.tensor([middle(mask) for mask in truths]).reshape(-1, 2)
    found = model.proposer.propose(frame.mask_embedding, points)
    return best_of_each(found.masks, found.predicted_iou, len(points))[0]


def at_grid(model: IteRPrimE, frame: Frame, grid: int) -> Tensor:
    """Return the objects of a frame."""
    return objects_of(model.proposer, frame.mask_embedding, ObjectSettings(grid=grid)).masks


def of_regions(proposer: RegionProposer, embedding: Regions) -> Tensor:
    """Return the objects of a frame without a mask model."""
    return objects_of(proposer, embedding, ObjectSettings()).masks


def timed(work: Callable[..., Tensor], *arguments: object) -> tuple[Tensor, float]:
    """Return what work(*arguments) returns, and the processor time that it took, in seconds."""
    started = time.process_time()
    result = work(*arguments)
    return result, time.process_time() - started


class Finders:
    """The ways of finding the instances of a noun phrase in a frame, each timed alone."""

    def __init__(self, model: IteRPrimE) -> None:
        self._model = model

    def among_objects(self, frame: Frame, text: str) -> Tensor:
        """Return the objects of the frame that match."""
        model, profile = self._model, self._model.profile
        proposals = objects_of(model.proposer, frame.mask_embedding, profile.objects)
        found = frame_objects(
            proposals, model.matcher.grid, profile.regions.patch_share, None, None
        )
        chances = phrase_matches(
            model.matcher,
            frame.matcher_embedding,
            [text],
            profile.grounding.prompt,
            found,
            profile.regions,
        )[text]
        return proposals.masks[torch.from_numpy(chances >= profile.answer.match_threshold)]

    def by_hiding(self, frame: Frame, text: str) -> Tensor:
        """Return the objects that are found one after the other."""
        profile = self._model.profile
        found = instances(
            self._model.matcher,
            frame.matcher_embedding,
            Expression(text, (0, len(text)), ((0, len(text)),)),
            lambda heatmap: self._mask_at(frame, heatmap),
            profile.grounding,
            profile.answer.match_threshold,
            patch_share=profile.regions.patch_share,
        )
        none = torch.zeros((0, *frame.size), dtype=torch.bool)
        return torch.stack([instance.mask for instance in found]) if found else none

    def _mask_at(self, frame: Frame, patches: Tensor) -> Tensor | None:
        heatmap = upsampled(patches, frame.size)
        found: Proposals = self._model.proposer.propose(
            frame.mask_embedding, peak_points(heatmap, 1)
        )
        order = select(heatmap, found, rank=self._model.profile.answer.mask_rank).order
        return found.masks[order[0]] if len(order) else None


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--profile', default='tabletop', help='to measure (default: tabletop)')
    parser.add_argument('--scenes', type=int, default=100, help='(default: %(default)s)')
    parser.add_argument('--first', type=int, default=FIRST_SEED, help='seed of the first scene')
    parser.add_argument(
        '--world', default='plain', choices=[world.value for world in World], help='of the scenes'
    )
    parser.add_argument('--grids', type=int, nargs='*', default=[8, 9, 12], help='to compare')
    parser.add_argument('--instances', action='store_true', help='compare the finders of instances')
    options = parser.parse_args()
    if options.first not in TRAINING:
        parser.error(f'--first must be from {TRAINING.start} to {TRAINING.stop - 1}')
    torch.set_num_threads(1)
    model = IteRPrimE.from_profile(options.profile, 'cpu', offline=True)
    finders = Finders(model)
    regions = RegionProposer()
    frames: dict[str, Tally] = {}
    phrases: dict[str, Tally] = {}
    with Renderer() as renderer:
        for seed in range(options.first, options.first + options.scenes):
            picture = renderer.render(sample_scene(seed, World(options.world)))
            truths, view = true_masks(picture), view_of(picture)
            referable = [item for item in view.objects if item.is_referable]
            wanted = [truths[item.id] for item in referable]
            kinds = [item.kind for item in view.objects]
            frame = model.embed(picture.rgb)
            every = list(truths.values())
            ways: dict[str, tuple[Callable[..., Tensor], *tuple[object, ...]]] = {
                f'grid {grid}': (at_grid, model, frame, grid) for grid in options.grids
            }
            ways['points'] = at_truths, model, frame, wanted
            image = torch.from_numpy(picture.rgb).permute(2, 0, 1)
            ways['regions'] = of_regions, regions, regions.embed(image)
            for name, work in ways.items():
                masks, spent = timed(*work)
                frames.setdefault(name, Tally()).add(masks, wanted, every, spent)
            if not options.instances:
                continue
            for kind in sorted({item.kind for item in referable}):
                asked = [truths[item.id] for item in referable if item.kind == kind]
                fitting = [truths[number] for number in truths if kinds[number - 1] == kind]
                for name, find in (
                    ('objects and region match', finders.among_objects),
                    ('hiding what was found', finders.by_hiding),
                ):
                    masks, spent = timed(find, frame, kind)
                    phrases.setdefault(name, Tally()).add(masks, asked, fitting, spent)
    print(f'{options.scenes} {options.world} scenes from seed {options.first}, one thread')
    print(f'{"":26s} {HEADER}')
    for name, tally in frames.items():
        print(f'{name:26s} {tally.row()}')
    if phrases:
        print('\ninstances of a kind: extra masks are those of no instance')
        print(f'{"":26s} {HEADER}')
        for name, tally in phrases.items():
            print(f'{name:26s} {tally.row()}')
        grid, hiding = (statistics.median(tally.seconds) for tally in phrases.values())
        print(f'hiding takes {hiding / grid:.2f} times as long as objects and region match')
    return 0


if __name__ == '__main__':
    sys.exit(main())
