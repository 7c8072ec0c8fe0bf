"""Grasps from true masks, carried out by the simulated gripper, by world.

Of every object of which the camera sees at least half, the best grasp, one try.

python benchmarks/grasping.py [--scenes 60] [--split test]
"""

import argparse
from dataclasses import dataclass

from tqdm import tqdm

from iterprime_ros.geometry.gripper import ParallelGripper
from iterprime_ros.sim.physics import PhysicsWorld
from iterprime_ros.sim.picking import pick
from iterprime_ros.sim.reach import in_world, rest_pose
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import PICK_CALIBRATION, PICK_TEST
from iterprime_ros.spatial.grasping import grasps_of

SPLITS = {'test': PICK_TEST, 'calibration': PICK_CALIBRATION}
WORLDS = (World.PLAIN, World.CLUTTER, World.STACKED)
HEAD = (
    *('world', 'objects', 'with a grasp', 'lifted, of all', 'lifted, of those with a grasp'),
    'another one touched',
)
LEAST_SEEN = 0.5  # of an object, as seen without the others


@dataclass
class Counts:
    """How many objects there were, had a grasp and were lifted; how often others were touched."""

    objects: int = 0
    with_grasp: int = 0
    lifted: int = 0
    touched_another: int = 0

    def row(self, name: str) -> str:
        """Return a row of the table."""
        of_all = self.lifted / max(1, self.objects)
        of_grasps = self.lifted / max(1, self.with_grasp)
        return (
            f'| {name} | {self.objects} | {self.with_grasp} | {of_all:.3f} | {of_grasps:.3f} | '
            f'{self.touched_another} |'
        )


def add_scene(counts: Counts, renderer: Renderer, seed: int, world: World) -> None:
    """Try to lift the objects of a scene, each from the whole scene."""
    gripper = ParallelGripper()
    picture = renderer.render(sample_scene(seed, world))
    shares = picture.seen_areas / picture.whole_areas.clip(1)
    for item, share in zip(picture.scene.objects, shares, strict=True):
        if share < LEAST_SEEN:
            continue
        counts.objects += 1
        mask = picture.ids == item.id
        grasps = grasps_of(mask, picture.depth, picture.pinhole, gripper, most=1).grasps
        if not grasps:
            continue
        counts.with_grasp += 1
        camera = picture.scene.camera
        physics = PhysicsWorld(picture.scene, gripper, rest_pose(camera, gripper))
        result = pick(physics, in_world(grasps[0], camera))
        counts.lifted += result.success and result.object_id == item.id
        counts.touched_another += bool(set(result.touched) - {item.id})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--scenes', type=int, default=60, help='of each world (default: 60)')
    parser.add_argument('--split', choices=SPLITS, default='test', help='(default: test)')
    options = parser.parse_args()
    seeds = SPLITS[options.split]
    if not 1 <= options.scenes <= len(seeds):
        parser.error(f'--scenes must be from 1 to {len(seeds)}')
    table = {world: Counts() for world in WORLDS}
    with (
        Renderer(640, 480) as renderer,
        tqdm(total=len(WORLDS) * options.scenes, disable=None) as bar,
    ):
        for world, counts in table.items():
            for seed in seeds[: options.scenes]:
                add_scene(counts, renderer, seed, world)
                bar.update()
    print(f'| {" | ".join(HEAD)} |')
    print('|---' * len(HEAD) + '|')
    for world, counts in table.items():
        print(counts.row(world.name))


if __name__ == '__main__':
    main()
