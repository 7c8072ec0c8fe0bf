"""True captions are true and false ones false, according to an independent evaluator."""

import re

import numpy as np
import pytest

from helpers.reference_semantics import verdicts
from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of
from iterprime_ros.training.matcher.captions import UNKNOWN_WORD, sample_caption

STRATA = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
STATEMENT = re.compile(r'^(.*)(?<! that) is (.*)$')


def is_true(text, scene):
    """Return whether a text is true of a scene; None if that is unclear."""
    text = text.removeprefix('the ')
    statement = STATEMENT.match(text)
    if statement is None:
        answers = verdicts(text, scene).values()
        return True if True in answers else None if None in answers else False
    subject, complement = statement[1], statement[2].removeprefix('a ')
    if complement.split()[-1] not in ('left', 'right') and ' the ' not in complement:
        complement = f'{complement} object' if complement in ADJECTIVES else complement
    else:
        complement = f'object {complement}'
    targets = [number for number, answer in verdicts(subject, scene).items() if answer]
    assert len(targets) == 1, text
    return verdicts(complement, scene)[targets[0]]


ADJECTIVES = {
    *('red', 'green', 'blue', 'yellow', 'orange', 'purple', 'white', 'black'),
    *('small', 'large'),
}


@pytest.mark.parametrize('stratum', STRATA)
def test_true_captions_are_true_and_false_ones_false(stratum, small_renderer):
    rng = np.random.default_rng(4)
    other_phrases, count, statements = [], 0, 0
    for seed in range(60):
        scene = sample_scene(seed)
        view = view_of(small_renderer.render(scene))
        for _ in range(3):
            caption = sample_caption(rng, view, stratum, other_phrases)
            if caption is None:
                continue
            other_phrases.append(caption.phrase)
            assert is_true(caption.true, scene) is True, caption
            if UNKNOWN_WORD not in caption.false:
                assert is_true(caption.false, scene) is False, caption
            count += 1
            statements += STATEMENT.match(caption.true) is not None
    assert count > 100
    assert statements > 0


def test_the_same_seed_gives_the_same_captions(small_renderer):
    view = view_of(small_renderer.render(sample_scene(3)))

    def captions():
        rng = np.random.default_rng(1)
        return [sample_caption(rng, view, stratum, ()) for stratum in STRATA * 5]

    assert captions() == captions()
