"""Properties of referring expressions that a report groups the questions of a data set by."""

from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.evaluation.coco_nouns import names_category
from iterprime_ros.language.command_parser import BareExpression, CommandParser, ParsedCommand
from iterprime_ros.language.phrase import NounPhrase
from iterprime_ros.language.word_lists import INDEFINITE_PRONOUNS, ONES

# The words of `judge` in VoyageWang/IteRPrimE demo/IteRPrimE.py. They are looked for anywhere in
# the expression in lower case, so that "cup" has "up"; its call is commented out there, and no
# code says how figure 1c of the paper chose its expressions.
POSITION_WORDS = ('left', 'right', 'up', 'down', 'top', 'bottom')
NOT_PARSED = 'not parsed'
_LONGEST = {'1 to 2 words': 2, '3 to 5 words': 5, '6 to 8 words': 8}  # ours, not of a publication
_LONGER = '9 words and more'


def expression_tags(expression: str, parser: CommandParser) -> dict[str, str]:
    """Return the value of every tag of a referring expression, by the tag's name.

    'position words': 'with' or 'without' one of POSITION_WORDS.
    'length': number of words between white space, in bins.
    'relation': see `relation_kind`.
    'head noun': 'COCO' where it names a thing category of COCO (see coco_nouns), 'other' where it
        names something else, 'none' where there is no noun ("second from the left").

    The last two are NOT_PARSED where the parser refuses the expression.
    """
    try:
        parsed = parser.parse(BareExpression(expression))
    except InvalidCommandError:
        parsed = None
    return {
        'position words': 'with' if has_position_word(expression) else 'without',
        'length': _length(expression),
        'relation': NOT_PARSED if parsed is None else relation_kind(parsed.phrase),
        'head noun': NOT_PARSED if parsed is None else _head_noun(parsed),
    }


def has_position_word(expression: str) -> bool:
    """Return whether an expression is in the position subset, by the authors' words and rule."""
    return any(word in expression.lower() for word in POSITION_WORDS)


def relation_kind(phrase: NounPhrase) -> str:
    """Return the kind of the outermost constraint of a phrase, 'none' without any.

    A superlative or an ordinal chooses among what satisfies everything else, so it is outermost:
    'superlative'. Then comes the first relation to another object, by the value of its Relation
    ('left of', 'on', ...), then a half of the image: 'side'.
    """
    if phrase.superlatives:
        return 'superlative'
    if phrase.relations:
        return phrase.relations[0].relation.value
    return 'side' if phrase.sides else 'none'


def _length(expression: str) -> str:
    count = len(expression.split())
    return next((name for name, most in _LONGEST.items() if count <= most), _LONGER)


def _head_noun(parsed: ParsedCommand) -> str:
    head = parsed.phrase.head
    if head is None:
        return 'none'
    noun = parsed.expression[slice(*head)].lower()
    if noun in ONES | INDEFINITE_PRONOUNS:
        return 'none'
    before = parsed.expression[: head[0]].lower().split()
    return 'COCO' if names_category([*before, noun]) else 'other'
