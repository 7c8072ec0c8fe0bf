"""Gold parses of commands, and of the tabletop's expressions and commands."""

from random import Random

from iterprime_ros.sim.expressions import Command
from iterprime_ros.sim.grammar import Wording
from iterprime_ros.training.language.lexicon import LONG_RELATIONS, PREPOSITIONS
from iterprime_ros.training.language.trees import (
    FINITE,
    GERUND,
    IMPERATIVE,
    INFINITIVE,
    Tree,
    noun_phrase,
    related,
    relative_clause,
)

_MATRIX_VERBS = {'want', 'like', 'need', 'mind', 'let'}
_GOALS = {'at', 'to', 'for', 'towards', 'toward', 'into', 'behind', 'through'}
_WORDS = {
    'please': ('INTJ', 'discourse'),
    'hey': ('INTJ', 'discourse'),
    'ok': ('INTJ', 'discourse'),
    'okay': ('INTJ', 'discourse'),
    'could': ('AUX', 'aux'),
    'can': ('AUX', 'aux'),
    'would': ('AUX', 'aux'),
    'will': ('AUX', 'aux'),
    'should': ('AUX', 'aux'),
    'do': ('AUX', 'aux'),
    'i': ('PRON', 'nsubj'),
    'you': ('PRON', 'nsubj'),
    'robot': ('NOUN', 'vocative'),
    ',': ('PUNCT', 'punct'),
    '.': ('PUNCT', 'punct'),
    '?': ('PUNCT', 'punct'),
    'to': ('PART', 'mark'),
    'me': ('PRON', 'iobj'),
    'us': ('PRON', 'iobj'),
    'now': ('ADV', 'advmod'),
    'then': ('ADV', 'advmod'),
    'just': ('ADV', 'advmod'),
    'here': ('ADV', 'advmod'),
    'over': ('ADV', 'advmod'),
    'back': ('ADV', 'advmod'),
    'away': ('ADV', 'advmod'),
}

# Verb, then the words between it and its object, then those after the object.
_FRAMES = (
    'pick up,pick|up,pick out,grab,take,get,get me,bring,bring me,bring|here,bring over,'
    'give me,give|to me,hand me,hand over,hand|to me,pass me,pass,fetch,fetch me,find,find me,'
    'show me,show,point at,point to,look at,look for,search for,touch,lift,lift up,lift|up,push,'
    'pull,move,move to,move towards,go to,go towards,go over to,drive to,navigate to,walk to,'
    'head to,come to,follow,open,close,turn on,turn|on,turn off,switch on,switch|off,hold,'
    'carry,place,put|down,put|away,put|back,drop,throw,throw|away,clean,wipe,wash,press,'
    'rotate,inspect,check,examine,locate,identify,highlight,segment,select,mark,count,track,watch,'
    'avoid,approach,reach,reach for,grasp,squeeze,return,deliver,collect,remove,stack,empty,fill,'
    'pour,cut,serve,light,water,paint,book,park,park behind,stop at,wait for,drive through'
)
_MANNERS = (
    '{}|{}|{}|{}|please {}|{} please|could you {}|can you {}|could you please {}|would you {}|'
    'can you please {}|will you {}|i want you to {}|i need you to {}|i would like you to {}|'
    'robot , {}|hey robot , {}|robot , please {}|now {}|then {}|ok , {}|okay robot , {}|just {}|'
    'let us {}|would you mind {}|you should {}|you can {}|{} for me|{} now|{} , please|{} for us'
)
_CARRYING = {'place', 'put', 'drop', 'move', 'bring'}
_GOAL_FORMS = ('on', 'in', 'into', 'onto', 'next to', 'to', 'under', 'from', 'off')


def order(rng: Random, expression: Tree, goal: Tree) -> tuple[Tree, str]:
    """Draw a command about `expression`, some with `goal` as the place to bring it to.

    Returns the tree and the action verb.
    """
    verb, middle, final = _frame(rng)
    opening, closing = rng.choice(_MANNERS.split('|')).split('{}')
    tail: list[str | Tree] = [*final]
    if verb in _CARRYING and not (middle or final) and rng.random() < 0.6:
        tail = [related(rng.choice(_GOAL_FORMS), goal).at('obl')]
    before = opening.split()
    tree = command(before, verb, middle, expression, [*tail, *closing.split()])
    if rng.random() < 0.2:
        stop = '?' if before[:1] in (['could'], ['can'], ['would'], ['will']) else '.'
        tree = tree.after(_leaf(stop))
    return tree, verb


def verbs() -> list[str]:
    """Return the action verbs of the commands drawn."""
    return sorted({frame.replace('|', ' ').split()[0] for frame in _FRAMES.split(',')})


