"""What the figure of `--explain` says, and that it fits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.parts_answers import answer_about
from helpers.parts_answers import disc as disc_at
from iterprime_ros.answer import Candidate, PartsReport, Segmentation, Status, WordHeatmap
from iterprime_ros.explain import answer_overlay, explanation
from iterprime_ros.grounding.refinement import RefinementRound
from iterprime_ros.language.command_parser import CommandParser, ParsedCommand
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.masks.proposer import Proposals
from iterprime_ros.masks.selection import select
from iterprime_ros.spatial.measurements import measure

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
        ParsedCommand(
            text='the red mug',
            action_verb='',
            expression='the red mug',
            primary_word=(8, 11),
            focus_words=((4, 7), (8, 11)),
            phrase=NounPhrase('red mug', (0, 11), (8, 11), ((4, 7),)),
        ),
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
        1,
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
    check_layout(figure)


def check_layout(figure):
    """Nothing overlaps and everything is inside."""
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


SCENE = [('red mug', (15, 20)), ('blue mug', (35, 40)), ('plate', (50, 15)), ('bottle', (70, 30))]


@pytest.fixture(scope='module')
def ask():
    """Answer a command about the scene, or about as many copies of it as fit."""
    parser = CommandParser.load()

    def answer(command, shape=(HEIGHT, WIDTH), copies=1):
        scene = [
            (thing, (x * shape[1] / WIDTH, (y + 60 * k) * shape[0] / (60 * copies)))
            for k in range(copies)
            for thing, (x, y) in SCENE
        ]
        masks = [disc_at(shape, *place, 3) for _, place in scene]
        return answer_about(command, masks, [thing for thing, _ in scene], parser=parser)

    return answer


@pytest.mark.parametrize(
    ('command', 'status', 'title'),
    [
        ('the red mug left of the plate', Status.FOUND, 'answer'),
        ('all the mugs', Status.FOUND_SEVERAL, 'answer: 2 objects'),
        ('the mug', Status.AMBIGUOUS, 'answer (green) and rival (orange)'),
        ('the mug right of the plate', Status.NOT_FOUND, 'image (no mask)'),
    ],
)
def test_parts_are_explained_for_every_outcome(ask, command, status, title):
    answer = ask(command)
    assert answer.status is status
    figure, titles, labels = drawn(answer)
    assert title in titles
    assert 'objects' in labels
    assert 'masks' not in labels
    said = facts(figure)
    assert 'objects: 4, ranked by their chance' in said
    for n, each in enumerate(answer.candidates):
        assert f'{n + 1}: {each.chance:.2f}' in said  # on the picture
    check_layout(figure)


def test_the_table_shows_what_speaks_against_an_object(ask):
    figure, _, _ = drawn(ask('the mug right of the plate'))
    axes = next(each for each in figure.axes if '“mug”' in {t.get_text() for t in each.texts})
    colours = {text.get_text().split(' ')[0]: text.get_color() for text in axes.texts}
    assert colours['0.96'] == 'black'
    assert '#b3261e' in {text.get_color() for text in axes.texts}


@pytest.mark.parametrize(
    ('shape', 'copies'), [((60, 80), 1), ((60, 80), 3), ((20, 160), 3), ((160, 20), 3)]
)
def test_nested_phrases_and_twelve_objects_have_room(ask, shape, copies):
    command = (
        'please hand me the small red mug that is not blue left of the big white plate behind the '
        'green bottle next to the yellow ball and between the cup and the very long sharp knife'
    )
    check_layout(explanation(np.full((*shape, 3), 90, np.uint8), ask(command, shape, copies)))


def test_an_image_without_objects_is_explained(ask):
    answer = ask('the mug left of the plate')
    none = np.empty(0)

    def emptied(reasoning):
        return replace(
            reasoning,
            match=none,
            excluded=none,
            beliefs=none,
            factors=tuple(
                replace(
                    each,
                    chances=none,
                    best_anchors=np.empty((0, 1), np.int64),
                    anchors=tuple(map(emptied, each.anchors)),
                )
                for each in reasoning.factors
            ),
        )

    nothing = measure(np.zeros((0, HEIGHT, WIDTH), bool))
    report = PartsReport(emptied(answer.parts.reasoning), (), nothing)
    answer = replace(answer, status=Status.NOT_FOUND, candidates=(), parts=report)
    _, titles, _ = drawn(replace(answer, instance_count=0))
    assert 'no objects' in titles


def test_every_instance_has_a_colour_of_its_own(ask):
    answer = ask('all the mugs')
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture = answer_overlay(image, answer)
    first, second = (picture[each.mask].mean(axis=0) for each in answer.candidates[:2])
    assert np.abs(first - second).max() > 50
    assert (picture[~answer.mask] < 90).all()
    nothing = ask('the banana')
    assert np.array_equal(answer_overlay(image, nothing), image)


def test_the_rival_of_one_heatmap_is_marked_too():
    answer = answer_ranked('overlap')
    rival = Candidate(disc_at((HEIGHT, WIDTH), 5, 5, 3), 0.0, 0.001, 1.0)
    answer = replace(answer, status=Status.AMBIGUOUS, candidates=(answer.candidates[0], rival))
    picture = answer_overlay(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), answer)
    red, green, _ = picture[5, 5].astype(int)
    assert red > green > 90
