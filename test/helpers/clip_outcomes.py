"""Outcomes of following, and clips that are drawn by hand."""

import numpy as np

from iterprime_ros.evaluation.clip_outcome import ClipOutcome
from iterprime_ros.evaluation.datasets.clips import AnnotatedClip, ClipFrame, RecordedClips
from iterprime_ros.evaluation.mask_rle import encoded

SIZE = (30, 40)


def square(left, top=10, side=8):
    """Return a mask of SIZE."""
    mask = np.zeros(SIZE, bool)
    mask[top : top + side, left : left + side] = True
    return mask


NOTHING = np.zeros(SIZE, bool)


def drawn_clip(targets, others=(), name='drawn', group='all', void=None):
    """Return a clip of the true masks of every frame; others: for each frame, those of others."""
    others = others or [[] for _ in targets]
    frames = [
        ClipFrame(
            np.full((*SIZE, 3), k, np.uint8),
            target,
            np.array(some, bool).reshape(-1, *SIZE),
            void,
        )
        for k, (target, some) in enumerate(zip(targets, others, strict=True))
    ]
    return AnnotatedClip(
        name,
        f'video of {name}',
        f'grab the {name}',
        f'the {name}',
        group,
        len(frames),
        lambda indices: (frames[k] for k in indices),
    )


def data_set(clips):
    return RecordedClips('test', 'drawn by hand', clips)


def outcome(name='a', group='push', frames=4, **columns):
    """Return an outcome of a perfect clip with changed columns."""
    length = len(next(iter(columns.values()))) if columns else frames
    perfect = {
        'similarity': (1.0,) * length,
        'accuracy': (1.0,) * length,
        'areas': (64,) * length,
        'objects': (0,) * length,
        'states': ('tracking',) * length,
        'wall_ms': (10.0,) * length,
        'cpu_ms': (8.0,) * length,
        'masks': (encoded(square(3)),) * length,
    }
    return ClipOutcome(name, f'video of {name}', group, f'the {name}', **{**perfect, **columns})
