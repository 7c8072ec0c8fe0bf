"""The fast way equals the plain way: Grad-CAM, PWEM and IGRS together."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import plain_grounding as plain
from helpers.tiny_blip import tiny_blip
from iterprime_ros.errors import StoppedError, WeightsMismatchError
from iterprime_ros.grounding.alignment import Expression, expression_offsets
from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.heatmap import scaled, sharpened
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import AUTHORS, OURS, GroundingSettings

CLOSE = 1e-9


def spans(text, *words):
    return tuple((text.index(word), text.index(word) + len(word)) for word in words)


def expression(text, primary, *others):
    """An expression whose words are named; primary '' for none."""
    found = spans(text, primary)[0] if primary else None
    focus = sorted({*spans(text, *others), *([found] if found else [])})
    return Expression(text, found, tuple(focus))


EXPRESSIONS = {
    'several words': expression('the red mug left of the blue ball', 'mug', 'red', 'left', 'ball'),
    'pieces': expression('the man holding the umbrella', 'umbrella', 'holding', 'man'),
    'primary alone': expression('the mug', 'mug'),
    'one word': expression('umbrella', 'umbrella'),
    'no primary word': expression('2nd from right', '', '2nd', 'right'),
    'no focus word': expression('the of the', ''),
    'unknown words': expression('zebra xylophone mug', 'xylophone', 'zebra', 'mug'),
}


def oracle(blip, matcher, image, said, chosen):
    pixels = matcher.pixels(image).to(matcher.head.weight.dtype)
    text = chosen.prompt.format(expression=said.text)
    start = chosen.prompt.index('{expression}')
    real = plain.token_count(matcher.tokenizer, text)

    def tokens(span):
        return plain.tokens_of(matcher.tokenizer, text, (span[0] + start, span[1] + start))

    focus = sorted({token for span in said.focus_words for token in tokens(span)})
    primary = tokens(said.primary_word) if said.primary_word else []

    def one(seen):
        attention, gradient, _, probability = plain.look(
            blip, matcher.tokenizer, pixels, text, seen, chosen.block
        )
        heatmap = plain.emphasised(
            attention,
            gradient,
            primary,
            focus,
            real,
            chosen.local_emphasis,
            chosen.global_emphasis,
            chosen.no_primary_word == 'head_means',
        )
        return heatmap, probability

    rows, columns = matcher.grid
    return plain.refined(one, rows * columns, chosen)


def check(grounding, expected, rounds, close=CLOSE):
    assert grounding.heatmap.flatten().tolist() == pytest.approx(expected, abs=close)
    assert len(grounding.rounds) == len(rounds)
    for ours, (heatmap, probability, hidden) in zip(grounding.rounds, rounds, strict=True):
        assert ours.heatmap.flatten().tolist() == pytest.approx(heatmap, abs=close)
        assert ours.probability == pytest.approx(probability, abs=close)
        assert ours.hidden.flatten().tolist() == hidden


VARIANTS = [
    GroundingSettings(
        block=block,
        rounds=rounds,
        local_emphasis=local_on,
        global_emphasis=global_on,
        no_primary_word='focus_words',
        stop_early=stop_early,
    )
    for block, rounds, (local_on, global_on), stop_early in [
        (1, 1, (True, True), True),
        (2, 2, (True, False), True),
        (0, 3, (False, True), True),
        (2, 3, (False, False), True),
        (3, 3, (True, True), False),
        (1, 3, (True, True), True),
    ]
]


@pytest.mark.parametrize('name', EXPRESSIONS)
@pytest.mark.parametrize('chosen', VARIANTS, ids=lambda each: f'block{each.block}x{each.rounds}')
def test_it_equals_the_plain_way(blip, matcher, image, chosen, name):
    said = EXPRESSIONS[name]
    (grounding,) = ground(matcher, matcher.encode_image(image), [said], chosen)
    check(grounding, *oracle(blip, matcher, image, said, chosen))


@pytest.mark.parametrize('name', EXPRESSIONS)
@pytest.mark.parametrize('rounds', [1, 3])
def test_the_authors_variants_equal_the_plain_way(blip, matcher, image, name, rounds):
    chosen = AUTHORS.model_copy(update={'rounds': rounds, 'block': 1})
    said = EXPRESSIONS[name]
    (grounding,) = ground(matcher, matcher.encode_image(image), [said], chosen)
    check(grounding, *oracle(blip, matcher, image, said, chosen))


@pytest.mark.parametrize('name', EXPRESSIONS)
def test_single_precision_is_close_enough(tokenizer, image, name):
    model = tiny_blip(spread=0.2)
    single = blip_matcher(model, tokenizer)
    chosen = OURS.model_copy(update={'block': 1, 'no_primary_word': 'focus_words'})
    said = EXPRESSIONS[name]
    (grounding,) = ground(single, single.encode_image(image), [said], chosen)
    assert grounding.heatmap.dtype == torch.float32
    check(grounding, *oracle(model, single, image, said, chosen), close=1e-5)


def test_rounds_end_early_and_go_on(blip, matcher):
    """The comparison above is worth something only where both happen, and patches are hidden."""
    lengths, kept, hidden = set(), set(), 0
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        picture = torch.randint(0, 256, (3, 40, 40), generator=generator, dtype=torch.uint8)
        chosen = OURS.model_copy(update={'block': 1})
        for said in EXPRESSIONS.values():
            (grounding,) = ground(matcher, matcher.encode_image(picture), [said], chosen)
            lengths.add(len(grounding.rounds))
            kept.update(each.kept for each in grounding.rounds)
            hidden += int(grounding.rounds[-1].hidden.sum())
    assert lengths == {2, 3}
    assert kept == {True, False}
    assert hidden > 0


@pytest.mark.parametrize('rounds', [1, 3])
def test_a_batch_is_what_its_expressions_are_alone(matcher, image, rounds):
    chosen = OURS.model_copy(update={'block': 2, 'rounds': rounds})
    memory = matcher.encode_image(image)
    together = ground(matcher, memory, list(EXPRESSIONS.values()), chosen)
    for said, grounding in zip(EXPRESSIONS.values(), together, strict=True):
        (alone,) = ground(matcher, memory, [said], chosen)
        expected = [
            (each.heatmap.flatten().tolist(), each.probability, each.hidden.flatten().tolist())
            for each in alone.rounds
        ]
        check(grounding, alone.heatmap.flatten().tolist(), expected)
        assert grounding.expression == alone.expression


def test_no_expressions_give_no_groundings(matcher, image):
    assert ground(matcher, matcher.encode_image(image), [], OURS) == []


def test_without_a_noun_the_word_that_pays_most_is_primary(blip, matcher, image):
    chosen = OURS.model_copy(update={'block': 1})
    text = '2nd from right'
    words = spans(text, '2nd', 'from', 'right')
    (grounding,) = ground(
        matcher, matcher.encode_image(image), [Expression(text, None, words)], chosen
    )
    prompt = chosen.prompt.format(expression=text)
    start = chosen.prompt.index('{expression}')
    attention, gradient, _, _ = plain.look(
        blip, matcher.tokenizer, matcher.pixels(image).double(), prompt, torch.ones(25).bool(), 1
    )
    paid = [
        sum(
            (attention[:, t] * gradient[:, t].clamp(min=0)).sum().item()
            for t in plain.tokens_of(matcher.tokenizer, prompt, (span[0] + start, span[1] + start))
        )
        for span in words
    ]
    best = words[max(range(3), key=paid.__getitem__)]
    assert grounding.expression.primary_word == best
    assert grounding.expression.focus_words == words
    heads = attention.shape[0]
    sums = grounding.word_maps.sum(axis=(1, 2)) * heads
    assert sums.tolist() == pytest.approx(paid)


def test_rounds_are_reported_until_the_work_is_stopped(matcher, image):
    chosen = OURS.model_copy(update={'block': 1, 'stop_early': False})
    said = [EXPRESSIONS['several words'], EXPRESSIONS['primary alone']]
    memory = matcher.encode_image(image)
    reported = []
    groundings = ground(matcher, memory, said, chosen, lambda *one: reported.append(one))
    assert [number for number, _, _ in reported] == [0, 1, 2]
    for number, maps, probabilities in reported:
        assert maps.shape == (2, *matcher.grid)
        assert probabilities == [each.rounds[number].probability for each in groundings]
    assert torch.equal(reported[-1][1][0], groundings[0].heatmap)

    reported.clear()
    with pytest.raises(StoppedError):
        ground(
            matcher,
            memory,
            said,
            chosen,
            lambda *one: reported.append(one),
            should_stop=lambda: len(reported) == 2,
        )
    assert len(reported) == 2


@given(st.text(st.characters(codec='utf-8'), min_size=1, max_size=30), st.text(max_size=9))
def test_offsets_in_a_prompt_become_those_in_its_expression(text, before):
    prompt = before + text + ' there'
    spans_of_prompt = [(k, k + 3) for k in range(len(prompt) - 2)] + [(0, 0)]
    moved = expression_offsets(spans_of_prompt, len(before), len(text))
    for (first, last), (start, end) in zip(spans_of_prompt, moved, strict=True):
        inside = [k - len(before) for k in range(first, last) if 0 <= k - len(before) < len(text)]
        assert list(range(start, end)) == inside


@given(st.lists(st.floats(0, 1e3, width=32), min_size=1, max_size=20))
@settings(deadline=None)
def test_scaling_and_sharpening(values):
    (low_high,) = scaled(torch.tensor([values]))
    assert low_high.tolist() == pytest.approx(plain.scale(values), abs=1e-6)
    (sharp,) = sharpened(low_high[None], OURS.sharpness, OURS.midpoint)
    assert sharp.max().item() == pytest.approx(1)
    assert not sharp.isnan().any()


@pytest.mark.parametrize(
    'wrong',
    [
        {'rounds': 0},
        {'momentum': 1.1},
        {'drop_threshold': 0},
        {'prompt': 'there is a thing'},
        {'block': -1},
        {'speed': 1},
        {'no_primary_word': 'guess'},
    ],
)
def test_settings_outside_their_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GroundingSettings(**wrong)


def test_every_setting_says_what_it_is():
    assert all(field.description for field in GroundingSettings.model_fields.values())


def test_all_pairs_of_modules_differ(matcher, image):
    """Neither module may be without effect."""
    memory = matcher.encode_image(image)
    maps = []
    for local_on, global_on in itertools.product((False, True), repeat=2):
        update = {'block': 1, 'local_emphasis': local_on, 'global_emphasis': global_on}
        chosen = OURS.model_copy(update=update)
        (grounding,) = ground(matcher, memory, [EXPRESSIONS['several words']], chosen)
        maps.append(grounding.heatmap)
    for one, other in itertools.combinations(maps, 2):
        assert (one - other).abs().max() > 1e-3


@pytest.mark.parametrize(
    'part',
    [
        'itm_head.weight',
        'vision_model.embeddings.patch_embedding.weight',
        'text_encoder.encoder.layer.3.crossattention.self.value.weight',
    ],
)
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_matcher_that_gives_no_number_is_an_error(tokenizer, image, part, value):
    model = tiny_blip().double()
    with torch.no_grad():
        model.get_parameter(part).fill_(value)
    damaged = blip_matcher(model, tokenizer, encoder_dtype=torch.float64)
    chosen = OURS.model_copy(update={'block': 1})
    said = [EXPRESSIONS['several words']]
    with pytest.raises(WeightsMismatchError, match='The matcher gave no number that is finite'):
        ground(damaged, damaged.encode_image(image), said, chosen)
