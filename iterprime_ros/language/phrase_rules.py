"""The rules that read a referring expression as nested noun phrases with constraints.

Fixed phrases are found by their words (phrase_units); what stands between them are noun phrases. A
constraint belongs to the noun phrase before it, as in "the cup left of the plate behind the
bottle", or to the outermost one after "and" or a comma. Where a noun phrase has a complement of its
own ("a fridge with magnets on the door"), the dependency parse decides.
"""

from collections.abc import Callable

from spacy.matcher import DependencyMatcher
from spacy.tokens import Doc, Token
from spacy.vocab import Vocab

from iterprime_ros.language.phrase import (
    NounPhrase,
    Relation,
    RelationConstraint,
    SideConstraint,
    Superlative,
)
from iterprime_ros.language.phrase_contexts import (
    is_location,
    is_order,
    is_person,
    is_rank,
    is_side,
    is_state,
    keeps_posture,
    names_several,
)
from iterprime_ros.language.phrase_draft import Draft, Exclusion, finished
from iterprime_ros.language.phrase_units import Kind, Quantity, Unit, find_units
from iterprime_ros.language.vocabulary import (
    ALTERNATIVES,
    ANAPHORA,
    COLOURS,
    COORDINATIONS,
    DETERMINERS,
    DIRECTED_VERBS,
    ONES,
    SIZE_WORDS,
    SPEAKERS_OWN,
)

MAX_DEPTH = 8  # deeper anchors stay in the text

_CONSTRAINTS = {Kind.RELATION, Kind.SIDE, Kind.ORDER, Kind.ANCHORED_ORDER}
_TURNS = {*_CONSTRAINTS, Kind.COPULA, Kind.NEGATION, Kind.EXCEPTION, Kind.ABSENCE, Kind.POSTURE}
# Relations that may as well belong to a complement: 'with a spoon in it', 'with magnets on the door'.
_LOOSE = {Relation.ON, Relation.IN, Relation.UNDER, Relation.ABOVE}


class PhraseRules:
    """The rules, with the matchers that they need."""

    def __init__(self, vocab: Vocab) -> None:
        self._attachments = DependencyMatcher(vocab)
        self._attachments.add('attachment', [_ATTACHMENT])

    def read(self, doc: Doc, first: int, last: int) -> NounPhrase:
        """Return the noun phrase of the tokens [first, last) of a parsed document, one at least."""
        reader = _Reader(doc, first, last, find_units(doc, first, last), self._governors)
        return finished(reader.noun_phrase(first)[0])

    def _governors(self, doc: Doc) -> dict[int, int]:
        """Return the index of the noun that each preposition attaches its own noun to."""
        return {marker: noun for _, (noun, _, marker) in self._attachments(doc)}


# A noun with a nominal dependent that a preposition governs; UD, and spaCy's English labels.
_ATTACHMENT = [
    {'RIGHT_ID': 'noun', 'RIGHT_ATTRS': {'POS': {'IN': ['NOUN', 'PROPN', 'PRON']}}},
    {
        'LEFT_ID': 'noun',
        'REL_OP': '>',
        'RIGHT_ID': 'dependent',
        'RIGHT_ATTRS': {'DEP': {'IN': ['nmod', 'obl', 'prep']}},
    },
    {
        'LEFT_ID': 'dependent',
        'REL_OP': '>',
        'RIGHT_ID': 'marker',
        'RIGHT_ATTRS': {'DEP': {'IN': ['case', 'pobj']}},
    },
]


