"""The walk over the words of an expression: which noun phrase each one belongs to."""

from collections.abc import Callable, Mapping

from spacy.tokens import Doc, Token

from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.language.phrase import Relation
from iterprime_ros.language.phrase_contexts import is_location, is_person, is_state
from iterprime_ros.language.phrase_draft import Draft
from iterprime_ros.language.phrase_patterns import Kind, Quantity
from iterprime_ros.language.phrase_units import Unit, find_units
from iterprime_ros.language.word_lists import (
    ANAPHORA,
    COORDINATIONS,
    DETERMINERS,
    NUMBERS,
    QUESTION_WORDS,
    SPEAKERS_OWN,
)

MAX_DEPTH = 8  # deeper anchors stay in the text

_TURNS = {
    Kind.RELATION,
    Kind.SIDE,
    Kind.ORDER,
    Kind.ANCHORED_ORDER,
    Kind.COPULA,
    Kind.NEGATION,
    Kind.EXCEPTION,
    Kind.ABSENCE,
    Kind.POSTURE,
}
_ADVERBS = {'over', 'up', 'down', 'out', 'back', 'from', 'off', 'to'}

Rule = Callable[['PhraseReader', Draft, Unit], int | None]
"""Adds what a fixed phrase says to a draft. Returns the first token after what it read; None where
the words say something else here."""


