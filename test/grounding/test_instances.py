"""Instances of a noun phrase: found one by one, each hidden from the rounds after it."""

import pytest
import torch

from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.instances import instances
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.region_match import region_patches
from iterprime_ros.grounding.settings import GroundingSettings

PHRASE = Expression('the red mug', (8, 11), ((4, 7), (8, 11)))
SETTINGS = GroundingSettings(prompt='there is a {expression}', block=1)
HEIGHT, WIDTH = 30, 40


def peak_cell(heatmap):
    """The cell of the peak as a mask of the image."""
    rows, columns = heatmap.shape
    row, column = divmod(int(heatmap.argmax()), columns)
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    height, width = HEIGHT // rows, WIDTH // columns
    mask[row * height : (row + 1) * height, column * width : (column + 1) * width] = True
    return mask


def search(matcher, image, mask_at=peak_cell, **arguments):
    arguments = {'threshold': 0.0} | arguments
    memory = matcher.encode_image(image)
    return instances(matcher, memory, PHRASE, mask_at, SETTINGS, **arguments)


def test_each_round_is_a_grounding_without_what_was_found(matcher, image):
    """The oracle grounds with everything hidden that was found, from the start each time."""
    heatmaps = []

    def mask_at(heatmap):
        heatmaps.append(heatmap)
        return peak_cell(heatmap)

    found = search(matcher, image, mask_at, limit=5)
    assert len(found) == 5
    one_round = SETTINGS.model_copy(update={'rounds': 1})
    memory = matcher.encode_image(image)
    first = ground(matcher, memory, [PHRASE], one_round)[0]
    torch.testing.assert_close(heatmaps[0], first.heatmap)
    assert found[0].probability == pytest.approx(first.probability)
    text = matcher.encode_text([SETTINGS.prompt.format(expression=PHRASE.text)])
    for number, instance in enumerate(found):
        hidden = torch.zeros(1, 25, dtype=torch.bool)
        for earlier in found[:number]:
            hidden |= region_patches(earlier.mask[None], matcher.grid, 0.1)
        seen = matcher.attend(memory, text, ~hidden, SETTINGS.block)
        assert instance.probability == pytest.approx(float(seen.probability[0]))
        assert not heatmaps[number].flatten()[hidden[0]].any()
        assert heatmaps[number].max() == 1


def test_no_two_instances_are_the_same_and_the_search_ends(matcher, image):
    found = search(matcher, image, limit=100)
    masks = torch.stack([instance.mask for instance in found])
    assert len(found) <= 25
    assert masks.sum(0).max() == 1


def test_a_mask_that_was_found_before_counts_once(matcher, image):
    same = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    same[:6, :8] = True
    found = search(matcher, image, lambda _: same, limit=6)
    assert [instance.mask.equal(same) for instance in found] == [True]


def test_it_stops_where_nothing_matches_any_more(matcher, image):
    probabilities = [instance.probability for instance in search(matcher, image, limit=8)]
    threshold = sorted(probabilities)[len(probabilities) // 2]
    stop = next(
        (number for number, each in enumerate(probabilities) if each < threshold),
        len(probabilities),
    )
    found = search(matcher, image, limit=8, threshold=threshold)
    assert [instance.probability for instance in found] == pytest.approx(probabilities[:stop])
    assert search(matcher, image, threshold=1.0) == []


def test_it_looks_elsewhere_where_there_is_no_mask(matcher, image):
    assert search(matcher, image, lambda _: None) == []
    assert search(matcher, image, limit=0) == []
    peaks = []

    def second_alone(heatmap):
        peaks.append(int(heatmap.argmax()))
        return peak_cell(heatmap) if len(peaks) == 2 else None

    assert len(search(matcher, image, second_alone, limit=4)) == 1
    assert len(set(peaks)) == 4


def test_a_matcher_of_single_precision_does_too(blip, tokenizer, image):
    single = blip_matcher(blip.float(), tokenizer)
    try:
        assert search(single, image, limit=2)
    finally:
        blip.double()
