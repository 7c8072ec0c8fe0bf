"""Masks in the three forms of COCO's annotations, each of which gives the same pixels back."""

from itertools import groupby

import numpy as np
from pycocotools import mask as mask_api


def polygons(mask):
    """Return rectangles [x0, y0, x1, y0, x1, y1, x0, y1] along pixel edges that tile a mask."""
    finished, growing = [], {}
    for y, row in enumerate([*mask, np.zeros_like(mask[0])]):
        edges = np.flatnonzero(np.diff(np.pad(row, 1).astype(np.int8))).tolist()
        runs = list(zip(edges[::2], edges[1::2], strict=True))
        finished += [(x0, top, x1, y) for (x0, x1), top in growing.items() if (x0, x1) not in runs]
        growing = {run: growing.get(run, y) for run in runs}
    return [[x0, y0, x1, y0, x1, y1, x0, y1] for x0, y0, x1, y1 in finished]


def run_lengths(mask):
    """Return a mask as run lengths in a list."""
    runs = [(value, len(list(run))) for value, run in groupby(mask.T.ravel().tolist())]
    zero_first = [0] if runs[0][0] else []
    return {'size': list(mask.shape), 'counts': zero_first + [length for _, length in runs]}


def compressed(mask):
    """Return a mask as run lengths in a text."""
    encoded = mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {'size': list(mask.shape), 'counts': encoded['counts'].decode()}


FORMS = (polygons, run_lengths, compressed)
