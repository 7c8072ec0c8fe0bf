"""The rules of quantities, predicates and negations; see phrase_reader.Rule."""

from spacy.tokens import Token

from iterprime_ros.language.location_rules import read_relation, read_side
from iterprime_ros.language.phrase_contexts import is_location, keeps_posture, names_several
from iterprime_ros.language.phrase_draft import Draft, Exclusion
from iterprime_ros.language.phrase_patterns import Kind, Quantity
from iterprime_ros.language.phrase_reader import PhraseReader
from iterprime_ros.language.phrase_units import Unit
from iterprime_ros.language.word_lists import (
    ALTERNATIVES,
    COLOURS,
    DETERMINERS,
    ONES,
    SIZE_WORDS,
    SPEAKERS_OWN,
)


def read_quantity(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read how many objects are meant."""
    if draft.words:
        return None
    quantity: Quantity = unit.value
    if quantity.count and not names_several(reader.doc, unit.end, reader.last):
        return None
    before = draft.quantity
    # The later one counts in 'all three mugs', the earlier one in 'one of the two mugs'.
    if before is None or not quantity.is_plural or (before.is_plural and before.count is None):
        draft.quantity = quantity
    return unit.end


def read_copula(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read 'that is' with an adjective; what else follows is read by itself."""
    if unit.end - unit.start == 1 and draft.head is None:
        return None
    draft.complement = None
    at = unit.end
    inner = reader.after_determiners(at)
    if at >= reader.last or reader.turns(at) or _is_ordered(reader, inner):
        return at
    run = reader.run(at)
    said = [word for word in run if word.lower_ not in DETERMINERS and not word.is_punct]
    if not _is_adjective(reader, said, at + len(run)):
        return at
    # 'small and red' are two attributes, 'black and white' is one.
    are_colours = sum(word.lower_ in COLOURS for word in said) > 1
    draft.predicates += [word for word in said if are_colours or word.pos_ != 'CCONJ']
    return at + len(run)


def _is_ordered(reader: PhraseReader, at: int) -> bool:
    """Return whether 'that is' precedes a superlative or an ordinal: 'the smallest'."""
    kinds = {Kind.ORDER, Kind.ANCHORED_ORDER, Kind.RANK, Kind.SIDE}
    return any(unit.kind in kinds for unit in reader.units(at))


def _is_adjective(reader: PhraseReader, words: list[Token], after: int) -> bool:
    if len(words) == 1:
        is_verb = words[0].pos_ == 'VERB' and reader.turns(after)
        return not words[0].lower_.endswith('ing') and not is_verb
    return bool(words) and all(
        word.pos_ in {'ADJ', 'ADV', 'CCONJ'} or word.lower_ in COLOURS | SIZE_WORDS
        for word in words
    )


def read_posture(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read a verb that says no more than the location after it."""
    draft.complement = None
    if draft.head is None or not reader.turns(unit.end):
        return None
    if keeps_posture(draft.head):
        draft.words.append(reader.doc[unit.start])
    return unit.end


def read_negation(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read what must not be true of the object."""
    draft.complement = None
    at = unit.end
    if at >= reader.last:
        return at
    after = _read_negated_location(reader, draft, _after_one(reader, at))
    if after is not None:
        return after
    run = reader.run(at)
    for part in _alternatives(run):
        words = [word for word in part if word.lower_ not in DETERMINERS | SPEAKERS_OWN]
        if words:
            first = words[0].lower_
            is_added = first in {'with', 'in'} or first.endswith('ing')
            draft.exclusions.append(Exclusion(words, '' if is_added else None))
    return at + len(run)


def _after_one(reader: PhraseReader, at: int) -> int:
    """Skip 'the one' where a location follows."""
    end = reader.after_determiners(at)
    if reader.word(end) not in ONES or not reader.turns(end + 1):
        return at
    copulas = [unit for unit in reader.units(end + 1) if unit.kind is Kind.COPULA]
    return copulas[0].end if copulas else end + 1


def _read_negated_location(reader: PhraseReader, draft: Draft, at: int) -> int | None:
    for unit in reader.units(at):
        after = None
        match unit.kind:
            case Kind.RELATION:
                after = read_relation(reader, draft, unit, is_negated=True)
            case Kind.SIDE if is_location(reader.doc, unit):
                after = read_side(reader, draft, unit, is_negated=True)
            case Kind.POSTURE:
                after = _read_negated_location(reader, draft, unit.end)
        if after is not None:
            return after
    return None


def read_exception(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read what 'except' leaves out."""
    is_but = unit.end - unit.start == 1 and reader.word(unit.start) == 'but'
    if draft.head is None or (is_but and not reader.is_determiner(unit.end)):
        return None
    return read_negation(reader, draft, unit)


def read_absence(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read what the object is without."""
    if not draft.words or unit.end >= reader.last:
        return None
    run = reader.run(unit.end)
    words = [word for word in run if word.lower_ not in DETERMINERS]
    draft.exclusions += [Exclusion(part, 'with') for part in _alternatives(words)]
    return unit.end + len(run)


def read_filler(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Skip words that say nothing about the object."""
    del reader, draft
    return unit.end


def _alternatives(words: list[Token]) -> list[list[Token]]:
    """Split words at 'or', 'nor', 'and' and commas."""
    parts: list[list[Token]] = [[]]
    for word in words:
        if word.lower_ in ALTERNATIVES:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