class _Reader:
    """Reads one expression; the methods that take a position return the one after, or None."""

    def __init__(
        self,
        doc: Doc,
        first: int,
        last: int,
        units: dict[int, list[Unit]],
        governors: Callable[[Doc], dict[int, int]],
    ) -> None:
        self._doc, self._first, self._last = doc, first, last
        self._units, self._governors = units, governors
        self._open: list[Draft] = []  # outermost first
        self._betweens = 0  # how many 'between' still wait for their 'and'
        self._rules = {
            Kind.RELATION: self._relation,
            Kind.SIDE: self._side,
            Kind.ORDER: self._order,
            Kind.ANCHORED_ORDER: self._anchored_order,
            Kind.START: self._start,
            Kind.RANK: self._rank,
            Kind.QUANTITY: self._quantity,
            Kind.COPULA: self._copula,
            Kind.POSTURE: self._posture,
            Kind.NEGATION: self._negation,
            Kind.EXCEPTION: self._exception,
            Kind.ABSENCE: self._absence,
            Kind.FILLER: self._filler,
        }

    def noun_phrase(self, start: int) -> tuple[Draft, int]:
        """Return the noun phrase that begins at a token, and the first token after it."""
        draft = Draft(self._doc, self._doc[self._first].idx, start, start)
        self._open.append(draft)
        at = start
        while at < self._last and not (at > start and self._ends(draft, at)):
            at = self._by_rule(draft, at) or self._word(draft, at)
            if not self._doc[at - 1].is_punct:
                draft.last = at
        self._open.pop()
        return draft, at

    def _ends(self, draft: Draft, at: int) -> bool:
        """Return whether what follows belongs to a noun phrase further out."""
        if len(self._open) == 1:
            return False
        word = self._doc[at].lower_
        if word in COORDINATIONS and self._betweens and self._divides(at):
            return True
        if word in COORDINATIONS or word == ',':
            return self._turns(at + 1)
        for unit in self._units.get(at, ()):
            if unit.kind is Kind.EXCEPTION:
                return True
            if unit.value is Relation.IN and is_state(self._doc, unit.end, self._last):
                return not is_person(draft.head) and is_person(self._open[0].head)
        return False

    def _divides(self, at: int) -> bool:
        """Return whether the 'and' at `at` stands between the two anchors of 'between'."""
        if self._is_determiner(at + 1):
            return True
        later = range(at + 1, self._last - 1)
        return not any(
            self._doc[each].lower_ in COORDINATIONS and self._is_determiner(each + 1)
            for each in later
        )

    def _is_determiner(self, at: int) -> bool:
        return at < self._last and self._doc[at].lower_ in DETERMINERS | SPEAKERS_OWN

    def _turns(self, at: int) -> bool:
        """Return whether a constraint or a clause begins at `at`, rather than a noun phrase."""
        return any(
            unit.kind in _TURNS
            and (unit.kind not in {Kind.SIDE, Kind.ORDER} or is_location(self._doc, unit))
            and (unit.kind is not Kind.RELATION or self._begins_phrase(unit.end))
            for unit in self._units.get(at, ())
        )

    def _begins_phrase(self, at: int) -> bool:
        """Return whether an anchor can begin at `at`."""
        while self._is_determiner(at):
            at += 1
        if at >= self._last or not self._doc[at].text[0].isalnum():
            return False
        word = self._doc[at].lower_
        if word in ANAPHORA and not (at + 1 < self._last and self._doc[at + 1].pos_ == 'NOUN'):
            return False
        if word in COORDINATIONS:
            return False
        return (
            not any(
                unit.kind in {Kind.RELATION, Kind.FILLER, Kind.COPULA, Kind.NEGATION}
                for unit in self._units.get(at, ())
            )
            or self._doc[at].lower_ == 'near'
        )

    def _by_rule(self, draft: Draft, at: int) -> int | None:
        for unit in self._units.get(at, ()):
            after = self._rules[unit.kind](draft, unit)
            if after is not None:
                return after
        return None

    def _word(self, draft: Draft, at: int) -> int:
        """Add a word to the text, unless it says nothing about the object."""
        word = self._doc[at]
        text = word.lower_
        if not any(map(str.isalnum, word.text)):
            inside = at - self._first > 0 and not word.whitespace_ and draft.words
            if inside and not self._doc[at - 1].whitespace_ and at + 1 < self._last:
                draft.words.append(word)  # 'half-eaten'
            else:
                draft.complement = None
            return at + 1
        follows_noun = bool(draft.words)
        if text in SPEAKERS_OWN or (text in DETERMINERS and not self._is_relative(draft, at)):
            return at + 1
        if text in COORDINATIONS and (not follows_noun or self._turns(at + 1)):
            draft.complement = None
            return at + 1
        if text in {'over', 'up', 'down', 'out', 'back', 'from', 'off', 'to'} and any(
            unit.kind is Kind.RELATION for unit in self._units.get(at + 1, ())
        ):
            return at + 1  # 'over by the window', 'from under the sink'
        if word.dep_ in {'compound:prt', 'prt'} and word.head.i < self._first:
            return at + 1  # of the order: 'pick the thing up that is red'
        if text == 'one' and not follows_noun and self._is_number(at):
            draft.quantity = draft.quantity or Quantity(False, 1)
            return at + 1
        if follows_noun and (text in {'with', 'w/'} or word.pos_ == 'VERB'):
            draft.complement = word
        draft.words.append(word)
        return at + 1

    def _is_relative(self, draft: Draft, at: int) -> bool:
        after = self._doc[at + 1] if at + 1 < self._last else None
        return (
            self._doc[at].lower_ == 'that'
            and bool(draft.words)
            and after is not None
            and after.pos_ in {'VERB', 'AUX', 'PRON'}
        )

    def _is_number(self, at: int) -> bool:
        """Return whether the 'one' at `at` counts the noun that follows."""
        after = self._doc[at + 1] if at + 1 < self._last else None
        return after is not None and after.pos_ in {'NOUN', 'ADJ'} and not self._turns(at + 1)

    def _relation(self, draft: Draft, unit: Unit, is_negated: bool = False) -> int | None:
        doc, relation = self._doc, Relation(unit.value)
        if not self._begins_phrase(unit.end) or len(self._open) > MAX_DEPTH:
            return None
        if relation in {Relation.IN, Relation.ON} and is_state(doc, unit.end, self._last):
            return None
        words = [token.lower_ for token in doc[unit.start : unit.end]]
        if relation is Relation.BETWEEN and words[-1] == 'of':  # 'in the middle of the plates'
            if not names_several(doc, unit.end, self._last):
                return None
        if words == ['by'] and unit.start and doc[unit.start - 1].pos_ == 'VERB':
            return None  # 'held by'
        if words == ['on'] and doc[unit.start].dep_ in {'compound:prt', 'prt'}:
            return None  # 'turned on'
        if self._is_of_complement(draft, unit, relation):
            draft.words += doc[unit.start : unit.end]
            return unit.end
        self._betweens += relation is Relation.BETWEEN
        inner, at = self.noun_phrase(unit.end)
        anchors = [inner]
        if relation is Relation.BETWEEN:
            self._betweens -= 1
            if at < self._last and doc[at].lower_ in COORDINATIONS and not self._turns(at + 1):
                second, at = self.noun_phrase(at + 1)
                anchors.append(second)
                inner.noun = second.head
        phrases = tuple(map(finished, anchors))
        draft.relations.append(
            RelationConstraint(
                relation,
                draft.span(unit.start, unit.end),
                phrases * 2 if relation is Relation.BETWEEN and len(phrases) == 1 else phrases,
                is_negated,
            )
        )
        draft.complement = None
        return at

    def _is_of_complement(self, draft: Draft, unit: Unit, relation: Relation) -> bool:
        """Return whether the parse attaches a relation to a noun of the complement."""
        if draft.complement is None or relation not in _LOOSE:
            return False
        governors = self._governors(self._doc)
        found = [governors[at] for at in range(unit.start, unit.end) if at in governors]
        return bool(found) and draft.complement.i < found[0] < unit.start

    def _side(self, draft: Draft, unit: Unit, is_negated: bool = False) -> int | None:
        doc = self._doc
        if unit.start > self._first and doc[unit.start - 1].lower_ in DIRECTED_VERBS:
            draft.words += doc[unit.start : unit.end]
            return unit.end
        if not is_side(doc, unit, self._last, draft.head, draft.complement is not None):
            return None
        span = draft.span(unit.start, unit.end)
        draft.sides += [SideConstraint(side, span, is_negated) for side in unit.value]
        return unit.end

    def _order(self, draft: Draft, unit: Unit) -> int | None:
        if not is_order(self._doc, unit, self._first, self._last, draft.head):
            return None
        span = draft.span(unit.start, unit.end)
        draft.superlatives.append(Superlative(unit.value, span))
        return self._after_of(draft, unit.end)

    def _after_of(self, draft: Draft, at: int) -> int:
        """Skip 'of' after a superlative: 'the largest of the three pots'."""
        is_pronoun = draft.head is None or draft.head.lower_ in ONES
        if is_pronoun and at + 1 < self._last and self._doc[at].lower_ == 'of':
            draft.words = []
            draft.quantity = Quantity(False)
            return at + 1
        return at

    def _anchored_order(self, draft: Draft, unit: Unit) -> int | None:
        if not self._begins_phrase(unit.end) or len(self._open) > MAX_DEPTH:
            return None
        if unit.end - unit.start == 1 and not (draft.head and self._is_determiner(unit.end)):
            return None
        inner, at = self.noun_phrase(unit.end)
        span = draft.span(unit.start, unit.end)
        draft.superlatives.append(Superlative(unit.value, span, anchor=finished(inner)))
        draft.complement = None
        return at

    def _start(self, draft: Draft, unit: Unit) -> int | None:
        is_of = unit.end < self._last and self._doc[unit.end].lower_ == 'of'
        if draft.start is not None or is_of or (draft.rank is None and self._is_camera(unit)):
            return None
        draft.start = unit
        return unit.end

    def _is_camera(self, unit: Unit) -> bool:
        return self._doc[unit.end - 1].lower_ in {'camera', 'me', 'us', 'front', 'back', 'rear'}

    def _rank(self, draft: Draft, unit: Unit) -> int | None:
        if draft.rank is not None or not is_rank(self._doc, unit, self._last, draft.head):
            return None
        draft.rank = unit
        return self._after_of(draft, unit.end)

    def _quantity(self, draft: Draft, unit: Unit) -> int | None:
        if draft.words:
            return None
        quantity = unit.value
        if quantity.count and not names_several(self._doc, unit.end, self._last):
            return None
        if draft.quantity is None or quantity.is_plural is False:
            draft.quantity = quantity
        elif draft.quantity.is_plural and draft.quantity.count is None:
            draft.quantity = quantity  # 'all three mugs'
        return unit.end

    def _copula(self, draft: Draft, unit: Unit) -> int | None:
        draft.complement = None
        at = unit.end
        if at >= self._last or self._turns(at):
            return at
        run = self._run(at)
        after = at + len(run)
        said = [word for word in run if word.lower_ not in DETERMINERS and not word.is_punct]
        is_adjective = all(
            word.pos_ in {'ADJ', 'ADV', 'CCONJ'} or word.lower_ in COLOURS | SIZE_WORDS
            for word in said
        ) or (
            len(said) == 1
            and not said[0].lower_.endswith('ing')
            and not (said[0].pos_ == 'VERB' and self._turns(after))
        )
        if not said or not is_adjective:
            return at  # the words are read one by one
        draft.predicates += said
        return after

    def _run(self, at: int) -> list[Token]:
        """Return the words from `at` to the next constraint, comma or clause."""
        end = at
        while end < self._last and not self._doc[end].text == ',':
            if end > at and self._stops(end):
                break
            end += 1
        return list(self._doc[at:end])

    def _stops(self, at: int) -> bool:
        if self._doc[at].lower_ in COORDINATIONS and self._turns(at + 1):
            return True
        if self._doc[at].lower_ in COORDINATIONS and self._betweens and self._divides(at):
            return True
        units = self._units.get(at, ())
        return self._turns(at) or any(unit.kind in {Kind.FILLER, Kind.START} for unit in units)

    def _posture(self, draft: Draft, unit: Unit) -> int | None:
        draft.complement = None
        if draft.head is None or not self._turns(unit.end):
            return None
        if keeps_posture(draft.head):
            draft.words.append(self._doc[unit.start])
        return unit.end

    def _negation(self, draft: Draft, unit: Unit) -> int | None:
        draft.complement = None
        at = unit.end
        if at >= self._last:
            return at
        if after := self._negated_location(draft, self._after_one(at)):
            return after
        run = self._run(at)
        for part in _alternatives(run):
            words = [word for word in part if word.lower_ not in DETERMINERS | SPEAKERS_OWN]
            if words:
                first = words[0]
                is_added = first.lower_ in {'with', 'in'} or first.lower_.endswith('ing')
                draft.exclusions.append(Exclusion(words, '' if is_added else None))
        return at + len(run)

    def _after_one(self, at: int) -> int:
        """Skip 'the one' where a location follows."""
        end = at
        while self._is_determiner(end):
            end += 1
        if end < self._last and self._doc[end].lower_ in ONES and self._turns(end + 1):
            end += 1
            copula = [unit for unit in self._units.get(end, ()) if unit.kind is Kind.COPULA]
            return copula[0].end if copula else end
        return at

    def _negated_location(self, draft: Draft, at: int) -> int | None:
        for unit in self._units.get(at, ()):
            after = None
            match unit.kind:
                case Kind.RELATION:
                    after = self._relation(draft, unit, is_negated=True)
                case Kind.SIDE if is_location(self._doc, unit):
                    after = self._side(draft, unit, is_negated=True)
                case Kind.POSTURE:
                    after = self._negated_location(draft, unit.end)
            if after is not None:
                return after
        return None

    def _exception(self, draft: Draft, unit: Unit) -> int | None:
        is_but = unit.end - unit.start == 1 and self._doc[unit.start].lower_ == 'but'
        if draft.head is None or (is_but and not self._is_determiner(unit.end)):
            return None
        return self._negation(draft, unit)

    def _absence(self, draft: Draft, unit: Unit) -> int | None:
        if not draft.words or unit.end >= self._last:
            return None
        run = self._run(unit.end)
        words = [word for word in run if word.lower_ not in DETERMINERS]
        if not words:
            return None
        draft.exclusions += [Exclusion(part, 'with') for part in _alternatives(words)]
        return unit.end + len(run)

    def _filler(self, draft: Draft, unit: Unit) -> int:
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
