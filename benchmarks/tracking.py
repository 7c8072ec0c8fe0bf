"""What carrying masks from frame to frame costs with a video model of full size.

The weights are random, written in the formats of the published ones into a temporary folder, and
loaded by the loader of the package. Frames are of 480 x 640. Seconds are of the wall clock, so
that nothing else should run. A step is the median of those after the model's memory is full; what
a track keeps is counted at the end.

python benchmarks/tracking.py [--kinds edgetam sam2_video] [--objects 1 3] [--device cuda]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import Sam2VideoConfig, Sam2VideoModel
from transformers.utils import logging

from iterprime_ros.tracking.edgetam import EdgeTam, EdgeTamConfig
from iterprime_ros.tracking.sam2_video import VideoModelPropagator, load_video_model
from iterprime_ros.weights import Placement

SIZE = (480, 640)
FULL = 7  # frames, after which the memory of both models is full
DTYPES = ('float32', 'bfloat16')


def write_edgetam(folder: Path) -> None:
    """Write a folder like yonigozlan/EdgeTAM-hf.

    Settings: convert_edgetam_video_to_hf.py of transformers.
    """
    backbone = {
        'model_type': 'timm_wrapper',
        'architecture': 'repvit_m1',
        'model_args': {'in_chans': 3, 'features_only': True, 'out_indices': [0, 1, 2, 3]},
    }
    settings = {
        'vision_config': {'model_type': 'edgetam_vision_model', 'backbone_config': backbone},
        'enable_temporal_pos_encoding_for_object_pointers': False,
        'enable_occlusion_spatial_embedding': False,
    }
    EdgeTam(EdgeTamConfig.from_dict(settings)).save_pretrained(folder)
    (folder / 'config.json').write_text(json.dumps({**settings, 'model_type': 'edgetam_video'}))


def write_sam2(folder: Path) -> None:
    """Write a folder like facebook/sam2.1-hiera-tiny."""
    Sam2VideoModel(Sam2VideoConfig()).save_pretrained(folder)


WRITERS: dict[str, Callable[[Path], None]] = {'edgetam': write_edgetam, 'sam2_video': write_sam2}


def seconds(work: Callable[[], object], device: str) -> float:
    """Return how long work() takes."""
    started = time.perf_counter()
    work()
    if device == 'cuda':
        torch.cuda.synchronize()
    return time.perf_counter() - started


def rectangles(count: int) -> NDArray[np.bool_]:
    """Return masks (count, H, W) side by side."""
    masks = np.zeros((count, *SIZE), dtype=bool)
    for number, mask in enumerate(masks):
        left = number * SIZE[1] // count
        mask[160:320, left + 10 : left + SIZE[1] // count - 10] = True
    return masks


def kept_bytes(propagator: VideoModelPropagator) -> int:
    """Return the bytes of what is kept from frame to frame."""
    tensors = propagator._session.tensors() if propagator._session else ()
    storages = [tensor.untyped_storage() for tensor in tensors]
    return sum({each.data_ptr(): each.nbytes() for each in storages}.values())


def row(propagator: VideoModelPropagator, count: int, frames: int, device: str) -> str:
    """Return a line of the table: start, step and kept tensors, of `count` objects."""
    images = np.random.default_rng(0).integers(0, 256, (4, *SIZE, 3), dtype=np.uint8)
    propagator.start(images[0], rectangles(count))  # the first use of anything is slower
    start = seconds(lambda: propagator.start(images[0], rectangles(count)), device)
    spent = [
        seconds(partial(propagator.step, images[number % len(images)]), device)
        for number in range(1, frames + 1)
    ]
    full = spent[FULL:]
    return (
        f'{count:7d} {start:9.3f} {statistics.median(full):9.3f}'
        f'  ({min(full):.3f} to {max(full):.3f}) {kept_bytes(propagator) / 2**20:9.1f}'
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = list(WRITERS)
    parser.add_argument('--kinds', nargs='*', choices=kinds, default=kinds, help='default: all')
    parser.add_argument('--objects', type=int, nargs='*', default=[1, 3], help='default: 1 3')
    parser.add_argument('--frames', type=int, default=16, help='of a track (default: 16)')
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--threads', type=int, default=2, help='of the CPU (default: 2)')
    parser.add_argument(
        '--dtypes', nargs='*', choices=DTYPES, default=[DTYPES[0]], help='of image encoders'
    )
    options = parser.parse_args()
    if options.frames <= FULL:
        parser.error(f'--frames must be more than {FULL}')
    os.environ['HF_HUB_DISABLE_PROGRESS_BARS'] = '1'
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # random weights give numbers near 0, which take CPUs long
    device = torch.cuda.get_device_name() if options.device == 'cuda' else 'CPU'
    print(f'{device}, {options.threads} threads; random weights; frames of 480 x 640')
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as made:
            WRITERS[kind](Path(made))
            for dtype in options.dtypes:
                placement = Placement(options.device, getattr(torch, dtype), local_files_only=True)
                propagator = load_video_model(kind, made, placement)
                print(f'\n{kind}, image encoder in {dtype}')
                print('objects   start s    step s                  kept MiB', flush=True)
                for count in options.objects:
                    print(row(propagator, count, options.frames, options.device), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
