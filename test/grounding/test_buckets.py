"""Attention in buckets equals attention without them; nothing but shapes is fixed."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.tiny_blip import WORDS, tiny_blip, tiny_tokenizer
from iterprime_ros.grounding.albef import AlbefModules, AlbefShape
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.buckets import (
    BUCKETS,
    Bucket,
    BucketedMatcher,
    attend_in,
    bucket_of,
    held_bytes,
    static_inputs,
)
from iterprime_ros.grounding.fusion import FusionMatcher, Pixels
from iterprime_ros.grounding.matcher import TextBatch
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import OURS

BLOCK = 2
PATCHES = 25


def small_blip(dtype):
    model = tiny_blip(max_tokens=40).to(dtype)
    return blip_matcher(model, tiny_tokenizer(WORDS), encoder_dtype=dtype)


def small_albef(dtype):
    """ALBEF's modules, random: text blocks without cross-attention come first."""
    shape = AlbefShape(40, 8, 24, 3, 4, 2, 5 + len(WORDS), 40)
    torch.manual_seed(3)
    modules = AlbefModules(shape).eval().requires_grad_(False)
    with torch.no_grad():
        for parameter in modules.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
    modules = modules.to(dtype)
    return FusionMatcher(
        vision=modules.vision,
        pixels=Pixels(shape.image_size),
        embeddings=modules.embeddings,
        layers=list(modules.layers),
        head=modules.head,
        tokenizer=tiny_tokenizer(WORDS),
        max_tokens=shape.max_tokens,
        ends_with_sep=False,
    )


MADE = {
    (kind, dtype): make(dtype)
    for kind, make in (('blip', small_blip), ('albef', small_albef))
    for dtype in (torch.float32, torch.float64)
}
CLOSE = {torch.float32: 2e-5, torch.float64: 1e-12}


def encoded(matcher):
    generator = torch.Generator().manual_seed(5)
    return matcher.encode_image(torch.randint(0, 256, (3, 37, 50), generator=generator).byte())


def eager_steps(matcher, buckets=BUCKETS):
    return dict.fromkeys(buckets, partial(matcher.attend_states, block=BLOCK))


def random_batch(matcher, rows, tokens, seed):
    """States of texts of up to `tokens` tokens, one of them that long, and what they see."""
    generator = torch.Generator().manual_seed(seed)
    width = matcher.head.in_features
    state = torch.randn((rows, tokens, width), generator=generator).to(matcher.head.weight)
    lengths = torch.randint(1, tokens + 1, (rows,), generator=generator)
    lengths[0] = tokens
    real = torch.arange(tokens) < lengths[:, None]
    keep = torch.rand((rows, PATCHES), generator=generator) < 0.7
    return TextBatch(real, ((),) * rows, (False,) * rows, state), keep


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(sorted(MADE, key=str)),
    st.integers(1, 16),
    st.integers(2, 32),
    st.integers(0, 2**20),
)
def test_a_bucket_equals_no_bucket(which, rows, tokens, seed):
    matcher, close = MADE[which], CLOSE[which[1]]
    image = encoded(matcher)
    text, keep = random_batch(matcher, rows, tokens, seed)
    expected = matcher.attend(image, text, keep, BLOCK)
    found = BucketedMatcher(matcher, BLOCK, eager_steps(matcher)).attend(image, text, keep, BLOCK)
    scale = expected.gradient.abs().max()
    for name, bound in (('attention', close), ('gradient', close * scale), ('probability', close)):
        ours, plain = getattr(found, name), getattr(expected, name)
        assert ours.shape == plain.shape
        assert (ours - plain).abs().max() <= bound, name
    hidden = found.attention[~keep[:, None, None].expand_as(found.attention)]
    assert not hidden.any()


@pytest.mark.parametrize('which', sorted(MADE, key=str))
def test_what_is_padding_is_of_no_consequence_to_the_last_bit(which):
    """A replay computes whatever stands in the padding; the texts must not notice."""
    matcher = MADE[which]
    image, bucket = encoded(matcher), Bucket(4, 16)
    text, keep = random_batch(matcher, 3, 11, 0)

    def filled(image, state, real, keep):
        state = state.clone()
        state[3:], state[:, 11:] = 7.0, -3.0
        keep[3:] = torch.arange(PATCHES) % 2 == 0
        return matcher.attend_states(image, state, real, keep, BLOCK)

    step = partial(matcher.attend_states, block=BLOCK)
    plain, other = (attend_in(bucket, each, image, text, keep) for each in (step, filled))
    for name in ('attention', 'gradient', 'probability'):
        assert torch.equal(getattr(plain, name), getattr(other, name))


