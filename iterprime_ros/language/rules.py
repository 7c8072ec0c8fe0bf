"""Rules over a dependency parse: the verb of an order, and the noun that it is about.

They take the labels of Universal Dependencies and, where they differ, of spaCy's own English
pipelines.
"""

from collections.abc import Iterator
from typing import NamedTuple

from spacy.tokens import Doc, Token

from iterprime_ros.language.orders import (
    Request,
    after_interjections,
    find_order,
    is_noun_here,
    object_end,
)
from iterprime_ros.language.prohibitions import NEGATIONS, find_prohibition
from iterprime_ros.language.word_lists import ONES, QUESTION_WORDS

OBJECTS = ('obj', 'dobj')
SUBJECTS = ('nsubj', 'nsubj:pass', 'nsubjpass')
COMPLEMENTS = ('xcomp', 'ccomp', 'advcl', 'conj', 'parataxis')
ASIDES = ('discourse', 'intj', 'vocative', 'compound:prt', 'prt', 'iobj', 'dative')
CASES = ('case', 'mark', 'advmod', 'prep')
FOCUS = ('NOUN', 'PROPN', 'VERB', 'ADJ', 'NUM')

# Closed lists: verbs that introduce an order, speaker and hearer, prepositions of a goal.
WRAPPERS = frozenset({'want', 'like', 'need', 'mind', 'let', 'love'})
SPEAKERS = frozenset({'i', 'we', 'me', 'us', "'s", 'you', 'there'})
# Not to do it says nothing about the object: "don't worry".
COMFORTS = frozenset({'worry', 'mind', 'panic'})


class Reading(NamedTuple):
    """What a parse says.

    verb: the verb of the order, None where nothing is ordered.
    first, last: [first, last) token of the referring expression.
    is_prohibition: whether the order is not to do it, and no other order follows.
    """

    verb: Token | None
    first: int
    last: int
    is_prohibition: bool = False


def read(doc: Doc) -> Reading:
    """Return the reading of a parsed command or expression of at least one word."""
    ban = find_prohibition(doc)
    order = find_order(doc) if ban is None else _order_beside(doc, ban)
    if order is not None:
        return Reading(order.verb, order.start, object_end(doc, order.verb, order.start))
    is_ban = ban is not None
    root = next(token for token in doc if token.head.i == token.i)
    asked = None if is_noun_here(root) else _asked(root)
    if asked is not None:
        verb, thing = asked
        first = _object_start(thing)
        first, last = _trimmed(doc, first, object_end(doc, verb, first))
        is_ban = is_ban or _is_forbidden(verb)
        is_order = not _is_wish(verb) and not _is_negated(verb) and not is_ban
        return Reading(verb if is_order else None, first, last, is_ban)
    start = _after_question(doc, after_interjections(doc))
    return Reading(None, *_trimmed(doc, start, len(doc)), is_ban)


def whole_expression(doc: Doc) -> Reading:
    """Return the reading of a text that is a referring expression and nothing else."""
    return Reading(None, *_trimmed(doc, 0, len(doc)))


def _order_beside(doc: Doc, ban: int) -> Request | None:
    """Return the order before or after a prohibition, whose verb is at `ban`."""
    order = find_order(doc)
    if order is not None and order.verb.i < ban - 1:
        return order
    has_object = doc[ban].lower_ in COMFORTS
    for token in doc[ban + 1 : len(doc) - 1]:
        has_object = has_object or token.pos_ in {'NOUN', 'PROPN', 'PRON'} or token.lower_ in ONES
        ends = {'.', ';', '!', ',', 'but'} if has_object else {'.', ';', '!'}
        if token.lower_ not in ends:
            continue
        order = find_order(doc, token.i + 1)
        # "don't take the mug, lift it or move it"
        is_open = any(each.lower_ in {'or', 'nor'} for each in doc[token.i :])
        if order is not None and not is_open and doc[order.start].lower_ not in {'it', 'them'}:
            return order
    return None


def is_nominal(token: Token) -> bool:
    """Return whether a word can refer to an object: a noun, a name, or 'one'."""
    if not any(map(str.isalnum, token.text)):
        return False
    if token.lower_ in ONES:
        return token.dep_ != 'nummod'
    if token.pos_ in {'AUX', 'ADP', 'ADV', 'INTJ'}:  # 'the can': with an article it is a noun
        return any(child.dep_ == 'det' for child in token.children)
    return token.pos_ in {'NOUN', 'PROPN'}


