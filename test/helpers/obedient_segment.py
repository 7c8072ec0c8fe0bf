"""The node with a model that obeys: what it is told in a command, it does."""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from iterprime_ros.answer import Candidate, Segmentation, Status
from iterprime_ros.errors import StoppedError
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.ros.entry_point import start

segment = IteRPrimE.segment


def marked(shape):
    """The answer that the middle of a picture (H, W) is meant."""
    mask = np.zeros(shape, bool)
    mask[shape[0] // 4 : -(shape[0] // 4) or None, shape[1] // 4 : -(shape[1] // 4) or None] = True
    heatmap = mask.astype(np.float32)
    only = (Candidate(mask, 1.0, 1.0, 1.0),)
    return Segmentation(Status.FOUND, 'Found.', None, mask, heatmap, 0.9, 'mean', only, 1)


def waited(path, shape, on_round, should_stop):
    """Report round after round until there is a file."""
    while True:
        if should_stop():
            raise StoppedError
        if on_round:
            on_round(0, np.full((shape[0] // 16, shape[1] // 16), 0.25, np.float32), 0.5)
        if path.exists():
            return marked(shape)
        time.sleep(0.01)


def several(frame):
    """The answer that two halves of the left of a picture are meant, and nothing of its right."""
    height, width = frame.image_size
    masks = np.zeros((3, height, width), bool)
    masks[0, : height // 4, : width // 2] = masks[1, -(height // 4) :, : width // 2] = True
    masks[2, :, -(width // 4) :] = True
    candidates = tuple(
        Candidate(mask, 0.5, 0.5, 0.75, chance)
        for mask, chance in zip(masks, (0.75, 0.5, 0.25), strict=True)
    )
    union = masks[:2].any(axis=0)
    heatmap = union.astype(np.float32)
    return Segmentation(
        Status.FOUND_SEVERAL, 'Found 2.', None, union, heatmap, 0.75, 'chance', candidates, 2
    )


def measured(frame):
    """The answer that says what is known of depth."""
    depth, pinhole = frame.depth, frame.pinhole
    text = 'no depth'
    if depth is not None:
        text = f'depth {np.nanmedian(depth):.3f} at {depth.shape}, fx {pinhole.fx:.1f}'
    return replace(marked(frame.image_size), text=f'Given {text}.')


def drawn(frame, command):
    """The answer that a command describes, None for a command of another kind."""
    shape = frame.image_size
    match command.split():
        case ['give', 'half', 'a', 'mask']:
            return marked((shape[0] // 2, shape[1]))
        case ['name', 'no', 'candidate']:
            return replace(marked(shape), candidates=())
        case ['mark', 'several']:
            return several(frame)
        case ['mark', 'either']:
            return replace(marked(shape), status=Status.AMBIGUOUS, text='It could be two.')
        case ['mark', *_]:
            return marked(shape)
        case ['measure']:
            return measured(frame)
    return None


def obey(self, frame, command, on_round=None, should_stop=None):
    shape = frame.image_size
    match command.split():
        case ['raise']:
            raise KeyError('the model is broken')
        case ['need', 'too', 'much', 'memory']:
            raise MemoryError
        case ['need', 'half', 'the', 'memory', *_] if shape[0] == 240:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        case ['need', 'half', 'the', 'memory', 'and', 'measure']:
            command = 'measure'
        case ['need', 'half', 'the', 'memory']:
            command = 'the blue cube'
        case ['wait', 'for', path]:
            return waited(Path(path), shape, on_round, should_stop)
        case ['hang']:
            threading.Event().wait()
    answer = drawn(frame, command)
    return answer or segment(self, frame, command, on_round, should_stop)


if __name__ == '__main__':
    IteRPrimE.segment = obey
    sys.exit(start('iterprime_ros.ros.segment_node', sys.argv))
