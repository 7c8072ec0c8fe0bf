"""Batches for the reading and matching stages: true, false and masked texts about images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.grammar import Phrase
from iterprime_ros.sim.semantics import meaning
from iterprime_ros.sim.view import View
from iterprime_ros.training.matcher.captions import Caption, sample_caption
from iterprime_ros.training.matcher.scene_images import image_index, scene_images
from iterprime_ros.training.matcher.small_blip import GRID_SIZE
from iterprime_ros.training.matcher.vocabulary import Vocabulary
from iterprime_ros.training.scenes import RenderedScenes, view_from_record

CAPTIONS = 4  # true captions per image, and as many false ones
IGNORE_INDEX = -100  # label of tokens that are not masked
_MASKING_RATE = 0.35  # of the content words of an expression
_COMPLEMENT_MASKING_RATE, _SUBJECT_MASKING_RATE = 0.7, 0.1  # in statements
_RECENT_PHRASES = 40  # of earlier images in the batch, besides those of the last image
_STRATA = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)


@dataclass(frozen=True)
class Phase:
    """What the batches of a part of the training contain.

    stratum_weights: probabilities of attributes, places and relations.
    patch_indices: (M,) int64, the patches that the image encoder sees, or None for batches without
        images, for an encoder whose features are cached.
    """

    stratum_weights: tuple[float, float, float]
    patch_indices: NDArray[np.int64] | None


_PATCHES = np.arange(GRID_SIZE * GRID_SIZE).reshape(GRID_SIZE, GRID_SIZE)
# All objects are in the central square of a 4:3 image: an eighth is left out on either side.
CENTRE_PATCHES = _PATCHES[:, GRID_SIZE // 8 : GRID_SIZE - GRID_SIZE // 8].ravel()
_MIXED_WEIGHTS = (0.25, 0.4, 0.35)
EASY_CACHED = Phase((0.85, 0.1, 0.05), None)
MIXED_CACHED = Phase(_MIXED_WEIGHTS, None)
MIXED_CENTRE = Phase(_MIXED_WEIGHTS, CENTRE_PATCHES)
MIXED_WHOLE = Phase(_MIXED_WEIGHTS, _PATCHES.ravel())


def matching_batch(
    scenes: RenderedScenes, vocabulary: Vocabulary, size: int, seed: int, step: int, phase: Phase
) -> dict[str, Tensor]:
    """Return the batch of a step; equal arguments give equal batches.

    scenes: where images and their views come from.
    vocabulary: tokenizer and maskable words.
    size: number of images B.
    seed: seed of the random choices.
    step: number of the step.
    phase: kinds of texts, and the patches to see.

    Returns, with K = CAPTIONS:
        image_index: (B,) int64, see scene_images.image_index.
        input_ids: (B, 3 K, T) int64: K true captions, K false ones, K true ones with masked words.
        labels: (B, K, T) int64, the masked words, IGNORE_INDEX elsewhere.
        is_negative: (B, B) bool, see small_blip.contrastive_loss.
        images: (B, 3, H, W) uint8, unless the phase has no patches.
        patch_indices: (B, M) int64, the patches to see, unless the phase has none.
    """
    rng = np.random.default_rng([seed, 1, step])
    chosen: list[tuple[int, bool]] = []
    views: list[View] = []
    captions: list[list[Caption]] = []
    other_phrases: list[Phrase] = []
    while len(chosen) < size:
        index, is_mirrored = int(rng.integers(len(scenes))), bool(rng.integers(2))
        view = view_from_record(scenes[index], is_mirrored)
        sampled = _sample_captions(rng, view, other_phrases, phase.stratum_weights)
        if sampled:
            chosen.append((index, is_mirrored))
            views.append(view)
            captions.append(sampled)
            recent = other_phrases[:_RECENT_PHRASES]
            other_phrases = [caption.phrase for caption in sampled] + recent
    texts = [caption for row in captions for caption in row]
    true = _tokenized(vocabulary, [caption.true for caption in texts])
    false = _tokenized(vocabulary, [caption.false for caption in texts])
    masked, labels = masked_texts(rng, true, [caption.complement for caption in texts], vocabulary)
    length = max(map(len, (*true, *false)))
    padded = [_padded(rows, length, 0, size) for rows in (true, false, masked)]
    is_negative = [
        [not meaning(row[0].phrase, view).possible for row in captions] for view in views
    ]
    batch = {
        'image_index': torch.tensor([image_index(*version) for version in chosen]),
        'input_ids': torch.cat(padded, dim=1),
        'labels': _padded(labels, length, IGNORE_INDEX, size),
        'is_negative': torch.tensor(is_negative),
    }
    if phase.patch_indices is not None:
        batch['images'] = scene_images(scenes, chosen)
        batch['patch_indices'] = torch.from_numpy(phase.patch_indices).expand(size, -1)
    return batch


def _sample_captions(
    rng: Generator, view: View, other_phrases: Sequence[Phrase], weights: Sequence[float]
) -> list[Caption] | None:
    """Return CAPTIONS captions, or None if the view offers too few."""
    captions: list[Caption] = []
    for _ in range(3 * CAPTIONS):
        stratum = _STRATA[int(rng.choice(len(_STRATA), p=weights))]
        caption = sample_caption(rng, view, stratum, other_phrases)
        if caption:
            captions.append(caption)
        if len(captions) == CAPTIONS:
            return captions
    return None


def _tokenized(vocabulary: Vocabulary, texts: list[str]) -> list[list[int]]:
    return vocabulary.tokenizer(texts, return_attention_mask=False)['input_ids']


def masked_texts(
    rng: Generator, texts: list[list[int]], complements: list[str], vocabulary: Vocabulary
) -> tuple[list[list[int]], list[list[int]]]:
    """Return texts with one or more content words masked, and the labels of all tokens.

    The complement of a statement is masked most often: to predict it, the model has to find the
    object that the statement is about.

    texts: token ids of each text.
    complements: the complement of each statement, at its end; '' for an expression.
    """
    masked, labels = [], []
    mask_id = vocabulary.tokenizer.mask_token_id
    for text, complement in zip(texts, complements, strict=True):
        start = len(text) - 1 - len(complement.split()) if complement else len(text)
        content = [k for k, token in enumerate(text) if token in vocabulary.content_ids]
        in_complement = [k for k in content if k >= start]
        rate = _SUBJECT_MASKING_RATE if in_complement else _MASKING_RATE
        chosen = {
            k for k in content if rng.random() < (_COMPLEMENT_MASKING_RATE if k >= start else rate)
        }
        required = in_complement or content
        if not chosen.intersection(required):
            chosen.add(required[int(rng.integers(len(required)))])
        masked.append([mask_id if k in chosen else token for k, token in enumerate(text)])
        labels.append([token if k in chosen else IGNORE_INDEX for k, token in enumerate(text)])
    return masked, labels


def _padded(rows: list[list[int]], length: int, padding: int, images: int) -> Tensor:
    full = [row + [padding] * (length - len(row)) for row in rows]
    return torch.tensor(full).unflatten(0, (images, -1))
