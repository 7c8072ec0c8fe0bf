"""The simulator's phrases as logical forms of the language package, and which objects they fit."""

import numpy as np

from iterprime_ros.language.phrase import (
    NounPhrase,
    Order,
    Relation,
    RelationConstraint,
    Side,
    SideConstraint,
    Superlative,
)
from iterprime_ros.sim.logical_form import Description, Ordinal, Phrase
from iterprime_ros.sim.semantics import fits

_NOWHERE = (0, 0)


def noun_phrase_of(phrase):
    """Return the noun phrase of a simulator's phrase or description, with empty spans."""
    if isinstance(phrase, Description):
        phrase = Phrase(phrase)
    constraints = {}
    if phrase.place:
        constraints |= _place(phrase.place)
    if phrase.relation:
        anchors = (noun_phrase_of(phrase.anchor),)
        relation = Relation(phrase.relation.value)
        constraints['relations'] = (RelationConstraint(relation, _NOWHERE, anchors),)
    if phrase.between:
        anchors = tuple(noun_phrase_of(each) for each in phrase.between)
        constraints['relations'] = (RelationConstraint(Relation.BETWEEN, _NOWHERE, anchors),)
    excluded = (text_of(phrase.excluded),) if phrase.excluded else ()
    return NounPhrase(
        text_of(phrase.head),
        _NOWHERE,
        None,
        excluded=excluded,
        is_plural=phrase.is_plural,
        **constraints,
    )


def text_of(description):
    """Return a text that a matcher could be asked."""
    words = description.size, description.colour, description.kind or 'object'
    return ' '.join(filter(None, words))


def perfect_match(objects):
    """Return what a matcher that is always right says of objects of a view."""

    def match(text):
        *adjectives, kind = text.split()
        size = next((word for word in adjectives if word in ('small', 'large')), None)
        colour = next((word for word in adjectives if word != size), None)
        description = Description(None if kind == 'object' else kind, colour, size)
        return np.array([float(fits(description, item)) for item in objects])

    return match


def _place(place):
    if isinstance(place, Ordinal):
        order = Order(place.start.value)
        return {'superlatives': (Superlative(order, _NOWHERE, place.rank),)}
    if place.value in [side.value for side in Side]:
        return {'sides': (SideConstraint(Side(place.value), _NOWHERE),)}
    return {'superlatives': (Superlative(Order(place.value), _NOWHERE),)}
