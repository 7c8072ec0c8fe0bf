"""Random referring expressions about a view, each with its one target, and commands with them."""

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
    """The knowledge that it takes to resolve an expression; ABSENT: the target does not exist."""

    ATTRIBUTES = 'attributes'
    PLACE = 'place'
    RELATION = 'relation'
    ABSENT = 'absent'


@dataclass(frozen=True)
class ReferringExpression:
    """A referring expression and its target.

    wording: the text and the span of its head noun.
    phrase: the logical form of the text.
    stratum: the stratum that the expression was drawn from.
    target: id of the object that is meant, or None if the scene has no such object.
    """

    wording: Wording
    phrase: Phrase
    stratum: Stratum
    target: int | None

    @property
    def text(self) -> str:
        """The words of the expression."""
        return self.wording.text


@dataclass(frozen=True)
class Command:
    """A command that contains a referring expression.

    text: the whole command.
    action_verb: the verb that names the action; one of the words of text.
    expression_span: [start, end) of the expression in text, in characters.
    """

    text: str
    action_verb: str
    expression_span: tuple[int, int]


# Action verb: its imperatives; {x} is the expression.
_IMPERATIVES = {
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
_CARRIER_PHRASES = (
    '{imperative}',
    'please {imperative}',
    '{imperative} please',
    'could you {imperative}',
    'can you please {imperative}',
    'could you please {imperative}',
    'i want you to {imperative}',
    'robot, {imperative}',
    'now {imperative}',
)


def sample_expression(rng: Generator, view: View, stratum: Stratum) -> ReferringExpression | None:
    """Draw an expression that clearly means one referable object, or clearly none (ABSENT).

    Returns None if no expression of the stratum is found within a fixed number of tries.
    """
    for _ in range(_TRIES):
        phrase, target = _draw_phrase(rng, view, stratum)
        if phrase is None:
            continue
        expected = frozenset() if target is None else frozenset({target})
        if meaning(phrase, view) == (expected, expected):
            wording = _choice(rng, wordings(phrase))
            return ReferringExpression(wording, phrase, stratum, target)
    return None


def sample_command(rng: Generator, expression: str) -> Command:
    """Draw a command whose object is `expression`."""
    verb = _choice(rng, list(_IMPERATIVES))
    carrier = _choice(rng, _CARRIER_PHRASES)
    template = carrier.format(imperative=_choice(rng, _IMPERATIVES[verb]))
    start = template.index('{x}')
    return Command(template.replace('{x}', expression), verb, (start, start + len(expression)))


def altered_phrase(rng: Generator, phrase: Phrase) -> Phrase:
    """Return `phrase` with one change: an attribute, the place, the relation, or roles swapped."""
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


def _draw_phrase(rng: Generator, view: View, stratum: Stratum) -> tuple[Phrase | None, int | None]:
    """Return a phrase (None if the draw fails) and the id of the object it is meant for."""
    if stratum is Stratum.ABSENT:
        strata = (Stratum.ATTRIBUTES, Stratum.PLACE, Stratum.RELATION)
        present, _ = _draw_phrase(rng, view, _choice(rng, strata))
        changed = altered_phrase(rng, present) if present else None
        if changed and changed.anchor in (Description(), changed.head):
            return None, None  # such as "the ball behind the ball" or "behind the object"
        return changed, None
    targets = [item for item in view.objects if item.is_referable]
    if not targets:
        return None, None
    target = _choice(rng, targets)
    head = _draw_description(rng, target)
    match stratum:
        case Stratum.ATTRIBUTES:
            phrase = None if head.is_empty else Phrase(head)
        case Stratum.PLACE:
            phrase = _with_place(rng, view, head)
        case _:
            phrase = _with_relation(rng, view, head, target)
    return phrase, target.id


def _draw_description(rng: Generator, item: SeenObject) -> Description:
    """Name the kind in 80 %, the colour in 55 % and the size in 30 % of all draws."""
    return Description(
        item.kind if rng.random() < 0.8 else None,
        item.colour if rng.random() < 0.55 else None,
        item.size if rng.random() < 0.3 else None,
    )


def _with_place(rng: Generator, view: View, head: Description) -> Phrase | None:
    place = _choice(rng, list(Place))
    candidates = meaning(Phrase(head), view).possible
    # A superlative needs at least two candidates.
    return None if place in _SUPERLATIVES and len(candidates) < 2 else Phrase(head, place)


def _with_relation(
    rng: Generator, view: View, head: Description, target: SeenObject
) -> Phrase | None:
    others = [item for item in view.objects if item.is_referable and item.id != target.id]
    if not others:
        return None
    other = _choice(rng, others)
    anchor = _draw_description(rng, other)
    is_named = not anchor.is_empty and anchor != head
    if not is_named or meaning(Phrase(anchor), view).possible != {other.id}:
        return None
    return Phrase(head, relation=_choice(rng, list(Relation)), anchor=anchor)


def _choice(rng: Generator, options: Sequence[_T]) -> _T:
    return options[int(rng.integers(len(options)))]


def _other(rng: Generator, options: Iterable[_T], excluded: _T | None) -> _T:
    return _choice(rng, [option for option in options if option != excluded])
