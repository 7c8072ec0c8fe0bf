"""Commands with other words in their expressions: "pick up the red mug" on the right."""

from collections.abc import Collection, Iterable

from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.language.phrase import NounPhrase, Span
from iterprime_ros.language.word_lists import DETERMINERS

_INDEFINITE = frozenset({'a', 'an', 'any', 'some', 'either'})


def with_expression(command: ParsedCommand, expression: str) -> str:
    """Return the text of a command with another expression in the place of its own."""
    return command.text.replace(command.expression, expression, 1)


def with_words(
    command: ParsedCommand,
    before: str = '',
    beside: str = '',
    after: str = '',
    without: Collection[Span] = (),
) -> str:
    """Return the text of a command with other words in its expression.

    before: for before its attributes and its head: "leftmost", "second".
    beside: for behind its head: "from the left", "with a handle".
    after: for its end: "left of the plate".
    without: spans of the expression; words in them are left out.
    """
    phrase, expression = command.phrase, command.expression
    named = own_spans(phrase)
    kept = [span for span in word_spans(expression) if not _meets(span, without)]
    first = next((span for span in kept if _meets(span, named)), None)
    last = next((span for span in kept if phrase.head and _meets(span, [phrase.head])), None)
    words = list[str]()
    for span in kept:
        word = expression[slice(*span)]
        words += [before] if span == first else []
        words.append('the' if not words and word.lower() in _INDEFINITE else word)
        words += [beside] if span == last else []
    if last is None:  # "the red", "on the left": "one" stands for what is meant
        start = [before] if first is None else []
        inner = [word for word in words if word.lower() not in DETERMINERS]
        is_place = first is None
        words = ['the', *start, 'one', beside, *inner] if is_place else [*words, 'one', beside]
    if after:
        ends_with_head = last is not None and kept[-1] == last and not beside
        words += [after] if ends_with_head else ['and', after]
    return with_expression(command, ' '.join(filter(None, words)))


def own_spans(phrase: NounPhrase) -> list[Span]:
    """Return where the attributes and the head of a phrase stand in its expression."""
    return sorted((*phrase.attributes, *([phrase.head] if phrase.head else [])))


def order_spans(command: ParsedCommand) -> list[Span]:
    """Return where the words of superlatives and ordinals without an anchor are."""
    phrase = command.phrase
    spans = [each.span for each in phrase.superlatives if each.anchor is None]
    named = own_spans(phrase)
    words = word_spans(command.expression)
    return [word for word in words if _meets(word, spans) and not _meets(word, named)]


def word_spans(text: str) -> list[Span]:
    """Return where the words of a text are, as [start, end) characters."""
    spans, start = list[Span](), 0
    for word in text.split():
        start = text.index(word, start)
        spans.append((start, start + len(word)))
        start += len(word)
    return spans


def _meets(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
