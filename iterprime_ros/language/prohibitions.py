"""Orders not to do something, by closed lists of words: "don't touch the vase"."""

from spacy.tokens import Doc

from iterprime_ros.language.phrase_units import plain
from iterprime_ros.language.word_lists import words

NEGATIONS = frozenset({'not', "n't", 'nt', 'never'})
_AUXILIARIES = words('do must should shall may can ca could would will wo need dare')
_WISHES = words('want need like wish love')
# They describe: 'the mugs that do not have handles'.
_STATES = words('have has be look contain match belong stand lie sit see find')
_BEFORE = words("""
    and then but so , . ; ! : - please now just robot hey hi hello ok okay no well also always
""")


def after_prohibition(doc: Doc, at: int) -> int | None:
    """Return the token after 'do not', 'you must never' or the like at `at`, if it stands there."""
    said = [plain(token.lower_) for token in doc[at:]]
    subject = said[0] if said and said[0] in {'i', 'we', 'you'} else ''
    start = int(bool(subject))
    auxiliary = said[start] if said[start:] and said[start] in _AUXILIARIES else ''
    negation = start + bool(auxiliary)
    if auxiliary and said[negation : negation + 1] == ['you']:  # 'could you not touch'
        negation += 1
    after = negation + 1
    if after >= len(said) or said[negation] not in NEGATIONS:
        return None
    if not auxiliary and said[negation] != 'never':
        return None
    if said[after] == 'you' and auxiliary != 'do':  # 'can't you hand me the mug'
        return None
    if said[after] in _STATES:
        return None
    is_verb = doc[at + after].pos_ in {'VERB', 'NOUN'} and not said[after].endswith(('ed', 'ing'))
    if not auxiliary and not is_verb:
        return None  # 'never used'
    if subject in {'i', 'we'} and auxiliary not in {'must', 'should', 'shall'}:
        return at + after if said[after] in _WISHES else None
    return at + after


def find_prohibition(doc: Doc) -> int | None:
    """Return the token after the first prohibition that begins a clause; None without one."""
    for at in range(len(doc)):
        if at == 0 or doc[at - 1].lower_ in _BEFORE - {'and', 'then'}:
            after = after_prohibition(doc, at)
            if after is not None:
                return after
    return None
