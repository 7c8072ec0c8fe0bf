"""How well the matcher tells kinds, colours and sizes of objects on scenes it was not trained on.

Each object is shown by its true mask. Of texts that differ in one attribute ("cube", "ball", ...;
"red object", ...; "small cube", "large cube") the one with the highest match counts.

python benchmarks/recognition.py [--scenes 150] [--world plain] [--profile tabletop]
"""

import argparse
import os
import sys
from collections import defaultdict

os.environ['OMP_NUM_THREADS'] = '1'  # read by PyTorch when it is imported

import numpy as np
import torch
from tqdm import tqdm

from iterprime_ros.answering.by_parts import frame_objects, phrase_matches
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.sim.objects import COLOURS, KINDS, SIZES
from iterprime_ros.sim.renderer import Picture, Renderer
from iterprime_ros.sim.scene import World, sample_scene
from iterprime_ros.sim.seeds import CALIBRATION

HALF = 0.5  # share of an object that must be seen


def recognised(model: IteRPrimE, picture: Picture) -> list[tuple[str, bool]]:
    """Return for each attribute of each object that is seen by half whether it is told right."""
    seen = [
        (each, picture.ids == number)
        for number, each in enumerate(picture.scene.objects, start=1)
        if picture.seen_areas[number - 1] > HALF * picture.whole_areas[number - 1]
    ]
    masks = torch.from_numpy(np.stack([mask for _, mask in seen]))
    profile = model.profile
    share = profile.regions.patch_share
    proposals = Proposals(masks, torch.ones(len(masks)))
    objects = frame_objects(proposals, model.matcher.grid, share, None, None)
    asked = {
        'kind': [list(KINDS) for _ in seen],
        'colour': [[f'{colour} object' for colour in COLOURS] for _ in seen],
        'size': [[f'{size} {each.kind}' for size in SIZES] for each, _ in seen],
    }
    texts = list(dict.fromkeys(text for rows in asked.values() for row in rows for text in row))
    embedding = model.embed(picture.rgb).matcher_embedding
    prompt = profile.grounding.prompt
    chances = phrase_matches(model.matcher, embedding, texts, prompt, objects, profile.regions)
    found = []
    for attribute, rows in asked.items():
        names = {'kind': list(KINDS), 'colour': list(COLOURS), 'size': list(SIZES)}[attribute]
        for k, ((each, _), row) in enumerate(zip(seen, rows, strict=True)):
            best = int(np.argmax([chances[text][k] for text in row]))
            found.append((attribute, names[best] == getattr(each, attribute)))
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--profile', default='tabletop', help='to measure (default: tabletop)')
    parser.add_argument('--scenes', type=int, default=150, help='(default: %(default)s)')
    parser.add_argument(
        '--world', default='plain', choices=[world.value for world in World], help='of the scenes'
    )
    options = parser.parse_args()
    if not 1 <= options.scenes <= len(CALIBRATION):
        parser.error(f'--scenes must be from 1 to {len(CALIBRATION)}')
    model = IteRPrimE.from_profile(options.profile, 'cpu', offline=True)
    right = defaultdict(list)
    with Renderer() as renderer:
        for seed in tqdm(CALIBRATION[: options.scenes], unit=' scenes'):
            picture = renderer.render(sample_scene(seed, World(options.world)))
            for attribute, is_right in recognised(model, picture):
                right[attribute].append(is_right)
    print(f'{options.scenes} {options.world} calibration scenes, objects by their true masks')
    for attribute, all_of_it in right.items():
        print(f'{attribute:7} right {np.mean(all_of_it):.3f} of {len(all_of_it)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
