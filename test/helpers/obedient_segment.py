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
    """The answer that the middle of the picture is meant."""
    mask = np.zeros(shape, bool)
    mask[shape[0] // 4 : -(shape[0] // 4) or None, shape[1] // 4 : -(shape[1] // 4) or None] = True
    heatmap = mask.astype(np.float32)
    only = (Candidate(mask, 1.0, 1.0, 1.0),)
    return Segmentation(Status.FOUND, 'Found.', None, mask, heatmap, 0.9, candidates=only)


def waited(path, image, on_round, should_stop):
    """Report round after round until there is a file."""
    while True:
        if should_stop():
            raise StoppedError
        if on_round:
            on_round(0, image[::16, ::16, 0] / np.float32(255), 0.5)
        if path.exists():
            return marked(image.shape[:2])
        time.sleep(0.01)


def obey(self, image, command, on_round=None, should_stop=None):
    match command.split():
        case ['raise']:
            raise KeyError('the model is broken')
        case ['give', 'half', 'a', 'mask']:
            return marked((image.shape[0] // 2, image.shape[1]))
        case ['name', 'no', 'candidate']:
            return replace(marked(image.shape[:2]), candidates=())
        case ['need', 'too', 'much', 'memory']:
            raise MemoryError
        case ['need', 'half', 'the', 'memory'] if image.shape[0] == 240:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        case ['need', 'half', 'the', 'memory']:
            command = 'the blue cube'
        case ['wait', 'for', path]:
            return waited(Path(path), image, on_round, should_stop)
        case ['hang']:
            threading.Event().wait()
        case ['mark', *_]:
            return marked(image.shape[:2])
    return segment(self, image, command, on_round, should_stop)


if __name__ == '__main__':
    IteRPrimE.segment = obey
    sys.exit(start('iterprime_ros.ros.segment_node', sys.argv))
