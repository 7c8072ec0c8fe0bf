"""Batches of images and texts for the matcher, each made from the number of its step alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerBase

from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.grammar import Phrase
from iterprime_ros.sim.semantics import meaning
from iterprime_ros.sim.view import View
from iterprime_ros.training.matcher.captions import Caption, sample_caption
from iterprime_ros.training.matcher.small_blip import CELLS
from iterprime_ros.training.scenes import RenderedScenes, view_in

CAPTIONS = 4  # true ones of each image, and as many false ones
_MASKED_SHARE = 0.35  # of the content words
_SAID_SHARE, _SUBJECT_SHARE = 0.7, 0.1  # in a statement: of what it says, and of what it refers to
_MIN_PATCH_COVER = 0.3  # of a patch, from which it shows an object
_SPOKEN = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
_WINDOW = 8  # patches along a side
IGNORED = -100


class Words(NamedTuple):
    """What texts are made of: their tokenizer and the ids of words that a picture can tell."""

    tokenizer: PreTrainedTokenizerBase
    content: frozenset[int]


@dataclass(frozen=True)
class Phase:
    """How a part of the training is.

    shares: of attributes, places and relations. shown: (M,) int64, the patches to look at, or None
    where what the encoder makes of the images is known already.
    """

    shares: tuple[float, float, float]
    shown: NDArray[np.int64] | None


_PATCHES = np.arange(CELLS * CELLS).reshape(CELLS, CELLS)
# No object is outside the square in the middle of a picture of 4:3, which spares a quarter.
MIDDLE = _PATCHES[:, CELLS // 8 : CELLS - CELLS // 8].ravel()
_FEW_ATTRIBUTES = (0.25, 0.4, 0.35)
EASY = Phase((0.85, 0.1, 0.05), None)
MIXED = Phase(_FEW_ATTRIBUTES, None)
SEEING = Phase(_FEW_ATTRIBUTES, MIDDLE)
WHOLE = Phase(_FEW_ATTRIBUTES, _PATCHES.ravel())


def recognition_batch(scenes: RenderedScenes, size: int, seed: int, step: int) -> dict[str, Tensor]:
    """Return windows of images, and what is seen in each of their patches.

    images: (B, 3, H, W) uint8. shown: (B, M) int64, the patches of a window round one object. kind,
    colour: (B, M) int64, index + 1 of the object that covers the patch, 0 for none.
    """
    rng = np.random.default_rng([seed, 0, step])
    chosen = [(scenes[int(k)], bool(rng.integers(2))) for k in rng.integers(len(scenes), size=size)]
    images = np.stack([_mirrored(record['rgb'], mirrored) for record, mirrored in chosen])
    ids = np.stack([_mirrored(record['ids'], mirrored) for record, mirrored in chosen])
    owners = patch_owners(ids, CELLS)
    shown = torch.from_numpy(np.stack([_window(rng, row) for row in owners]))
    owner = torch.from_numpy(owners).gather(1, shown)
    labels = {}
    for name in ('kind', 'colour'):
        values = np.stack([record[name] for record, _ in chosen]).astype(np.int64) + 1
        labels[name] = functional.pad(torch.from_numpy(values), (1, 0)).gather(1, owner)
    return {'images': _images(images), 'shown': shown, **labels}


def _window(rng: Generator, owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the patches of a window round a random patch of an object; owners: (N,)."""
    objects = np.flatnonzero(owners)
    centre = int(rng.choice(objects)) if len(objects) else owners.size // 2
    jitter = rng.integers(-_WINDOW // 4, _WINDOW // 4 + 1, 2)
    corner = np.array(divmod(centre, CELLS)) - _WINDOW // 2 + jitter
    row, column = np.clip(corner, 0, CELLS - _WINDOW)
    inside = np.arange(_WINDOW)
    return ((row + inside)[:, None] * CELLS + column + inside).ravel()


def patch_owners(ids: NDArray[np.uint8], cells: int) -> NDArray[np.int64]:
    """Return (B, cells * cells): the id that covers most of each patch, 0 where none does enough.

    ids: (B, H, W), the ids of objects, 0 for none.
    """
    samples = 4  # along a side of a patch
    rows, columns = (
        (np.arange(cells * samples) + 0.5) * side // (cells * samples) for side in ids.shape[1:]
    )
    sampled = ids[:, rows.astype(int)[:, None], columns.astype(int)]
    patches = sampled.reshape(-1, cells, samples, cells, samples).swapaxes(2, 3)
    patches = patches.reshape(len(ids), cells * cells, samples * samples)
    shares = np.stack([(patches == k).mean(-1) for k in range(1, int(ids.max()) + 1)])
    return np.where(shares.max(0) > _MIN_PATCH_COVER, shares.argmax(0) + 1, 0)


def matching_batch(
    scenes: RenderedScenes, words: Words, size: int, seed: int, step: int, phase: Phase
) -> dict[str, Tensor]:
    """Return images and texts about them.

    picture: (B,) int64, see picture_number. images: (B, 3, H, W) uint8 and shown: (B, M) int64, the
    patches to look at, unless the phase shows none. ids: (B, 3 K, T): K true captions, K false
    ones, and the true ones with words masked. guessed: (B, K, T), the masked words, IGNORED
    elsewhere. unlike: (B, B) bool, see matcher_model.contrast.
    """
    rng = np.random.default_rng([seed, 1, step])
    chosen: list[tuple[int, bool]] = []
    views: list[View] = []
    captions: list[list[Caption]] = []
    foreign: list[Phrase] = []
    while len(chosen) < size:
        index, mirrored = int(rng.integers(len(scenes))), bool(rng.integers(2))
        view = view_in(scenes[index], mirrored)
        found = _captions(rng, view, foreign, phase.shares)
        if found:
            chosen.append((index, mirrored))
            views.append(view)
            captions.append(found)
            foreign = [caption.phrase for caption in found] + foreign[:40]
    texts = [caption for row in captions for caption in row]
    true = _ids(words, [caption.true for caption in texts])
    false = _ids(words, [caption.false for caption in texts])
    masked, guessed = _masked(rng, true, [caption.said for caption in texts], words)
    length = max(map(len, (*true, *false)))
    padded = [_padded(rows, length, 0, size) for rows in (true, false, masked)]
    unlike = [[not meaning(row[0].phrase, view).possible for row in captions] for view in views]
    batch = {
        'picture': torch.tensor([picture_number(index, mirrored) for index, mirrored in chosen]),
        'ids': torch.cat(padded, dim=1),
        'guessed': _padded(guessed, length, IGNORED, size),
        'unlike': torch.tensor(unlike),
    }
    if phase.shown is not None:
        batch['images'] = pictures(scenes, chosen)
        batch['shown'] = torch.from_numpy(phase.shown).expand(size, -1)
    return batch


def picture_number(index: int, mirrored: bool) -> int:
    """Return the number of a scene's picture among all, of which every second one is mirrored."""
    return 2 * index + mirrored


def pictures(scenes: RenderedScenes, chosen: Sequence[tuple[int, bool]]) -> Tensor:
    """Return (B, 3, H, W) uint8 of scenes by index, mirrored or not."""
    return _images(np.stack([_mirrored(scenes[index]['rgb'], flip) for index, flip in chosen]))


def _captions(
    rng: Generator, view: View, foreign: Sequence[Phrase], shares: Sequence[float]
) -> list[Caption] | None:
    """Return CAPTIONS captions, None for a view that offers too few."""
    found: list[Caption] = []
    for _ in range(3 * CAPTIONS):
        stratum = _SPOKEN[int(rng.choice(len(_SPOKEN), p=shares))]
        caption = sample_caption(rng, view, stratum, foreign)
        if caption:
            found.append(caption)
        if len(found) == CAPTIONS:
            return found
    return None


def _ids(words: Words, texts: list[str]) -> list[list[int]]:
    return words.tokenizer(texts, return_attention_mask=False)['input_ids']


def _masked(
    rng: Generator, texts: list[list[int]], said: list[str], words: Words
) -> tuple[list[list[int]], list[list[int]]]:
    """Return texts with content words masked, at least one each, and what was there.

    said: how each text ends that states something, "" where it only refers. What is said is masked
    most: only who has found the object can guess it.
    """
    masked, guessed = [], []
    mask = words.tokenizer.mask_token_id
    for text, ending in zip(texts, said, strict=True):
        start = len(text) - 1 - len(ending.split()) if ending else len(text)
        places = [k for k, token in enumerate(text) if token in words.content]
        stated = [k for k in places if k >= start]
        before = _SUBJECT_SHARE if stated else _MASKED_SHARE
        hidden = {k for k in places if rng.random() < (_SAID_SHARE if k >= start else before)}
        sure = stated or places
        if not hidden.intersection(sure):
            hidden.add(sure[int(rng.integers(len(sure)))])
        masked.append([mask if k in hidden else token for k, token in enumerate(text)])
        guessed.append([token if k in hidden else IGNORED for k, token in enumerate(text)])
    return masked, guessed


def _padded(rows: list[list[int]], length: int, filler: int, images: int) -> Tensor:
    full = [row + [filler] * (length - len(row)) for row in rows]
    return torch.tensor(full).unflatten(0, (images, -1))


def _mirrored(picture: NDArray[np.uint8], mirrored: bool) -> NDArray[np.uint8]:
    return picture[:, ::-1] if mirrored else picture


def _images(pictures: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
