"""Why a phrase means no candidate, and what tells candidates apart, as sentences without a stop."""

from collections.abc import Sequence

from iterprime_ros.language.phrase import NounPhrase, Order, RelationConstraint, Superlative
from iterprime_ros.spatial.distinctions import counted_from, distinctions
from iterprime_ros.spatial.measurements import Measurements
from iterprime_ros.spatial.reasoner import Factor, Reasoning, is_to_scene
from iterprime_ros.spatial.words import (
    constraint_words,
    described,
    indefinite,
    number_word,
    plural,
    superlative_name,
)

_LIKELY = 0.5  # chance from which a candidate counts as being something


def not_found_reason(reasoning: Reasoning, likely: float = _LIKELY) -> str:
    """Return why a noun phrase means none of the candidates.

    likely: chance in [0, 1] from which a candidate counts as fulfilling a part.

    The part that is named is the first one after which no candidate is left: "Nothing here is a
    mug", "There is a mug, but no plate for it to be left of", "There are two mugs, but none is left
    of a plate".
    """
    phrase, heads = reasoning.phrase, reasoning.heads >= likely
    count = int(heads.sum())
    if not count:
        return _no_head(reasoning, likely)
    found = _there_are(count, phrase.text)
    beliefs, fulfilled = reasoning.heads, list[str]()
    for factor in reasoning.factors:
        missing = _missing_anchor(factor, likely)
        if missing:
            return (
                f'{found}, but {missing} for {"it" if count == 1 else "them"} to be {_to(factor)}'
            )
        words = constraint_words(factor.constraint)
        beliefs = beliefs * factor.chances
        if (beliefs >= likely).any():
            fulfilled.append(words)
            continue
        if isinstance(factor.constraint, Superlative):
            return f'{found}, but {_no_place(factor.constraint, count)}'
        if fulfilled and (factor.chances[heads] >= likely).any():
            return f'{found}, but none is both {" and ".join(fulfilled)} and {words}'
        is_negated = factor.constraint.is_negated
        if is_negated:
            words = words.removeprefix('not ')
            return f'{found}, but {"it is" if count == 1 else "all are"} {words}'
        return f'{found}, but {"it is not" if count == 1 else "none is"} {words}'
    return f'{found}, but none that is likely enough to be {indefinite(described(phrase))}'


def distinction(reasoning: Reasoning, several: Sequence[int], measured: Measurements) -> str:
    """Return what tells candidates apart: "Two mugs fit: one on the left, one on the right".

    several: their indices, at least two.
    """
    text = plural(reasoning.phrase.text)
    start = f'{number_word(len(several)).capitalize()} {text} fit'
    found = distinctions(reasoning, several, measured)
    if not found:
        return f'{start}, close together' if len(several) == 2 else start
    side = counted_from(found)
    if len(several) > 3 and side:
        return f'{start}: say which one from the {side}'
    words = [each.words for each in found]
    other = found[1].constraint
    if isinstance(other, RelationConstraint):
        words[1] = f'{other.relation.value} it'
    return f'{start}: one {", one ".join(words)}'


def several_found(expression: str, phrase: NounPhrase, count: int) -> str:
    """Return the sentence for a plural command that `count` candidates fit, count at least 1."""
    found = f'{number_word(count)} {phrase.text if count == 1 else plural(phrase.text)}'
    if phrase.count is not None and phrase.count != count:
        found = f'{found}, not {number_word(phrase.count)},'
    return f'Found {found} for "{expression}".'


def too_many_fit(phrase: NounPhrase, count: int) -> str:
    """Return the sentence for a phrase that says a number, which more candidates fit."""
    wanted = number_word(phrase.count or 1)
    return f'{number_word(count).capitalize()} {plural(phrase.text)} fit: say which {wanted}.'


def _no_head(reasoning: Reasoning, likely: float) -> str:
    """Return why no candidate is what the phrase says, its constraints apart."""
    phrase, matching = reasoning.phrase, int((reasoning.match >= likely).sum())
    if not phrase.excluded or not matching:
        return f'Nothing here is {indefinite(phrase.text)}'
    excluded = ' or '.join(map(indefinite, phrase.excluded))
    which = 'it is' if matching == 1 else 'each is'
    return f'{_there_are(matching, phrase.text)}, but {which} {excluded}'


def _there_are(count: int, text: str) -> str:
    if count == 1:
        return f'There is {indefinite(text)}'
    return f'There are {number_word(count)} {plural(text)}'


def _missing_anchor(factor: Factor, likely: float) -> str:
    """Return 'no plate' where a constraint that must hold has no anchor, else ''."""
    if isinstance(factor.constraint, RelationConstraint) and factor.constraint.is_negated:
        return ''
    if is_to_scene(factor.constraint):
        return ''
    for anchor in factor.anchors:
        if not (anchor.beliefs >= likely).any():
            return f'no {described(anchor.phrase)}'
    if len(factor.anchors) == 2 and factor.anchors[0].phrase == factor.anchors[1].phrase:
        phrase = factor.anchors[0].phrase
        is_one = int((factor.anchors[0].beliefs >= likely).sum()) == 1
        return f'only one {described(phrase)}' if is_one else ''
    return ''


def _to(factor: Factor) -> str:
    """Return what ends 'no plate for it to be ...'."""
    if isinstance(factor.constraint, RelationConstraint):
        return factor.constraint.relation.value
    closest = isinstance(factor.constraint, Superlative) and factor.constraint.order
    return 'farthest from' if closest is Order.FARTHEST else 'closest to'


def _no_place(superlative: Superlative, count: int) -> str:
    if superlative.rank > count:
        return f'no {superlative_name(superlative)}'
    return f'it is not clear which one is {constraint_words(superlative)}'
