"""Random noun phrases with their gold parses."""

from random import Random

from iterprime_ros.training.language.lexicon import (
    ADJECTIVES,
    ANIMALS,
    BODY_PARTS,
    CLOTHES,
    COLOURS,
    COMPOUND_NOUNS,
    LOCATIONS,
    OBJECTS,
    ORDINALS,
    OWNERS,
    PARTITIVES,
    PEOPLE,
    POSTURE_PARTICIPLES,
    SIDES,
    STATE_PARTICIPLES,
    SUPERLATIVES,
)
from iterprime_ros.training.language.trees import (
    PARTICIPLE,
    Tree,
    determiner,
    prepositional_modifier,
)


def sample_noun_phrase(rng: Random, article: str = 'the') -> Tree:
    """Draw a noun with everything that may precede it; article: '' for none."""
    choice = rng.random()
    if choice < 0.08:
        return _possessive(rng)
    if choice < 0.14:
        left = _premodifiers(rng, article)
        inner = sample_short_noun_phrase(rng, rng.choice(('', 'the', 'a')))
        right = (prepositional_modifier('of', inner),)
        return Tree(rng.choice(PARTITIVES), 'NOUN', left=left, right=right)
    if choice < 0.22:
        first, last = rng.choice(COMPOUND_NOUNS).split()
        left = (*_premodifiers(rng, article), Tree(first, 'NOUN', 'compound'))
        return Tree(last, 'NOUN', left=left)
    if choice < 0.29:
        return Tree('one', 'NOUN', left=_premodifiers(rng, article or 'the'))
    nouns = rng.choices((PEOPLE, ANIMALS, OBJECTS, CLOTHES, BODY_PARTS), (5, 3, 7, 1, 0.5))[0]
    return Tree(rng.choice(nouns), 'NOUN', left=_premodifiers(rng, article))


def sample_short_noun_phrase(rng: Random, article: str | None = None) -> Tree:
    """Draw a noun with at most one modifier; article: '' for none, None for a random one."""
    if article is None:
        article = rng.choice(('the', 'the', 'a', ''))
    if rng.random() < 0.12:
        first, last = rng.choice(COMPOUND_NOUNS).split()
        tree = Tree(last, 'NOUN', left=(Tree(first, 'NOUN', 'compound'),))
        return tree.with_left(determiner(article)) if article else tree
    nouns = rng.choice((OBJECTS, OBJECTS, PEOPLE, ANIMALS, LOCATIONS))
    return sample_noun(rng, nouns, article)


def sample_noun(rng: Random, nouns: list[str], article: str) -> Tree:
    """Draw one of `nouns`, with a colour or another adjective in 40 % of all draws."""
    left = (determiner(article),) if article else ()
    if rng.random() < 0.4:
        left = (*left, sample_colour(rng) if rng.random() < 0.6 else sample_adjective(rng))
    return Tree(rng.choice(nouns), 'NOUN', left=left)


def sample_colour(rng: Random) -> Tree:
    """Draw a colour, such as 'red', 'light blue' or 'black and white'."""
    colour = Tree(rng.choice(COLOURS), 'ADJ', 'amod')
    choice = rng.random()
    if choice < 0.12:
        return colour.with_left(Tree(rng.choice(('light', 'dark', 'bright')), 'ADJ', 'amod'))
    if choice < 0.22:
        other = Tree(rng.choice(COLOURS), 'ADJ', 'conj', (Tree('and', 'CCONJ', 'cc'),))
        return colour.with_right(other)
    return colour


def sample_adjective(rng: Random) -> Tree:
    """Draw a size, a material or a state."""
    return Tree(rng.choice(ADJECTIVES), 'ADJ', 'amod')


def _premodifiers(rng: Random, article: str) -> tuple[Tree, ...]:
    """Draw an article, a position, adjectives, a participle and a colour, each optional."""
    trees = [determiner(article)] if article else []
    if rng.random() < 0.18:
        trees += rng.choice((_side, _side, _far_side, _ordinal, _number, _side_most))(rng)
    if rng.random() < 0.25:
        adverb = (Tree(rng.choice(('very', 'partially', 'more', 'half')), 'ADV', 'advmod'),)
        left = adverb if rng.random() < 0.12 else ()
        trees.append(Tree(rng.choice(ADJECTIVES), 'ADJ', 'amod', left))
    if rng.random() < 0.1:
        adverb = (Tree(rng.choice(('partially', 'half', 'partly', 'freshly')), 'ADV', 'advmod'),)
        left = adverb if rng.random() < 0.4 else ()
        word = rng.choice(STATE_PARTICIPLES + POSTURE_PARTICIPLES)
        trees.append(Tree(word, 'VERB', 'amod', left, morph=PARTICIPLE))
    if rng.random() < 0.3:
        trees.append(sample_colour(rng))
    if rng.random() < 0.04:
        trees.append(Tree('open', 'ADJ', 'amod'))
    return tuple(trees)


def _side(rng: Random) -> list[Tree]:
    count = 2 if rng.random() < 0.25 else 1
    sides = [Tree(rng.choice(SIDES), 'ADJ', 'amod') for _ in range(count)]
    return sides if rng.random() < 0.75 else [Tree(rng.choice(SUPERLATIVES), 'ADJ', 'amod')]


def _far_side(rng: Random) -> list[Tree]:
    return [Tree(rng.choice(SIDES), 'ADJ', 'amod', (Tree('far', 'ADV', 'advmod'),))]


def _side_most(rng: Random) -> list[Tree]:
    return [Tree('most', 'ADJ', 'amod', (Tree(rng.choice(SIDES), 'ADJ', 'amod'),))]


def _ordinal(rng: Random) -> list[Tree]:
    return [Tree(rng.choice(ORDINALS), 'ADJ', 'amod')]


def _number(rng: Random) -> list[Tree]:
    return [Tree(rng.choice(('one', 'two', 'three', 'four', '2', '3')), 'NUM', 'nummod')]


def _possessive(rng: Random) -> Tree:
    owned = Tree(
        rng.choice(BODY_PARTS + CLOTHES + OBJECTS), 'NOUN', left=_premodifiers(rng, '')[:1]
    )
    if rng.random() < 0.3:
        return owned.with_left(determiner(rng.choice(('my', 'his', 'her', 'your'))))
    owner = sample_noun(rng, OWNERS, rng.choice(('', 'the')))
    case = Tree("'s", 'PART', 'case')
    return owned.with_left(owner.with_right(case).with_label('nmod:poss'))
