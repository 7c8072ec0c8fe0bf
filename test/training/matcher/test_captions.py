"""What the matcher is told is true is true, and what it is told is false is false.

The judge is test/sim/spoken.py, which reads the words and knows nothing of the grammar.
"""

import re

import numpy as np
import pytest

from helpers.spoken import verdicts
from iterprime_ros.sim.expressions import Stratum
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of
from iterprime_ros.training.matcher.captions import UNKNOWN, sample_caption

STRATA = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
STATEMENT = re.compile(r'^(.*)(?<! that) is (.*)$')


def is_true(text, scene):
    """True or False, None where it cannot be said."""
    text = text.removeprefix('the ')
    said = STATEMENT.match(text)
    if said is None:
        answers = verdicts(text, scene).values()
        return True if True in answers else None if None in answers else False
    subject, complement = said[1], said[2].removeprefix('a ')
    if complement.split()[-1] not in ('left', 'right') and ' the ' not in complement:
        complement = f'{complement} object' if complement in PLAIN else complement
    else:
        complement = f'object {complement}'
    means = [number for number, answer in verdicts(subject, scene).items() if answer]
    assert len(means) == 1, text
    return verdicts(complement, scene)[means[0]]


PLAIN = {
    *('red', 'green', 'blue', 'yellow', 'orange', 'purple', 'white', 'black'),
    *('small', 'large'),
}


@pytest.mark.parametrize('stratum', STRATA)
def test_true_captions_are_true_and_false_ones_false(stratum, small_renderer):
    rng = np.random.default_rng(4)
    foreign, judged, statements = [], 0, 0
    for seed in range(60):
        scene = sample_scene(seed)
        view = view_of(small_renderer.render(scene))
        for _ in range(3):
            caption = sample_caption(rng, view, stratum, foreign)
            if caption is None:
                continue
            foreign.append(caption.phrase)
            assert is_true(caption.true, scene) is True, caption
            if UNKNOWN not in caption.false:
                assert is_true(caption.false, scene) is False, caption
            judged += 1
            statements += STATEMENT.match(caption.true) is not None
    assert judged > 100
    assert statements > 0


def test_the_same_seed_says_the_same(small_renderer):
    view = view_of(small_renderer.render(sample_scene(3)))

    def captions():
        rng = np.random.default_rng(1)
        return [sample_caption(rng, view, stratum, ()) for stratum in STRATA * 5]

    assert captions() == captions()
