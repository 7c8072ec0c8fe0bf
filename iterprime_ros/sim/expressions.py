"""Referring expressions about a view, each with the object it means; commands round them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from numpy.random import Generator

from iterprime_ros.sim.grammar import (
    Description,
    Phrase,
    Place,
    Relation,
    Wording,
    wordings,
)
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES
from iterprime_ros.sim.semantics import meaning
from iterprime_ros.sim.view import SeenObject, View

_T = TypeVar('_T')
_TRIES = 40
_SUPERLATIVES = (Place.LEFTMOST, Place.RIGHTMOST, Place.CLOSEST, Place.FARTHEST, Place.MIDDLE)


class Stratum(Enum):
    """What an expression takes to be understood."""

    ATTRIBUTES = 'attributes'
    PLACE = 'place'
    RELATION = 'relation'
    ABSENT = 'absent'


@dataclass(frozen=True)
class ReferringExpression:
    """Words, the phrase they say, and the id of the one object meant (None: there is none)."""

    wording: Wording
    phrase: Phrase
    stratum: Stratum
    target: int | None

    @property
    def text(self) -> str:
        """The words."""
        return self.wording.text


@dataclass(frozen=True)
class Command:
    """An order about an expression; [start, end) is where the expression stands in text."""

    text: str
    action_verb: str
    expression: tuple[int, int]


_ORDERS = {
    'pick': ('pick up {x}', 'pick {x} up'),
    'grab': ('grab {x}',),
    'take': ('take {x}',),
    'get': ('get {x}', 'get me {x}'),
    'bring': ('bring me {x}',),
    'give': ('give me {x}',),
    'hand': ('hand me {x}', 'hand over {x}'),
    'pass': ('pass me {x}',),
    'fetch': ('fetch {x}',),
    'find': ('find {x}',),
    'show': ('show me {x}',),
    'point': ('point at {x}', 'point to {x}'),
    'look': ('look at {x}',),
    'touch': ('touch {x}',),
    'lift': ('lift {x}',),
    'push': ('push {x}',),
    'move': ('move {x}', 'move to {x}'),
}
_MANNERS = (
    '{order}',
    'please {order}',
    '{order} please',
    'could you {order}',
    'can you please {order}',
    'could you please {order}',
    'i want you to {order}',
    'robot, {order}',
    'now {order}',
)


def sample_expression(rng: Generator, view: View, stratum: Stratum) -> ReferringExpression | None:
    """Draw an expression that surely means one well seen object of the view, or surely nothing.

    Returns None when the view offers none of that stratum within a bounded number of tries.
    """
    for _ in range(_TRIES):
        phrase, target = _propose(rng, view, stratum)
        if phrase is None:
            continue
        wanted = frozenset() if target is None else frozenset({target})
        if meaning(phrase, view) == (wanted, wanted):
            wording = _choice(rng, wordings(phrase))
            return ReferringExpression(wording, phrase, stratum, target)
    return None


def sample_command(rng: Generator, expression: str) -> Command:
    """Draw an order whose object is `expression`."""
    verb = _choice(rng, list(_ORDERS))
    order = _choice(rng, _MANNERS).format(order=_choice(rng, _ORDERS[verb]))
    start = order.index('{x}')
    return Command(order.replace('{x}', expression), verb, (start, start + len(expression)))


def altered(rng: Generator, phrase: Phrase) -> Phrase:
    """Return `phrase` with an attribute, the place, the relation or the roles changed."""
    changes = ['head']
    if phrase.place:
        changes.append('place')
    if phrase.relation:
        changes += ['anchor', 'relation', 'roles']
    match _choice(rng, changes):
        case 'place':
            return replace(phrase, place=_other(rng, Place, phrase.place))
        case 'relation':
            return replace(phrase, relation=_other(rng, Relation, phrase.relation))
        case 'roles' if phrase.anchor:
            return replace(phrase, head=phrase.anchor, anchor=phrase.head)
        case 'anchor' if phrase.anchor:
            return replace(phrase, anchor=_altered_description(rng, phrase.anchor))
    return replace(phrase, head=_altered_description(rng, phrase.head))


def _altered_description(rng: Generator, description: Description) -> Description:
    named = [name for name in ('kind', 'colour', 'size') if getattr(description, name) is not None]
    match _choice(rng, named or ['kind']):
        case 'kind':
            return replace(description, kind=_other(rng, KINDS, description.kind))
        case 'colour':
            return replace(description, colour=_other(rng, COLOURS, description.colour))
        case _:
            return replace(description, size=_other(rng, SIZES, description.size))


def _propose(rng: Generator, view: View, stratum: Stratum) -> tuple[Phrase | None, int | None]:
    """Return a phrase and the id it may mean; None for the phrase where the draw led nowhere."""
    if stratum is Stratum.ABSENT:
        kinds = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
        present, _ = _propose(rng, view, _choice(rng, kinds))
        changed = altered(rng, present) if present else None
        if changed and changed.anchor in (Description(), changed.head):
            return None, None  # nobody says "the ball behind the ball" or "behind the object"
        return changed, None
    targets = [item for item in view.objects if item.is_referable]
    if not targets:
        return None, None
    target = _choice(rng, targets)
    head = _describe(rng, target)
    match stratum:
        case Stratum.ATTRIBUTES:
            phrase = None if head.is_empty else Phrase(head)
        case Stratum.PLACE:
            phrase = _place(rng, view, head)
        case _:
            phrase = _relate(rng, view, head, target)
    return phrase, target.id


def _describe(rng: Generator, item: SeenObject) -> Description:
    """Name some attributes: the kind mostly, the colour often, the size at times."""
    return Description(
        item.kind if rng.random() < 0.8 else None,
        item.colour if rng.random() < 0.55 else None,
        item.size if rng.random() < 0.3 else None,
    )


def _place(rng: Generator, view: View, head: Description) -> Phrase | None:
    place = _choice(rng, list(Place))
    rivals = meaning(Phrase(head), view).possible
    # Nobody says "the leftmost mug" of the only mug.
    return None if place in _SUPERLATIVES and len(rivals) < 2 else Phrase(head, place)


def _relate(rng: Generator, view: View, head: Description, target: SeenObject) -> Phrase | None:
    others = [item for item in view.objects if item.is_referable and item.id != target.id]
    if not others:
        return None
    other = _choice(rng, others)
    anchor = _describe(rng, other)
    named = not anchor.is_empty and anchor != head
    if not named or meaning(Phrase(anchor), view).possible != {other.id}:
        return None
    return Phrase(head, relation=_choice(rng, list(Relation)), anchor=anchor)


def _choice(rng: Generator, options: Sequence[_T]) -> _T:
    return options[int(rng.integers(len(options)))]


def _other(rng: Generator, options: Iterable[_T], this: _T | None) -> _T:
    return _choice(rng, [option for option in options if option != this])
