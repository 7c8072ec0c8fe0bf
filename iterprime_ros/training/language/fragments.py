"""Gold parses of referring expressions about everyday photographs, drawn by a grammar."""

from collections.abc import Callable
from random import Random

from iterprime_ros.training.language.lexicon import (
    ANIMALS,
    CLOTHES,
    COLOURS,
    EXTREMES,
    GAZES,
    HOLDINGS,
    LONG_RELATIONS,
    ORDINALS,
    PARTS,
    PASSIVES,
    PEOPLE,
    POSTURES,
    PREPOSITIONS,
    SIDES,
    SIDEWAYS,
    THINGS,
)
from iterprime_ros.training.language.nouns import (
    colour,
    described,
    noun,
    quality,
    some_thing,
    thing,
)
from iterprime_ros.training.language.trees import (
    FINITE,
    PARTICIPLE,
    Tree,
    determiner,
    related,
    relative_clause,
)


def fragment(rng: Random) -> Tree:
    """Draw a referring expression in the style of RefCOCO, RefCOCO+ and RefCOCOg."""
    if rng.random() < 0.1:
        return _nameless(rng)
    if rng.random() < 0.05:
        return Tree(rng.choice(PEOPLE + ANIMALS + THINGS), 'NOUN')
    article = rng.choices(('', 'the', 'a'), (6, 4, 1))[0]
    head = described(rng, article)
    for _ in range(rng.choices((0, 1, 2), (3, 7, 2))[0]):
        head = head.after(rng.choices(*_MODIFIERS)[0](rng))
    return head


def _nameless(rng: Random) -> Tree:
    """Draw an expression without a noun for its head."""
    side = Tree(rng.choice(SIDES), 'ADJ')
    anchor = thing(rng, rng.choice(('the', '')))
    return rng.choice(
        (
            Tree(rng.choice(EXTREMES), 'ADJ'),
            Tree(rng.choice(COLOURS), 'ADJ'),
            side,
            side.before(Tree('far', 'ADV', 'advmod')),
            side.before(Tree(rng.choice(SIDES), 'ADJ', 'amod')),
            _counted(rng),
            related(rng.choice(('closest to', 'nearest to', 'next to', 'left of')), anchor),
            Tree(rng.choice(ORDINALS), 'ADJ', left=(determiner('the'),)),
        )
    )


def _related(rng: Random) -> Tree:
    words = PREPOSITIONS if rng.random() < 0.6 else LONG_RELATIONS
    return related(rng.choice(words), some_thing(rng))


def _sideways(rng: Random) -> Tree:
    """Draw 'on the left', 'in back', 'at far right', 'on the right side'."""
    words = rng.choice(SIDEWAYS).split()
    case = 'in' if words[-1] in {'back', 'front', 'row', 'middle', 'background'} else 'on'
    left = [Tree(rng.choice((case, case, case, 'at', 'to')), 'ADP', 'case')]
    if rng.random() < 0.6:
        left.append(determiner('the'))
    left += [Tree(word, 'ADJ', 'amod') for word in words[:-1]]
    return Tree(words[-1], 'NOUN', 'nmod', tuple(left))


def _bare_side(rng: Random) -> Tree:
    side = Tree(rng.choice(SIDES), 'ADJ', 'amod')
    far = Tree(rng.choice(('far', 'far', 'on', 'top', 'very')), 'ADV', 'advmod')
    return side if far.word == 'on' else side.before(far)


def _counted(rng: Random) -> Tree:
    """Draw '2nd from the left'."""
    end = Tree(rng.choice(('left', 'right', 'top', 'bottom', 'end', 'front')), 'NOUN', 'nmod')
    left = [Tree('from', 'ADP', 'case')]
    if rng.random() < 0.5:
        left.append(determiner('the'))
    return Tree(rng.choice(ORDINALS), 'ADJ', 'amod', right=(end.before(*left),))


def _clothed(rng: Random) -> Tree:
    if rng.random() < 0.35:
        return Tree(rng.choice(COLOURS), 'NOUN', 'nmod', (Tree('in', 'ADP', 'case'),))
    case = rng.choice(('in', 'in', 'with', 'with', 'w', 'w/'))
    return related(case, noun(rng, CLOTHES, rng.choice(('', '', 'a', 'the'))))


