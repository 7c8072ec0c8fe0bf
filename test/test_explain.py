"""What the figure of `--explain` says, and that it fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from iterprime_ros.explain import explanation
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import select
from iterprime_ros.pipeline import Candidate, Look, Segmentation, Status, Word

HEIGHT, WIDTH = 60, 80


def disc(radius):
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return (rows - 30) ** 2 + (columns - 40) ** 2 <= radius**2


def answer_ranked(by, radii=(3, 9, 25)):
    """Return an answer whose masks, one inside another, are ordered by masks.selection."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    heatmap = np.exp(-((rows - 30) ** 2 + (columns - 40) ** 2) / 100).astype(np.float32)
    masks = torch.from_numpy(np.stack([disc(each) for each in radii]))
    proposals = Proposals(masks, torch.ones(len(radii)))
    selection = select(torch.from_numpy(heatmap), proposals, by=by)
    hidden = np.zeros((12, 12), bool)
    hidden[6, 6] = True
    seen = np.eye(12, dtype=np.float32)
    return Segmentation(
        Status.FOUND,
        'Found "the red mug" (match 0.90).',
        ParsedCommand('the red mug', '', 'the red mug', (8, 11), ((4, 7), (8, 11))),
        masks[selection.winner].numpy(),
        heatmap,
        0.9,
        tuple(
            Candidate(masks[k].numpy(), float(selection.heatmap_means[k]), 1.0)
            for k in selection.order.tolist()
        ),
        (Look(seen, 0.9, np.zeros_like(hidden), True), Look(seen, 0.4, hidden, False)),
        (Word((4, 7), np.zeros_like(seen), False), Word((8, 11), seen, True)),
    )


def drawn(answer, rank=None, shape=(HEIGHT, WIDTH)):
    figure = explanation(np.full((*shape, 3), 90, np.uint8), answer, rank)
    axes = figure.axes
    return figure, [each.get_title() for each in axes], [each.get_ylabel() for each in axes]


@pytest.mark.parametrize('by', ['mean', 'overlap'])
def test_the_number_printed_is_the_one_that_decided(by):
    answer = answer_ranked(by)
    _, titles, labels = drawn(answer)
    assert f'masks\nby {by}' in labels
    told = [each for each in titles if 'sure' in each]
    assert told[0].startswith(f'winner: {by} ')
    values = [float(each.split(by)[1].split(',')[0]) for each in told]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)


def test_where_both_measures_give_the_order_both_are_printed_unless_told():
    answer = answer_ranked('mean', radii=(12, 25))
    _, titles, labels = drawn(answer)
    assert 'masks' in labels
    assert any('winner: overlap ' in each and ', mean ' in each for each in titles)
    _, titles, labels = drawn(answer, 'mean')
    assert 'masks\nby mean' in labels
    assert not any('overlap' in each for each in titles)


def test_a_rival_is_called_one_and_tells_nothing_of_the_rank():
    answer = answer_ranked('overlap')
    rival = Candidate(disc(1), 0.0, 1.0)
    candidates = (answer.candidates[0], rival, *answer.candidates[1:])
    _, titles, labels = drawn(replace(answer, status=Status.AMBIGUOUS, candidates=candidates))
    assert 'masks\nby overlap' in labels
    assert any(each.startswith('rival: overlap ') for each in titles)


def test_flat_word_maps_are_a_line_and_no_pictures():
    answer = answer_ranked('overlap')
    _, titles, labels = drawn(answer)
    assert 'words' in labels
    assert 'mug (primary)' in titles
    flat = tuple(replace(each, heatmap=np.zeros_like(each.heatmap)) for each in answer.words)
    figure, titles, labels = drawn(replace(answer, words=flat))
    assert 'words' not in labels
    assert 'mug (primary)' not in titles
    assert any(
        'no map of their own' in text.get_text() for each in figure.axes for text in each.texts
    )


def test_one_hidden_patch_is_not_nothing():
    _, titles, _ = drawn(answer_ranked('overlap'))
    assert 'round 1: match 0.40, 0.7% hidden, left out' in titles


@pytest.mark.parametrize('shape', [(60, 80), (20, 160), (160, 20)])
def test_nothing_overlaps_and_all_is_inside(shape):
    answer = answer_ranked('overlap')
    long = 'the red mug ' * 18
    answer = replace(
        answer,
        text=f'Found "{long}".',
        mask=np.zeros(shape, bool),
        heatmap=np.zeros(shape, np.float32),
        candidates=tuple(Candidate(np.ones(shape, bool), 0.1, 1.0) for _ in range(6)),
        looks=answer.looks * 5,
        notes=('The command is long and was cut after 300 characters. ' * 2,) * 3,
    )
    figure, _, _ = drawn(answer, shape=shape)
    figure.canvas.draw()
    assert figure.get_figwidth() == 15
    boxes = [each.get_tightbbox() for each in figure.axes]
    boxes.append(figure.texts[0].get_window_extent())
    for k, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height
        assert not any(box.overlaps(other) for other in boxes[:k])
