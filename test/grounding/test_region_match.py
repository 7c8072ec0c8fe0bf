"""Region match equals whole forward passes with patches hidden, one by one."""

import gc
import math

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st

from helpers import plain_grounding as plain
from helpers.tiny_blip import tiny_blip
from iterprime_ros.grounding import fusion_match
from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.region_match import (
    RegionLogits,
    match_probability,
    region_logits,
    region_patches,
)
from iterprime_ros.grounding.settings import RegionMatchSettings

TEXTS = ['mug', 'the small red mug left of the umbrella', 'blue ball', 'umbrella', 'zebra', 'mug']
PATCHES = 25


def random_regions(count, seed=0):
    """Regions (count, N) from one patch to nearly all, an empty one and a full one."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.linspace(0, 1, max(1, count))[:, None]
    regions = torch.rand(count, PATCHES, generator=generator) < shares
    if count > 2:
        regions[1] = False
        regions[1, 7] = True
        regions[-1] = True
    return regions[torch.randperm(count, generator=generator)]


def plain_logits(model, matcher, image, texts, regions):
    """The oracle of region_logits."""
    pixels = matcher.pixels(image).to(matcher.head.weight.dtype)

    def one(text, seen):
        return plain.matching_logit(model, matcher.tokenizer, pixels, text, seen)

    every = torch.ones(PATCHES, dtype=torch.bool)
    only = [[one(text, region) for region in regions] for text in texts]
    without = [[one(text, ~region) for region in regions] for text in texts]
    return only, without, [one(text, every) for text in texts]


def check(found, expected, close=1e-9):
    for ours, theirs in zip((found.only, found.without, found.whole), expected, strict=True):
        theirs = torch.tensor(theirs, dtype=ours.dtype).reshape(ours.shape)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=close)


@pytest.mark.parametrize('count', [0, 1, 2, 9])
@pytest.mark.parametrize('texts', [TEXTS[:1], TEXTS[:2], TEXTS], ids=len)
def test_it_equals_the_plain_way(blip, matcher, image, texts, count):
    regions = random_regions(count)
    found = region_logits(matcher, matcher.encode_image(image), texts, regions)
    assert found.only.shape == found.without.shape == (len(texts), count)
    check(found, plain_logits(blip, matcher, image, texts, regions))


@given(
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3),
    numpy_st.arrays(bool, st.tuples(st.integers(1, 4), st.just(PATCHES))),
)
@settings(max_examples=20, deadline=None)
def test_it_equals_the_plain_way_whatever_is_shown(blip, matcher, texts, shown):
    picture = torch.arange(3 * 40 * 40).view(3, 40, 40).mul(7).remainder(256).byte()
    regions = torch.from_numpy(shown)
    found = region_logits(matcher, matcher.encode_image(picture), texts, regions)
    check(found, plain_logits(blip, matcher, picture, texts, regions))


def test_single_precision_is_close_enough(tokenizer, image):
    model = tiny_blip(spread=0.2)
    single = blip_matcher(model, tokenizer)
    regions = random_regions(12)
    found = region_logits(single, single.encode_image(image), TEXTS, regions)
    assert {each.dtype for each in vars(found).values()} == {torch.float32}
    check(found, plain_logits(model, single, image, TEXTS, regions), close=1e-5)


@pytest.mark.parametrize('tokens', [1, 60])
@pytest.mark.parametrize('few', [0, 0.5, 1])
def test_it_does_not_matter_what_is_gathered_and_batched(
    blip, matcher, image, monkeypatch, few, tokens
):
    monkeypatch.setattr(fusion_match, '_FEW', few)
    monkeypatch.setattr(fusion_match, '_TOKENS', tokens)
    monkeypatch.setattr(fusion_match, '_TEXT_TOKENS', 12)
    regions = random_regions(7)
    found = region_logits(matcher, matcher.encode_image(image), TEXTS[1:4], regions)
    check(found, plain_logits(blip, matcher, image, TEXTS[1:4], regions))


def test_many_texts_and_regions_are_what_they_are_alone(matcher, image):
    """More than one batch of texts, and more than one of rows."""
    memory, regions = matcher.encode_image(image), random_regions(70)
    texts = [f'{first} {second}' for first in TEXTS[:5] for second in TEXTS[:5]]
    found = region_logits(matcher, memory, texts, regions)
    for number in (0, 7, 24):
        for chosen in (slice(0, 1), slice(33, 36)):
            alone = region_logits(matcher, memory, [texts[number]], regions[chosen])
            expected = found.only[number, chosen], found.without[number, chosen]
            torch.testing.assert_close(alone.only[0], expected[0], rtol=0, atol=1e-9)
            torch.testing.assert_close(alone.without[0], expected[1], rtol=0, atol=1e-9)
            assert alone.whole.item() == pytest.approx(found.whole[number].item(), abs=1e-9)


def test_hiding_nothing_and_everything(matcher, image):
    regions = torch.zeros(2, PATCHES, dtype=torch.bool)
    regions[1] = True
    found = region_logits(matcher, matcher.encode_image(image), TEXTS, regions)
    torch.testing.assert_close(found.only[:, 0], found.without[:, 1], rtol=0, atol=1e-9)
    torch.testing.assert_close(found.only[:, 1], found.whole, rtol=0, atol=1e-9)
    assert (found.only[:, 0] - found.only[:, 1]).abs().min() > 1e-3


def test_the_odds_are_those_of_the_matching_probability(matcher, image):
    memory, text = matcher.encode_image(image), matcher.encode_text(TEXTS)
    keep = random_regions(4)
    found = matcher.match(memory, text, keep)
    for number, row in enumerate(keep):
        attended = matcher.attend(memory, text, row.expand(len(TEXTS), -1), 1)
        torch.testing.assert_close(found[:, number].sigmoid(), attended.probability)


def test_a_long_text_is_cut(matcher, image):
    memory, regions = matcher.encode_image(image), random_regions(3)
    long = 'red ' * 5000
    cut = ' '.join(['red'] * (matcher.max_tokens - 2))
    found = region_logits(matcher, memory, [long, cut, 'mug'], regions)
    torch.testing.assert_close(found.only[0], found.only[1], rtol=0, atol=1e-9)


def test_no_texts_give_no_logits(matcher, image):
    found = region_logits(matcher, matcher.encode_image(image), [], random_regions(3))
    assert found.only.shape == found.without.shape == (0, 3)
    assert found.whole.shape == (0,)
    assert match_probability(found, RegionMatchSettings()).shape == (0, 3)


def test_regions_of_another_grid_are_refused(matcher, image):
    memory = matcher.encode_image(image)
    for shape in ((2, 24), (25,), (1, 5, 5)):
        with pytest.raises(ValueError, match=r'\(K, 25\)'):
            region_logits(matcher, memory, ['mug'], torch.ones(shape, dtype=torch.bool))


class Watched:
    """A matcher that remembers how many selections it matched texts with."""

    def __init__(self, matcher):
        self.grid, self.encode_text = matcher.grid, matcher.encode_text
        self._matcher, self.matched = matcher, []

    def match(self, image, text, keep):
        self.matched.append((len(text), len(keep)))
        return self._matcher.match(image, text, keep)


def test_what_is_not_weighted_is_not_computed(matcher, image):
    watched, regions = Watched(matcher), random_regions(5)
    memory = matcher.encode_image(image)
    whole = region_logits(watched, memory, TEXTS, regions)
    alone = region_logits(watched, memory, TEXTS, regions, contrast=False)
    assert watched.matched == [(5, 11), (5, 5)]  # "mug" is twice among six texts
    torch.testing.assert_close(alone.only, whole.only, rtol=0, atol=1e-9)
    assert alone.without is None
    assert alone.whole is None
    chosen = RegionMatchSettings(contrast=0)
    assert torch.equal(match_probability(alone, chosen), match_probability(alone, chosen))
    with pytest.raises(ValueError, match='contrast'):
        match_probability(alone, RegionMatchSettings())


@pytest.mark.parametrize('device', ['cpu', 'cuda'])
def test_no_graph_is_kept_and_the_same_is_said_again(tokenizer, image, device):
    if device == 'cuda' and not torch.cuda.is_available():
        pytest.skip('no CUDA device')
    model = tiny_blip()
    matcher = blip_matcher(model, tokenizer, device)
    model.requires_grad_(True)
    regions = random_regions(9).to(device)
    with torch.enable_grad():
        memory = matcher.encode_image(image.to(device))
        found = [region_logits(matcher, memory, TEXTS, regions) for _ in range(2)]
    for one, other in zip(*(vars(each).values() for each in found), strict=True):
        assert not one.requires_grad
        assert one.device.type == device
        assert torch.equal(one, other)


def test_calls_leave_nothing_behind(matcher, image):
    memory, regions = matcher.encode_image(image), random_regions(9)

    def calls(count):
        for _ in range(count):
            region_logits(matcher, memory, TEXTS, regions)
        gc.collect()
        return psutil.Process().memory_info().rss, sum(map(torch.is_tensor, gc.get_objects()))

    before, tensors = calls(30)
    after, tensors_after = calls(100)
    assert after - before < 8e6  # the states of one block, kept of each call, would be 14 MB
    assert tensors_after <= tensors


@given(
    numpy_st.arrays(
        bool,
        st.tuples(st.integers(0, 3), st.integers(1, 11), st.integers(1, 11)),
        fill=st.booleans(),
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.floats(0, 0.99),
)
@settings(deadline=None)
def test_patches_are_those_that_are_covered(masks, rows, columns, patch_share):
    found = region_patches(torch.from_numpy(masks), (rows, columns), patch_share)
    assert found.shape == (len(masks), rows * columns)
    height, width = masks.shape[1:]

    def common(pixel, size, cell, cells):
        """The part of a cell that a pixel is."""
        start, end = max(pixel / size, cell / cells), min((pixel + 1) / size, (cell + 1) / cells)
        return max(0.0, end - start) * cells

    for mask, patches in zip(masks, found, strict=True):
        shares = [
            sum(
                common(y, height, row, rows) * common(x, width, column, columns)
                for y in range(height)
                for x in range(width)
                if mask[y, x]
            )
            for row in range(rows)
            for column in range(columns)
        ]
        best = max(shares)
        for share, patch in zip(shares, patches.tolist(), strict=True):
            if abs(share - patch_share) > 1e-5:
                is_best = best - share < 1e-5 and best > 0
                assert patch == (share > patch_share) or (patch and is_best)
        assert patches.any() == mask.any()


def test_masks_may_be_shares_of_reduced_pixels():
    masks = torch.zeros(1, 4, 6)
    masks[0, :2, :2] = torch.tensor([[0.1, 0.5], [0.9, 1.0]])
    assert region_patches(masks, (2, 3), 0.6).tolist() == [[True] + 5 * [False]]
    assert region_patches(masks, (4, 6), 0.4).sum() == 3


def test_chances_follow_from_the_settings():
    chosen = RegionMatchSettings(only=0.7, contrast=0.2, bias=-1)
    logits = RegionLogits(
        torch.tensor([[1.0, -3], [400, -400]]),
        torch.tensor([[0.5, 2], [400, -400]]),
        torch.tensor([4.0, 0]),
    )
    chances = match_probability(logits, chosen)
    for t, k in ((0, 0), (0, 1)):
        gain = logits.whole[t].item() - logits.without[t, k].item()
        score = 0.7 * logits.only[t, k].item() + 0.2 * gain - 1
        assert chances[t, k].item() == pytest.approx(1 / (1 + math.exp(-score)), abs=1e-6)
    assert chances[1].tolist() == [1, 0]


@pytest.mark.parametrize(
    'wrong', [{'only': -1}, {'contrast': math.nan}, {'patch_share': 1}, {'slope': 1}]
)
def test_settings_outside_their_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RegionMatchSettings(**wrong)


def test_every_setting_says_what_it_is():
    assert all(field.description for field in RegionMatchSettings.model_fields.values())
