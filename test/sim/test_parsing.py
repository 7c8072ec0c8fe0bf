"""Commands are parsed to the phrases that they were generated from."""

import numpy as np
import pytest

from iterprime_ros.sim.expressions import Stratum, sample_command, sample_expression
from iterprime_ros.sim.logical_form import (
    Description,
    Ordinal,
    Phrase,
    Place,
    Relation,
    SizeOrder,
    Support,
)
from iterprime_ros.sim.parsing import command_meaning, parsed_phrase
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.view import view_of


@pytest.mark.parametrize('stratum', Stratum)
def test_sampled_commands_are_parsed(small_renderer, stratum):
    rng = np.random.default_rng(0)
    for seed in range(12):
        view = view_of(small_renderer.render(sample_scene(seed)))
        expression = sample_expression(rng, view, stratum)
        if expression is None:
            continue
        command = sample_command(rng, expression.text).text
        assert parsed_phrase(command) == expression.phrase, command
        sure, possible = command_meaning(command, view)
        assert sure == possible == expression.targets


MUG, BALL = Description('mug', 'red'), Description('ball')


@pytest.mark.parametrize(
    ('command', 'phrase'),
    [
        ('red cup', Phrase(MUG)),
        ('Pick up a RED mug, please!', Phrase(MUG)),
        ('the red mug that is beside the sphere', Phrase(MUG, None, Relation.NEXT_TO, BALL)),
        ('hand me the leftmost thing', Phrase(Description(), Place.LEFTMOST)),
        ('the red mug and the ball', None),
        ('the red mug under the ball', Phrase(MUG, relation=Support.UNDER, anchor=BALL)),
        (
            'the red mug left of the ball behind the large object',
            Phrase(
                MUG,
                None,
                Relation.LEFT_OF,
                Phrase(BALL, None, Relation.BEHIND, Description(None, None, 'large')),
            ),
        ),
        (
            'the red mug next to the leftmost sphere',
            Phrase(MUG, None, Relation.NEXT_TO, Phrase(BALL, Place.LEFTMOST)),
        ),
        (
            'show me the third ball from the right please',
            Phrase(BALL, Ordinal(Place.RIGHTMOST, 3)),
        ),
        (
            'the ball between the red mug and the red cup',
            Phrase(BALL, between=(MUG, MUG)),
        ),
        ('the ball that is not big', Phrase(BALL, excluded=Description(None, None, 'large'))),
        ('the largest sphere', Phrase(BALL, SizeOrder.BIGGEST)),
        ('all of the red mugs', Phrase(MUG, is_plural=True)),
        ('grab the red cups on the left', Phrase(MUG, Place.ON_THE_LEFT, is_plural=True)),
        ('the red mug left of the balls', None),
        ('the ball between the red mugs', None),
        ('the red mug with a handle', None),
        ('the thing', None),
        ('good morning', None),
        ('', None),
    ],
)
def test_commands_are_parsed_completely_or_rejected(command, phrase):
    assert parsed_phrase(command) == phrase
