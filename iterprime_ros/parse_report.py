"""What `iterprime parse` prints: a parsed command, with the words of its phrase aligned."""

import json
from collections.abc import Iterator, Sequence

from iterprime_ros.language.command_parser import ParsedCommand
from iterprime_ros.language.phrase import NounPhrase, Span, Superlative

_GAP = '    '


def draw(parsed: ParsedCommand, notes: Sequence[str] = ()) -> str:
    """Return a parsed command as lines of text; notes: what the user should know besides.

    Below the expression each line repeats the words that a part of the phrase was read from, at
    their place, and says to the right of them what they mean.
    """
    focus = ', '.join(parsed.expression[slice(*span)] for span in parsed.focus_words)
    primary = parsed.primary_word and parsed.expression[slice(*parsed.primary_word)]
    lines = [
        f'command  {parsed.text}',
        f'verb     {_verb(parsed)}',
        f'primary  {primary or "none"}',
        f'focus    {focus or "none"}',
        *(f'note     {note}' for note in notes),
        '',
        f'  {parsed.expression}',
    ]
    for spans, depth, meaning in _rows(parsed.phrase, 0):
        words = _aligned(parsed.expression, spans)
        lines.append(f'  {words}{_GAP}{"  " * depth}{meaning}')
    return '\n'.join(lines)


def report(parsed: ParsedCommand, notes: Sequence[str] = ()) -> str:
    """Return a parsed command as a line of JSON; spans are characters of the expression.

    notes: what the user should know besides.
    """
    primary = parsed.primary_word
    return json.dumps(
        {
            'command': parsed.text,
            'action_verb': parsed.action_verb,
            'is_prohibition': parsed.is_prohibition,
            'expression': parsed.expression,
            'primary_word': primary and _word(parsed, primary),
            'focus_words': [_word(parsed, span) for span in parsed.focus_words],
            'phrase': _as_dict(parsed.phrase),
            'notes': list(notes),
        }
    )


def _verb(parsed: ParsedCommand) -> str:
    return 'none: says what not to do' if parsed.is_prohibition else parsed.action_verb or 'none'


def _rows(phrase: NounPhrase, depth: int) -> Iterator[tuple[list[Span], int, str]]:
    """Yield the spans of words, how deep they are nested, and what they mean."""
    head = [phrase.head] if phrase.head else []
    yield [*phrase.attributes, *head], depth, _said(phrase)
    for text in phrase.excluded:
        yield [], depth + 1, f'not "{text}"'
    for superlative in phrase.superlatives:
        yield [superlative.span], depth + 1, _ordered(superlative)
        if superlative.anchor:
            yield from _rows(superlative.anchor, depth + 2)
    for side in phrase.sides:
        yield [side.span], depth + 1, _negated(side.side.value, side.is_negated)
    for relation in phrase.relations:
        yield [relation.span], depth + 1, _negated(relation.relation.value, relation.is_negated)
        for anchor in dict.fromkeys(relation.anchors):
            yield from _rows(anchor, depth + 2)


def _said(phrase: NounPhrase) -> str:
    number = f', {phrase.count or "several"} of them' if phrase.is_plural else ''
    return f'"{phrase.text}"{number}'


def _ordered(superlative: Superlative) -> str:
    rank = f', number {superlative.rank}' if superlative.rank > 1 else ''
    anchor = ' with respect to' if superlative.anchor else ''
    return f'{superlative.order.value}{rank}{anchor}'


def _negated(words: str, is_negated: bool) -> str:
    return f'not {words}' if is_negated else words


def _aligned(text: str, spans: list[Span]) -> str:
    """Return a text with blanks for all characters outside of the spans."""
    kept = {at for span in spans for at in range(*span)}
    return ''.join(letter if at in kept else ' ' for at, letter in enumerate(text))


def _word(parsed: ParsedCommand, span: Span) -> dict[str, object]:
    return {'text': parsed.expression[slice(*span)], 'span': span}


def _as_dict(phrase: NounPhrase) -> dict[str, object]:
    return {
        'text': phrase.text,
        'span': phrase.span,
        'head': phrase.head,
        'attributes': phrase.attributes,
        'excluded': phrase.excluded,
        'is_plural': phrase.is_plural,
        'count': phrase.count,
        'superlatives': [
            {
                'order': each.order.value,
                'span': each.span,
                'rank': each.rank,
                'anchor': each.anchor and _as_dict(each.anchor),
            }
            for each in phrase.superlatives
        ],
        'sides': [
            {'side': each.side.value, 'span': each.span, 'is_negated': each.is_negated}
            for each in phrase.sides
        ],
        'relations': [
            {
                'relation': each.relation.value,
                'span': each.span,
                'anchors': [_as_dict(anchor) for anchor in each.anchors],
                'is_negated': each.is_negated,
            }
            for each in phrase.relations
        ],
    }
