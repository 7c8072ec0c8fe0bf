"""Expressions and their meaning, checked against an independent evaluator of their words."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from helpers import reference_semantics
from iterprime_ros.sim.expressions import (
    Stratum,
    altered_phrase,
    sample_command,
    sample_expression,
)
from iterprime_ros.sim.grammar import (
    Description,
    Phrase,
    Place,
    Relation,
    phrases,
    wordings,
)
from iterprime_ros.sim.scene import sample_scene
from iterprime_ros.sim.semantics import meaning
from iterprime_ros.sim.view import SeenObject, View, view_of

SCENES = 120


@pytest.fixture(scope='module')
def views(small_renderer):
    return [view_of(small_renderer.render(sample_scene(seed))) for seed in range(SCENES)]


@pytest.mark.parametrize('stratum', list(Stratum))
def test_expressions_mean_one_referable_object_or_none(views, stratum):
    rng = np.random.default_rng(7)
    count = 0
    for seed, view in enumerate(views):
        scene = sample_scene(seed)
        for _ in range(3):
            expression = sample_expression(rng, view, stratum)
            if expression is None:
                continue
            count += 1
            verdicts = reference_semantics.verdicts(expression.text, scene)
            meant = {number for number, verdict in verdicts.items() if verdict is not False}
            if stratum is Stratum.ABSENT:
                assert expression.target is None
                assert meant == set(), (seed, expression.text)
                continue
            assert meant == {expression.target}, (seed, expression.text)
            assert verdicts[expression.target] is True, (seed, expression.text)
            assert view.objects[expression.target - 1].is_referable
            anchors = reference_semantics.anchors(expression.text, scene)
            if anchors is not None:
                assert len(anchors) == 1, (seed, expression.text)
                assert view.objects[anchors.pop() - 1].is_referable
    assert count > 0.9 * 3 * SCENES


def any_phrase(rng, view):
    """Return a random phrase about two objects of a view, true or false, clear or unclear."""

    def describe(item):
        named = rng.random(3) < (0.5, 0.3, 0.2)
        values = (item.kind, item.colour, item.size)
        return Description(*(v if n else None for v, n in zip(values, named, strict=True)))

    first, second = (view.objects[k] for k in rng.choice(len(view.objects), 2, replace=False))
    if rng.random() < 0.5:
        return Phrase(describe(first), list(Place)[rng.integers(len(Place))])
    anchor = Description(second.kind)
    return Phrase(
        describe(first), relation=list(Relation)[rng.integers(len(Relation))], anchor=anchor
    )


def test_meaning_agrees_with_the_reference_on_any_phrase(views):
    """Also on phrases that sample_expression would not choose, because they are unclear."""
    rng = np.random.default_rng(3)
    decided = Counter()
    for seed, view in enumerate(views[:40]):
        scene = sample_scene(seed)
        for _ in range(40):
            phrase = any_phrase(rng, view)
            if phrase.relation is Relation.NEXT_TO:
                continue  # the reference has approximate gaps; the test above covers it
            text = wordings(phrase)[0].text
            sure, possible = meaning(phrase, view)
            for identity, verdict in reference_semantics.verdicts(text, scene).items():
                decided[phrase.place or phrase.relation, verdict] += 1
                if phrase.place is Place.MIDDLE:
                    # An even number has no middle: the evaluators differ in what is possible.
                    assert (identity in sure) == (verdict is True), (seed, text, identity)
                    continue
                assert (identity in sure) == (verdict is True), (seed, text, identity)
                assert (identity in possible) == (verdict is not False), (seed, text, identity)
    for constraint in {*Place, *Relation} - {Relation.NEXT_TO}:
        verdicts = (True, False, None)
        assert all(decided[constraint, verdict] for verdict in verdicts), constraint


def test_every_kind_of_phrase_is_drawn(views):
    rng = np.random.default_rng(0)
    places, relations, words = Counter(), Counter(), Counter()
    for view in views:
        for stratum in (Stratum.PLACE, Stratum.RELATION, Stratum.ABSENT, Stratum.ATTRIBUTES):
            expression = sample_expression(rng, view, stratum)
            if expression:
                places[expression.phrase.place] += 1
                relations[expression.phrase.relation] += 1
                words.update(expression.text.split())
    assert set(places) == {None, *Place}
    assert set(relations) == {None, *Relation}
    assert {'block', 'sphere', 'cup', 'dish', 'little', 'big', 'thing', 'beside'} <= set(words)


def test_there_are_more_than_sixty_thousand_expressions():
    texts = set()
    for phrase in phrases():
        texts.update(wording.text for wording in wordings(phrase))
        if len(texts) > 60_000:
            return
    pytest.fail(f'only {len(texts)} distinct expressions')


def test_a_wording_has_one_phrase_and_the_span_of_its_head_noun():
    phrase_of = {}
    for phrase in islice(phrases(), 0, None, 97):
        for wording in wordings(phrase):
            assert phrase_of.setdefault(wording.text, phrase) == phrase
            start, end = wording.primary_word
            assert wording.text[start:end] in reference_semantics.KIND_OF
            kind = reference_semantics.KIND_OF[wording.text[start:end]] or None
            assert kind == phrase.head.kind


def test_an_altered_phrase_has_one_change():
    rng = np.random.default_rng(0)
    phrase = Phrase(Description('mug', 'red'), relation=Relation.BEHIND, anchor=Description('ball'))
    others = {altered_phrase(rng, phrase) for _ in range(300)}
    assert phrase not in others
    assert Phrase(Description('ball'), relation=Relation.BEHIND, anchor=phrase.head) in others
    for other in others - {
        Phrase(Description('ball'), relation=Relation.BEHIND, anchor=phrase.head)
    }:
        changes = [
            getattr(other, part) != getattr(phrase, part) for part in ('head', 'relation', 'anchor')
        ]
        assert sum(changes) == 1
    assert {other.relation for other in others} == set(Relation)


def test_invalid_phrases_are_rejected():
    with pytest.raises(ValueError, match='neither'):
        Phrase(Description('mug'), Place.LEFTMOST, Relation.BEHIND, Description('ball'))
    with pytest.raises(ValueError, match='neither'):
        Phrase(Description('mug'), relation=Relation.BEHIND)


def seen(number, kind, column=0.0, depth=0.6, colour='red', size='small', **others):
    """Return an object that is wholly visible, unless `others` say otherwise."""
    fields = {
        'visible_fraction': 1.0,
        'image_fraction': 0.01,
        'right': column * depth,
        'away': depth,
        'box_side': 0.05,
        'support': None,
    }
    return SeenObject(number, kind, colour, size, column, depth, **(fields | others))


def view(*objects, gap=0.5):
    return View(objects, np.full((len(objects),) * 2, gap))


def test_within_the_margin_left_and_right_are_unclear():
    scene = view(seen(1, 'mug', 0.02), seen(2, 'ball', 0.0), seen(3, 'cube', -0.3))
    for relation in (Relation.LEFT_OF, Relation.RIGHT_OF):
        phrase = Phrase(Description('mug'), relation=relation, anchor=Description('ball'))
        assert meaning(phrase, scene) == (frozenset(), {1})
    phrase = Phrase(Description('mug'), relation=Relation.RIGHT_OF, anchor=Description('cube'))
    assert meaning(phrase, scene) == ({1}, {1})


def test_between_near_and_apart_next_to_is_unclear():
    phrase = Phrase(Description('mug'), relation=Relation.NEXT_TO, anchor=Description('ball'))
    for gap, expected in ((0.03, ({1}, {1})), (0.06, (frozenset(), {1})), (0.1, (set(), set()))):
        assert meaning(phrase, view(seen(1, 'mug'), seen(2, 'ball'), gap=gap)) == expected


def test_an_object_is_not_next_to_itself():
    phrase = Phrase(Description('mug'), relation=Relation.NEXT_TO, anchor=Description('mug', 'red'))
    assert meaning(phrase, view(seen(1, 'mug'), seen(2, 'ball'), gap=0.0)).possible == set()


def test_a_hidden_duplicate_makes_a_description_ambiguous():
    hidden = seen(2, 'mug', 0.2, 0.8, visible_fraction=0.1, image_fraction=0.001)
    scene = view(seen(1, 'mug'), hidden)
    assert not hidden.is_referable
    assert meaning(Phrase(Description('mug')), scene).sure == {1, 2}
    rng = np.random.default_rng(0)
    texts = {sample_expression(rng, scene, Stratum.ATTRIBUTES) for _ in range(20)}
    assert texts == {None}


@pytest.mark.parametrize(
    ('visible_fraction', 'image_fraction', 'expected'),
    [(0.6, 0.004, True), (0.59, 0.1, False), (1.0, 0.0039, False)],
)
def test_referable_objects(visible_fraction, image_fraction, expected):
    item = seen(1, 'mug', visible_fraction=visible_fraction, image_fraction=image_fraction)
    assert item.is_referable is expected


def test_commands_contain_their_verb_and_their_expression():
    rng = np.random.default_rng(0)
    verbs = set()
    for _ in range(400):
        command = sample_command(rng, 'the red mug')
        start, end = command.expression_span
        assert command.text[start:end] == 'the red mug'
        assert command.action_verb in command.text.split()
        verbs.add(command.action_verb)
    assert len(verbs) >= 15
