"""Parsing of commands with the simulator's own grammar: text to phrase to objects."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from iterprime_ros.sim.grammar import (
    BETWEEN_FORMS,
    COLOUR_CLAUSE,
    EXCLUSION_FORMS,
    NOUNS,
    ORDINAL_FORMS,
    ORDINAL_WORDS,
    PLACE_FORMS,
    PLURAL_FORMS,
    PLURALS,
    RELATION_FORMS,
    RELATION_WORDS,
    SIZE_ORDER_FORMS,
    SIZE_WORDS,
)
from iterprime_ros.sim.logical_form import Description, Ordinal, Phrase, Place, SizeOrder
from iterprime_ros.sim.scene import COLOURS
from iterprime_ros.sim.semantics import Meaning, meaning
from iterprime_ros.sim.view import View

_ENDINGS = ('', 'up', 'please', 'up please')  # what may follow the expression in a command
_KIND_OF = {noun: kind for kind, nouns in NOUNS.items() for noun in nouns}
_KIND_OF_PLURAL = {PLURALS[noun]: kind for noun, kind in _KIND_OF.items()}
_SIZE_OF = {word: size for size, words in SIZE_WORDS.items() for word in words}
_RELATION_OF = {word: relation for relation, words in RELATION_WORDS.items() for word in words}
_RANK_OF = {word: rank for rank, word in ORDINAL_WORDS.items()}
_SIDE_OF = {'left': Place.LEFTMOST, 'right': Place.RIGHTMOST}
_ATTRIBUTE_WORDS = {*_KIND_OF, *_KIND_OF_PLURAL, *COLOURS, *_SIZE_OF}


def command_meaning(command: str, view: View) -> Meaning | None:
    """Return which objects of a view a command means, or None if the grammar cannot parse it."""
    phrase = parsed_phrase(command)
    return meaning(phrase, view) if phrase else None


def parsed_phrase(command: str) -> Phrase | None:
    """Return the phrase in a command, or None if the command names more than the phrase does."""
    words = re.findall('[a-z]+', command.lower())
    for start in range(len(words)):
        if _ATTRIBUTE_WORDS.intersection(words[:start]):
            return None
        text = ' '.join(words[start:])
        for ending in _ENDINGS:
            if f' {text}'.endswith(f' {ending}' if ending else ''):
                phrase = _phrase(text.removesuffix(ending).strip())
                if phrase:
                    return phrase
    return None


def _phrase(text: str) -> Phrase | None:
    """Return the phrase that a text is a wording of, or None."""
    for pattern, build in _PATTERNS:
        match = pattern.fullmatch(text)
        phrase = build(match.groupdict()) if match else None
        if phrase:
            return phrase
    return None


Location = Place | Ordinal | SizeOrder | None
Words = Mapping[str, str]
Builder = Callable[[Words], Phrase | None]


def _patterns() -> list[tuple[re.Pattern[str], Builder]]:
    """Return a pattern for each form of the grammar, and what makes a phrase of its words."""
    forms: list[tuple[str, Builder]] = [
        ('the {head}', _attributes),
        ('{head}', _attributes),
        (COLOUR_CLAUSE, _with_colour),
    ]
    for place, texts in PLACE_FORMS.items():
        forms += [(text, partial(_with_place, place)) for text in texts]
    for order, names in SIZE_ORDER_FORMS.items():
        forms += [(text, partial(_with_place, order)) for text in names]
    forms += [(text, _with_rank) for text in ORDINAL_FORMS]
    forms += [(text, _between) for text in BETWEEN_FORMS]
    forms += [(text, _with_exclusion) for text in EXCLUSION_FORMS]
    forms += [(text, _with_relation) for text in RELATION_FORMS]
    patterns = [(_compiled(text, _KIND_OF), build) for text, build in forms]
    for side, plurals in PLURAL_FORMS.items():
        patterns += [(_compiled(text, _KIND_OF_PLURAL), partial(_plural, side)) for text in plurals]
    return patterns


def _compiled(form: str, nouns: Iterable[str]) -> re.Pattern[str]:
    def noun_phrase(name: str) -> str:
        return (
            f'(?:(?P<{name}_size>{"|".join(_SIZE_OF)}) )?'
            f'(?:(?P<{name}_colour>{"|".join(COLOURS)}) )?'
            f'(?P<{name}_noun>{"|".join(nouns)})'
        )

    pattern = form.format(
        head=noun_phrase('head'),
        first=noun_phrase('first'),
        second=noun_phrase('second'),
        colour=f'(?P<colour>{"|".join(COLOURS)})',
        word=f'(?P<word>{"|".join((*COLOURS, *_SIZE_OF))})',
        rank=f'(?P<rank>{"|".join(_RANK_OF)})',
        side='(?P<side>left|right)',
        relation=f'(?P<relation>{"|".join(_RELATION_OF)})',
        anchor='(?P<anchor>.+)',
    )
    return re.compile(pattern)


def _head(words: Words, name: str = 'head') -> Description:
    """Return the attributes in the groups of a noun phrase, in the singular or the plural."""
    return Description(
        (_KIND_OF | _KIND_OF_PLURAL)[words[f'{name}_noun']],
        words[f'{name}_colour'],
        _SIZE_OF.get(words[f'{name}_size']),
    )


def _attributes(words: Words) -> Phrase | None:
    head = _head(words)
    return None if head.is_empty else Phrase(head)


def _with_colour(words: Words) -> Phrase | None:
    head = _head(words)
    return None if head.colour else Phrase(Description(head.kind, words['colour'], head.size))


def _with_place(place: Location, words: Words) -> Phrase:
    return Phrase(_head(words), place)


def _with_rank(words: Words) -> Phrase:
    return Phrase(_head(words), Ordinal(_SIDE_OF[words['side']], _RANK_OF[words['rank']]))


def _between(words: Words) -> Phrase:
    return Phrase(_head(words), between=(_head(words, 'first'), _head(words, 'second')))


def _with_exclusion(words: Words) -> Phrase:
    word = words['word']
    size = _SIZE_OF.get(word)
    return Phrase(_head(words), excluded=Description(None, None if size else word, size))


def _with_relation(words: Words) -> Phrase | None:
    anchor = _phrase(f'the {words["anchor"]}')
    if anchor is None or anchor.is_plural:
        return None
    is_description = anchor == Phrase(anchor.head)
    return Phrase(
        _head(words),
        relation=_RELATION_OF[words['relation']],
        anchor=anchor.head if is_description else anchor,
    )


def _plural(side: Location, words: Words) -> Phrase | None:
    head = _head(words)
    return None if head.is_empty and side is None else Phrase(head, side, is_plural=True)


_PATTERNS = _patterns()
