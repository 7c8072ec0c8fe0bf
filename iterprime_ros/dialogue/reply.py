"""A reply, understood in the context of the question: "the right one", "no, the small one"."""

import re
from dataclasses import dataclass
from enum import Enum

from iterprime_ros.dialogue.question import Choice, Question
from iterprime_ros.dialogue.reply_words import ANY, ENDS, SAYS_NOTHING
from iterprime_ros.dialogue.wording import (
    order_spans,
    own_spans,
    with_expression,
    with_words,
    word_spans,
)
from iterprime_ros.errors import InvalidCommandError
from iterprime_ros.language.command_parser import CommandParser, ParsedCommand
from iterprime_ros.language.phrase import NounPhrase, Order, Side, Span
from iterprime_ros.language.word_lists import (
    COLOURS,
    DETERMINERS,
    INDEFINITE_PRONOUNS,
    ONES,
    ORDINALS,
    SIZE_WORDS,
)
from iterprime_ros.spatial.words import noun_of

_OPENING = re.compile(
    r'(no|nope|yes|yeah|yep|ok|okay|well|um|uh|er|hmm|sorry|please|actually|hey|robot'
    r"|i (mean|meant|said|want)|(it|that)( i|')s)(?![\w'])[ ,:]*"
)
_NEGATION = re.compile(r'not (?=the |that |this )')
_NUMBERS = {
    'former': 0,
    'latter': 1,
    'number one': 0,
    'number two': 1,
    'number three': 2,
    'last': -1,
}
_ORDER_OF = {
    Side.LEFT: Order.LEFTMOST,
    Side.RIGHT: Order.RIGHTMOST,
    Side.TOP: Order.TOPMOST,
    Side.BOTTOM: Order.BOTTOMMOST,
}
_PAIR = 2


class ReplyKind(Enum):
    """What a reply is.

    CHOICE: one of the objects that the question names.
    MORE: more about the object.
    OTHER: another command.
    NOTHING: nothing that tells the objects apart.
    END: that the command is taken back.
    """

    CHOICE = 'choice'
    MORE = 'more'
    OTHER = 'other'
    NOTHING = 'nothing'
    END = 'end'


@dataclass(frozen=True)
class Reply:
    """A reply, understood.

    kind: what it is.
    command: what the person wants now, all in one: "pick up the red mug on the right"; '' for END.
    choice: the object of the question; None unless kind is CHOICE.
    """

    kind: ReplyKind
    command: str
    choice: Choice | None = None


def understood(text: str, question: Question, parser: CommandParser) -> Reply:
    """Return what a reply to a question means.

    text: as it was said. What is no reply, because it names an object of its own, or cannot be
        parsed, is OTHER.
    """
    said = ' '.join(text.lower().replace('\u2019', "'").strip(' .!?').split())
    bare = _without_opening(said)
    if said in ENDS or bare in ENDS:
        return Reply(ReplyKind.END, '')
    if bare in ANY and question.choices:
        return _chosen(min(question.choices, key=lambda each: each.candidate))
    if not bare or bare in SAYS_NOTHING:
        return Reply(ReplyKind.NOTHING, question.command.text)
    negated = _NEGATION.match(bare)
    if negated:
        return _all_but(bare[negated.end() :], question, parser)
    try:
        reply = parser.parse(bare)
    except InvalidCommandError:
        return Reply(ReplyKind.OTHER, text)
    choice = None if reply.is_prohibition else _choice(reply, question)
    if choice is not None:
        return _chosen(choice)
    if reply.is_prohibition or not _continues(reply, question.command):
        is_bare = not reply.action_verb and not reply.is_prohibition
        command = with_expression(question.command, reply.expression) if is_bare else text
        return Reply(ReplyKind.OTHER, command)
    return Reply(ReplyKind.MORE, _merged(question.command, reply))


def _chosen(choice: Choice) -> Reply:
    return Reply(ReplyKind.CHOICE, choice.command, choice)


def _without_opening(said: str) -> str:
    opening = _OPENING.match(said)
    while opening:
        said = said[opening.end() :]
        opening = _OPENING.match(said)
    return said


def _all_but(said: str, question: Question, parser: CommandParser) -> Reply:
    """Return the reply "not the left one", of which `said` is the rest."""
    named = understood(said, question, parser).choice
    others = [each for each in question.choices if each is not named]
    if named is not None and len(others) == 1:
        return _chosen(others[0])
    return Reply(ReplyKind.NOTHING, question.command.text)


