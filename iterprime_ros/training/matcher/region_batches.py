"""Batches for region matching: noun phrases, the patches that are shown, and whether they are true.

A noun phrase is true of the patches that are shown if it describes an object among them. That is
all the supervision: the objects that are shown come from the simulator's masks, and no patch is
ever named as the one that a phrase means.
"""

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.sim.grammar import Description
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES
from iterprime_ros.training.matcher.recognition_batches import coverage, lighting
from iterprime_ros.training.matcher.scene_images import image_index, mirrored, scene_images
from iterprime_ros.training.matcher.small_blip import GRID_SIZE
from iterprime_ros.training.matcher.vocabulary import noun_phrase, word_tokenizer
from iterprime_ros.training.scenes import Scenes

TEXTS = 16  # per image
_NAMES = (KINDS, tuple(COLOURS), SIZES)
_NAMED_RATES = (0.8, 0.6, 0.3)  # of kind, colour and size
_UNKNOWN_NOUN_RATE = 0.04
_CHANGED_RATE = 0.5  # of the phrases, in which one attribute is another than the object's
_COMMON_RATE = 0.6  # of these changes, to an attribute that another object of the scene has
_SHARES = (0.1, 0.2, 0.3)  # of a patch that an object covers, from which it is shown with it
_VISIBLE = 0.3  # share of its best patch from which an object counts as shown at all
_BACKGROUND_RATE = 0.3  # in which random patches of the background are shown too
# Shown are: the object alone, another one alone, some, all but the object, or all.
_ALONE, _OTHER, _SOME, _WITHOUT, _ALL = range(5)
_SHOWN_RATES = (0.45, 0.1, 0.1, 0.2, 0.15)

_TOKENIZER = word_tokenizer()


def region_batch(
    scenes: Scenes, size: int, seed: int, step: int, with_images: bool
) -> dict[str, Tensor]:
    """Return the batch of a step; equal arguments give equal batches.

    scenes: where images come from.
    size: number of images B.
    seed: seed of the random choices.
    step: number of the step.
    with_images: whether the batch holds images, for an encoder whose features are not cached.

    Returns, with K = TEXTS:
        image_index: (B,) int64, see scene_images.image_index.
        input_ids: (B, K, T) int64, padded with 0.
        is_shown: (B, K, N) bool, the patches that are shown with a text.
        is_true: (B, K) int64, 1 where the text is true of what is shown.
        is_alone: (B, K) bool, where one object alone is shown.
        images, gain, offset: as in recognition_batch, if with_images.
    """
    rng = np.random.default_rng([seed, 1, step])
    chosen = [(int(k), bool(rng.integers(2))) for k in rng.integers(len(scenes), size=size)]
    texts: list[str] = []
    shown, truths, alone = [], [], []
    for index, flip in chosen:
        record = scenes[index]
        covered = coverage(mirrored(record['ids'], flip)[None], GRID_SIZE)[0]
        attributes = np.stack([record[name] for name in ('kind', 'colour', 'size')], axis=1)
        seen = np.flatnonzero(covered.max(axis=1) >= _VISIBLE)
        for _ in range(TEXTS):
            text, patches, is_true, is_alone = _question(rng, covered, attributes, seen)
            texts.append(text)
            shown.append(patches)
            truths.append(is_true)
            alone.append(is_alone)
    rows = _TOKENIZER(texts, return_attention_mask=False)['input_ids']
    length = max(map(len, rows))
    ids = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    batch = {
        'image_index': torch.tensor([image_index(*version) for version in chosen]),
        'input_ids': ids.unflatten(0, (size, TEXTS)),
        'is_shown': torch.from_numpy(np.stack(shown)).unflatten(0, (size, TEXTS)),
        'is_true': torch.tensor(truths, dtype=torch.int64).unflatten(0, (size, TEXTS)),
        'is_alone': torch.tensor(alone).unflatten(0, (size, TEXTS)),
    }
    if with_images:
        batch |= {'images': scene_images(scenes, chosen), **lighting(rng, size)}
    return batch


def _question(
    rng: Generator,
    covered: NDArray[np.float32],
    attributes: NDArray[np.int8],
    seen: NDArray[np.int64],
) -> tuple[str, NDArray[np.bool_], bool, bool]:
    """Return a noun phrase, the patches shown with it, whether it is true, and of one object alone.

    covered: (objects, N) share of each patch that each object covers.
    attributes: (slots, 3) indices of kind, colour and size.
    seen: indices of the objects that are large enough to be shown.
    """
    if not len(seen):  # an empty table: everything that is said of it is false
        text = noun_phrase(rng, Description(str(rng.choice(KINDS))))
        return text, np.ones(covered.shape[1], dtype=bool), False, False
    target = int(rng.choice(seen))
    wanted = _wanted(rng, attributes, seen, target)
    patches, shown, kind = _shown(rng, covered, seen, target)
    is_unknown = bool(rng.random() < _UNKNOWN_NOUN_RATE)
    fits = [
        all(w in (None, has) for w, has in zip(wanted, attributes[k].tolist(), strict=True))
        for k in shown
    ]
    described = Description(
        *(None if w is None else names[w] for w, names in zip(wanted, _NAMES, strict=True))
    )
    text = noun_phrase(rng, described, is_unknown)
    return text, patches, any(fits) and not is_unknown, kind in (_ALONE, _OTHER)


def _wanted(
    rng: Generator, attributes: NDArray[np.int8], seen: NDArray[np.int64], target: int
) -> list[int | None]:
    """Return the kind, colour and size that a phrase names, None where it names none."""
    wanted: list[int | None] = [
        int(value) if rng.random() < rate else None
        for value, rate in zip(attributes[target], _NAMED_RATES, strict=True)
    ]
    if rng.random() < _CHANGED_RATE:
        named = [k for k in range(3) if wanted[k] is not None] or [0]
        k = int(rng.choice(named))
        others = [int(v) for v in attributes[seen, k] if v != attributes[target, k]]
        if others and rng.random() < _COMMON_RATE:
            wanted[k] = int(rng.choice(others))
        else:
            step = int(rng.integers(1, len(_NAMES[k])))
            wanted[k] = (int(attributes[target, k]) + step) % len(_NAMES[k])
    return wanted


def _shown(
    rng: Generator, covered: NDArray[np.float32], seen: NDArray[np.int64], target: int
) -> tuple[NDArray[np.bool_], list[int], int]:
    """Return the patches that are shown, the objects among them, and which way they were chosen."""
    patches_of = covered > rng.choice(_SHARES)
    best = covered.argmax(axis=1)
    patches_of[seen, best[seen]] = True
    way = int(rng.choice(len(_SHOWN_RATES), p=_SHOWN_RATES))
    match way:
        case 0 | 1 | 2:
            some = [int(k) for k in seen if rng.random() < 0.5]
            shown = ([target], [int(rng.choice(seen))], some)[way]
            patches = patches_of[shown].any(axis=0) if shown else np.zeros(covered.shape[1], bool)
            if rng.random() < _BACKGROUND_RATE or not patches.any():
                empty = covered.max(axis=0) == 0
                patches = patches | (empty & (rng.random(len(empty)) < rng.random()))
            if not patches.any():
                patches = covered.max(axis=0) == 0
        case 3:
            patches = ~patches_of[target]
            left = (covered * patches).max(axis=1)
            shown = [int(k) for k in seen if k != target and left[k] >= _VISIBLE]
        case _:
            patches, shown = np.ones(covered.shape[1], dtype=bool), [int(k) for k in seen]
    return patches, shown, way