def test_a_bucket_that_is_full_is_equal_to_the_last_bit():
    matcher = MADE['blip', torch.float32]
    image = encoded(matcher)
    text, keep = random_batch(matcher, 4, 16, 1)
    found = BucketedMatcher(matcher, BLOCK, eager_steps(matcher)).attend(image, text, keep, BLOCK)
    for name, values in vars(matcher.attend(image, text, keep, BLOCK)).items():
        assert torch.equal(getattr(found, name), values)


SAID = [
    Expression('the red mug left of the blue ball', (8, 11), ((4, 7), (8, 11), (28, 32))),
    Expression('umbrella', (0, 8), ((0, 8),)),
    Expression('the man holding the umbrella', None, ((4, 7), (8, 15), (20, 28))),
    Expression('the of the', None, ()),
]


@pytest.mark.parametrize('kind', ['blip', 'albef'])
@pytest.mark.parametrize('count', [1, 2, 3, 4, 16])
def test_grounding_in_buckets_is_grounding(kind, count):
    matcher = MADE[kind, torch.float64]
    image, said = encoded(matcher), (SAID * 4)[:count]
    used = []

    def seen(bucket, *inputs):
        used.append(bucket)
        return matcher.attend_states(*inputs, BLOCK)

    bucketed = BucketedMatcher(
        matcher, BLOCK, {bucket: partial(seen, bucket) for bucket in BUCKETS}
    )
    chosen = OURS.model_copy(update={'block': BLOCK})
    found = ground(bucketed, image, said, chosen)
    for ours, plain in zip(found, ground(matcher, image, said, chosen), strict=True):
        assert torch.allclose(ours.heatmap, plain.heatmap, rtol=0, atol=1e-9)
        assert ours.expression == plain.expression
        assert len(ours.rounds) == len(plain.rounds)
        for one, other in zip(ours.rounds, plain.rounds, strict=True):
            assert (one.hidden == other.hidden).all()
            assert one.probability == pytest.approx(other.probability, abs=1e-12)
    assert used[0].rows >= count
    assert len(used) == max(len(each.rounds) for each in found)


def test_other_blocks_and_texts_that_no_bucket_holds_take_the_usual_way():
    matcher = MADE['blip', torch.float64]
    image = encoded(matcher)

    def never(*_):
        raise ArithmeticError

    bucketed = BucketedMatcher(matcher, BLOCK, dict.fromkeys(BUCKETS, never))
    for rows, tokens, block in ((1, 8, BLOCK + 1), (17, 8, BLOCK), (1, 33, BLOCK)):
        text, keep = random_batch(matcher, rows, tokens, 2)
        found = bucketed.attend(image, text, keep, block)
        assert torch.equal(found.gradient, matcher.attend(image, text, keep, block).gradient)
    with pytest.raises(ArithmeticError):
        bucketed.attend(image, *random_batch(matcher, 1, 8, 2), BLOCK)
    some = BucketedMatcher(matcher, BLOCK, eager_steps(matcher, [Bucket(1, 8)]))
    text, keep = random_batch(matcher, 2, 8, 2)
    found = some.attend(image, text, keep, BLOCK)
    assert torch.equal(found.gradient, matcher.attend(image, text, keep, BLOCK).gradient)


def test_the_smallest_bucket_that_holds_texts():
    assert len(BUCKETS) == len(set(BUCKETS)) == 20
    assert BUCKETS[0] == Bucket(16, 32)
    for rows in range(1, 20):
        for tokens in range(1, 36):
            holding = [each for each in BUCKETS if each.rows >= rows and each.tokens >= tokens]
            smallest = min(holding, key=lambda each: each.rows * each.tokens, default=None)
            assert bucket_of(rows, tokens) == smallest


@pytest.mark.parametrize('which', sorted(MADE, key=str))
def test_the_memory_that_buckets_hold_is_what_their_tensors_take(which):
    matcher = MADE[which]
    image = encoded(matcher)
    tensors = [part for pair in image for part in pair]
    for bucket in BUCKETS[-3:]:
        inputs = static_inputs(matcher, bucket)
        seen = matcher.attend_states(image, *inputs, BLOCK)
        tensors += [*inputs, seen.probability]
        # A and dz/dA are views without the image's [CLS], which takes memory too.
        for values in (seen.attention, seen.gradient):
            heads, patches = values.shape[1], values.shape[3]
            assert patches == PATCHES
            tensors.append(
                values.new_zeros((bucket.rows, heads, bucket.tokens, 1 + patches), device='cpu')
            )
    assert held_bytes(matcher, BUCKETS[-3:]) == sum(each.nbytes for each in tensors)
