"""Commands and questions with their gold parses, drawn at random or from the tabletop world."""

from random import Random

from iterprime_ros.sim.expressions import Command
from iterprime_ros.sim.grammar import Wording
from iterprime_ros.training.language.lexicon import COMPOUND_PREPOSITIONS, PREPOSITIONS
from iterprime_ros.training.language.trees import (
    FINITE,
    GERUND,
    IMPERATIVE,
    INFINITIVE,
    Tree,
    noun_phrase,
    prepositional_modifier,
    relative_clause,
)

_MATRIX_VERBS = {'want', 'like', 'need', 'mind', 'let'}
_OBLIQUE_PREPOSITIONS = {'at', 'to', 'for', 'towards', 'toward', 'into', 'behind', 'through'}
# Part of speech and dependency relation of function words.
_FUNCTION_WORDS = {
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

# Verbs with the words up to their object, then, after |, those that follow the object.
_VERB_FRAMES = (
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
_CARRIER_PHRASES = (
    '{}|{}|{}|{}|please {}|{} please|could you {}|can you {}|could you please {}|would you {}|'
    'can you please {}|will you {}|i want you to {}|i need you to {}|i would like you to {}|'
    'robot , {}|hey robot , {}|robot , please {}|now {}|then {}|ok , {}|okay robot , {}|just {}|'
    'let us {}|would you mind {}|you should {}|you can {}|{} for me|{} now|{} , please|{} for us'
)
_PLACEMENT_VERBS = {'place', 'put', 'drop', 'move', 'bring'}
_DESTINATION_PREPOSITIONS = ('on', 'in', 'into', 'onto', 'next to', 'to', 'under', 'from', 'off')


def sample_command_tree(rng: Random, expression: Tree, destination: Tree) -> tuple[Tree, str]:
    """Draw a command about `expression`, in some cases with a destination to bring it to.

    Returns the tree of the command and its action verb.
    """
    verb, middle, final = _sample_frame(rng)
    opening, closing = rng.choice(_CARRIER_PHRASES.split('|')).split('{}')
    tail: list[str | Tree] = [*final]
    if verb in _PLACEMENT_VERBS and not (middle or final) and rng.random() < 0.6:
        preposition = rng.choice(_DESTINATION_PREPOSITIONS)
        tail = [prepositional_modifier(preposition, destination).with_label('obl')]
    before = opening.split()
    tree = _command_tree(before, verb, middle, expression, [*tail, *closing.split()])
    if rng.random() < 0.2:
        stop = '?' if before[:1] in (['could'], ['can'], ['would'], ['will']) else '.'
        tree = tree.with_right(_leaf(stop))
    return tree, verb


def action_verbs() -> list[str]:
    """Return the action verbs of sample_command_tree, sorted."""
    return sorted({frame.replace('|', ' ').split()[0] for frame in _VERB_FRAMES.split(',')})


def sample_question_tree(rng: Random, expression: Tree) -> Tree:
    """Draw a question or a statement such as 'i want ...' about `expression`."""
    copula = Tree('is', 'AUX', 'cop', morph=FINITE)
    subject = expression.with_label('nsubj')
    match rng.randrange(5):
        case 0:
            return Tree('where', 'ADV', right=(copula, subject))
        case 1:
            return Tree('what', 'PRON', right=(copula, subject))
        case 2:
            which = Tree('one', 'NOUN', 'nsubj', (Tree('which', 'DET', 'det'),))
            return expression.with_left(which, copula)
        case 3:
            verb = rng.choice(('see', 'find', 'recognise', 'reach'))
            left = (_leaf(rng.choice(('do', 'can'))), _leaf('you'))
            return Tree(verb, 'VERB', 'ROOT', left, (expression.with_label('obj'),), INFINITIVE)
    verb = rng.choice(('want', 'need', 'see'))
    return Tree(verb, 'VERB', 'ROOT', (_leaf('i'),), (expression.with_label('obj'),), FINITE)


def _command_tree(
    before: list[str], verb: str, middle: list[str], expression: Tree, after: list[str | Tree]
) -> Tree:
    """Return the tree of a command.

    before: the words before the action verb.
    verb: the action verb.
    middle: the words between the verb and its object.
    expression: the object.
    after: the words and modifiers after the object.
    """
    matrix = next((index for index, word in enumerate(before) if word in _MATRIX_VERBS), None)
    inner = before if matrix is None else before[matrix + 1 :]
    matrix_object = [word for word in inner if matrix is not None and word in {'you', 'us'}]
    left = tuple(_leaf(word) for word in inner if word not in matrix_object)
    prepositions = [word for word in middle if word in _OBLIQUE_PREPOSITIONS]
    cases = [Tree(word, 'ADP', 'case') for word in prepositions]
    node = expression.with_label('obl' if cases else 'obj').with_left(*cases)
    right = [_leaf(word, may_be_particle=not cases) for word in middle if word not in prepositions]
    right += [node, *_ending_trees(after)]
    if matrix is None:
        morph = INFINITIVE if 'you' in before else IMPERATIVE
        return Tree(verb, 'VERB', 'ROOT', left, tuple(right), morph)
    is_gerund = before[matrix] == 'mind'
    form, morph = (gerund(verb), GERUND) if is_gerund else (verb, INFINITIVE)
    action = Tree(form, 'VERB', 'xcomp', left, tuple(right), morph)
    outer = tuple(_leaf(word) for word in before[:matrix])
    objects = tuple(Tree(word, 'PRON', 'obj') for word in matrix_object)
    finite = IMPERATIVE if before[matrix] == 'let' else FINITE
    return Tree(before[matrix], 'VERB', 'ROOT', outer, (*objects, action), finite)


def tabletop_expression_tree(wording: Wording) -> Tree:
    """Return the parse of a wording of iterprime_ros.sim.grammar.

    Raises ValueError for words that the grammar does not have.
    """
    _, end = wording.primary_word
    head = noun_phrase(wording.text[:end].split())
    rest = wording.text[end:].strip()
    if not rest:
        return head
    is_clause = rest.startswith('that is ')
    rest = rest.removeprefix('that is ')
    modifier = _tabletop_modifier(rest)
    return head.with_right(relative_clause(modifier) if is_clause else modifier)


def tabletop_command_tree(command: Command, expression: Tree) -> Tree:
    """Return the parse of a command of iterprime_ros.sim whose expression has a known parse."""
    start, end = command.expression_span
    verb = command.action_verb
    before = command.text[:start].replace(',', ' ,').split()
    index = before.index(verb)
    after: list[str | Tree] = [*command.text[end:].split()]
    return _command_tree(before[:index], verb, before[index + 1 :], expression, after)


def _tabletop_modifier(text: str) -> Tree:
    for preposition in (*COMPOUND_PREPOSITIONS, *PREPOSITIONS):
        if text.startswith(f'{preposition} the '):
            anchor = noun_phrase(text.removeprefix(preposition).split())
            return prepositional_modifier(preposition, anchor)
    words = text.split()
    if text == 'farthest away':
        return Tree(words[0], 'ADJ', 'amod', right=(Tree(words[1], 'ADV', 'advmod'),))
    if len(words) == 1:
        return Tree(text, 'ADJ', 'amod')
    raise ValueError(f'The modifier "{text}" has no known parse: use the words of sim.grammar.')


def _sample_frame(rng: Random) -> tuple[str, list[str], list[str]]:
    front, _, final = rng.choice(_VERB_FRAMES.split(',')).partition('|')
    verb, *middle = front.split()
    return verb, middle, final.split()


def _ending_trees(words: list[str | Tree]) -> list[Tree]:
    trees: list[Tree] = []
    case: tuple[Tree, ...] = ()
    for word in words:
        if isinstance(word, Tree):
            trees.append(word)
        elif word in {'to', 'for'}:
            case = (Tree(word, 'ADP', 'case'),)
        elif case:
            trees.append(Tree(word, 'PRON', 'obl', case))
            case = ()
        else:
            trees.append(_leaf(word, may_be_particle=True))
    return trees


def _leaf(word: str, may_be_particle: bool = False) -> Tree:
    if may_be_particle and word in {'up', 'down', 'on', 'off', 'out', 'over'}:
        return Tree(word, 'ADP', 'compound:prt')
    pos, label = _FUNCTION_WORDS[word]
    return Tree(word, pos, label, morph=FINITE if pos == 'AUX' else '')


def gerund(verb: str) -> str:
    """Return the -ing form of a verb of action_verbs()."""
    if verb in {'get', 'put', 'grab', 'drop', 'stop', 'cut'}:
        return f'{verb}{verb[-1]}ing'
    return f'{verb.removesuffix("e") if verb != "see" else verb}ing'