def _juxtaposed(rng: Random) -> Tree:
    """Draw what telegrams leave bare: 'man red shirt', 'bus number 12'."""
    if rng.random() < 0.75:
        return noun(rng, CLOTHES, '').at('nmod:unmarked')
    number = Tree(str(rng.randrange(1, 100)), 'NUM', 'nummod')
    return Tree('number', 'NOUN', 'nmod:unmarked', right=(number,))


def _having(rng: Random) -> Tree:
    part = noun(rng, PARTS + THINGS, rng.choice(('', 'its', 'his', 'a', 'the')))
    if rng.random() < 0.5:
        word = rng.choice(('up', 'down', 'out', 'off', 'on', 'back', 'raised', 'open'))
        pos = {'raised': 'VERB', 'open': 'ADJ'}.get(word, 'ADV')
        label = 'advmod' if pos == 'ADV' else 'amod'
        part = part.after(Tree(word, pos, label, morph=PARTICIPLE if pos == 'VERB' else ''))
    return related('with', part)


def _doing(rng: Random) -> Tree:
    """Draw 'holding a cup', 'sitting on the bench', 'parked by the wall', 'facing left'."""
    kind = rng.random()
    if kind < 0.35:
        return _participle(rng.choice(HOLDINGS), some_thing(rng).at('obj'))
    if kind < 0.6:
        return _participle(rng.choice(POSTURES), _related(rng).at('obl'))
    if kind < 0.7:
        return _participle(rng.choice(POSTURES))
    if kind < 0.78:
        return _participle(rng.choice(GAZES), related('at', some_thing(rng)).at('obl'))
    if kind < 0.84:
        way = rng.choice(('left', 'right', 'forward', 'away', 'up', 'down', 'back'))
        return _participle(rng.choice(('facing', *GAZES)), Tree(way, 'ADV', 'advmod'))
    if kind < 0.9:
        agent = related('by', some_thing(rng)).at('obl:agent')
        verb = rng.choice(('held', 'ridden', 'pulled', 'used', 'eaten', 'fed', 'washed', 'hit'))
        return _participle(verb, agent).before(Tree('being', 'AUX', 'aux:pass', morph=FINITE))
    return _participle(rng.choice(PASSIVES), _related(rng).at('obl'))


def _participle(word: str, *right: Tree) -> Tree:
    return Tree(word, 'VERB', 'acl', right=right, morph=PARTICIPLE)


def _clause(rng: Random) -> Tree:
    """Draw a relative clause."""
    kind = rng.random()
    if kind < 0.4:
        modifier = rng.choice((_related, _sideways, _doing, _bare_side, _clothed))(rng)
        return relative_clause(modifier, rng.choice(('that', 'that', 'who', 'which')))
    if kind < 0.6:
        return relative_clause(quality(rng) if rng.random() < 0.5 else colour(rng))
    subject = Tree(rng.choice(('that', 'who', 'which')), 'PRON', 'nsubj')
    if kind < 0.75:
        return Tree('has', 'VERB', 'acl:relcl', (subject,), (some_thing(rng).at('obj'),), FINITE)
    # An object gap: 'that the man is holding', 'a dog is lying on'.
    left = [noun(rng, PEOPLE + ANIMALS, rng.choice(('the', 'a', ''))).at('nsubj')]
    left.append(Tree('is', 'AUX', 'aux', morph=FINITE))
    if rng.random() < 0.5:
        left.insert(0, Tree('that', 'PRON', 'obj'))
    right: tuple[Tree, ...] = ()
    word = rng.choice(HOLDINGS)
    if rng.random() < 0.4:
        word, right = rng.choice(POSTURES), (Tree('on', 'ADP', 'case'),)
    return Tree(word, 'VERB', 'acl:relcl', tuple(left), right, PARTICIPLE)


_MODIFIERS: tuple[list[Callable[[Random], Tree]], list[float]] = (
    [_related, _sideways, _bare_side, _counted, _clothed, _juxtaposed, _having, _doing, _clause],
    [5, 4, 1.5, 0.7, 2.5, 0.5, 1.5, 5, 2],
)
