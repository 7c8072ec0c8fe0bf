"""Referring expressions read as nested noun phrases with constraints.

Fixed phrases ("to the left of") are found by their words; what stands between them are noun
phrases. A constraint belongs to the noun phrase before it, as in "the cup left of the plate behind
the bottle", or to the outermost one after "and" or a comma. Where a noun phrase has a complement of
its own ("a fridge with magnets on the door"), the dependency parse decides.
"""

from collections.abc import Mapping

from spacy.matcher import DependencyMatcher
from spacy.tokens import Doc
from spacy.vocab import Vocab

from iterprime_ros.language import attribute_rules, location_rules
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.language.phrase_draft import finished
from iterprime_ros.language.phrase_patterns import Kind
from iterprime_ros.language.phrase_reader import PhraseReader, Rule

_RULES: Mapping[Kind, Rule] = {
    Kind.RELATION: location_rules.read_relation,
    Kind.SIDE: location_rules.read_side,
    Kind.ORDER: location_rules.read_order,
    Kind.ANCHORED_ORDER: location_rules.read_anchored_order,
    Kind.ANCHOR: location_rules.read_anchor,
    Kind.START: location_rules.read_start,
    Kind.RANK: location_rules.read_rank,
    Kind.QUANTITY: attribute_rules.read_quantity,
    Kind.COPULA: attribute_rules.read_copula,
    Kind.POSTURE: attribute_rules.read_posture,
    Kind.NEGATION: attribute_rules.read_negation,
    Kind.EXCEPTION: attribute_rules.read_exception,
    Kind.ABSENCE: attribute_rules.read_absence,
    Kind.FILLER: attribute_rules.read_filler,
}
# A noun and the preposition of a nominal that depends on it.
_ATTACHMENT = [
    {'RIGHT_ID': 'noun', 'RIGHT_ATTRS': {'POS': {'IN': ['NOUN', 'PROPN', 'PRON']}}},
    {
        'LEFT_ID': 'noun',
        'REL_OP': '>',
        'RIGHT_ID': 'nominal',
        'RIGHT_ATTRS': {'DEP': {'IN': ['nmod', 'obl']}},
    },
    {
        'LEFT_ID': 'nominal',
        'REL_OP': '>',
        'RIGHT_ID': 'preposition',
        'RIGHT_ATTRS': {'DEP': 'case'},
    },
]
# The same in the labels of spaCy's English pipelines, where the nominal depends on the preposition.
_CLEAR_ATTACHMENT = [
    _ATTACHMENT[0],
    {
        'LEFT_ID': 'noun',
        'REL_OP': '>',
        'RIGHT_ID': 'preposition',
        'RIGHT_ATTRS': {'DEP': 'prep'},
    },
]


class PhraseRules:
    """Reads noun phrases of documents with one vocabulary."""

    def __init__(self, vocab: Vocab) -> None:
        self._attachments = DependencyMatcher(vocab)
        self._attachments.add('attachment', [_ATTACHMENT, _CLEAR_ATTACHMENT])

    def read(self, doc: Doc, first: int, last: int) -> NounPhrase:
        """Return the noun phrase of the tokens [first, last) of a parsed document, one at least."""
        reader = PhraseReader(doc, first, last, _RULES, self._governors)
        return finished(reader.noun_phrase(first)[0])

    def _governors(self, doc: Doc) -> dict[int, int]:
        """Return the index of the noun that each preposition attaches its own noun to."""
        return {tokens[-1]: tokens[0] for _, tokens in self._attachments(doc)}
