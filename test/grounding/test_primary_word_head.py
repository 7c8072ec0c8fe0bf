"""The head that names the primary word, and what it reads, against loops over the definitions."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.primary_word_head import (
    FEATURES,
    PrimaryWordHead,
    head_of_profile,
    load_head,
    read_words,
    save_head,
    word_features,
    words_of,
)

TEXTS = ['the red mug left of the umbrella', 'ball', '2nd mug, holding the blue car']
HEAD = PrimaryWordHead(tuple(np.linspace(-2, 2, len(FEATURES)).tolist()), 1.5, 2, 0.97, 200)


def plain_features(attention, gradient, offsets, words):
    """Every feature of every word, in loops."""
    heads, _, patches = attention.shape
    seen, cams = [], []
    for first, last in words:
        tokens = [k for k, (a, b) in enumerate(offsets) if max(a, first) < min(b, last)]
        rows = [
            [float(attention[h, t, n]) for n in range(patches)]
            for h in range(heads)
            for t in tokens
        ]
        seen.append([sum(row[n] for row in rows) / len(rows) for n in range(patches)])
        cams.append(
            [
                sum(
                    float(attention[h, t, n]) * max(0.0, float(gradient[h, t, n]))
                    for h in range(heads)
                    for t in tokens
                )
                / heads
                for n in range(patches)
            ]
        )

    def relative(values):
        mean = sum(values) / len(values)
        return [math.log(each / mean + 0.01) if mean > 1e-12 else 0.0 for each in values]

    entropies = []
    for row in seen:
        chances = [each / sum(row) for each in row]
        entropies.append(-sum(p * math.log(p) for p in chances if p) / math.log(patches))
    columns = [
        relative([sum(row) for row in seen]),
        relative([max(row) for row in seen]),
        relative([sum(row) for row in cams]),
        relative([max(row) for row in cams]),
        entropies,
    ]
    count, total = len(words), sum(map(sum, cams))
    features = []
    for k in range(count):
        own, after, before = (
            [column[j] if 0 <= j < count else 0.0 for column in columns] for j in (k, k + 1, k - 1)
        )
        passed = sum(map(sum, cams[:k])) / total if total > 1e-12 else 0.0
        place = k / (count - 1) if count > 1 else 0.0
        features.append([*own, *after, *before, passed, place, k == 0, k == count - 1])
    return np.array(features, float)


def test_features_are_those_of_the_definitions(matcher, image):
    encoded = matcher.encode_image(image)
    read = read_words(matcher, encoded, TEXTS, 'there is a {expression}', 2)
    rows, columns = matcher.grid
    for text, (words, features) in zip(TEXTS, read, strict=True):
        batch = matcher.encode_text([f'there is a {text}'])
        keep = torch.ones(1, rows * columns, dtype=torch.bool)
        seen = matcher.attend(encoded, batch, keep, 2)
        offsets = [(a - 11, b - 11) if a >= 11 else (0, 0) for a, b in batch.offsets[0]]
        assert [text[slice(*word)] for word in words] == text.replace(',', '').split()
        expected = plain_features(seen.attention[0], seen.gradient[0], offsets, words)
        assert features.numpy() == pytest.approx(expected, abs=1e-9)


@given(
    tokens=st.integers(1, 6),
    level=st.sampled_from([0.0, 1e-30, 1.0]),
    slope=st.sampled_from([-1.0, 0.0, 1.0]),
)
def test_features_and_chances_are_finite_whatever_is_attended_to(tokens, level, slope):
    attention = torch.full((2, tokens, 3), level)
    offsets = [(k, k + 1) for k in range(tokens)]
    features = word_features(attention, attention * slope, offsets, offsets)
    assert features.shape == (tokens, len(FEATURES))
    assert features.isfinite().all()
    chances = HEAD.probabilities(features)
    assert float(chances.sum()) == pytest.approx(1)
    assert (chances >= 0).all()


def test_an_expression_without_words_has_no_features():
    assert word_features(torch.ones(1, 2, 3), torch.ones(1, 2, 3), [(0, 0)] * 2, []).shape[0] == 0


def test_words_that_the_tokenizer_cut_off_are_none():
    assert words_of('the red mug', [(0, 0), (0, 3), (4, 7)]) == ((0, 3), (4, 7))


def test_probabilities_are_the_softmax_of_the_scores():
    features = torch.rand(4, len(FEATURES), generator=torch.Generator().manual_seed(1))
    scores = [sum(w * float(x) for w, x in zip(HEAD.weights, row, strict=True)) for row in features]
    powers = [math.exp(score / 1.5) for score in scores]
    expected = [power / sum(powers) for power in powers]
    assert HEAD.probabilities(features).tolist() == pytest.approx(expected)


def test_a_head_is_read_as_it_was_written(tmp_path):
    path = tmp_path / 'new' / 'head.json'
    save_head(HEAD, path)
    assert load_head(path) == head_of_profile(str(path), range(4)) == HEAD
    assert head_of_profile(None, range(4)) is None
    with pytest.raises(WeightsMismatchError, match=r'its block 2 is none of the matcher'):
        head_of_profile(str(path), range(2))


def test_a_head_that_is_missing_is_named(tmp_path):
    with pytest.raises(
        WeightsNotFoundError, match=r'^Cannot read the primary word head .*none.json'
    ):
        load_head(tmp_path / 'none.json')


@pytest.mark.parametrize(
    ('change', 'symptom'),
    [
        ({'weights': [1.0]}, 'features'),
        ({'weights': {'entropy': 1.0}}, 'features'),
        ({'temperature': 0}, 'range'),
        ({'temperature': float('nan')}, 'finite'),
        ({'temperature': 'hot'}, 'finite'),
        ({'block': 2.5}, 'range'),
        ({'block': True}, 'range'),
        ({'parser_reliability': 1.1}, 'range'),
        ({'parser_reliability': None}, 'finite'),
        ({'calibration_count': 0}, 'range'),
        ({'more': 1}, 'fields'),
    ],
)
def test_a_damaged_head_is_refused_in_one_sentence(tmp_path, change, symptom):
    path = tmp_path / 'head.json'
    save_head(HEAD, path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WeightsMismatchError, match=rf'no primary word head.*{symptom}') as caught:
        load_head(path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('content', [b'', b'{', b'[]', b'3', b'\xff\xfe', b'[' * 100_000])
def test_what_is_no_head_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / 'head.json'
    path.write_bytes(content)
    with pytest.raises(WeightsMismatchError, match='no primary word head'):
        load_head(path)