def question(rng: Random, expression: Tree) -> Tree:
    """Draw a question or a wish about `expression`."""
    is_ = Tree('is', 'AUX', 'cop', morph=FINITE)
    subject = expression.at('nsubj')
    match rng.randrange(5):
        case 0:
            return Tree('where', 'ADV', right=(is_, subject))
        case 1:
            return Tree('what', 'PRON', right=(is_, subject))
        case 2:
            which = Tree('one', 'NOUN', 'nsubj', (Tree('which', 'DET', 'det'),))
            return expression.before(which, is_)
        case 3:
            verb = rng.choice(('see', 'find', 'recognise', 'reach'))
            left = (_leaf(rng.choice(('do', 'can'))), _leaf('you'))
            return Tree(verb, 'VERB', 'ROOT', left, (expression.at('obj'),), INFINITIVE)
    verb = rng.choice(('want', 'need', 'see'))
    return Tree(verb, 'VERB', 'ROOT', (_leaf('i'),), (expression.at('obj'),), FINITE)


def command(
    before: list[str], verb: str, middle: list[str], expression: Tree, after: list[str | Tree]
) -> Tree:
    """Return the tree of an order: words before the verb, it, words, its object, words after."""
    matrix = next((place for place, word in enumerate(before) if word in _MATRIX_VERBS), None)
    inner = before if matrix is None else before[matrix + 1 :]
    patient = [word for word in inner if matrix is not None and word in {'you', 'us'}]
    left = tuple(_leaf(word) for word in inner if word not in patient)
    goal = [word for word in middle if word in _GOALS]
    node = expression.at('obl' if goal else 'obj').before(*(Tree(w, 'ADP', 'case') for w in goal))
    right = [_leaf(word, particle=not goal) for word in middle if word not in goal]
    right += [node, *_endings(after)]
    if matrix is None:
        morph = INFINITIVE if 'you' in before else IMPERATIVE
        return Tree(verb, 'VERB', 'ROOT', left, tuple(right), morph)
    mind = before[matrix] == 'mind'
    form, morph = (gerund(verb), GERUND) if mind else (verb, INFINITIVE)
    action = Tree(form, 'VERB', 'xcomp', left, tuple(right), morph)
    outer = tuple(_leaf(word) for word in before[:matrix])
    objects = tuple(Tree(word, 'PRON', 'obj') for word in patient)
    finite = IMPERATIVE if before[matrix] == 'let' else FINITE
    return Tree(before[matrix], 'VERB', 'ROOT', outer, (*objects, action), finite)


def tabletop_expression(wording: Wording) -> Tree:
    """Return the parse of a wording of the simulated table.

    Raises ValueError for words that the grammar of `iterprime_ros.sim.grammar` does not have.
    """
    _, end = wording.primary_word
    head = noun_phrase(wording.text[:end].split())
    rest = wording.text[end:].strip()
    if not rest:
        return head
    is_clause = rest.startswith('that is ')
    rest = rest.removeprefix('that is ')
    modifier = _tail(rest)
    return head.after(relative_clause(modifier) if is_clause else modifier)


def tabletop_command(said: Command, expression: Tree) -> Tree:
    """Return the parse of a command of the simulated table about `expression`."""
    start, end = said.expression
    before = said.text[:start].replace(',', ' ,').split()
    place = before.index(said.action_verb)
    after: list[str | Tree] = [*said.text[end:].split()]
    return command(before[:place], said.action_verb, before[place + 1 :], expression, after)


def _tail(rest: str) -> Tree:
    for relation in (*LONG_RELATIONS, *PREPOSITIONS):
        if rest.startswith(f'{relation} the '):
            return related(relation, noun_phrase(rest.removeprefix(relation).split()))
    words = rest.split()
    if rest == 'farthest away':
        return Tree(words[0], 'ADJ', 'amod', right=(Tree(words[1], 'ADV', 'advmod'),))
    if len(words) == 1:
        return Tree(rest, 'ADJ', 'amod')
    raise ValueError(f'no parse is known for "{rest}".')


def _frame(rng: Random) -> tuple[str, list[str], list[str]]:
    front, _, final = rng.choice(_FRAMES.split(',')).partition('|')
    verb, *middle = front.split()
    return verb, middle, final.split()


def _endings(words: list[str | Tree]) -> list[Tree]:
    found: list[Tree] = []
    case: tuple[Tree, ...] = ()
    for word in words:
        if isinstance(word, Tree):
            found.append(word)
        elif word in {'to', 'for'}:
            case = (Tree(word, 'ADP', 'case'),)
        elif case:
            found.append(Tree(word, 'PRON', 'obl', case))
            case = ()
        else:
            found.append(_leaf(word, particle=True))
    return found


def _leaf(word: str, particle: bool = False) -> Tree:
    if particle and word in {'up', 'down', 'on', 'off', 'out', 'over'}:
        return Tree(word, 'ADP', 'compound:prt')
    pos, label = _WORDS[word]
    return Tree(word, pos, label, morph=FINITE if pos == 'AUX' else '')


def gerund(verb: str) -> str:
    """Return the -ing form of one of those verbs."""
    if verb in {'get', 'put', 'grab', 'drop', 'stop', 'cut'}:
        return f'{verb}{verb[-1]}ing'
    return f'{verb.removesuffix("e") if verb != "see" else verb}ing'
