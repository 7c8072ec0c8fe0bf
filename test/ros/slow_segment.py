"""The node with a model that obeys: what it is told in a command, it does."""

import sys
import time

from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.ros.start import start

segment = IteRPrimE.segment


def obey(self, image, command, watch=None):
    match command:
        case 'raise':
            raise KeyError('the model is broken')
        case 'need too much memory':
            raise MemoryError
        case 'need half the memory' if image.shape[0] == 240:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        case 'never end':
            while True:
                watch(0, image[..., 0] / 255, 0.5)
                time.sleep(0.01)
    return segment(self, image, 'the blue cube', watch)


IteRPrimE.segment = obey
sys.exit(start('segment', sys.argv))
