"""Noun phrases and their constraints in English."""

import re
from collections.abc import Sequence

from iterprime_ros.language.phrase import (
    NounPhrase,
    Order,
    RelationConstraint,
    SideConstraint,
    Superlative,
)
from iterprime_ros.language.word_lists import NUMBERS

Constraint = SideConstraint | RelationConstraint | Superlative

_NUMBERS = ['no', 'one', *NUMBERS]
_ORDINALS = ['zeroth', 'first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth']
_IRREGULAR = {
    'person': 'people',
    'child': 'children',
    'foot': 'feet',
    'mouse': 'mice',
    'loaf': 'loaves',
    'leaf': 'leaves',
    'tomato': 'tomatoes',
    'potato': 'potatoes',
}
_ENDINGS = (  # the first that matches; what has only a plural stays
    (r'(scissors|glasses|trousers|pliers|sheep)$', r'\1'),
    (r'man$', 'men'),
    (r'(kni|shel)(fe|f)$', r'\1ves'),
    (r'(s|x|z|ch|sh)$', r'\1es'),
    (r'([^aeiou])y$', r'\1ies'),
    (r'$', 's'),
)
_MODIFIERS = {
    'with',
    'without',
    'of',
    'in',
    'on',
    'at',
    'from',
    'for',
    'to',
    'that',
    'which',
    'who',
}
_WITH_AN = re.compile(r'(?!uni|use|usu|eu|one\b|once\b)[aeiou]|hour|honest|heir', re.IGNORECASE)
_COUNTED_FROM = {
    Order.LEFTMOST: 'left',
    Order.RIGHTMOST: 'right',
    Order.TOPMOST: 'top',
    Order.BOTTOMMOST: 'bottom',
}


def number_word(count: int) -> str:
    """Return a count in words up to twelve, in digits beyond."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def plural(text: str) -> str:
    """Return the plural of a noun phrase without article: 'red mug with a lid', 'red mugs with...'.

    See noun_of for what is its noun.
    """
    words = text.split()
    if not words:
        return text
    head = _noun_index(words)
    words[head] = _plural_noun(words[head])
    return ' '.join(words)


def noun_of(text: str) -> str:
    """Return the noun of a noun phrase: its last word before a preposition or relative pronoun."""
    words = text.split()
    return words[_noun_index(words)] if words else ''


def _noun_index(words: Sequence[str]) -> int:
    inner = [k for k, word in enumerate(words) if k and word.lower() in _MODIFIERS]
    return (inner[0] if inner else len(words)) - 1


def indefinite(text: str) -> str:
    """Return a noun phrase with its article: 'a red mug', 'an orange'."""
    return f'an {text}' if _WITH_AN.match(text) else f'a {text}'


def constraint_words(constraint: Constraint) -> str:
    """Return a constraint as it follows "is": 'left of a plate', 'on the left', 'the leftmost'."""
    negation = 'not ' if getattr(constraint, 'is_negated', False) else ''
    match constraint:
        case SideConstraint():
            return f'{negation}{constraint.side.value}'
        case Superlative():
            return _superlative_words(constraint)
        case RelationConstraint():
            return f'{negation}{constraint.relation.value} {_anchor_words(constraint)}'


def described(phrase: NounPhrase) -> str:
    """Return a noun phrase with its constraints and without article."""
    before, after = list[str](), list[str]()
    for each in phrase.superlatives:
        if each.anchor or (each.rank > 1 and each.order in _COUNTED_FROM):
            after.append(_superlative_words(each).removeprefix('the '))
        else:
            before.append(superlative_name(each))
    constraints: tuple[Constraint, ...] = (*phrase.sides, *phrase.relations)
    after += [constraint_words(each) for each in constraints]
    return ' '.join([*before, phrase.text, *after])


def _anchor_words(constraint: RelationConstraint) -> str:
    anchors = constraint.anchors
    if len(anchors) == 2 and anchors[0] == anchors[1]:
        return f'two {plural(anchors[0].text)}'
    return ' and '.join(with_article(anchor) for anchor in anchors)


def with_article(phrase: NounPhrase) -> str:
    """Return a noun phrase with its constraints and its article."""
    words = described(phrase)
    if phrase.is_plural:
        return f'all the {plural(words)}'
    return f'the {words}' if phrase.superlatives else indefinite(words)


def superlative_name(superlative: Superlative) -> str:
    """Return a superlative or ordinal without article and anchor: 'leftmost', 'second biggest'."""
    order, rank = superlative.order, superlative.rank
    if rank == 1:
        return order.value
    if order in _COUNTED_FROM:
        return f'{_ordinal(rank)} from the {_COUNTED_FROM[order]}'
    return f'{_ordinal(rank)} {order.value}'


def _superlative_words(superlative: Superlative) -> str:
    words = f'the {superlative_name(superlative)}'
    if superlative.order is Order.MIDDLE:
        words = 'in the middle'
    if superlative.anchor:
        join = 'from' if superlative.order is Order.FARTHEST else 'to'
        words += f' {join} {with_article(superlative.anchor)}'
    return words


def _ordinal(rank: int) -> str:
    if rank < len(_ORDINALS):
        return _ORDINALS[rank]
    ending = (
        'th' if rank % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th')
    )
    return f'{rank}{ending}'


def _plural_noun(noun: str) -> str:
    if noun.lower() in _IRREGULAR:
        return _IRREGULAR[noun.lower()]
    for ending, replacement in _ENDINGS:
        if re.search(ending, noun):
            return re.sub(ending, replacement, noun, count=1)
    return noun
