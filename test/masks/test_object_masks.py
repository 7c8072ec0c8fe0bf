"""The objects of a frame: the fast way and the plain one, suppression, any proposer."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.tiny_sams import tiny_sam, tiny_sam2
from iterprime_ros.masks.object_masks import (
    ObjectSettings,
    distinct,
    grid_points,
    joined,
    objects_of,
)
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.masks.sam import SamProposer, load_sam
from iterprime_ros.masks.segment_anything import SegmentAnythingProposer
from iterprime_ros.masks.transforms import to_masks, to_model_points, unpadded
from iterprime_ros.profiles import TABLETOP
from iterprime_ros.sim.renderer import Renderer
from iterprime_ros.sim.scene import sample_scene

ANYTHING = ObjectSettings(grid=5, min_predicted_iou=0, min_area=0, max_area=1)
CLOSE = 1e-5
MEAN, STD = (0.4, 0.5, 0.6), (0.3, 0.2, 0.25)
MODELS = {'sam': tiny_sam, 'sam2': tiny_sam2}


@pytest.fixture(scope='module')
def table():
    """A scene of the simulated table, and the mask model that ships."""
    with Renderer(640, 480) as renderer:
        return renderer.render(sample_scene(105)), load_sam(TABLETOP / 'masks')


class AtPoints:
    """A proposer without objects of its own."""

    def __init__(self, proposer):
        self.embed, self.propose = proposer.embed, proposer.propose


def as_image(picture):
    return torch.from_numpy(picture.rgb).permute(2, 0, 1)


def shared_of_smaller(first, second):
    smaller = min(int(first.sum()), int(second.sum()))
    return int((first & second).sum()) / max(1, smaller)


def iou(first, second):
    return int((first & second).sum()) / max(1, int((first | second).sum()))


@torch.inference_mode()
def plain_objects(model, embedding, chosen):
    """Every mask of every point by the model's own forward pass; the best of each point stays."""
    fit = embedding.fit
    points = grid_points(fit.image, chosen.grid, torch.device('cpu'))
    prompts = to_model_points(points, fit)[None, :, None]
    output = model(
        image_embeddings=embedding.features,
        input_points=prompts,
        input_labels=torch.ones_like(prompts[..., 0], dtype=torch.int64),
        multimask_output=True,
    )
    logits, ious = output.pred_masks[0], output.iou_scores[0]
    best = ious.argmax(1)
    every = torch.arange(len(points))
    logits, ious = logits[every, best], ious[every, best]
    kept = distinct(unpadded(logits, fit) > 0, ious, chosen)
    return Proposals(to_masks(logits, fit)[kept], ious[kept])


@pytest.mark.parametrize('size', [(60, 80), (80, 60), (64, 64), (40, 130)])
@pytest.mark.parametrize('name', MODELS)
def test_sam_finds_what_its_model_finds_at_every_point(make_image, name, size):
    model = MODELS[name]()
    proposer = SamProposer(model, MEAN, STD)
    embedding = proposer.embed(make_image(*size))
    found = objects_of(proposer, embedding, ANYTHING)
    expected = plain_objects(model, embedding, ANYTHING)
    assert len(expected.masks)
    assert found.masks.shape == expected.masks.shape
    assert found.masks.dtype == torch.bool
    assert (found.masks != expected.masks).float().mean() < 1e-3  # logits within rounding of 0
    torch.testing.assert_close(found.predicted_iou, expected.predicted_iou, atol=1e-4, rtol=0)


@pytest.mark.parametrize('name', MODELS)
def test_no_mask_is_good_enough(make_image, name):
    proposer = SamProposer(MODELS[name](), MEAN, STD)
    embedding = proposer.embed(make_image(50, 70))
    strict = ANYTHING.model_copy(update={'min_area': 1.0, 'max_area': 1.0})
    found = objects_of(proposer, embedding, strict)
    assert found.masks.shape == (0, 50, 70)
    assert found.predicted_iou.shape == (0,)
    limited = objects_of(proposer, embedding, ANYTHING.model_copy(update={'max_count': 1}))
    assert len(limited.masks) == 1