def _choice(reply: ParsedCommand, question: Question) -> Choice | None:
    """Return the choice that a reply names, if it names one."""
    words = _content(reply.expression)
    naming = [each for each in question.choices if words and words <= _content(each.words)]
    if len(naming) == 1:
        return naming[0]
    if not question.choices or not _is_of_kind(reply.phrase, question.command.phrase):
        return None
    place = _place(words)
    if place is not None and -1 <= place < len(question.choices):
        return question.choices[place]
    order = _only_order(reply.phrase, question.command.phrase)
    first = question.firsts.get(order) if order else None
    return None if first is None else question.choices[first]


def _content(text: str) -> frozenset[str]:
    said = frozenset(re.findall(r"[\w'-]+", text.lower()))
    return said - DETERMINERS - ONES - {'on', 'at', 'to', 'in', 'from', 'of', 'side', 'which', 'is'}


def _place(words: frozenset[str]) -> int | None:
    """Return the place of a choice in the question that words name, from 0; -1 for the last."""
    if len(words) == 1 and words <= ORDINALS.keys():
        return ORDINALS[next(iter(words))] - 1
    named = [place for name, place in _NUMBERS.items() if words == frozenset(name.split())]
    return named[0] if named else None


def _only_order(reply: NounPhrase, asked: NounPhrase) -> Order | None:
    """Return the order in which the object comes first, if a reply says that and no more."""
    own = set(reply.text.split()) - set(asked.text.split()) - {'object'}
    orders = {each.order for each in reply.superlatives if each.rank == 1 and not each.anchor}
    orders |= {_ORDER_OF[each.side] for each in reply.sides if not each.is_negated}
    is_more = own or reply.excluded or reply.relations or any(s.is_negated for s in reply.sides)
    is_more = is_more or any(each.rank > 1 or each.anchor for each in reply.superlatives)
    return orders.pop() if len(orders) == 1 and not is_more else None


def _is_of_kind(reply: NounPhrase, asked: NounPhrase) -> bool:
    """Whether a reply has no noun of its own."""
    noun = noun_of(reply.text)
    standing = {'object', *COLOURS, *SIZE_WORDS, 'latter', 'former', 'two', 'three'}
    return reply.head is None or noun in standing or noun == noun_of(asked.text)


def _continues(reply: ParsedCommand, asked: ParsedCommand) -> bool:
    """Whether a reply says more about the object of a command, rather than name another one."""
    if not _is_of_kind(reply.phrase, asked.phrase) or reply.phrase.is_plural:
        return False
    head = reply.phrase.head
    is_pronoun = (
        head is None or reply.expression[slice(*head)].lower() in ONES | INDEFINITE_PRONOUNS
    )
    return is_pronoun or not reply.action_verb


def _merged(command: ParsedCommand, reply: ParsedCommand) -> str:
    """Return a command with the words of a reply; they replace what contradicts them."""
    before, beside, after = _parts(reply)
    without = list[Span]()
    for kind in (COLOURS, SIZE_WORDS):
        if kind & set(before.split()):
            spans = command.phrase.attributes
            without += [each for each in spans if command.expression[slice(*each)].lower() in kind]
    if any(each.anchor is None for each in reply.phrase.superlatives):
        without += order_spans(command)
    return with_words(command, before, beside, after, without)


def _parts(reply: ParsedCommand) -> tuple[str, str, str]:
    """Return the words of a reply for before the noun, behind it, and for the end."""
    phrase, expression = reply.phrase, reply.expression
    spans = word_spans(expression)
    head = phrase.head
    colour = head and expression[slice(*head)].lower() in COLOURS | SIZE_WORDS
    if head and not colour:
        first = next(k for k, span in enumerate(spans) if span[1] > head[0])
        after = spans[first + 1 :]
    else:
        begins = [each.span[0] for each in phrase.relations]
        begins += [each.span[0] for each in phrase.superlatives if each.anchor]
        begins += [each.span[0] for each in phrase.sides if ' ' in expression[slice(*each.span)]]
        begins += [span[0] for span in spans if expression[slice(*span)] == 'from']
        first = (
            next((k for k, span in enumerate(spans) if span[0] >= min(begins)), 0)
            if begins
            else len(spans)
        )
        after = spans[first:]
    words = [expression[slice(*span)] for span in spans[:first]]
    before = ' '.join(word for word in words if word.lower() not in DETERMINERS)
    tail = expression[after[0][0] :] if after else ''
    is_own = bool(after) and after[0] in own_spans(phrase)
    return (before, tail, '') if is_own or tail.startswith('from ') else (before, '', tail)
