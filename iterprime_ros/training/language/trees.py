"""Dependency trees in the style of Universal Dependencies, and how to put them together."""

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
    """A word, its part of speech, its label to its head, and what hangs to its left and right.

    Projective by construction. The topmost label does not matter: it is written as ROOT.
    """

    word: str
    pos: str
    label: str = 'ROOT'
    left: tuple['Tree', ...] = ()
    right: tuple['Tree', ...] = ()
    morph: str = ''

    def at(self, label: str) -> 'Tree':
        """Return the same tree, ready to hang on a head by `label`."""
        return replace(self, label=label)

    def before(self, *children: 'Tree') -> 'Tree':
        """Return the tree with children put left of everything that it has."""
        return replace(self, left=(*children, *self.left))

    def after(self, *children: 'Tree') -> 'Tree':
        """Return the tree with children put right of everything that it has."""
        return replace(self, right=(*self.right, *children))

    def in_order(self) -> Iterator['Tree']:
        """Yield every node as the words stand in the text."""
        for child in self.left:
            yield from child.in_order()
        yield self
        for child in self.right:
            yield from child.in_order()

    def capitalised(self) -> 'Tree':
        """Return the tree with a capital for its first letter."""
        if self.left:
            return replace(self, left=(self.left[0].capitalised(), *self.left[1:]))
        return replace(self, word=self.word[:1].upper() + self.word[1:])

    @property
    def text(self) -> str:
        """The words with a space between them, none before 's and punctuation."""
        return ''.join(
            word if _is_glued(word) or not place else f' {word}'
            for place, word in enumerate(node.word for node in self.in_order())
        )


def to_doc(tree: Tree, vocab: Vocab) -> Doc:
    """Return the tree as a spaCy document with gold parts of speech, heads and labels."""
    nodes = list(tree.in_order())
    places = {id(node): place for place, node in enumerate(nodes)}
    heads = list(range(len(nodes)))
    for node in nodes:
        for child in (*node.left, *node.right):
            heads[places[id(child)]] = places[id(node)]
    words = [node.word for node in nodes]
    return Doc(
        vocab,
        words=words,
        spaces=[not _is_glued(after) for after in words[1:]] + [False],
        pos=[node.pos for node in nodes],
        morphs=[node.morph for node in nodes],
        heads=heads,
        deps=['ROOT' if node is tree else node.label for node in nodes],
        sent_starts=[place == 0 for place in range(len(nodes))],
    )


def determiner(word: str) -> Tree:
    """Return an article, or a possessive pronoun where `word` is one."""
    if word in {'my', 'your', 'his', 'her', 'its', 'their'}:
        return Tree(word, 'PRON', 'nmod:poss')
    return Tree(word, 'DET', 'det')


def noun_phrase(words: Sequence[str]) -> Tree:
    """Return the tree of 'the small red mug': an optional article, adjectives, a noun."""
    children = tuple(
        determiner('the') if word == 'the' else Tree(word, 'ADJ', 'amod') for word in words[:-1]
    )
    return Tree(words[-1], 'NOUN', left=children)


def related(words: str, anchor: Tree) -> Tree:
    """Return what hangs on a noun to say where it is: 'behind', 'left of', 'in front of' anchor."""
    *front, last = words.split()
    case = Tree(last, 'ADP', 'case')
    if not front:
        return anchor.before(case).at('nmod')
    *opening, pivot = front
    if not opening:
        inner = anchor.before(case).at('nmod' if last == 'of' else 'obl')
        return Tree(pivot, 'ADJ', 'amod', right=(inner,))
    cases = [Tree(opening[0], 'ADP', 'case'), *map(_inside, opening[1:])]
    return Tree(pivot, 'NOUN', 'nmod', tuple(cases), (anchor.before(case).at('nmod'),))


def relative_clause(predicate: Tree, subject: str = 'that') -> Tree:
    """Return 'that is ...' round what is said of a noun."""
    verb = 'aux' if predicate.pos == 'VERB' else 'cop'
    return predicate.before(
        Tree(subject, 'PRON', 'nsubj'), Tree('is', 'AUX', verb, morph=FINITE)
    ).at('acl:relcl')


def _inside(word: str) -> Tree:
    return determiner(word) if word == 'the' else Tree(word, 'ADJ', 'amod')


def _is_glued(word: str) -> bool:
    return word in {"'s", ',', '.', '?', '!'}