def test_the_shipped_model_finds_what_it_finds_at_full_resolution(table):
    """The oracle judges at the size of the image, which costs a hundred times as much."""
    picture, proposer = table
    embedding = proposer.embed(as_image(picture))
    chosen = ObjectSettings()
    found = objects_of(proposer, embedding, chosen)
    points = grid_points((480, 640), chosen.grid, torch.device('cpu'))
    every = proposer.propose(embedding, points)
    ious = every.predicted_iou.view(-1, 3)
    best = ious.argmax(1) + 3 * torch.arange(len(ious))
    masks, ious = every.masks[best], every.predicted_iou[best]
    # A quarter of the pixels is enough to tell, and what this machine can multiply in a second.
    kept = distinct(masks[:, ::2, ::2], ious, chosen)
    objects = [
        number
        for number in range(1, len(picture.seen_areas) + 1)
        if any(iou(mask, torch.from_numpy(picture.ids == number)) > 0.5 for mask in masks[kept])
    ]
    assert objects
    for number in objects:
        truth = torch.from_numpy(picture.ids == number)
        assert max(iou(mask, truth) for mask in found.masks) > 0.5


@pytest.mark.parametrize('size', [(480, 640), (64, 64), (33, 200)])
def test_regions_stand_apart(table, make_image, size):
    picture, _ = table
    proposer = RegionProposer()
    image = as_image(picture) if size == (480, 640) else make_image(*size)
    found = objects_of(proposer, proposer.embed(image), ObjectSettings())
    assert found.masks.shape[1:] == size
    for number, mask in enumerate(found.masks):
        sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
        assert sum(bool(side.any()) for side in sides) < 2
        assert all(shared_of_smaller(mask, other) < 0.55 for other in found.masks[:number])
    if size == (480, 640):
        truths = [torch.from_numpy(picture.ids == k + 1) for k in range(len(picture.seen_areas))]
        hits = [max(iou(mask, truth) for mask in found.masks) > 0.5 for truth in truths]
        assert np.mean(hits) > 0.5


def test_an_image_of_one_colour_has_no_region():
    proposer = RegionProposer()
    found = objects_of(
        proposer, proposer.embed(torch.zeros(3, 40, 50, dtype=torch.uint8)), ANYTHING
    )
    assert found.masks.shape == (0, 40, 50)


def test_a_proposer_without_objects_is_asked_at_a_grid(table):
    picture, proposer = table
    embedding = proposer.embed(as_image(picture))
    chosen = ObjectSettings(grid=6)
    found = objects_of(AtPoints(proposer), embedding, chosen)
    every = proposer.propose(embedding, grid_points((480, 640), 6, torch.device('cpu')))
    kept = distinct(every.masks[:, 2::5, 2::5], every.predicted_iou, chosen)
    assert len(kept)
    assert torch.equal(found.masks, every.masks[kept])
    assert torch.equal(found.predicted_iou, every.predicted_iou[kept])


def test_segment_anything_finds_the_best_mask_of_each_point(segment_anything, make_image):
    torch.manual_seed(3)
    from segment_anything.build_sam import _build_sam

    model = _build_sam(32, 1, 2, (0,)).eval()
    proposer = SegmentAnythingProposer(model)
    image = make_image(30, 40)
    embedding = proposer.embed(image)
    chosen = ANYTHING.model_copy(update={'grid': 2})
    found = objects_of(proposer, embedding, chosen)
    every = proposer.propose(embedding, grid_points((30, 40), 2, torch.device('cpu')))
    ious = every.predicted_iou.view(-1, 3)
    best = ious.argmax(1) + 3 * torch.arange(len(ious))
    expected = every.masks[best]
    assert found.masks.shape[1:] == (30, 40)
    for mask in found.masks:
        assert (mask == expected).flatten(1).all(1).any()


