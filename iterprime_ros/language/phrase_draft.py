"""A noun phrase under construction: from its words to what a matcher is asked."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from spacy.tokens import Doc, Token

from iterprime_ros.language.phrase import (
    NounPhrase,
    Order,
    RelationConstraint,
    Side,
    SideConstraint,
    Span,
    Superlative,
)
from iterprime_ros.language.phrase_patterns import LAST, Quantity
from iterprime_ros.language.phrase_units import Unit
from iterprime_ros.language.word_lists import (
    COLOURS,
    INDEFINITE_PRONOUNS,
    IRREGULAR_PLURALS,
    NO_AGENTS,
    NOT_PLURAL,
    NOUN_VERBS,
    ONES,
    PERSON_PRONOUNS,
    PLURAL_PRONOUNS,
    SIZE_WORDS,
)

_EXTREMES = {
    Side.LEFT: Order.LEFTMOST,
    Side.RIGHT: Order.RIGHTMOST,
    Side.TOP: Order.TOPMOST,
    Side.BOTTOM: Order.BOTTOMMOST,
}
_OPPOSITES = {
    Order.LEFTMOST: Order.RIGHTMOST,
    Order.TOPMOST: Order.BOTTOMMOST,
    Order.CLOSEST: Order.FARTHEST,
    Order.BIGGEST: Order.SMALLEST,
    Order.TALLEST: Order.SHORTEST,
}
_OPPOSITES |= {second: first for first, second in _OPPOSITES.items()}

_POSSESSIVES = {"'s", "'", '\u2019s', '\u2019'}


class Exclusion(NamedTuple):
    """Words that must not be true of the object.

    words: without articles.
    joint: what joins them to the noun phrase: '' for a word after it ("wearing a hat"), 'with' for
        a part or a possession ("a hat"); None for an adjective before it ("red"), or a noun
        phrase of its own ("the bottle").
    """

    words: list[Token]
    joint: str | None = None


@dataclass
class Draft:
    """A noun phrase under construction.

    doc: that the tokens are from.
    origin: character of the document that spans count from.
    first, last: [first, last) token.
    words: of the text, in order.
    predicates: adjectives after the noun that belong before it: "the mug that is red".
    exclusions: what must not be true of it.
    quantity: how many are meant, where words say so.
    rank: an ordinal.
    start: where it counts from.
    complement: the word that opened a complement ("with", "holding"), to whose nouns a relation may
        belong; None outside of one.
    noun: the noun of a phrase that leaves it out, as in "between the red and the blue mug".
    """

    doc: Doc
    origin: int
    first: int
    last: int
    words: list[Token] = field(default_factory=list)
    predicates: list[Token] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    quantity: Quantity | None = None
    rank: Unit | None = None
    start: Unit | None = None
    complement: Token | None = None
    noun: Token | None = None
    superlatives: list[Superlative] = field(default_factory=list)
    sides: list[SideConstraint] = field(default_factory=list)
    relations: list[RelationConstraint] = field(default_factory=list)

    @property
    def head(self) -> Token | None:
        """The head noun, or the pronoun in its place."""
        return head_of(self.words)

    def span(self, first: int, last: int) -> Span:
        """Return the characters of tokens [first, last)."""
        start, end = self.doc[first].idx, self.doc[last - 1].idx + len(self.doc[last - 1])
        return start - self.origin, end - self.origin


def head_of(words: list[Token]) -> Token | None:
    """Return the last noun of the first unbroken run of nouns, or a pronoun in its place."""
    head = None
    for word in words:
        if head is None and word.lower_ in ONES | INDEFINITE_PRONOUNS:
            return word
        if head is not None and word.i != head.i + 1 and word.nbor(-1).pos_ == 'DET':
            break  # 'the horse the man is riding'
        if word.pos_ in {'NOUN', 'PROPN'} and any(map(str.isalnum, word.text)):
            head = word
        elif head is not None and word.text not in {'-', *_POSSESSIVES}:
            break
    return head or _unmarked_noun(words)


def _unmarked_noun(words: list[Token]) -> Token | None:
    """Return the last of the first words that may be nouns although they are not tagged so."""
    noun = None
    for word in filter(_may_be_noun, words):
        if noun is None or word.i == noun.i + 1:
            noun = word  # 'the can opener'
    return noun


def _may_be_noun(word: Token) -> bool:
    """Return whether a word that is not tagged as a noun may be one."""
    text = word.lower_
    if word.pos_ not in {'VERB', 'ADJ', 'ADV', 'ADP', 'INTJ', 'AUX'}:
        return False
    if word.pos_ != 'ADJ' and any(child.dep_ == 'det' for child in word.children):
        return True  # 'the can'
    is_agent = text.endswith(('er', 'or', 'ers', 'ors')) and len(text) > 4  # 'mixer', 'batter'
    return text in NOUN_VERBS or (is_agent and text not in NO_AGENTS)


def is_plural_noun(word: Token) -> bool:
    """Return whether a noun names more than one thing, by its form."""
    text = word.lower_
    if text in IRREGULAR_PLURALS or text in PLURAL_PRONOUNS:
        return True
    if text in NOT_PLURAL or word.pos_ not in {'NOUN', 'PROPN'} or len(text) < 4:
        return False
    return text.endswith('s') and not text.endswith(('ss', 'us', 'is'))


def singular(noun: str) -> str:
    """Return the singular of a plural noun in lower case."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if noun.endswith('ies') and len(noun) > 4:
        return noun[:-3] + 'y'
    if noun.endswith(('sses', 'shes', 'ches', 'xes', 'zzes')):
        return noun[:-2]
    return noun.removesuffix('s')


