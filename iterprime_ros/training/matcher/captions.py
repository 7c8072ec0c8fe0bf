"""Captions for image-text matching: a true text and a clearly false one about the same view.

A caption is a referring expression or a statement about its target ("the leftmost mug is red").
"the leftmost mug" matches every image that has a mug; only the complement of a statement teaches
which mug is the leftmost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from iterprime_ros.sim.expressions import Stratum, altered_phrase, sample_expression
from iterprime_ros.sim.grammar import (
    NOUNS,
    Description,
    Phrase,
    Place,
    Relation,
    wordings,
)
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES
from iterprime_ros.sim.semantics import fits, meaning
from iterprime_ros.sim.view import SeenObject, View

UNKNOWN_WORD = '[UNK]'
_TRIES = 8
_STATEMENT_RATE = {Stratum.ATTRIBUTES: 0.05, Stratum.PLACE: 0.6, Stratum.RELATION: 0.35}
_UNKNOWN_NOUN_RATE = 0.06  # of false expressions, whose noun is replaced by UNKNOWN_WORD
_OTHER_VIEW_RATE = 0.2  # of false expressions, which are true of another view
_ATTRIBUTES = {'kind': KINDS, 'colour': tuple(COLOURS), 'size': SIZES}
_SIDES = (Place.ON_THE_LEFT, Place.ON_THE_RIGHT)


@dataclass(frozen=True)
class Caption:
    """A true text about a view and a similar text that is false.

    true: the true text.
    false: the false text.
    phrase: the logical form of the expression in the true text.
    complement: the end of a true statement, after "is"; '' for an expression.
    """

    true: str
    false: str
    phrase: Phrase
    complement: str = ''


def sample_caption(
    rng: Generator, view: View, stratum: Stratum, other_phrases: Sequence[Phrase]
) -> Caption | None:
    """Draw a caption of a view, or None if the draw fails.

    stratum: of the expression; not ABSENT.
    other_phrases: phrases that are true of other views.
    """
    expression = sample_expression(rng, view, stratum)
    if expression is None or expression.target is None:
        return None
    text = _without_article(rng, expression.text)
    target = view.objects[expression.target - 1]
    if rng.random() < _STATEMENT_RATE[stratum]:
        complements = _sample_complements(rng, view, expression.phrase, target)
        if complements:
            true, false = complements
            return Caption(f'{text} is {true}', f'{text} is {false}', expression.phrase, true)
    if rng.random() < _UNKNOWN_NOUN_RATE:
        start, end = expression.wording.primary_word
        false = expression.text[:start] + UNKNOWN_WORD + expression.text[end:]
        return Caption(text, _without_article(rng, false), expression.phrase)
    false_phrase = _sample_false_phrase(rng, view, expression.phrase, other_phrases)
    if false_phrase is None:
        return None
    options = wordings(false_phrase)
    false = options[int(rng.integers(len(options)))].text
    return Caption(text, _without_article(rng, false), expression.phrase)


def _sample_false_phrase(
    rng: Generator, view: View, phrase: Phrase, other_phrases: Sequence[Phrase]
) -> Phrase | None:
    """Return a phrase that fits nothing in the view: `phrase` altered, or one of another view."""
    for attempt in range(_TRIES):
        if other_phrases and (rng.random() < _OTHER_VIEW_RATE or attempt >= _TRIES // 2):
            candidate = other_phrases[int(rng.integers(len(other_phrases)))]
        else:
            candidate = altered_phrase(rng, phrase)
        if not meaning(candidate, view).possible:
            return candidate
    return None


def _sample_complements(
    rng: Generator, view: View, phrase: Phrase, target: SeenObject
) -> tuple[str, str] | None:
    """Return a complement that is true of the target, and a false one of the same type."""
    choice = rng.random()
    if choice < 0.8:
        return _attribute_complements(rng, view, phrase, target)
    if choice < 0.9:
        return _side_complements(view, phrase, target)
    return _relation_complements(rng, view, target)


def _attribute_complements(
    rng: Generator, view: View, phrase: Phrase, target: SeenObject
) -> tuple[str, str] | None:
    unnamed = [name for name in _ATTRIBUTES if getattr(phrase.head, name) is None]
    if not unnamed:
        return None
    name = unnamed[int(rng.integers(len(unnamed)))]
    true = getattr(target, name)
    # Hard negatives: attributes of the other objects that fit the description.
    candidates = [item for item in view.objects if fits(phrase.head, item)] or list(view.objects)
    values = [getattr(item, name) for item in candidates if getattr(item, name) != true]
    if not values or rng.random() < 0.25:
        values = [value for value in _ATTRIBUTES[name] if value != true]
    false = values[int(rng.integers(len(values)))]
    if name == 'kind':
        colour = target.colour if phrase.head.colour is None and rng.random() < 0.4 else None
        return _noun_phrase(rng, true, colour), _noun_phrase(rng, false, colour)
    return true, false


def _side_complements(view: View, phrase: Phrase, target: SeenObject) -> tuple[str, str] | None:
    true = [
        place for place in _SIDES if target.id in meaning(Phrase(Description(), place), view).sure
    ]
    if not true or phrase.place in _SIDES:
        return None
    false = _SIDES[1 - _SIDES.index(true[0])]
    return true[0].value, false.value


def _relation_complements(rng: Generator, view: View, target: SeenObject) -> tuple[str, str] | None:
    others = [item for item in view.objects if item.is_referable and item.id != target.id]
    if not others:
        return None
    other = others[int(rng.integers(len(others)))]
    anchor = Description(
        other.kind if rng.random() < 0.8 else None, other.colour if rng.random() < 0.7 else None
    )
    if anchor.is_empty or meaning(Phrase(anchor), view).possible != {other.id}:
        return None
    anchor_text = wordings(Phrase(anchor))[0].text
    true, false = [], []
    for relation in Relation:
        fitting = meaning(Phrase(Description(), relation=relation, anchor=anchor), view)
        if target.id in fitting.sure:
            true.append(relation)
        elif target.id not in fitting.possible:
            false.append(relation)
    if not true or not false:
        return None
    holds, fails = true[int(rng.integers(len(true)))], false[int(rng.integers(len(false)))]
    return f'{holds.value} {anchor_text}', f'{fails.value} {anchor_text}'


def _noun_phrase(rng: Generator, kind: str, colour: str | None) -> str:
    noun = NOUNS[kind][int(rng.integers(len(NOUNS[kind])))]
    return f'a {colour} {noun}' if colour else f'a {noun}'


def _without_article(rng: Generator, text: str) -> str:
    """Drop a leading "the" in half of all draws, since parsed expressions come in both forms."""
    return text.removeprefix('the ') if rng.random() < 0.5 else text
