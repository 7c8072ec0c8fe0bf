"""Gold parses of noun phrases: a noun and what stands before it."""

from random import Random

from iterprime_ros.training.language.lexicon import (
    ANIMALS,
    CLOTHES,
    COLOURS,
    COMPOUNDS,
    EXTREMES,
    ORDINALS,
    OWNERS,
    PARTS,
    PEOPLE,
    PLACES,
    PORTIONS,
    POSTURES,
    QUALITIES,
    SIDES,
    STATES,
    THINGS,
)
from iterprime_ros.training.language.trees import PARTICIPLE, Tree, determiner, related


def described(rng: Random, article: str = 'the') -> Tree:
    """Draw a noun with what stands before it."""
    kind = rng.random()
    if kind < 0.08:
        return _owned(rng)
    if kind < 0.14:
        left = _before(rng, article)
        inner = thing(rng, rng.choice(('', 'the', 'a')))
        return Tree(rng.choice(PORTIONS), 'NOUN', left=left, right=(related('of', inner),))
    if kind < 0.22:
        first, last = rng.choice(COMPOUNDS).split()
        return Tree(last, 'NOUN', left=(*_before(rng, article), Tree(first, 'NOUN', 'compound')))
    if kind < 0.29:
        left = _before(rng, article or 'the')
        return Tree('one', 'NOUN', left=left)
    pool = rng.choices((PEOPLE, ANIMALS, THINGS, CLOTHES, PARTS), (5, 3, 7, 1, 0.5))[0]
    return Tree(rng.choice(pool), 'NOUN', left=_before(rng, article))


def goal(rng: Random) -> Tree:
    """Draw a place to put something."""
    return thing(rng, 'the')


def noun(rng: Random, pool: list[str], article: str) -> Tree:
    """Draw a noun of `pool`, at times with a colour or a quality."""
    left = (determiner(article),) if article else ()
    if rng.random() < 0.4:
        left = (*left, colour(rng) if rng.random() < 0.6 else quality(rng))
    return Tree(rng.choice(pool), 'NOUN', left=left)


def thing(rng: Random, article: str) -> Tree:
    """Draw a short noun phrase."""
    if rng.random() < 0.12:
        first, last = rng.choice(COMPOUNDS).split()
        found = Tree(last, 'NOUN', left=(Tree(first, 'NOUN', 'compound'),))
        return found.before(determiner(article)) if article else found
    return noun(rng, rng.choice((THINGS, THINGS, PEOPLE, ANIMALS, PLACES)), article)


def some_thing(rng: Random) -> Tree:
    """Draw a short noun phrase with any article."""
    return thing(rng, rng.choice(('the', 'the', 'a', '')))


def colour(rng: Random) -> Tree:
    """Draw a colour, as 'light blue' or 'black and white'."""
    named = Tree(rng.choice(COLOURS), 'ADJ', 'amod')
    kind = rng.random()
    if kind < 0.12:
        return named.before(Tree(rng.choice(('light', 'dark', 'bright')), 'ADJ', 'amod'))
    if kind < 0.22:
        other = Tree(rng.choice(COLOURS), 'ADJ', 'conj', (Tree('and', 'CCONJ', 'cc'),))
        return named.after(other)
    return named


def quality(rng: Random) -> Tree:
    """Draw a size, a material or a state."""
    return Tree(rng.choice(QUALITIES), 'ADJ', 'amod')


def _before(rng: Random, article: str) -> tuple[Tree, ...]:
    """Draw an article, a place, qualities, a colour and a participle."""
    found = [determiner(article)] if article else []
    if rng.random() < 0.18:
        found += rng.choice((_side, _side, _far_side, _ordinal, _number, _side_most))(rng)
    if rng.random() < 0.25:
        adverb = (Tree(rng.choice(('very', 'partially', 'more', 'half')), 'ADV', 'advmod'),)
        left = adverb if rng.random() < 0.12 else ()
        found.append(Tree(rng.choice(QUALITIES), 'ADJ', 'amod', left))
    if rng.random() < 0.1:
        adverb = (Tree(rng.choice(('partially', 'half', 'partly', 'freshly')), 'ADV', 'advmod'),)
        left = adverb if rng.random() < 0.4 else ()
        word = rng.choice(STATES + POSTURES)
        found.append(Tree(word, 'VERB', 'amod', left, morph=PARTICIPLE))
    if rng.random() < 0.3:
        found.append(colour(rng))
    if rng.random() < 0.04:
        found.append(Tree('open', 'ADJ', 'amod'))
    return tuple(found)


def _side(rng: Random) -> list[Tree]:
    count = 2 if rng.random() < 0.25 else 1
    sides = [Tree(rng.choice(SIDES), 'ADJ', 'amod') for _ in range(count)]
    return sides if rng.random() < 0.75 else [Tree(rng.choice(EXTREMES), 'ADJ', 'amod')]


def _far_side(rng: Random) -> list[Tree]:
    return [Tree(rng.choice(SIDES), 'ADJ', 'amod', (Tree('far', 'ADV', 'advmod'),))]


def _side_most(rng: Random) -> list[Tree]:
    return [Tree('most', 'ADJ', 'amod', (Tree(rng.choice(SIDES), 'ADJ', 'amod'),))]


def _ordinal(rng: Random) -> list[Tree]:
    return [Tree(rng.choice(ORDINALS), 'ADJ', 'amod')]


def _number(rng: Random) -> list[Tree]:
    return [Tree(rng.choice(('one', 'two', 'three', 'four', '2', '3')), 'NUM', 'nummod')]


def _owned(rng: Random) -> Tree:
    owned = Tree(rng.choice(PARTS + CLOTHES + THINGS), 'NOUN', left=_before(rng, '')[:1])
    if rng.random() < 0.3:
        return owned.before(determiner(rng.choice(('my', 'his', 'her', 'your'))))
    owner = noun(rng, OWNERS, rng.choice(('', 'the')))
    return owned.before(owner.after(Tree("'s", 'PART', 'case')).at('nmod:poss'))
