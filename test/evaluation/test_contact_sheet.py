"""Which answers a contact sheet shows, and what it says of them."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.evaluation.contact_sheet import (
    LocatedAnswer,
    best,
    contact_sheets,
    disagreements,
    evenly_spaced,
    worst,
)
from iterprime_ros.evaluation.datasets.dataset import Question, RecordedImages, Sample
from iterprime_ros.evaluation.mask_rle import encoded
from iterprime_ros.evaluation.outcome import Asked
from iterprime_ros.evaluation.outcome_log import (
    PROFILE,
    AnsweredImage,
    RecordedAnswer,
    RecordedEvaluation,
)

MASK = np.zeros((30, 40), bool)
MASK[10:20, 5:25] = True


def located(number, percent, name=PROFILE, **fields):
    """Return an answer with an IoU in percent."""
    outcome = replace(BASE, intersection=percent, union=100, **fields)
    return LocatedAnswer(number, 0, name, RecordedAnswer('the mug', outcome, encoded(MASK)))


def numbers(answers):
    return [each.index for each in answers]


def test_the_worst_come_first_and_a_wrong_rejection_is_as_bad_as_a_wrong_mask():
    answers = [
        located(0, 50),
        located(1, 0, match_probability=0.2),
        located(2, 0, match_probability=0.9),
        located(3, 0, asked=Asked.NOTHING, status='found', match_probability=0.5),
        located(4, 0, asked=Asked.NOTHING, status='not found'),
        located(5, 0, asked=Asked.UNCLEAR, status='ambiguous'),
    ]
    assert numbers(worst(answers, 4)) == [2, 3, 1, 0]
    assert numbers(best(answers, 4)) == [0, 2, 1]
    assert numbers(best(answers[4:])) == [4, 5]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=30))
def test_disagreements_are_pairs_from_both_sides(values):
    ours = [located(number, value) for number, (value, _) in enumerate(values)]
    theirs = [located(number, value, 'other') for number, (_, value) in enumerate(values)]
    pairs = disagreements(ours, theirs, 8)
    gains = [values[each.index][0] - values[each.index][1] for each in pairs[::2]]
    assert [each.name for each in pairs] == [PROFILE, 'other'] * len(gains)
    assert numbers(pairs[::2]) == numbers(pairs[1::2])
    every = sorted((one - other for one, other in values), reverse=True)
    better, worse = [g for g in every if g > 0], [g for g in every[::-1] if g < 0]
    taken = sum(gain > 0 for gain in gains)
    assert gains == better[:taken] + worse[: len(gains) - taken]
    assert len(gains) == min(4, len(better) + len(worse))
    assert taken >= min(2, len(better))
    assert len(gains) - taken >= min(2, len(worse))


@pytest.mark.parametrize('count', [1, 5, 24, 100])
def test_a_sample_goes_from_the_first_to_the_last(count):
    chosen = numbers(evenly_spaced([located(number, 0) for number in range(count)]))
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1], len(chosen)) == (0, count - 1, min(count, 24))


def test_the_images_that_are_shown_are_read_once(tmp_path):
    read = []

    def sample(number):
        read.append(number)
        questions = (
            Question('the mug', 'the mug', 'all', MASK),
            Question('a $5 ball', 'a $5 ball', 'all', None),
        )
        return Sample(str(number), np.full((30, 40, 3), 90, np.uint8), questions)

    def answers(percent, probability):
        found = replace(BASE, intersection=percent, union=100, match_probability=probability)
        absent = replace(found, asked=Asked.NOTHING, status='not found')
        rle = encoded(MASK)
        return RecordedAnswer('the mug', found, rle), RecordedAnswer('a $5 ball', absent, rle)

    images = {
        k: AnsweredImage(False, {PROFILE: answers(90, 0.9), 'plain': answers(k, float('nan'))})
        for k in range(3)
    }
    evaluation = RecordedEvaluation({'baselines': ['plain']}, images)
    sheets = contact_sheets(evaluation, RecordedImages('val', 'a test', [0, 1, 2], sample))
    assert read == [0, 1, 2]
    assert sheets.keys() == {'worst.png', 'best.png', 'sample.png', 'disagreements-plain.png'}
    titles = [axes.get_title() for axes in sheets['disagreements-plain.png'].axes]
    assert titles[:2] == ['the mug\nfound, IoU 0.90, match 0.90', 'the mug\nplain: found, IoU 0.00']
    for name, sheet in sheets.items():
        sheet.savefig(tmp_path / name)
        assert matplotlib.image.imread(tmp_path / name).shape[1] > 1000
