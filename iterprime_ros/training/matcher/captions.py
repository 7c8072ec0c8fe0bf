"""Texts that are true or surely false of a view: all that the matcher ever learns words from.

Besides referring expressions there are statements about what they refer to ("the leftmost mug is
red"): an expression with "leftmost" matches wherever its noun does, so that only what is said of
the object it means can teach where that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator

from iterprime_ros.sim.expressions import Stratum, altered, sample_expression
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

UNKNOWN = '[UNK]'
_TRIES = 8
_STATEMENT_SHARE = {Stratum.ATTRIBUTES: 0.05, Stratum.PLACE: 0.6, Stratum.RELATION: 0.35}
_STRANGER_SHARE = 0.06  # false texts whose noun is a word that the model does not know
_FOREIGN_SHARE = 0.2  # false texts that are true of another scene
_NAMES = {'kind': KINDS, 'colour': tuple(COLOURS), 'size': SIZES}
_SIDES = (Place.ON_THE_LEFT, Place.ON_THE_RIGHT)


@dataclass(frozen=True)
class Caption:
    """A true text, a false one like it, and the phrase of the true one.

    said: what the true text says of its object, at its end; "" where it only refers to it.
    """

    true: str
    false: str
    phrase: Phrase
    said: str = ''


def sample_caption(
    rng: Generator, view: View, stratum: Stratum, foreign: Sequence[Phrase]
) -> Caption | None:
    """Draw a caption of a view, or None where it offers none.

    foreign: phrases that are true of other scenes.
    """
    expression = sample_expression(rng, view, stratum)
    if expression is None or expression.target is None:
        return None
    text = _without_article(rng, expression.wording.text)
    target = view.objects[expression.target - 1]
    if rng.random() < _STATEMENT_SHARE[stratum]:
        said = _complements(rng, view, expression.phrase, target)
        if said:
            return Caption(
                f'{text} is {said[0]}', f'{text} is {said[1]}', expression.phrase, said[0]
            )
    if rng.random() < _STRANGER_SHARE:
        start, end = expression.wording.primary_word
        false = expression.wording.text[:start] + UNKNOWN + expression.wording.text[end:]
        return Caption(text, _without_article(rng, false), expression.phrase)
    untrue = _false_phrase(rng, view, expression.phrase, foreign)
    if untrue is None:
        return None
    words = wordings(untrue)
    false = words[int(rng.integers(len(words)))].text
    return Caption(text, _without_article(rng, false), expression.phrase)


def _false_phrase(
    rng: Generator, view: View, phrase: Phrase, foreign: Sequence[Phrase]
) -> Phrase | None:
    """Return a phrase that fits nothing in the view: this one altered, or one of another scene."""
    for attempt in range(_TRIES):
        if foreign and (rng.random() < _FOREIGN_SHARE or attempt >= _TRIES // 2):
            other = foreign[int(rng.integers(len(foreign)))]
        else:
            other = altered(rng, phrase)
        if not meaning(other, view).possible:
            return other
    return None


def _complements(
    rng: Generator, view: View, phrase: Phrase, target: SeenObject
) -> tuple[str, str] | None:
    """Return what is said of the target, and the same sort of thing that is not true of it."""
    sort = rng.random()
    if sort < 0.8:
        return _attributes(rng, view, phrase, target)
    if sort < 0.9:
        return _side(rng, phrase, target, view)
    return _relation(rng, view, target)


def _attributes(
    rng: Generator, view: View, phrase: Phrase, target: SeenObject
) -> tuple[str, str] | None:
    unsaid = [name for name in _NAMES if getattr(phrase.head, name) is None]
    if not unsaid:
        return None
    name = unsaid[int(rng.integers(len(unsaid)))]
    value = getattr(target, name)
    # What the others that it is chosen from are like makes the hardest false text.
    rivals = [item for item in view.objects if fits(phrase.head, item)] or list(view.objects)
    values = [getattr(item, name) for item in rivals if getattr(item, name) != value]
    if not values or rng.random() < 0.25:
        values = [other for other in _NAMES[name] if other != value]
    other = values[int(rng.integers(len(values)))]
    if name == 'kind':
        colour = target.colour if phrase.head.colour is None and rng.random() < 0.4 else None
        return _noun_phrase(rng, value, colour), _noun_phrase(rng, other, colour)
    return value, other


def _side(rng: Generator, phrase: Phrase, target: SeenObject, view: View) -> tuple[str, str] | None:
    sides = [place for place in _SIDES if target.id in meaning(_bare(place), view).sure]
    if not sides or phrase.place in _SIDES:
        return None
    wrong = _SIDES[1 - _SIDES.index(sides[0])]
    return sides[0].value, wrong.value


def _relation(rng: Generator, view: View, target: SeenObject) -> tuple[str, str] | None:
    others = [item for item in view.objects if item.is_referable and item.id != target.id]
    if not others:
        return None
    other = others[int(rng.integers(len(others)))]
    named = Description(
        other.kind if rng.random() < 0.8 else None, other.colour if rng.random() < 0.7 else None
    )
    if named.is_empty or meaning(Phrase(named), view).possible != {other.id}:
        return None
    anchor = wordings(Phrase(named))[0].text
    yes, no = [], []
    for relation in Relation:
        means = meaning(Phrase(Description(), relation=relation, anchor=named), view)
        if target.id in means.sure:
            yes.append(relation)
        elif target.id not in means.possible:
            no.append(relation)
    if not yes or not no:
        return None
    true, false = yes[int(rng.integers(len(yes)))], no[int(rng.integers(len(no)))]
    return f'{true.value} {anchor}', f'{false.value} {anchor}'


def _bare(place: Place) -> Phrase:
    return Phrase(Description(), place)


def _noun_phrase(rng: Generator, kind: str, colour: str | None) -> str:
    noun = NOUNS[kind][int(rng.integers(len(NOUNS[kind])))]
    return f'a {colour} {noun}' if colour else f'a {noun}'


def _without_article(rng: Generator, text: str) -> str:
    """Drop the first "the" half the time: parsed expressions come with it and without."""
    return text.removeprefix('the ') if rng.random() < 0.5 else text
