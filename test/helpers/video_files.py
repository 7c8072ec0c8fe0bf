"""Clips of the tabletop written as the files of Ref-DAVIS17, Ref-YouTube-VOS and MeViS are."""

import json
from dataclasses import dataclass

import numpy as np
from PIL import Image

from iterprime_ros.evaluation.mask_rle import encoded
from iterprime_ros.sim.motion import Motion, sample_clip
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.seeds import CLIP_CALIBRATION

DAVIS, YOUTUBE, MEVIS = 'ref-davis', 'ref-youtube-vos', 'mevis'


@dataclass(frozen=True, eq=False)
class Video:
    """A few frames of a clip.

    name: of the video.
    images: (H, W, 3) uint8 each.
    ids: (H, W) uint8 each, the object at each pixel; 0 is the background.
    expressions: each with the ids of the objects that it means.
    """

    name: str
    images: list
    ids: list
    expressions: list


def rendered_videos(count=2, frames=(0, 8, 16), size=(160, 120)):
    """Return pushed objects, every one of which has an expression; it is true of the target."""
    videos = []
    with Renderer(*size) as renderer:
        for seed in CLIP_CALIBRATION[:count]:
            clip = sample_clip(seed, Motion.PUSH)
            pictures = [renderer.render(clip.scenes[frame]) for frame in frames]
            others = [k for k in range(1, len(clip.scenes[0].objects) + 1) if k != clip.target]
            asked = [(clip.expression, [clip.target]), *((f'object {k}', [k]) for k in others)]
            ids = [each.ids.astype(np.uint8) for each in pictures]
            videos.append(Video(f'video{seed}', [each.rgb for each in pictures], ids, asked))
    return videos


def write_indexed(root, dataset, split, videos, times=1):
    """Write meta_expressions.json, indexed PNG files and images; each expression several times."""
    meta = {}
    for video in videos:
        said = [each for each in video.expressions for _ in range(times)]
        names = [f'{5 * k:05}' for k in range(len(video.images))]
        meta[video.name] = {
            'expressions': {
                str(k): {'exp': text, 'obj_id': str(ids[0])} for k, (text, ids) in enumerate(said)
            },
            'frames': names,
        }
        folder = root / dataset / split
        _write_images(folder / 'JPEGImages' / video.name, names, video.images)
        masks = folder / 'Annotations' / video.name
        masks.mkdir(parents=True)
        for name, ids in zip(names, video.ids, strict=True):
            picture = Image.fromarray(ids, mode='P')
            picture.putpalette([channel for k in range(256) for channel in (k, 255 - k, 77)])
            picture.save(masks / f'{name}.png')
    path = root / dataset / 'meta_expressions' / split / 'meta_expressions.json'
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({'videos': meta}))


def write_mevis(root, split, videos):
    """Write meta_expressions.json, mask_dict.json and images."""
    meta, masks = {}, {}
    for number, video in enumerate(videos):
        keys = {k: 100 * number + k for _, ids in video.expressions for k in ids}
        names = [f'{k:05}' for k in range(len(video.images))]
        meta[video.name] = {
            'expressions': {
                str(k): {
                    'exp': text,
                    'obj_id': [each - 1 for each in ids],
                    'anno_id': [keys[each] for each in ids],
                }
                for k, (text, ids) in enumerate(video.expressions)
            },
            'vid_id': number,
            'frames': names,
        }
        for k, key in keys.items():
            # What is not seen has no run lengths.
            masks[str(key)] = [encoded(ids == k) if (ids == k).any() else None for ids in video.ids]
        _write_images(root / MEVIS / split / 'JPEGImages' / video.name, names, video.images)
    folder = root / MEVIS / split
    (folder / 'meta_expressions.json').write_text(json.dumps({'videos': meta}))
    (folder / 'mask_dict.json').write_text(json.dumps(masks))


def _write_images(folder, names, images):
    """Write images; PNG keeps them to the pixel, whatever their names say."""
    folder.mkdir(parents=True)
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(folder / f'{name}.jpg', format='PNG')
