"""Random referring expressions about everyday photographs, with their gold parses."""

from collections.abc import Callable
from random import Random

from iterprime_ros.training.language.lexicon import (
    ANIMALS,
    BODY_PARTS,
    CLOTHES,
    COLOURS,
    COMPOUND_PREPOSITIONS,
    LOOKING_PARTICIPLES,
    OBJECTS,
    ORDINALS,
    PASSIVE_PARTICIPLES,
    PEOPLE,
    POSTURE_PARTICIPLES,
    PREPOSITIONS,
    SIDE_NOUNS,
    SIDES,
    SUPERLATIVES,
    TRANSITIVE_PARTICIPLES,
)
from iterprime_ros.training.language.nouns import (
    sample_adjective,
    sample_colour,
    sample_noun,
    sample_noun_phrase,
    sample_short_noun_phrase,
)
from iterprime_ros.training.language.trees import (
    FINITE,
    PARTICIPLE,
    Tree,
    determiner,
    prepositional_modifier,
    relative_clause,
)


def sample_photo_expression(rng: Random) -> Tree:
    """Draw a referring expression in the style of RefCOCO, RefCOCO+ and RefCOCOg."""
    if rng.random() < 0.1:
        return _without_head_noun(rng)
    if rng.random() < 0.05:
        return Tree(rng.choice(PEOPLE + ANIMALS + OBJECTS), 'NOUN')
    article = rng.choices(('', 'the', 'a'), (6, 4, 1))[0]
    head = sample_noun_phrase(rng, article)
    for _ in range(rng.choices((0, 1, 2), (3, 7, 2))[0]):
        head = head.with_right(rng.choices(*_MODIFIERS)[0](rng))
    return head


def _without_head_noun(rng: Random) -> Tree:
    side = Tree(rng.choice(SIDES), 'ADJ')
    anchor = sample_short_noun_phrase(rng, rng.choice(('the', '')))
    return rng.choice(
        (
            Tree(rng.choice(SUPERLATIVES), 'ADJ'),
            Tree(rng.choice(COLOURS), 'ADJ'),
            side,
            side.with_left(Tree('far', 'ADV', 'advmod')),
            side.with_left(Tree(rng.choice(SIDES), 'ADJ', 'amod')),
            _ordinal_from_side(rng),
            prepositional_modifier(
                rng.choice(('closest to', 'nearest to', 'next to', 'left of')), anchor
            ),
            Tree(rng.choice(ORDINALS), 'ADJ', left=(determiner('the'),)),
        )
    )


def _relation(rng: Random) -> Tree:
    prepositions = PREPOSITIONS if rng.random() < 0.6 else COMPOUND_PREPOSITIONS
    return prepositional_modifier(rng.choice(prepositions), sample_short_noun_phrase(rng))


def _side_noun(rng: Random) -> Tree:
    """Draw 'on the left', 'in back', 'at far right' or 'on the right side'."""
    words = rng.choice(SIDE_NOUNS).split()
    case = 'in' if words[-1] in {'back', 'front', 'row', 'middle', 'background'} else 'on'
    left = [Tree(rng.choice((case, case, case, 'at', 'to')), 'ADP', 'case')]
    if rng.random() < 0.6:
        left.append(determiner('the'))
    left += [Tree(word, 'ADJ', 'amod') for word in words[:-1]]
    return Tree(words[-1], 'NOUN', 'nmod', tuple(left))


def _side_adjective(rng: Random) -> Tree:
    side = Tree(rng.choice(SIDES), 'ADJ', 'amod')
    adverb = Tree(rng.choice(('far', 'far', 'on', 'top', 'very')), 'ADV', 'advmod')
    return side if adverb.word == 'on' else side.with_left(adverb)


def _ordinal_from_side(rng: Random) -> Tree:
    """Draw '2nd from the left'."""
    side = Tree(rng.choice(('left', 'right', 'top', 'bottom', 'end', 'front')), 'NOUN', 'nmod')
    left = [Tree('from', 'ADP', 'case')]
    if rng.random() < 0.5:
        left.append(determiner('the'))
    return Tree(rng.choice(ORDINALS), 'ADJ', 'amod', right=(side.with_left(*left),))


def _clothing(rng: Random) -> Tree:
    if rng.random() < 0.35:
        return Tree(rng.choice(COLOURS), 'NOUN', 'nmod', (Tree('in', 'ADP', 'case'),))
    preposition = rng.choice(('in', 'in', 'with', 'with', 'w', 'w/'))
    clothes = sample_noun(rng, CLOTHES, rng.choice(('', '', 'a', 'the')))
    return prepositional_modifier(preposition, clothes)


