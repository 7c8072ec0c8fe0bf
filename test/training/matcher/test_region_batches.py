"""Batches of region matching: what they call true is true of the patches that they show."""

import numpy as np
import torch

from iterprime_ros.sim.grammar import NOUNS, SIZE_WORDS
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES
from iterprime_ros.training.matcher.recognition_batches import coverage
from iterprime_ros.training.matcher.region_batches import region_batch
from iterprime_ros.training.matcher.small_blip import GRID_SIZE
from iterprime_ros.training.matcher.vocabulary import UNKNOWN_WORD, word_tokenizer

WORDS = {word: ('size', SIZES.index(size)) for size, some in SIZE_WORDS.items() for word in some}
WORDS |= {colour: ('colour', k) for k, colour in enumerate(COLOURS)}
WORDS |= {
    noun: ('kind', KINDS.index(kind)) for kind, some in NOUNS.items() if kind for noun in some
}
PADDING = (0, 2, 3)  # [PAD], [CLS], [SEP]


def meaning(text):
    """Return attribute -> index of a noun phrase of usual words; None for one with others."""
    wanted = {}
    for word in text.split():
        known = WORDS.get(word) or WORDS.get(word.removesuffix('s'))
        if known:
            wanted[known[0]] = known[1]
        elif word not in ('the', 'that', 'is', *NOUNS[None]):
            return None
    return wanted


def test_texts_are_true_of_the_objects_that_are_shown_whole(rendered):
    tokenizer = word_tokenizer()
    counts = {True: 0, False: 0}
    for step in range(20):
        batch = region_batch(rendered, 4, seed=3, step=step, with_images=False)
        for image, text in np.ndindex(batch['is_true'].shape):
            index, is_mirrored = divmod(int(batch['image_index'][image]), 2)
            record = rendered[index]
            covered = coverage(record['ids'][None, :, :: -1 if is_mirrored else 1], GRID_SIZE)[0]
            shown = batch['is_shown'][image, text].numpy()
            ids = [
                token for token in batch['input_ids'][image, text].tolist() if token not in PADDING
            ]
            wanted = meaning(tokenizer.decode(ids))
            if wanted is None:
                continue
            fits = [
                all(record[name][k] == value for name, value in wanted.items())
                for k in range(len(covered))
            ]
            whole = [shown[row > 0.1].all() and row.max() > 0.3 for row in covered]
            hidden = [not shown[row > 0.05].any() for row in covered]
            is_true = bool(batch['is_true'][image, text])
            if all(w or h for w, h in zip(whole, hidden, strict=True)):
                assert is_true == any(f and w for f, w in zip(fits, whole, strict=True))
                counts[is_true] += 1
    assert min(counts.values()) > 50


def test_a_batch_depends_on_its_step_alone(rendered):
    first, again, other = (region_batch(rendered, 3, 0, step, True) for step in (5, 5, 6))
    assert all(torch.equal(again[name], value) for name, value in first.items())
    assert not torch.equal(first['gain'], other['gain'])


def test_unknown_nouns_are_never_true(rendered):
    tokenizer = word_tokenizer()
    seen = 0
    for step in range(30):
        batch = region_batch(rendered, 4, seed=1, step=step, with_images=False)
        for ids, is_true in zip(
            batch['input_ids'].flatten(0, 1), batch['is_true'].flatten(), strict=True
        ):
            text = tokenizer.decode([token for token in ids.tolist() if token not in PADDING])
            if text.endswith(UNKNOWN_WORD):
                assert not is_true
                seen += 1
    assert seen > 0
