"""Whether a fixed phrase says in its context what it says elsewhere."""

from spacy.tokens import Doc, Token

from iterprime_ros.language.phrase_draft import is_plural_noun
from iterprime_ros.language.phrase_units import Unit
from iterprime_ros.language.word_lists import (
    ANIMALS,
    BEFORE_TOP,
    CLOTHES,
    COLOURS,
    COORDINATIONS,
    DETERMINERS,
    ONES,
    PARTS,
    PERSON_PRONOUNS,
    PERSONS,
    SIZE_WORDS,
    SPEAKERS_OWN,
    STATES_AFTER_IN,
    STATES_AFTER_ON,
)

_PREPOSITIONS = {'on', 'at', 'to', 'in', 'toward', 'towards', 'all', 'from', 'up'}
_ADJECTIVES_OF_DEPTH = {'back', 'rear', 'front', 'far', 'near'}
_ADJECTIVES_OF_MIDDLE = {'middle', 'center', 'centre', 'central'}
_AFTER_RANK = {'from', 'in', 'to', 'on', 'over', 'left', 'right', 'form'}


def is_person(word: Token | None) -> bool:
    """Return whether a noun or pronoun means a person."""
    return word is not None and word.lower_ in PERSONS | PERSON_PRONOUNS


def keeps_posture(word: Token) -> bool:
    """Return whether sitting or standing tells such objects apart."""
    return is_person(word) or word.lower_ in ANIMALS


def is_location(doc: Doc, unit: Unit) -> bool:
    """Return whether a side or superlative follows its noun, as 'on the left' does."""
    words = [token.lower_ for token in doc[unit.start : unit.end]]
    return words[0] in _PREPOSITIONS or (len(words) > 1 and words[-1] not in _ADJECTIVES_OF_DEPTH)


def is_state(doc: Doc, at: int, last: int) -> bool:
    """Return whether the words after 'in' or 'on' name no place: 'in a red shirt', 'in half'."""
    nouns: list[str] = []
    before = doc[at - 1].lower_
    for token in doc[at : min(last, at + 6)]:
        word = token.lower_
        if word in DETERMINERS | SPEAKERS_OWN | {'his', 'her', 'their', 'its'}:
            continue
        is_nominal = token.pos_ in {'NOUN', 'PROPN', 'ADJ'} or word in COLOURS
        if nouns and not is_nominal and word not in COORDINATIONS | {'-'}:
            break
        nouns.append(word)
    if before == 'on':
        return bool(nouns) and nouns[-1] in STATES_AFTER_ON
    if not nouns:
        return False
    if nouns[0] in STATES_AFTER_IN or any(word in CLOTHES for word in nouns):
        return True
    return all(word in COLOURS | COORDINATIONS | {'light', 'dark', 'bright'} for word in nouns)


def names_several(doc: Doc, at: int, last: int) -> bool:
    """Return whether the next noun phrase is plural, or one of two that 'and' joins."""
    for token in doc[at:last]:
        word = token.lower_
        if is_plural_noun(token) or word in {'two', 'both', 'ones'}:
            return True
        if token.pos_ in {'NOUN', 'PROPN'} and word not in COLOURS:
            after = doc[token.i + 1] if token.i + 1 < last else None
            if after is None or after.pos_ not in {'NOUN', 'PROPN', 'CCONJ'}:
                return False
        if token.pos_ in {'ADP', 'VERB', 'PUNCT'} and word != 'of':
            return False
    return False


def is_of_noun(doc: Doc, unit: Unit, last: int) -> bool:
    """Return whether the words of a side describe the noun of a relation: 'on the top shelf'."""
    at = unit.end
    while at < last and doc[at].lower_ in COLOURS | SIZE_WORDS:
        at += 1
    is_noun_next = at < last and doc[at].pos_ in {'NOUN', 'PROPN'}
    return is_noun_next and doc[unit.start].lower_ in _PREPOSITIONS


def is_side(doc: Doc, unit: Unit, last: int, head: Token | None, in_complement: bool) -> bool:
    """Return whether a side is where the object is."""
    after = doc[unit.end] if unit.end < last else None
    if after is not None and after.lower_ == 'of':
        return False  # 'the top of the stairs'
    if is_location(doc, unit) or unit.end - unit.start > 1:
        return not is_of_noun(doc, unit, last)
    word, before = doc[unit.start].lower_, doc[unit.start - 1] if unit.start else None
    precedes_noun = after is not None and after.pos_ in {'NOUN', 'PROPN', 'ADJ', 'NUM'}
    if in_complement and precedes_noun:
        return False  # 'with the left arm raised'
    if word in {'top', 'bottom'}:
        if after is not None and after.lower_ == 'hat':
            return False
        if before is not None and not precedes_noun:
            return before.lower_ not in BEFORE_TOP and before.pos_ != 'ADJ'
    if word in {'upper', 'lower'}:
        return precedes_noun or (after is not None and after.lower_ in ONES)
    if doc[unit.start].pos_ == 'VERB' and head is not None and after is not None:
        return after.pos_ != 'ADP'  # 'the food left on the plate'
    return True


def is_order(doc: Doc, unit: Unit, first: int, last: int, head: Token | None) -> bool:
    """Return whether a superlative orders the objects that the noun names."""
    after = doc[unit.end] if unit.end < last else None
    before = doc[unit.start - 1] if unit.start > first else None
    word = doc[unit.start].lower_
    is_single = unit.end - unit.start == 1
    if after is not None and after.lower_ == 'than':
        return False
    if is_single and word in _ADJECTIVES_OF_DEPTH:
        if head is not None or after is None or after.lower_ in PARTS | {'of', 'view'}:
            return False
        if word == 'near' and (before is None or before.lower_ not in DETERMINERS):
            return False
        return after.pos_ in {'NOUN', 'PROPN', 'ADJ', 'NUM'} or after.lower_ in ONES
    if is_single and word in _ADJECTIVES_OF_MIDDLE:
        return after is None or after.lower_ not in {'of', 'finger'}
    if not is_single and after is not None:
        if after.lower_ == 'of':
            return False  # 'in the back of the truck'
        if is_of_noun(doc, unit, last):
            return False  # 'in the back room'
        words = [token.lower_ for token in doc[unit.start : unit.end]]
        is_extreme = words[-1] in {'left', 'right', 'top', 'bottom'}
        if after.pos_ in {'NOUN', 'PROPN'} and 'to' in words and not is_extreme:
            return False  # 'closest to the front door'
    return True


def is_rank(doc: Doc, unit: Unit, last: int, head: Token | None) -> bool:
    """Return whether an ordinal counts the objects that the noun names."""
    after = doc[unit.end] if unit.end < last else None
    if after is None:
        return True
    return head is None or after.lower_ in _AFTER_RANK
