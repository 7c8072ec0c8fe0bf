"""The verb of an order and where its object begins and ends, by closed lists of words.

They read what people say to a robot ("hey robot, could you hand me ...") even where the parse is
wrong, as it often is after a greeting and for nouns that may be verbs.
"""

from typing import NamedTuple

from spacy.tokens import Doc, Token

from iterprime_ros.language.phrase import Order
from iterprime_ros.language.phrase_contexts import is_of_noun
from iterprime_ros.language.phrase_patterns import Kind
from iterprime_ros.language.phrase_units import Unit, find_units
from iterprime_ros.language.prohibitions import after_prohibition
from iterprime_ros.language.word_lists import (
    DETERMINERS,
    INDEFINITE_PRONOUNS,
    NOUN_VERBS,
    NUMBERS,
    ONES,
    ORDINALS,
    SPEAKERS_OWN,
    words,
)

# Verbs that are no nouns or adjectives in a referring expression, and those that may be.
_VERBS = words("""
    pick grab take bring give fetch find get lift put choose locate select retrieve identify
    highlight inspect examine deliver collect remove navigate grasp
""")
_AMBIGUOUS_VERBS = words("""
    hand pass show point look search touch push pull move go drive walk head come follow open
    close turn switch hold carry place set drop throw clean wipe wash press rotate check segment
    mark count track watch avoid approach reach squeeze return stack empty fill pour cut serve
    light water paint stop wait slide drag raise tap poke shake flip catch use detect spot focus
    describe let tell
""")
_OPENINGS = words("""
    hey hi hello ok okay well so now then just please uh um er hmm alright good morning afternoon
    evening day excuse me thank thanks you sorry yo robot robo computer machine buddy assistant
    there kindly yes instead
""")
# What precedes a bare expression without being part of it.
_INTERJECTIONS = words('hey hi hello ok okay well so um uh er hmm please yes no now')
# They introduce an order, or express a wish.
_WRAPPERS = frozenset(['want', 'like', 'need', 'mind', 'love'])
# After them a verb in its base form follows.
_FRAMES = tuple(
    frame.split()
    for frame in (
        'could you',
        'can you',
        'would you',
        'will you',
        'i want you to',
        'i need you to',
        'i would like you to',
        "i 'd like you to",
        "let 's",
        'let us',
        'you should',
        'you can',
        'you must',
        'you have to',
        'you need to',
        'go and',
        'come and',
        'come here and',
        'try to',
        'help me to',
        'help me',
    )
)
_AFTER_VERB = words("""
    me us him up out over down off back away here there at to toward towards for please now
    quickly carefully just
""")
_SWITCHES = frozenset({'turn', 'switch'})
_STARTS = (
    DETERMINERS
    | SPEAKERS_OWN
    | INDEFINITE_PRONOUNS
    | ONES
    | NUMBERS.keys()
    | ORDINALS.keys()
    | frozenset(
        [
            'his',
            'her',
            'their',
            'its',
            'all',
            'both',
            'every',
            'each',
            'any',
            'no',
            'leftmost',
            'rightmost',
        ]
    )
)
_NOUNS = frozenset({'NOUN', 'PROPN', 'ADJ', 'NUM'})

_GOALS = frozenset({'to', 'into', 'onto', 'toward', 'towards', 'for'})
_POINTERS = {'it', 'them', 'this', 'that', 'these', 'those'}
_TARGETS = _GOALS | {'in', 'on', 'at'}
_PLACING_VERBS = words("""
    put place set drop insert stack lay pour throw hang
""")
_TRANSPORTING_VERBS = words("""
    bring take carry deliver move put give hand pass fetch push drag return throw drive
""")
_MOVING_VERBS = words("""
    move push pull slide drag turn rotate shift nudge throw kick
""")
_ENDINGS = words('please now thanks robot here there quickly carefully again today is are instead')
_ENDING_PAIRS = {('thank', 'you'), ('over', 'there'), ('over', 'here'), ('right', 'there')}
_PARTICLES = words("""
    up away back down over out off on
""")


def after_interjections(doc: Doc) -> int:
    """Return the first token that is no interjection, unless all are."""
    at = 0
    while at < len(doc) and (doc[at].lower_ in _INTERJECTIONS or doc[at].is_punct):
        at += 1
    return at if at < len(doc) else 0