class PhraseReader:
    """Reads the tokens [first, last) of a parsed document.

    betweens: how many 'between' still wait for their 'and'.
    negations: how many negated relations the anchor is inside of.
    """

    def __init__(
        self,
        doc: Doc,
        first: int,
        last: int,
        rules: Mapping[Kind, Rule],
        governors: Callable[[Doc], Mapping[int, int]],
    ) -> None:
        self.doc, self.first, self.last = doc, first, last
        self.betweens = 0
        self.negations = 0
        self._units = find_units(doc, first, last)
        self._rules, self._governors = rules, governors
        self._open: list[Draft] = []  # outermost first

    def noun_phrase(self, start: int) -> tuple[Draft, int]:
        """Return the noun phrase that begins at a token, and the first token after it."""
        draft = Draft(self.doc, self.doc[self.first].idx, start, start)
        self._open.append(draft)
        at = start
        while at < self.last and not (at > start and self._ends(draft, at)):
            at = self._by_rule(draft, at) or self._word(draft, at)
            if not self.doc[at - 1].is_punct:
                draft.last = at
        self._open.pop()
        return draft, at

    @property
    def is_deep(self) -> bool:
        """Whether noun phrases are nested as deep as they may be."""
        return len(self._open) > MAX_DEPTH

    def units(self, at: int) -> list[Unit]:
        """Return the fixed phrases that begin at a token, longest first."""
        return self._units.get(at, [])

    def word(self, at: int) -> str:
        """Return a word in lower case; '' after the end."""
        return self.doc[at].lower_ if self.first <= at < self.last else ''

    def is_determiner(self, at: int) -> bool:
        """Return whether an article or the like stands at `at`."""
        return self.word(at) in DETERMINERS | SPEAKERS_OWN

    def after_determiners(self, at: int) -> int:
        """Return the first token from `at` that is no article."""
        while self.is_determiner(at):
            at += 1
        return at

    def turns(self, at: int) -> bool:
        """Return whether a constraint or a clause begins at `at`, rather than a noun phrase."""
        return any(
            unit.kind in _TURNS
            and (unit.kind not in {Kind.SIDE, Kind.ORDER} or is_location(self.doc, unit))
            and (unit.kind is not Kind.RELATION or self.begins_phrase(unit.end))
            for unit in self.units(at)
        )

    def begins_phrase(self, at: int) -> bool:
        """Return whether an anchor can begin at `at`."""
        at = self.after_determiners(at)
        word = self.word(at)
        if not word[:1].isalnum() or word in COORDINATIONS:
            return False
        precedes_noun = at + 1 < self.last and self.doc[at + 1].pos_ in {'NOUN', 'ADJ', 'PROPN'}
        if word in ANAPHORA | NUMBERS.keys() and not precedes_noun:
            return False
        starts = {Kind.RELATION, Kind.FILLER, Kind.COPULA, Kind.NEGATION}
        return word == 'near' or not any(unit.kind in starts for unit in self.units(at))

    def after_alternative(self, at: int) -> int | None:
        """Return the token after 'or' or 'nor' at `at`; None unless a constraint begins there."""
        at += self.word(at) == ','
        return at + 1 if self.word(at) in {'or', 'nor'} and self.turns(at + 1) else None

    def adds_anchor(self, at: int) -> bool:
        """Return whether 'or' or 'nor' at `at` adds an anchor to a negated relation."""
        is_joined = self.word(at) in {'or', 'nor'} and self.is_determiner(at + 1)
        return is_joined and self.begins_phrase(at + 1)

    def run(self, at: int) -> list[Token]:
        """Return the words from `at` to the next constraint, comma or clause."""
        end = at
        while end < self.last and self.doc[end].text != ',' and not (end > at and self._stops(end)):
            end += 1
        return list(self.doc[at:end])

    def governor(self, unit: Unit) -> int | None:
        """Return the noun that the parse attaches a preposition to."""
        governors = self._governors(self.doc)
        return next((governors[at] for at in range(*unit[1:3]) if at in governors), None)

    def _stops(self, at: int) -> bool:
        if self.word(at) in COORDINATIONS:
            return self.turns(at + 1) or (self.betweens > 0 and self._divides(at))
        if self.after_alternative(at) is not None:
            return True
        stops = {Kind.FILLER, Kind.START}
        return self.turns(at) or any(unit.kind in stops for unit in self.units(at))

    def _ends(self, draft: Draft, at: int) -> bool:
        """Return whether what follows belongs to a noun phrase further out."""
        if len(self._open) == 1:
            return False
        word = self.word(at)
        if word in COORDINATIONS and self.betweens and self._divides(at):
            return True
        if self.after_alternative(at) is not None or (self.negations and word == 'nor'):
            return True
        if self.negations and self.adds_anchor(at):
            return True
        if word in COORDINATIONS or word == ',':
            return self.turns(at + 1)
        for unit in self.units(at):
            if unit.kind is Kind.EXCEPTION:
                return True
            if unit.value is Relation.IN and is_state(self.doc, unit.end, self.last):
                return not is_person(draft.head) and is_person(self._open[0].head)
        return False

    def _divides(self, at: int) -> bool:
        """Return whether the 'and' at `at` stands between the two anchors of 'between'."""
        return self.is_determiner(at + 1) or not any(
            self.word(each) in COORDINATIONS and self.is_determiner(each + 1)
            for each in range(at + 1, self.last - 1)
        )

    def _by_rule(self, draft: Draft, at: int) -> int | None:
        for unit in self.units(at):
            after = self._rules[unit.kind](self, draft, unit)
            if after is not None:
                return after
        return None

    def _word(self, draft: Draft, at: int) -> int:
        """Add a word to the text, unless it says nothing about the object."""
        word, text = self.doc[at], self.word(at)
        self._refuse_alternative(draft, at)
        if not any(map(str.isalnum, text)):
            if self._is_inside_word(at) and draft.words:
                draft.words.append(word)  # 'half-eaten'
            else:
                draft.complement = None
            return at + 1
        if self._says_nothing(draft, at):
            return at + 1
        if text == 'one' and not draft.words and self._counts_noun(at):
            draft.quantity = draft.quantity or Quantity(False)
            return at + 1
        if draft.words and (text in {'with', 'w/'} or word.pos_ == 'VERB'):
            draft.complement = word
        draft.words.append(word)
        return at + 1

    def _refuse_alternative(self, draft: Draft, at: int) -> None:
        """Raise InvalidCommandError where 'or' joins places or superlatives at `at`."""
        if self.word(at) not in {'or', 'nor'}:
            return
        kinds = {unit.kind for unit in self.units(self.after_determiners(at + 1))}
        is_placed = draft.superlatives or draft.sides or draft.rank
        is_order = bool(kinds & {Kind.ORDER, Kind.RANK, Kind.SIDE})
        if (draft.words and self.turns(at + 1)) or (is_placed and is_order):
            raise InvalidCommandError(
                'Alternatives of places or superlatives cannot be answered yet: name one of them.'
            )

    def _is_inside_word(self, at: int) -> bool:
        doc = self.doc
        return self.first < at < self.last - 1 and not doc[at].whitespace_ + doc[at - 1].whitespace_

    def _says_nothing(self, draft: Draft, at: int) -> bool:
        word, text = self.doc[at], self.word(at)
        if self.is_determiner(at):
            return not (text == 'that' and draft.words and self._is_relative(at))
        if at == self.first and text in QUESTION_WORDS:
            return True
        if text == 'very' and {unit.kind for unit in self.units(at + 1)} & {Kind.RANK, Kind.ORDER}:
            return True
        if text in COORDINATIONS and (not draft.words or self.turns(at + 1)):
            draft.complement = None
            return True
        if text in _ADVERBS and any(unit.kind is Kind.RELATION for unit in self.units(at + 1)):
            return True  # 'over by the window', 'from under the sink'
        # of the order: 'pick the thing up that is red'
        return word.dep_ in {'compound:prt', 'prt'} and word.head.i < self.first

    def _is_relative(self, at: int) -> bool:
        return at + 1 < self.last and self.doc[at + 1].pos_ in {'VERB', 'AUX', 'PRON', 'DET'}

    def _counts_noun(self, at: int) -> bool:
        """Return whether the 'one' at `at` counts the noun that follows."""
        follows = at + 1 < self.last and self.doc[at + 1].pos_ in {'NOUN', 'ADJ'}
        return follows and not self.turns(at + 1)
