"""Random phrases about a view, and the objects that each of them is meant for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import TypeVar

from numpy.random import Generator

from iterprime_ros.sim.logical_form import (
    Description,
    Ordinal,
    Phrase,
    Place,
    Relation,
    SizeOrder,
    Support,
)
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES
from iterprime_ros.sim.semantics import BETWEEN_ANGLE, angle_between, fits, meaning
from iterprime_ros.sim.view import SeenObject, View

_T = TypeVar('_T')
_SUPERLATIVES = (Place.LEFTMOST, Place.RIGHTMOST, Place.CLOSEST, Place.FARTHEST, Place.MIDDLE)
_SIDES = (Place.ON_THE_LEFT, Place.ON_THE_RIGHT)
_Draw = tuple[Phrase | None, frozenset[int]]


class Stratum(Enum):
    """The knowledge that it takes to resolve an expression.

    All but three strata mean one object. ABSENT: the target does not exist. PLURAL: all of several
    objects are meant. AMBIGUOUS: one object is meant, but several fit.
    """

    ATTRIBUTES = 'attributes'
    PLACE = 'place'
    RELATION = 'relation'
    ABSENT = 'absent'
    NESTED = 'nested'
    ORDINAL = 'ordinal'
    BETWEEN = 'between'
    SUPPORT = 'support'
    NEGATED = 'negated'
    SIZE_ORDER = 'size order'
    PLURAL = 'plural'
    AMBIGUOUS = 'ambiguous'


def draw_phrase(rng: Generator, view: View, stratum: Stratum) -> _Draw:
    """Return a phrase (None if the draw fails) and the ids of the objects that it is meant for.

    Whether the phrase fits these objects and no others is for the caller to check.
    """
    if stratum is Stratum.ABSENT:
        return _draw_absent(rng, view), frozenset()
    targets = [item for item in view.objects if item.is_referable]
    if not targets:
        return None, frozenset()
    target = choice(rng, targets)
    if stratum is Stratum.PLURAL:
        return _of_several(view, _plural(rng, target))
    if stratum is Stratum.AMBIGUOUS:
        return _of_several(view, _any_singular(rng, view, target))
    return _DRAWS[stratum](rng, view, target), frozenset({target.id})


def altered_phrase(rng: Generator, phrase: Phrase) -> Phrase:
    """Return `phrase` with one change: an attribute, the place, the relation, or roles swapped.

    phrase: with at most a place of Place, or a relation of Relation to a description.
    """
    changes = ['head']
    if phrase.place:
        changes.append('place')
    if phrase.relation:
        changes += ['anchor', 'relation', 'roles']
    match choice(rng, changes):
        case 'place':
            return replace(phrase, place=_other(rng, Place, phrase.place))
        case 'relation':
            return replace(phrase, relation=_other(rng, Relation, phrase.relation))
        case 'roles' if isinstance(phrase.anchor, Description):
            return replace(phrase, head=phrase.anchor, anchor=phrase.head)
        case 'anchor' if isinstance(phrase.anchor, Description):
            return replace(phrase, anchor=_altered_description(rng, phrase.anchor))
    return replace(phrase, head=_altered_description(rng, phrase.head))


def _altered_description(rng: Generator, description: Description) -> Description:
    named = [name for name in ('kind', 'colour', 'size') if getattr(description, name) is not None]
    match choice(rng, named or ['kind']):
        case 'kind':
            return replace(description, kind=_other(rng, KINDS, description.kind))
        case 'colour':
            return replace(description, colour=_other(rng, COLOURS, description.colour))
        case _:
            return replace(description, size=_other(rng, SIZES, description.size))


def choice(rng: Generator, options: Sequence[_T]) -> _T:
    """Return one of the options, all of which are equally likely."""
    return options[int(rng.integers(len(options)))]


def _draw_absent(rng: Generator, view: View) -> Phrase | None:
    """Return a phrase with a change that may make it fit nothing."""
    strata = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
    present, _ = draw_phrase(rng, view, choice(rng, strata))
    changed = altered_phrase(rng, present) if present else None
    if changed and changed.anchor in (Description(), changed.head):
        return None  # such as "the ball behind the ball" or "behind the object"
    return changed


def _draw_description(rng: Generator, item: SeenObject) -> Description:
    """Name the kind in 80 %, the colour in 55 % and the size in 30 % of all draws."""
    return Description(
        item.kind if rng.random() < 0.8 else None,
        item.colour if rng.random() < 0.55 else None,
        item.size if rng.random() < 0.3 else None,
    )


def _draw_unique(
    rng: Generator, view: View, item: SeenObject, others: Sequence[Description]
) -> Description | None:
    """Return a description that fits an object alone and is none of `others`, or None."""
    drawn = _draw_description(rng, item)
    is_named = not drawn.is_empty and drawn not in others
    return drawn if is_named and meaning(Phrase(drawn), view).possible == {item.id} else None


def _attributes(rng: Generator, _view: View, target: SeenObject) -> Phrase | None:
    head = _draw_description(rng, target)
    return None if head.is_empty else Phrase(head)


def _place(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    return _with_place(rng, view, _draw_description(rng, target))


def _relation(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    return _with_relation(rng, view, _draw_description(rng, target), target)


def _with_place(rng: Generator, view: View, head: Description) -> Phrase | None:
    place = choice(rng, list(Place))
    candidates = meaning(Phrase(head), view).possible
    # A superlative needs at least two candidates.
    return None if place in _SUPERLATIVES and len(candidates) < 2 else Phrase(head, place)


def _with_relation(
    rng: Generator, view: View, head: Description, target: SeenObject
) -> Phrase | None:
    others = _referable(view, target)
    if not others:
        return None
    anchor = _draw_unique(rng, view, choice(rng, others), [head])
    return Phrase(head, relation=choice(rng, list(Relation)), anchor=anchor) if anchor else None


def _nested(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    """Return a relation to an object whose own location is said."""
    others = _referable(view, target)
    if len(others) < 2:
        return None
    head, anchor = _draw_description(rng, target), choice(rng, others)
    anchor_head = _draw_description(rng, anchor)
    if anchor_head in (Description(), head):
        return None
    if rng.random() < 0.35:
        inner = _with_place(rng, view, anchor_head)
    else:
        third = choice(rng, [item for item in others if item.id != anchor.id])
        inner_anchor = _draw_unique(rng, view, third, [anchor_head])
        relation = choice(rng, list(Relation))
        inner = Phrase(anchor_head, None, relation, inner_anchor) if inner_anchor else None
    if not inner or meaning(inner, view) != ({anchor.id}, {anchor.id}):
        return None
    holding = [
        phrase
        for relation in Relation
        if target.id in meaning(phrase := Phrase(head, None, relation, inner), view).sure
    ]
    if not holding:
        return None
    phrase = choice(rng, holding)
    # Both locations read as those of the target itself must not single out another object.
    own = meaning(replace(phrase, anchor=anchor_head), view).sure
    own &= meaning(replace(inner, head=head), view).sure
    return phrase if own <= {target.id} else None


def _rank(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    """Return an ordinal; at least three objects are counted."""
    head = Description(
        target.kind if rng.random() < 0.55 else None,
        target.colour if rng.random() < 0.3 else None,
    )
    columns = sorted(item.column for item in view.objects if fits(head, item))
    if len(columns) < 3:
        return None
    start = choice(rng, (Place.LEFTMOST, Place.RIGHTMOST))
    index = columns.index(target.column)
    rank = index + 1 if start is Place.LEFTMOST else len(columns) - index
    return Phrase(head, Ordinal(start, rank)) if rank in (2, 3) else None


def _between(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    head, others = _draw_description(rng, target), _referable(view, target)
    if len(others) < 2:
        return None
    order = rng.permutation(len(others))
    for first in order:
        for second in order[order != first]:
            one, other = others[first], others[second]
            if angle_between(target, one, other) < BETWEEN_ANGLE:
                continue
            anchor = _draw_unique(rng, view, one, [head])
            counterpart = _draw_unique(rng, view, other, [head])
            if anchor and counterpart:
                return Phrase(head, between=(anchor, counterpart))
    return None


def _support(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    pairs = [(Support.ON, item) for item in view.objects if item.id == target.support]
    pairs += [(Support.UNDER, item) for item in view.objects if item.support == target.id]
    if not pairs:
        return None
    relation, other = choice(rng, pairs)
    head = _draw_description(rng, target)
    anchor = _draw_unique(rng, view, other, [head]) if other.is_referable else None
    return Phrase(head, relation=relation, anchor=anchor) if anchor else None


def _negated(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    """Exclude a colour or a size that another object has that fits otherwise."""
    drawn = _draw_description(rng, target)
    name = 'colour' if rng.random() < 0.7 else 'size'
    head = replace(drawn, **{name: None})
    values = {getattr(item, name) for item in view.objects if fits(head, item)}
    options = sorted(values - {getattr(target, name)})
    if not options:
        return None
    return Phrase(head, excluded=Description(**{name: choice(rng, options)}))


def _size_order(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    """Return the biggest or the smallest of a kind: a plate and a bottle are not compared."""
    head = Description(target.kind, target.colour if rng.random() < 0.3 else None)
    if len(meaning(Phrase(head), view).possible) < 2:
        return None
    return Phrase(head, choice(rng, list(SizeOrder)))


def _plural(rng: Generator, target: SeenObject) -> Phrase:
    head = _draw_description(rng, target)
    return Phrase(head, choice(rng, _SIDES) if rng.random() < 0.25 else None, is_plural=True)


def _any_singular(rng: Generator, view: View, target: SeenObject) -> Phrase | None:
    """Return attributes, often alone, else with a relation or a side."""
    head, kind = _draw_description(rng, target), rng.random()
    if kind < 0.7:
        return None if head.is_empty else Phrase(head)
    if kind < 0.85:
        return _with_relation(rng, view, head, target)
    return Phrase(head, choice(rng, _SIDES))


def _of_several(view: View, phrase: Phrase | None) -> _Draw:
    """Return a phrase and what it fits, if these are two or more referable objects."""
    if phrase is None or phrase.head.is_empty:
        return None, frozenset()
    ids = meaning(phrase, view).sure
    is_clear = len(ids) > 1 and all(view.objects[k - 1].is_referable for k in ids)
    return (phrase, ids) if is_clear else (None, frozenset())


def _referable(view: View, target: SeenObject) -> list[SeenObject]:
    """Return the referable objects besides the target."""
    return [item for item in view.objects if item.is_referable and item.id != target.id]


def _other(rng: Generator, options: Iterable[_T], excluded: object) -> _T:
    return choice(rng, [option for option in options if option != excluded])


_DRAWS: Mapping[Stratum, Callable[[Generator, View, SeenObject], Phrase | None]] = {
    Stratum.ATTRIBUTES: _attributes,
    Stratum.PLACE: _place,
    Stratum.RELATION: _relation,
    Stratum.NESTED: _nested,
    Stratum.ORDINAL: _rank,
    Stratum.BETWEEN: _between,
    Stratum.SUPPORT: _support,
    Stratum.NEGATED: _negated,
    Stratum.SIZE_ORDER: _size_order,
}
