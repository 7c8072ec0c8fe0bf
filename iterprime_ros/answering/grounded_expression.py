"""What of a command is grounded: the whole expression, or the words of its noun phrase alone."""

from iterprime_ros.answer import WordHeatmap
from iterprime_ros.grounding.alignment import Expression, Span
from iterprime_ros.grounding.refinement import Grounding
from iterprime_ros.language.command_parser import ParsedCommand


def whole_expression(command: ParsedCommand) -> Expression:
    """Return the referring expression of a command with all its words."""
    return Expression(command.expression, command.primary_word, command.focus_words)


def phrase_expression(command: ParsedCommand) -> Expression:
    """Return the words of a command's noun phrase, without its constraints."""
    spans = tuple(_word_spans(command.phrase.text))
    origins = _origins(command)
    head = command.phrase.head
    primary = next((span for span in spans if head and origins.get(span) == head), None)
    focus = tuple(span for span in spans if span in origins)
    return Expression(command.phrase.text, primary, focus)


def phrase_span(command: ParsedCommand, word: Span) -> Span | None:
    """Return where a word of a command's expression stands in its phrase's text, if it does."""
    return next((span for span, origin in _origins(command).items() if origin == word), None)


def word_heatmaps(command: ParsedCommand, grounding: Grounding) -> tuple[WordHeatmap, ...]:
    """Return the heatmaps of the focus words, whose spans are of the command's expression."""
    grounded = grounding.expression
    origins = {} if grounded.text == command.expression else _origins(command)
    return tuple(
        WordHeatmap(origins.get(span, span), word_map, span == grounded.primary_word)
        for span, word_map in zip(grounded.focus_words, grounding.word_maps, strict=True)
    )


def _origins(command: ParsedCommand) -> dict[Span, Span]:
    """Return where in the expression the words of the phrase's text stand, by their spans in it.

    The text may have the words in another order, and words that the expression does not have.
    """
    phrase = command.phrase
    free = sorted((*phrase.attributes, *([phrase.head] if phrase.head else [])))
    origins: dict[Span, Span] = {}
    for span in _word_spans(phrase.text):
        word = phrase.text[slice(*span)].lower()
        for origin in free:
            if command.expression[slice(*origin)].lower() == word:
                origins[span] = origin
                free.remove(origin)
                break
    unmatched = [span for span in _word_spans(phrase.text) if span not in origins]
    if phrase.head in free and len(unmatched) == 1:
        origins[unmatched[0]] = phrase.head  # "mugs" and "one" stand there as "mug" and "object"
    return origins


def _word_spans(text: str) -> list[Span]:
    spans, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        spans.append((start, start + len(word)))
        start += len(word)
    return spans