def finished(draft: Draft) -> NounPhrase:
    """Return the noun phrase that a draft describes."""
    head = draft.head
    words = _in_order(draft, head)
    superlatives, sides = _with_rank(draft)
    is_plural = _is_plural(draft, head)
    return NounPhrase(
        text=_text(draft, words, head),
        span=draft.span(draft.first, max(draft.last, draft.first + 1)),
        head=None if head is None else draft.span(head.i, head.i + 1),
        attributes=tuple(
            draft.span(word.i, word.i + 1)
            for word in words
            if word != head and any(map(str.isalnum, word.text))
        ),
        excluded=tuple(_excluded(each, draft, words, head) for each in draft.exclusions),
        is_plural=is_plural,
        count=draft.quantity.count if draft.quantity and is_plural else None,
        superlatives=superlatives,
        sides=sides,
        relations=tuple(draft.relations),
    )


def _is_plural(draft: Draft, head: Token | None) -> bool:
    if draft.quantity is not None and draft.quantity.is_plural is not None:
        return draft.quantity.is_plural
    return head is not None and is_plural_noun(head)


def _in_order(draft: Draft, head: Token | None) -> list[Token]:
    """Return the words of the text with predicates before the noun, sizes first."""
    words, moved = list(draft.words), list(draft.predicates)
    if head is not None and head.lower_ in INDEFINITE_PRONOUNS:  # 'something soft to drink'
        after = words.index(head) + 1
        while after < len(words) and words[after].pos_ == 'ADJ':
            moved.append(words.pop(after))
    at = len(words)
    if head is not None:
        at = words.index(head)
        while at and words[at - 1].pos_ in {'NOUN', 'PROPN'}:
            at -= 1
    words[at:at] = [word for word in moved if word.lower_ not in SIZE_WORDS]
    return [word for word in moved if word.lower_ in SIZE_WORDS] + words


def _text(draft: Draft, words: list[Token], head: Token | None) -> str:
    if draft.noun is not None:
        said = _joined([word for word in words if word.lower_ not in ONES], None)
        return f'{said} {_form(draft.noun, draft.noun)}'.strip()
    text = _joined(words, head)
    if head is None and all(word.pos_ == 'ADJ' or word.lower_ in COLOURS for word in words):
        return f'{text} object'.strip()
    return text


def _joined(words: list[Token], head: Token | None) -> str:
    """Join words as the document does: "boy's", "half-eaten"."""
    text = ''
    for index, word in enumerate(words):
        text += _form(word, head)
        follows = index + 1 < len(words) and words[index + 1].i == word.i + 1
        text += '' if follows and not word.whitespace_ else ' '
    return text.strip()


def _form(word: Token, head: Token | None) -> str:
    """Return a word of the text: the head noun in the singular, a pronoun as what it may be."""
    text = word.lower_
    if word != head:
        return text
    if text in PERSON_PRONOUNS:
        return 'person'
    if text in ONES | INDEFINITE_PRONOUNS:
        return 'object'
    return singular(text) if is_plural_noun(word) else text


def _excluded(exclusion: Exclusion, draft: Draft, words: list[Token], head: Token | None) -> str:
    """Return the text that must not match."""
    if exclusion.joint is not None:
        said = _joined(exclusion.words, None)
        return ' '.join(filter(None, (_text(draft, words, head), exclusion.joint, said)))
    noun = head_of(exclusion.words)
    if noun is not None and noun.lower_ not in ONES and noun.lower_ not in COLOURS:
        return _joined(exclusion.words, noun)
    adjectives = [word for word in exclusion.words if word != noun or word.lower_ in COLOURS]
    kept = [word for word in words if word == head or not _is_rival(word, adjectives)]
    with_them = replace(draft, words=kept, predicates=adjectives)
    return _text(draft, _in_order(with_them, head), head)


def _is_rival(word: Token, adjectives: list[Token]) -> bool:
    """Return whether an adjective is of the same kind: 'the big mug that is not small'."""
    return any(
        word.lower_ in group and any(each.lower_ in group for each in adjectives)
        for group in (SIZE_WORDS, COLOURS)
    )


def _with_rank(draft: Draft) -> tuple[tuple[Superlative, ...], tuple[SideConstraint, ...]]:
    """Return superlatives and sides with the ordinal at its place.

    It counts from where "from the left" says, else in the order of a superlative ("second
    biggest"), else from a side ("second on the right"), else from the left.
    """
    superlatives, sides = list(draft.superlatives), list(draft.sides)
    start = draft.start and Superlative(
        draft.start.value, draft.span(draft.start.start, draft.start.end)
    )
    if draft.rank is None:
        superlatives += [start] if start else []  # 'the mug from the left'
        return tuple(superlatives), tuple(sides)
    rank, span = int(draft.rank.value), draft.span(draft.rank.start, draft.rank.end)
    is_from_end = rank <= LAST
    if start:
        counted = start
    elif superlatives:
        counted = superlatives.pop(0)
    elif sides and not sides[0].is_negated:
        counted = Superlative(_EXTREMES[sides[0].side], sides.pop(0).span)
        if rank == LAST:  # 'last on the right' is the rightmost
            rank, is_from_end = 1, False
    else:
        counted = Superlative(Order.LEFTMOST, span)
    order = counted.order
    if is_from_end:
        order, rank = _OPPOSITES.get(order, order), 1 - rank
    whole = (min(span[0], counted.span[0]), max(span[1], counted.span[1]))
    superlatives.insert(0, Superlative(order, whole, rank, counted.anchor))
    return tuple(superlatives), tuple(sides)