def is_noun_here(verb: Token) -> bool:
    """Return whether a verb at the beginning is rather a noun, by the word after it."""
    if verb.i or verb.lower_ not in NOUN_VERBS or len(verb.doc) == 1:
        return False
    after = verb.nbor()
    own = _is_prepositional(verb.lower_, after) or after.dep_ in {'compound:prt', 'prt'}
    return after.pos_ in {'ADP', 'NOUN', 'SCONJ'} and not own


class Request(NamedTuple):
    """An order: its verb, and the first token of its object."""

    verb: Token
    start: int


def find_order(doc: Doc, at: int = 0) -> Request | None:
    """Return the order that begins at a token; None where the words do not show it."""
    is_framed = False
    while at < len(doc):
        frame = _frame(doc, at)
        word = doc[at].lower_
        if frame:
            at += frame
            is_framed = True
        elif (word in _OPENINGS and not _is_verb(doc, at, is_framed)) or (doc[at].is_punct and at):
            at += 1
        else:
            break
    if at >= len(doc) or not _is_verb(doc, at, is_framed):
        return None
    start = _after_verb(doc, at)
    if start is None:
        return None
    if doc[start].lower_ in {'and', 'to'} and start + 1 < len(doc):  # 'come here and grab it'
        return _second_order(doc, start + 1)
    return Request(doc[at], start)


def _second_order(doc: Doc, at: int) -> Request | None:
    if not _is_verb(doc, at, is_framed=True):
        return None
    start = _after_verb(doc, at)
    return None if start is None else Request(doc[at], start)


def _frame(doc: Doc, at: int) -> int:
    """Return the number of words of the frame at a token; 0 where there is none."""
    words = [token.lower_.replace('\u2019', "'") for token in doc[at : at + 5]]
    return max((len(frame) for frame in _FRAMES if words[: len(frame)] == frame), default=0)


def _is_verb(doc: Doc, at: int, is_framed: bool) -> bool:
    word = doc[at].lower_
    after = doc[at + 1] if at + 1 < len(doc) else None
    if after is None or after.lower_ in {'of', 'and'}:
        return False
    if word in _VERBS:
        return True
    if word not in _AMBIGUOUS_VERBS:
        is_verb = doc[at].pos_ == 'VERB' and word not in _WRAPPERS
        return is_framed and is_verb and not word.endswith('ing')
    return is_framed or after.lower_ in _STARTS | {'me', 'us'} or _is_prepositional(word, after)


def _is_prepositional(verb: str, after: Token) -> bool:
    """Return whether a verb takes a preposition: 'look at', 'go to'."""
    if verb in _SWITCHES:
        return after.lower_ in {'on', 'off'}
    return after.lower_ in {'at', 'to', 'for', 'towards', 'toward', 'over', 'up'}


def _after_verb(doc: Doc, verb: int) -> int | None:
    """Return the first token of the object of a verb."""
    at = verb + 1
    skipped = _AFTER_VERB | ({'on'} if doc[verb].lower_ in _SWITCHES else frozenset())
    while at < len(doc) and doc[at].lower_ in skipped:
        at += 1
    if at < len(doc) and doc[at].lower_ in {'where', 'which', 'what'} and at > verb + 1:
        at += 1
    if at >= len(doc):
        return None
    if doc[at].lower_ in _POINTERS and at + 2 < len(doc) and doc[at + 1].lower_ in _TARGETS:
        at += 2  # 'drop it into the bin'
    word = doc[at]
    if word.lower_ in _STARTS or word.pos_ in _NOUNS or word.lower_ in {'and'}:
        return at
    starts = {Kind.ORDER, Kind.RANK, Kind.QUANTITY, Kind.SIDE}
    found = find_units(doc, at, len(doc)).get(at, ())
    return at if any(unit.kind in starts for unit in found) or word.pos_ == 'VERB' else None


