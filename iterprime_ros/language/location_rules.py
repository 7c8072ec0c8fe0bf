"""The rules of relations, sides, superlatives and ordinals; see phrase_reader.Rule."""

from dataclasses import replace

from iterprime_ros.language.phrase import (
    Order,
    Relation,
    RelationConstraint,
    Side,
    SideConstraint,
    Superlative,
)
from iterprime_ros.language.phrase_contexts import (
    is_order,
    is_rank,
    is_side,
    is_state,
    names_several,
)
from iterprime_ros.language.phrase_draft import Draft, finished
from iterprime_ros.language.phrase_patterns import Quantity
from iterprime_ros.language.phrase_reader import PhraseReader
from iterprime_ros.language.phrase_units import Unit
from iterprime_ros.language.word_lists import COLOURS, COORDINATIONS, DIRECTED_VERBS, ONES

# Relations that may as well belong to a complement: 'with magnets on the door'.
_LOOSE = {Relation.ON, Relation.IN, Relation.UNDER, Relation.ABOVE}
_CAMERA = {'camera', 'me', 'us', 'you', 'viewer', 'robot', 'front', 'back', 'rear'}


def read_relation(
    reader: PhraseReader, draft: Draft, unit: Unit, is_negated: bool = False
) -> int | None:
    """Read a relation and its anchors."""
    if not _is_relation(reader, unit):
        return None
    relation: Relation = unit.value
    if draft.complement is not None and relation in _LOOSE:
        governor = reader.governor(unit)
        if governor is not None and draft.complement.i < governor < unit.start:
            draft.words += reader.doc[unit.start : unit.end]
            return unit.end
    span, at = draft.span(unit.start, unit.end), unit.end
    if relation is Relation.BETWEEN:
        anchors, at = _two_anchors(reader, at)
        found = [anchors]
    else:
        reader.negations += is_negated
        anchor, at = reader.noun_phrase(at)
        found = [[anchor]]
        while is_negated and reader.adds_anchor(at):  # 'not on the box or the plate'
            anchor, at = reader.noun_phrase(at + 1)
            found.append([anchor])
        reader.negations -= is_negated
    draft.relations += [
        RelationConstraint(relation, span, tuple(map(finished, each)), is_negated) for each in found
    ]
    draft.complement = None
    return at


def _is_relation(reader: PhraseReader, unit: Unit) -> bool:
    doc, last = reader.doc, reader.last
    if reader.is_deep or not reader.begins_phrase(unit.end):
        return False
    if unit.value in {Relation.IN, Relation.ON} and is_state(doc, unit.end, last):
        return False
    if unit.value is Relation.BETWEEN and reader.word(unit.end - 1) == 'of':
        return names_several(doc, unit.end, last)  # 'in the middle of the plates'
    match [token.lower_ for token in doc[unit.start : unit.end]]:
        case ['by']:
            return not (unit.start > reader.first and doc[unit.start - 1].pos_ == 'VERB')
        case ['on']:
            return doc[unit.start].dep_ not in {'compound:prt', 'prt'}
    return True


def _two_anchors(reader: PhraseReader, start: int) -> tuple[list[Draft], int]:
    """Return the anchors of 'between'; a plural one counts twice."""
    reader.betweens += 1
    first, at = reader.noun_phrase(start)
    reader.betweens -= 1
    if reader.word(at) not in COORDINATIONS or reader.turns(at + 1) or at + 1 >= reader.last:
        return [first, first], at
    second, at = reader.noun_phrase(at + 1)
    if first.head is None or first.head.lower_ in COLOURS:  # 'the red and the blue mug'
        first.noun = second.head
    if second.head is not None and second.head.lower_ in ONES:  # 'the red mug and the blue one'
        second.noun = first.head
    return [first, second], at


def read_side(
    reader: PhraseReader, draft: Draft, unit: Unit, is_negated: bool = False
) -> int | None:
    """Read one or two sides of the image."""
    doc = reader.doc
    is_upon = reader.word(unit.start) == 'on' and unit.value == (Side.TOP,)
    if reader.word(unit.start - 1) in DIRECTED_VERBS or (is_upon and draft.complement):
        # 'bear looking left', 'box with a ball on top'
        draft.words += doc[unit.start : unit.end]
        return unit.end
    is_last = reader.word(unit.end) == 'of' and not reader.begins_phrase(unit.end + 1)
    if not is_last and not is_side(doc, unit, reader.last, draft.head, bool(draft.complement)):
        return None
    span = draft.span(unit.start, unit.end)
    draft.sides += [SideConstraint(side, span, is_negated) for side in unit.value]
    return unit.end


def read_order(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read a superlative without an anchor."""
    at = _after_of(reader, draft, unit.end)
    is_of = at > unit.end and unit.end - unit.start == 1
    if not is_of and not is_order(reader.doc, unit, reader.first, reader.last, draft.head):
        return None
    draft.superlatives.append(Superlative(unit.value, draft.span(unit.start, unit.end)))
    return at


def _after_of(reader: PhraseReader, draft: Draft, at: int) -> int:
    """Skip 'of' after a superlative: 'the largest of the three pots'."""
    is_pronoun = draft.head is None or draft.head.lower_ in ONES
    if not is_pronoun or reader.word(at) != 'of' or not reader.begins_phrase(at + 1):
        return at
    if not names_several(reader.doc, at + 1, reader.last):
        return at
    draft.words = []
    draft.quantity = Quantity(False)
    return at + 1


def read_anchored_order(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read a superlative with its anchor: 'closest to the bottle'."""
    if reader.is_deep or not reader.begins_phrase(unit.end):
        return None
    if unit.end - unit.start == 1 and not (draft.head and reader.is_determiner(unit.end)):
        return None
    anchor, at = reader.noun_phrase(unit.end)
    span = draft.span(unit.start, unit.end)
    draft.superlatives.append(Superlative(unit.value, span, anchor=finished(anchor)))
    draft.complement = None
    return at


def read_anchor(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read the anchor of a superlative before the noun: 'the closest cup to the bottle'."""
    if draft.head is None or not draft.superlatives or reader.is_deep:
        return None
    superlative = draft.superlatives[-1]
    preposition = {Order.CLOSEST: 'to', Order.FARTHEST: 'from'}.get(superlative.order)
    if superlative.anchor or reader.word(unit.start) != preposition:
        return None
    noun = reader.after_determiners(unit.end)
    if reader.word(noun) in _CAMERA:
        return noun + 1
    if not reader.begins_phrase(unit.end):
        return None
    inner, after = reader.noun_phrase(unit.end)
    draft.superlatives[-1] = replace(superlative, anchor=finished(inner))
    return after


def read_start(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read where an ordinal counts from."""
    is_camera = reader.word(unit.end - 1) in _CAMERA
    if draft.start is not None or reader.word(unit.end) == 'of':
        return None
    if draft.rank is None and is_camera:
        return None
    draft.start = unit
    return unit.end


def read_rank(reader: PhraseReader, draft: Draft, unit: Unit) -> int | None:
    """Read an ordinal."""
    if draft.rank is not None or not is_rank(reader.doc, unit, reader.last, draft.head):
        return None
    draft.rank = unit
    return _after_of(reader, draft, unit.end)