def _asked(root: Token) -> tuple[Token, Token] | None:
    """Return the verb of an order to the hearer, and the object of that verb."""
    if root.pos_ not in {'VERB', 'AUX'} or not _is_order(root):
        return None
    for verb in _verbs(root):
        wraps = verb.lemma_.lower() in WRAPPERS or verb.lower_ in WRAPPERS
        if wraps and any(_is_complement(child) for child in verb.children):
            continue
        thing = _object(verb)
        if thing is not None:
            return verb, thing
    return None


def _verbs(verb: Token) -> Iterator[Token]:
    """Yield a verb and its complements, in the order of the text."""
    yield verb
    for child in verb.rights:
        if _is_complement(child):
            yield from _verbs(child)


def _is_complement(token: Token) -> bool:
    return token.dep_ in COMPLEMENTS and token.pos_ == 'VERB'


def _is_order(verb: Token) -> bool:
    """Return whether a root verb is an order, or a wish of the speaker."""
    subjects = [child for child in verb.lefts if child.dep_ in SUBJECTS and not _is_called(child)]
    if subjects:
        return all(subject.lower_ in SPEAKERS for subject in subjects)
    if {'Part', 'Ger'} & set(verb.morph.get('VerbForm', [])):
        return False
    return not any(is_nominal(child) and not _is_called(child) for child in verb.lefts)


def _is_wish(verb: Token) -> bool:
    """Return whether a verb has the speaker for its subject: 'i need the mug' orders nothing."""
    subjects = [child.lower_ for child in verb.children if child.dep_ in (*SUBJECTS, 'expl')]
    return bool(subjects) and 'you' not in subjects


def _is_negated(verb: Token) -> bool:
    """Return whether a verb is negated: 'do not touch the vase' orders nothing."""
    return any(child.lower_ in NEGATIONS for child in verb.children)


def _is_forbidden(verb: Token) -> bool:
    """Return whether a negated verb forbids; 'why don't you take the mug' asks for it."""
    asks = any(
        child.lower_ in NEGATIONS and verb.doc[child.i + 1].lower_ == 'you'
        for child in verb.children
        if child.i + 1 < len(verb.doc)
    )
    subjects = {child.lower_ for child in verb.lefts if child.dep_ in SUBJECTS}
    is_seen = bool(subjects & {'i', 'we'}) and verb.lemma_.lower() not in WRAPPERS
    return _is_negated(verb) and not asks and not is_seen  # 'i can't find the mug'


def _is_called(token: Token) -> bool:
    """Return whether a noun addresses the hearer: a comma follows."""
    after = token.right_edge.i + 1
    return token.dep_ == 'vocative' or (after < len(token.doc) and token.doc[after].text == ',')


def _object(verb: Token) -> Token | None:
    """Return the noun that a verb acts on: its object, or else the object of its preposition."""
    nouns: list[tuple[bool, Token]] = []
    for child in verb.rights:
        inner = [child] if child.dep_ != 'prep' else list(child.rights)
        nouns += [
            (token.dep_ not in OBJECTS, token)
            for token in inner
            if is_nominal(token) and token.dep_ not in ASIDES and not _is_part(verb, token)
        ]
    return min(nouns, key=lambda found: found[0])[1] if nouns else None


def _is_part(verb: Token, noun: Token) -> bool:
    """Return whether 'of' stands between the two: 'stack of books' orders nothing."""
    after = verb.doc[verb.i + 1]
    return after.lower_ == 'of' and after.head in (noun, verb)


def _object_start(thing: Token) -> int:
    """Return the first token of the noun phrase around an object, without prepositions."""
    first = thing.left_edge.i
    while first < thing.i and thing.doc[first].dep_ in CASES and thing.doc[first].head == thing:
        first += 1
    return first


def _after_question(doc: Doc, start: int) -> int:
    """Return the first token after 'where is', 'which one is', 'what about', 'there is'."""
    if doc[start].lower_ not in QUESTION_WORDS | {'there', 'is', 'are'}:
        return start
    for token in doc[start : start + 3]:
        if token.pos_ in {'NOUN', 'PROPN'} and token.lower_ not in ONES:
            return start  # 'which mug is red'
        if token.pos_ == 'AUX' or token.lower_ in {'is', 'are', 'about'}:
            after = token.i + 1
            if doc[after : after + 1].text.lower() == 'there':
                after += 1
            return after if any(map(is_nominal, doc[after:])) else start
    return start


def _trimmed(doc: Doc, first: int, last: int) -> tuple[int, int]:
    """Drop polite words and punctuation at both ends, unless nothing else would be left."""
    left, right = first, last
    while left < right and _is_padding(doc[left]):
        left += 1
    while right > left and _is_padding(doc[right - 1]):
        right -= 1
    return (left, right) if left < right else (first, last)


def _is_padding(token: Token) -> bool:
    return token.pos_ == 'PUNCT' or token.dep_ in {'discourse', 'intj', 'vocative'}
