"""Dependency trees in the style of Universal Dependencies, and functions that compose them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spacy.tokens import Doc
from spacy.vocab import Vocab

IMPERATIVE = 'Mood=Imp|VerbForm=Fin'
INFINITIVE = 'VerbForm=Inf'
PARTICIPLE = 'VerbForm=Part'
GERUND = 'VerbForm=Ger'
FINITE = 'VerbForm=Fin'


@dataclass(frozen=True)
class Tree:
    """A projective dependency tree: a word and its dependents.

    word: the text of the word.
    pos: its universal part of speech.
    label: its dependency relation to its head; ignored for the root of a whole tree.
    left: the dependents before the word, in text order.
    right: the dependents after the word, in text order.
    morph: its morphological features, in the format of UD.
    """

    word: str
    pos: str
    label: str = 'ROOT'
    left: tuple['Tree', ...] = ()
    right: tuple['Tree', ...] = ()
    morph: str = ''

    def with_label(self, label: str) -> 'Tree':
        """Return the tree with another dependency relation to its head."""
        return replace(self, label=label)

    def with_left(self, *dependents: 'Tree') -> 'Tree':
        """Return the tree with more dependents, before those that it has."""
        return replace(self, left=(*dependents, *self.left))

    def with_right(self, *dependents: 'Tree') -> 'Tree':
        """Return the tree with more dependents, after those that it has."""
        return replace(self, right=(*self.right, *dependents))

    def nodes(self) -> Iterator['Tree']:
        """Yield all nodes in text order."""
        for child in self.left:
            yield from child.nodes()
        yield self
        for child in self.right:
            yield from child.nodes()

    def capitalised(self) -> 'Tree':
        """Return the tree with its first letter in upper case."""
        if self.left:
            return replace(self, left=(self.left[0].capitalised(), *self.left[1:]))
        return replace(self, word=self.word[:1].upper() + self.word[1:])

    @property
    def text(self) -> str:
        """The words separated by spaces, with none before 's and punctuation."""
        return ''.join(
            word if _has_no_space_before(word) or not index else f' {word}'
            for index, word in enumerate(node.word for node in self.nodes())
        )


def to_doc(tree: Tree, vocab: Vocab) -> Doc:
    """Return the tree as a spaCy document with gold tags, heads and labels."""
    nodes = list(tree.nodes())
    indices = {id(node): index for index, node in enumerate(nodes)}
    heads = list(range(len(nodes)))
    for node in nodes:
        for child in (*node.left, *node.right):
            heads[indices[id(child)]] = indices[id(node)]
    words = [node.word for node in nodes]
    return Doc(
        vocab,
        words=words,
        spaces=[not _has_no_space_before(word) for word in words[1:]] + [False],
        pos=[node.pos for node in nodes],
        morphs=[node.morph for node in nodes],
        heads=heads,
        deps=['ROOT' if node is tree else node.label for node in nodes],
        sent_starts=[index == 0 for index in range(len(nodes))],
    )


def determiner(word: str) -> Tree:
    """Return the tree of an article or a possessive pronoun."""
    if word in {'my', 'your', 'his', 'her', 'its', 'their'}:
        return Tree(word, 'PRON', 'nmod:poss')
    return Tree(word, 'DET', 'det')


def noun_phrase(words: Sequence[str]) -> Tree:
    """Return the tree of 'the small red mug': an optional article, adjectives, a noun."""
    dependents = tuple(
        determiner('the') if word == 'the' else Tree(word, 'ADJ', 'amod') for word in words[:-1]
    )
    return Tree(words[-1], 'NOUN', left=dependents)


def prepositional_modifier(preposition: str, anchor: Tree) -> Tree:
    """Return a modifier of a noun: 'behind', 'left of' or 'in front of' followed by an anchor."""
    *front, last = preposition.split()
    case = Tree(last, 'ADP', 'case')
    if not front:
        return anchor.with_left(case).with_label('nmod')
    *opening, pivot = front
    if not opening:
        inner = anchor.with_left(case).with_label('nmod' if last == 'of' else 'obl')
        return Tree(pivot, 'ADJ', 'amod', right=(inner,))
    cases = [Tree(opening[0], 'ADP', 'case'), *map(_noun_modifier, opening[1:])]
    inner = anchor.with_left(case).with_label('nmod')
    return Tree(pivot, 'NOUN', 'nmod', tuple(cases), (inner,))


def relative_clause(predicate: Tree, subject: str = 'that') -> Tree:
    """Return the relative clause 'that is ...' of a predicate."""
    label = 'aux' if predicate.pos == 'VERB' else 'cop'
    return predicate.with_left(
        Tree(subject, 'PRON', 'nsubj'), Tree('is', 'AUX', label, morph=FINITE)
    ).with_label('acl:relcl')


def _noun_modifier(word: str) -> Tree:
    return determiner(word) if word == 'the' else Tree(word, 'ADJ', 'amod')


def _has_no_space_before(word: str) -> bool:
    return word in {"'s", ',', '.', '?', '!'}