def _unmarked_modifier(rng: Random) -> Tree:
    """Draw a noun without a preposition, as in 'man red shirt' or 'bus number 12'."""
    if rng.random() < 0.75:
        return sample_noun(rng, CLOTHES, '').with_label('nmod:unmarked')
    number = Tree(str(rng.randrange(1, 100)), 'NUM', 'nummod')
    return Tree('number', 'NOUN', 'nmod:unmarked', right=(number,))


def _with_part(rng: Random) -> Tree:
    part = sample_noun(rng, BODY_PARTS + OBJECTS, rng.choice(('', 'its', 'his', 'a', 'the')))
    if rng.random() < 0.5:
        word = rng.choice(('up', 'down', 'out', 'off', 'on', 'back', 'raised', 'open'))
        pos = {'raised': 'VERB', 'open': 'ADJ'}.get(word, 'ADV')
        label = 'advmod' if pos == 'ADV' else 'amod'
        state = Tree(word, pos, label, morph=PARTICIPLE if pos == 'VERB' else '')
        part = part.with_right(state)
    return prepositional_modifier('with', part)


def _participle_phrase(rng: Random) -> Tree:
    """Draw 'holding a cup', 'sitting on the bench', 'parked by the wall' or 'facing left'."""
    choice = rng.random()
    if choice < 0.35:
        verb = rng.choice(TRANSITIVE_PARTICIPLES)
        return _participle(verb, sample_short_noun_phrase(rng).with_label('obj'))
    if choice < 0.6:
        return _participle(rng.choice(POSTURE_PARTICIPLES), _relation(rng).with_label('obl'))
    if choice < 0.7:
        return _participle(rng.choice(POSTURE_PARTICIPLES))
    if choice < 0.78:
        verb = rng.choice(LOOKING_PARTICIPLES)
        goal = prepositional_modifier('at', sample_short_noun_phrase(rng))
        return _participle(verb, goal.with_label('obl'))
    if choice < 0.84:
        way = rng.choice(('left', 'right', 'forward', 'away', 'up', 'down', 'back'))
        verb = rng.choice(('facing', *LOOKING_PARTICIPLES))
        return _participle(verb, Tree(way, 'ADV', 'advmod'))
    if choice < 0.9:
        agent = prepositional_modifier('by', sample_short_noun_phrase(rng)).with_label('obl:agent')
        verb = rng.choice(('held', 'ridden', 'pulled', 'used', 'eaten', 'fed', 'washed', 'hit'))
        return _participle(verb, agent).with_left(Tree('being', 'AUX', 'aux:pass', morph=FINITE))
    return _participle(rng.choice(PASSIVE_PARTICIPLES), _relation(rng).with_label('obl'))


def _participle(word: str, *right: Tree) -> Tree:
    return Tree(word, 'VERB', 'acl', right=right, morph=PARTICIPLE)


def _relative_clause(rng: Random) -> Tree:
    choice = rng.random()
    if choice < 0.4:
        samplers = (_relation, _side_noun, _participle_phrase, _side_adjective, _clothing)
        predicate = rng.choice(samplers)(rng)
        return relative_clause(predicate, rng.choice(('that', 'that', 'who', 'which')))
    if choice < 0.6:
        is_colour = rng.random() >= 0.5
        return relative_clause(sample_colour(rng) if is_colour else sample_adjective(rng))
    subject = Tree(rng.choice(('that', 'who', 'which')), 'PRON', 'nsubj')
    if choice < 0.75:
        owned = sample_short_noun_phrase(rng).with_label('obj')
        return Tree('has', 'VERB', 'acl:relcl', (subject,), (owned,), FINITE)
    # The relative pronoun is the object: 'that the man is holding', 'a dog is lying on'.
    agent = sample_noun(rng, PEOPLE + ANIMALS, rng.choice(('the', 'a', '')))
    left = [agent.with_label('nsubj'), Tree('is', 'AUX', 'aux', morph=FINITE)]
    if rng.random() < 0.5:
        left.insert(0, Tree('that', 'PRON', 'obj'))
    right: tuple[Tree, ...] = ()
    word = rng.choice(TRANSITIVE_PARTICIPLES)
    if rng.random() < 0.4:
        word, right = rng.choice(POSTURE_PARTICIPLES), (Tree('on', 'ADP', 'case'),)
    return Tree(word, 'VERB', 'acl:relcl', tuple(left), right, PARTICIPLE)


_MODIFIERS: tuple[list[Callable[[Random], Tree]], list[float]] = (
    [
        _relation,
        _side_noun,
        _side_adjective,
        _ordinal_from_side,
        _clothing,
        _unmarked_modifier,
        _with_part,
        _participle_phrase,
        _relative_clause,
    ],
    [5, 4, 1.5, 0.7, 2.5, 0.5, 1.5, 5, 2],
)
