import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.outcomes import BASE
from iterprime_ros.evaluation.outcome import Asked, Outcome, outcome_as_json, outcome_from_json

FRACTIONS = st.floats(0, 1) | st.just(math.nan)
PIXELS = st.integers(0, 2**40)
OUTCOMES = st.builds(
    Outcome,
    image_id=st.text(),
    group=st.text(),
    command=st.text(),
    asked=st.sampled_from(Asked),
    status=st.text(),
    match_probability=FRACTIONS,
    intersection=PIXELS,
    union=PIXELS,
    is_complete=st.booleans(),
    tags=st.dictionaries(st.text(), st.text()),
    oracle_iou=FRACTIONS,
    mask_area=PIXELS,
)


@given(OUTCOMES)
def test_json_keeps_every_bit_of_an_outcome(outcome):
    line = json.dumps(outcome_as_json(outcome), allow_nan=False)
    again = outcome_from_json(json.loads(line))
    assert repr(again) == repr(outcome)  # NaN equals nothing
    assert json.dumps(outcome_as_json(again)) == line


def test_nan_is_null():
    fields = outcome_as_json(replace(BASE, oracle_iou=math.nan))
    assert fields['oracle_iou'] is None
    assert 'NaN' not in json.dumps(fields)
    assert math.isnan(outcome_from_json(fields).oracle_iou)


def test_a_field_that_is_missing_or_unknown_is_an_error():
    fields = outcome_as_json(BASE)
    with pytest.raises(TypeError, match='unknown'):
        outcome_from_json({**fields, 'unknown': 1})
    del fields['union']
    with pytest.raises(TypeError, match='union'):
        outcome_from_json(fields)
    with pytest.raises(ValueError, match='nonsense'):
        outcome_from_json({**fields, 'union': 1, 'asked': 'nonsense'})
