"""The chosen threshold and margin against every other."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.evaluation.calibrate_answers import (
    MARGINS,
    THRESHOLDS,
    chosen_margin,
    chosen_threshold,
)
from iterprime_ros.evaluation.decisions import JudgedCandidates, JudgedQuestion, decided
from iterprime_ros.evaluation.metrics import METRICS, Asked

CHANCES = st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=0, max_size=3)


@st.composite
def judged_questions(draw):
    asked = draw(st.sampled_from(Asked))
    start = replace(BASE, asked=asked, union=int(asked in (Asked.ONE, Asked.SEVERAL)))
    stages = []
    for _ in range(2):
        chances = tuple(sorted(draw(CHANCES), reverse=True))
        outcomes = (replace(start, status='not found'), *[start] * len(chances))
        rival = draw(st.sampled_from((0.0, *chances[1:])))
        stages.append(JudgedCandidates(outcomes, chances, rival))
    return JudgedQuestion(tuple(stages), asked is Asked.SEVERAL)


def judged_as(outcome, chance):
    """Return a question with one candidate, which has no rival."""
    outcomes = (replace(outcome, status='not found'), outcome)
    return JudgedQuestion((JudgedCandidates(outcomes, (chance,), 0.0),))


def difference(judged, threshold, margin, what):
    outcomes = [decided(each, threshold, margin) for each in judged]
    return METRICS[f'correct {what}'](outcomes) - METRICS[f'false {what}'](outcomes)


def judged_with(*asked):
    """Return a question of each kind, that of one object without a rival."""
    return [judged_as(replace(BASE, asked=each), 0.8) for each in asked]


@settings(max_examples=30, deadline=None)
@given(st.lists(judged_questions(), max_size=12))
def test_no_other_threshold_rejects_better(judged):
    judged = judged + judged_with(Asked.ONE, Asked.NOTHING)
    best = max(difference(judged, threshold, 0, 'rejections') for threshold in THRESHOLDS)
    assert difference(judged, chosen_threshold(judged), 0, 'rejections') == pytest.approx(best)


@settings(max_examples=30, deadline=None)
@given(st.lists(judged_questions(), max_size=12), st.sampled_from((0.1, 0.5)))
def test_no_other_margin_says_ambiguous_better(judged, threshold):
    judged = judged + judged_with(Asked.ONE, Asked.UNCLEAR)
    best = max(difference(judged, threshold, margin, 'AMBIGUOUS') for margin in MARGINS)
    chosen = chosen_margin(judged, threshold)
    assert difference(judged, threshold, chosen, 'AMBIGUOUS') == pytest.approx(best)


def test_a_threshold_lies_in_the_middle_of_what_it_divides():
    there = judged_as(BASE, 0.8)
    not_there = judged_as(replace(BASE, asked=Asked.NOTHING, union=0), 0.2)
    assert chosen_threshold([there, not_there]) == pytest.approx(0.5, abs=0.02)


def test_without_unclear_questions_there_is_no_margin():
    assert chosen_margin(judged_with(Asked.ONE), 0.5) is None