def object_end(doc: Doc, verb: Token, start: int) -> int:
    """Return the end of the object of a verb: up to a second order, a goal, or a polite word."""
    units = _units_without_overlap(doc, start)
    covered = {at for unit in units for at in range(unit.start, unit.end)}
    has_distance = any(unit.value in (Order.CLOSEST, Order.FARTHEST) for unit in units)
    end = len(doc)
    for at in range(start + 1, len(doc)):
        is_anchor = has_distance and doc[at].lower_ == 'to'  # 'the closest cup to the plate'
        is_goal = not is_anchor and at not in covered and _is_goal(doc, at, verb)
        if is_goal or _is_second_order(doc, at):
            end = at
            break
    end = _without_ending(doc, start, end, covered)
    goals = [unit for unit in units if start < unit.start and _is_place_to_go(unit, verb, doc, end)]
    if goals and not _is_clause(doc, goals[-1].start):
        end = goals[-1].start
    return _without_ending(doc, start, end, covered)


def _units_without_overlap(doc: Doc, start: int) -> list[Unit]:
    """Return the fixed phrases that tell locations, each the longest at its place."""
    found = find_units(doc, start, len(doc))
    units: list[Unit] = []
    for at in sorted(found):
        is_noun_next = is_of_noun(doc, found[at][0], len(doc))
        unit = found[at][-1 if is_noun_next else 0]
        is_free = not units or units[-1].end <= at
        if is_free and unit.kind not in {Kind.FILLER, Kind.ANCHOR}:
            units.append(unit)
    return units


def _is_place_to_go(unit: Unit, verb: Token, doc: Doc, end: int) -> bool:
    """Return whether a location is where the object is to be put, for verbs of putting."""
    if verb.lower_ in _PLACING_VERBS:
        return unit.kind is Kind.RELATION and unit.end < end
    is_last_side = unit.kind is Kind.SIDE and unit.end == end
    return verb.lower_ in _MOVING_VERBS and is_last_side and doc[unit.start].lower_ == 'to'


def _is_clause(doc: Doc, at: int) -> bool:
    """Return whether a verb stands before a location: 'that is on the plate'."""
    return doc[at - 1].pos_ in {'AUX', 'VERB'} or doc[at - 1].lower_ in {"'s", 'is', 'not'}


def _is_second_order(doc: Doc, at: int) -> bool:
    """Return whether another order or sentence begins at a token: 'and put it there'."""
    if doc[at].text in {'.', ';', '!', '?'}:
        return True
    if doc[at].lower_ not in {'and', 'then', ',', 'but'}:
        return False
    after = at + 1
    while after < len(doc) and doc[after].lower_ in {'then', 'please', 'and', 'also', 'but'}:
        after += 1
    if after_prohibition(doc, after) is not None and not _is_relative(doc, at):
        return True
    if doc[at].lower_ == 'but':
        return False
    return after + 1 < len(doc) and _is_verb(doc, after, is_framed=False)


def _is_relative(doc: Doc, at: int) -> bool:
    """Return whether a relative clause may go on at a token: 'and do not touch the wall'."""
    return doc[at].text != ',' and any(token.lower_ in {'that', 'which'} for token in doc[:at])


def _is_goal(doc: Doc, at: int, verb: Token) -> bool:
    """Return whether a goal of the order begins at a token: 'to the kitchen', 'for me'."""
    if doc[at].lower_ not in _GOALS or at + 1 >= len(doc):
        return False
    after = doc[at + 1]
    if after.lower_ in {'me', 'us', 'him', 'them', 'you'}:
        return True
    if after.pos_ == 'VERB':
        return False  # 'something to drink'
    is_brought = verb.lemma_.lower() in _TRANSPORTING_VERBS and doc[at].lower_ != 'for'
    return is_brought or verb in (doc[at].head, doc[at].head.head)


def _without_ending(doc: Doc, start: int, end: int, covered: set[int]) -> int:
    """Drop polite words, particles of the verb and punctuation at the end."""
    while end - 1 > start:
        word = doc[end - 1].lower_
        before = doc[end - 2]
        is_particle = word in _PARTICLES and end - 1 not in covered and before.pos_ != 'VERB'
        is_pair = (before.lower_, word) in _ENDING_PAIRS
        if not (word in _ENDINGS or doc[end - 1].is_punct or is_particle or is_pair):
            break
        end -= 1 + is_pair
    return end