def test_a_grid_covers_the_image_evenly():
    points = grid_points((48, 64), 3, torch.device('cpu'))
    assert points.tolist()[:4] == [[8, 8], [24, 8], [40, 8], [56, 8]]
    assert len(points) == 12
    assert grid_points((1, 1), 4, torch.device('cpu')).tolist() == [[0, 0]] * 16
    tall = grid_points((500, 20), 1, torch.device('cpu'))
    assert len(tall) == 25
    assert tall[:, 0].unique().tolist() == [10]


# Masks of whole cells: rectangles of 8 x 10, so that many overlap and some are equal.
RECTANGLES = st.tuples(*(st.integers(0, 7) for _ in range(4)))
RATED = st.lists(st.tuples(RECTANGLES, st.integers(0, 8)), max_size=14)


def drawn(rated):
    masks = torch.zeros(len(rated), 8, 10, dtype=torch.bool)
    for mask, ((top, left, height, width), _) in zip(masks, rated, strict=True):
        mask[top : top + height, left : left + width] = True
    return masks, torch.tensor([rating / 8 for _, rating in rated], dtype=torch.float32)


def plain_ranks(masks, ratings, possible, max_overlap):
    """The rank of every possible mask, two masks at a time."""
    ranks = {}
    for k in possible:
        same = [
            iou(masks[k], masks[other])
            for other in possible
            if other != k and shared_of_smaller(masks[k], masks[other]) >= max_overlap
        ]
        ranks[k] = float(ratings[k]) + (sum(same) + 0.5) / (len(same) + 1)
    return ranks


@settings(max_examples=80, deadline=None)
@given(RATED, st.sampled_from([0.25, 0.5, 1.0]), st.integers(1, 6))
def test_the_best_of_what_overlaps_is_kept(rated, max_overlap, max_count):
    masks, ratings = drawn(rated)
    chosen = ObjectSettings(
        max_overlap=max_overlap,
        min_area=0.03,
        max_area=0.5,
        min_predicted_iou=0.3,
        max_count=max_count,
    )
    kept = distinct(masks, ratings, chosen).tolist()
    possible = [
        k
        for k, mask in enumerate(masks)
        if 0.03 * 80 <= mask.sum() <= 0.5 * 80 and ratings[k] > 0.3
    ]
    ranks = plain_ranks(masks, ratings, possible, max_overlap)
    assert set(kept) <= set(possible)
    assert len(kept) <= max_count
    for first, second in pairwise(kept):
        assert ranks[first] >= ranks[second] - CLOSE
    for number, k in enumerate(kept):
        assert all(shared_of_smaller(masks[k], masks[j]) < max_overlap for j in kept[:number])
    for k in set(possible) - set(kept):
        better = [j for j in kept if ranks[j] >= ranks[k] - CLOSE]
        overlapping = [shared_of_smaller(masks[k], masks[j]) >= max_overlap for j in better]
        assert any(overlapping) or len(better) == max_count
    again = distinct(masks[kept], ratings[kept], chosen)
    assert sorted(again.tolist()) == list(range(len(kept)))


@settings(max_examples=50, deadline=None)
@given(RATED, RATED, st.sampled_from([0.25, 0.5, 1.0]))
def test_extra_masks_join_where_they_show_no_object(rated, extra, max_overlap):
    objects, more = Proposals(*drawn(rated)), Proposals(*drawn(extra))
    together = joined(objects, more, max_overlap)
    count = len(objects.masks)
    assert torch.equal(together.masks[:count], objects.masks)
    assert torch.equal(together.predicted_iou[:count], objects.predicted_iou)
    expected = list(objects.masks)
    for mask in more.masks:
        if mask.any() and all(shared_of_smaller(mask, old) < max_overlap for old in expected):
            expected.append(mask)
    assert len(together.masks) == len(together.predicted_iou) == len(expected)
    assert all(map(torch.equal, together.masks, expected))
