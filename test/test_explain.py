"""What the figure of `--explain` says, and that it fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from iterprime_ros.answer import Candidate, Segmentation, Status, WordHeatmap
from iterprime_ros.explain import explanation
from iterprime_ros.grounding.refinement import RefinementRound
from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import select

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
    selection = select(torch.from_numpy(heatmap), proposals, rank=by)
    hidden = np.zeros((12, 12), bool)
    hidden[6, 6] = True
    seen = np.eye(12, dtype=np.float32)
    return Segmentation(
        Status.FOUND,
        'Found "the red mug" (match 0.90).',
        ParsedCommand('the red mug', '', 'the red mug', (8, 11), ((4, 7), (8, 11))),
        masks[selection.order[0]].numpy(),
        heatmap,
        0.9,
        by,
        tuple(
            Candidate(
                masks[k].numpy(),
                float(selection.heatmap_mean[k]),
                float(selection.heatmap_overlap[k]),
                1.0,
            )
            for k in selection.order.tolist()
        ),
        (
            RefinementRound(seen, 0.9, np.zeros_like(hidden), True),
            RefinementRound(seen, 0.4, hidden, False),
        ),
        (WordHeatmap((4, 7), np.zeros_like(seen), False), WordHeatmap((8, 11), seen, True)),
    )


def drawn(answer, shape=(HEIGHT, WIDTH)):
    figure = explanation(np.full((*shape, 3), 90, np.uint8), answer)
    axes = figure.axes
    return figure, [each.get_title() for each in axes], [each.get_ylabel() for each in axes]


def facts(figure):
    return ' '.join(text.get_text() for each in figure.axes for text in each.texts)


@pytest.mark.parametrize('by', ['mean', 'overlap'])
def test_the_number_printed_is_the_one_that_decided(by):
    answer = answer_ranked(by)
    figure, titles, _ = drawn(answer)
    assert f'masks: ranked by the {by} ' in facts(figure)
    masks = [each for each in titles if 'predicted IoU 1.00' in each]
    assert masks[0].startswith(f'winner: {by} ')
    values = [float(each.split(by)[1].split(',')[0]) for each in masks]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)


def test_where_both_measures_give_one_order_the_one_that_ranked_is_printed():
    for by in ('mean', 'overlap'):
        figure, titles, _ = drawn(answer_ranked(by, radii=(12, 25)))
        assert f'masks: ranked by the {by} ' in facts(figure)
        assert any(f'winner: {by} ' in each for each in titles)


def test_a_rival_is_named_and_stands_second_whatever_its_measure():
    answer = answer_ranked('overlap')
    rival = Candidate(disc(1), 0.0, 0.001, 1.0)
    candidates = (answer.candidates[0], rival, *answer.candidates[1:])
    figure, titles, _ = drawn(replace(answer, status=Status.AMBIGUOUS, candidates=candidates))
    assert 'masks: ranked by the overlap ' in facts(figure)
    assert any(each.startswith('rival: overlap 0.001') for each in titles)


def test_flat_word_maps_are_a_line_and_no_pictures():
    answer = answer_ranked('overlap')
    _, titles, labels = drawn(answer)
    assert 'words' in labels
    assert 'mug (primary)' in titles
    flat = tuple(
        replace(each, heatmap=np.zeros_like(each.heatmap)) for each in answer.word_heatmaps
    )
    figure, titles, labels = drawn(replace(answer, word_heatmaps=flat))
    assert 'words' not in labels
    assert 'mug (primary)' not in titles
    assert 'no heatmap of their own' in facts(figure)


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
        candidates=tuple(Candidate(np.ones(shape, bool), 0.1, 0.1, 1.0) for _ in range(6)),
        rounds=answer.rounds * 5,
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
