"""The rules of quantities, predicates and negations; see phrase_reader.Rule."""

from spacy.tokens import Token

from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.language.location_rules import read_relation, read_side
from iterprime_ros.language.phrase_contexts import is_location, keeps_posture, names_several
from iterprime_ros.language.phrase_draft import Draft, Exclusion
from iterprime_ros.language.phrase_patterns import Kind, Quantity
from iterprime_ros.language.phrase_reader import PhraseReader
from iterprime_ros.language.phrase_units import Unit
from iterprime_ros.language.word_lists import (
    ALTERNATIVES,
    CLOTHES,
    COLOURS,
    DETERMINERS,
    DIRECTED_VERBS,
    NUMBERS,
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
    is_pair = 'pair' in {reader.word(each) for each in range(unit.start, unit.end)}
    if is_pair and any(word.lower_ in CLOTHES for word in reader.run(unit.end)):
        return None  # 'a pair of glasses' is one thing
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
    if unit.end - unit.start == 1 and reader.word(unit.start) == 'neither':
        said = {reader.word(each) for each in range(at, reader.last)}
        if not said & {'nor', 'or'}:
            return None
    while at < reader.last:
        at = _read_negated(reader, draft, at)
        following = reader.after_alternative(at)
        if following is None and reader.word(at) == 'nor':
            following = at + 1
        if following is None:
            break
        at = following
    return at


def _read_negated(reader: PhraseReader, draft: Draft, at: int) -> int:
    after = _read_negated_location(reader, draft, _after_one(reader, at))
    if after is None:
        after = _read_negated_side(reader, draft, at)
    if after is not None:
        return after
    run = reader.run(at)
    _refuse_order(reader, run)
    for part in _alternatives(run):
        words = [word for word in part if word.lower_ not in DETERMINERS | SPEAKERS_OWN]
        if words:
            first = words[0].lower_
            is_added = first in {'with', 'in'} or first.endswith('ing')
            draft.exclusions.append(Exclusion(words, '' if is_added else None))
    return at + len(run)


def _read_negated_side(reader: PhraseReader, draft: Draft, at: int) -> int | None:
    """Read 'the left one'."""
    for unit in reader.units(reader.after_determiners(at)):
        is_one = reader.word(unit.end) in ONES
        if unit.kind is Kind.SIDE and len(unit.value) == 1 and (is_one or unit.end == reader.last):
            after = read_side(reader, draft, unit, is_negated=True)
            return after if after is None else after + is_one
    return None


def _refuse_order(reader: PhraseReader, run: list[Token]) -> None:
    """Raise InvalidCommandError where excluded words compare, count or place objects."""
    kinds = {Kind.ORDER, Kind.ANCHORED_ORDER, Kind.RANK, Kind.START, Kind.SIDE}
    last = run[-1].i + 1 if run else 0
    is_order = any(
        unit.kind in kinds
        and reader.word(unit.end) != 'than'
        and reader.word(unit.start - 1) not in DIRECTED_VERBS
        for word in run
        for unit in reader.units(word.i)
    )
    # 'closest to the plate' reaches beyond the run
    is_followed = any(unit.kind in kinds - {Kind.SIDE} for unit in reader.units(last))
    said = [word.lower_ for word in run if word.lower_ not in DETERMINERS]
    is_one = bool(run) and run[0].lower_ == 'one'
    is_number = is_one or (said[:1] and said[0] in NUMBERS and '-' not in said)
    if is_order or is_followed or is_number:
        raise InvalidCommandError(
            'Objects cannot be left out by a superlative, an ordinal, a number or a side yet: '
            'say which ones are meant.'
        )


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
    """Read what 'except' leaves out.

    Raises InvalidCommandError where it cannot be told, since the objects that are left out must
    not be the answer.
    """
    is_but = reader.word(unit.start) == 'but'
    if is_but and unit.end - unit.start == 1 and not _is_exception(reader, draft, unit.end):
        return None
    if draft.head is None:
        if is_but and draft.quantity is None and not draft.words:
            return None  # 'but not the red one'
        raise InvalidCommandError(
            'What an exception is from is not said: name it before the exception, '
            'as in "all mugs except the red one".'
        )
    texts, places = len(draft.exclusions), len(draft.sides) + len(draft.relations)
    after = read_negation(reader, draft, unit)
    is_text = len(draft.exclusions) > texts
    is_place = len(draft.sides) + len(draft.relations) > places
    if after is None or not (is_text or is_place):
        raise InvalidCommandError('What an exception leaves out is not said: name it.')
    if is_text and reader.turns(after):
        raise InvalidCommandError(
            'An exception with both a noun and a place cannot be answered yet: '
            'say which objects are meant.'
        )
    return after


def _is_exception(reader: PhraseReader, draft: Draft, at: int) -> bool:
    """Return whether 'but' leaves something out, rather than joining: 'small but heavy'."""
    if reader.is_determiner(at):
        return bool(draft.words) or draft.quantity is not None
    kinds = {Kind.ORDER, Kind.ANCHORED_ORDER, Kind.RANK, Kind.QUANTITY}
    is_counted = reader.word(at) in ONES or any(unit.kind in kinds for unit in reader.units(at))
    if draft.head is None:
        return draft.quantity is not None and not draft.words
    is_general = draft.quantity is not None and not reader.turns(at)
    return is_counted or is_general


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
