"""How words are pronounced: a dictionary, compounds, rules of spelling, and accents of English.

Phones are those of the CMU Pronouncing Dictionary without stress, which the models of pocketsphinx
use: 'M AH G'.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from iterprime_ros.language.word_lists import words as listed

Phones = tuple[str, ...]
Dictionary = Mapping[str, tuple[Phones, ...]]

_VOWELS = listed('AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW')
_SIBILANTS = listed('S Z SH ZH CH JH')
_VOICELESS = listed('P T K F TH')
_SHORTEST_PART = 3  # letters of a part of a compound

# Letters with their usual sounds, the longest first; English spelling has no rule for the rest.
_LETTERS = {
    'tion': 'SH AH N', 'ough': 'AO', 'eigh': 'EY', 'igh': 'AY', 'tch': 'CH', 'dge': 'JH',
    'ch': 'CH', 'sh': 'SH', 'th': 'TH', 'ph': 'F', 'wh': 'W', 'ck': 'K', 'ng': 'NG', 'qu': 'K W',
    'ee': 'IY', 'ea': 'IY', 'oo': 'UW', 'ou': 'AW', 'ow': 'OW', 'oa': 'OW', 'ai': 'EY',
    'ay': 'EY', 'oi': 'OY', 'oy': 'OY', 'au': 'AO', 'aw': 'AO', 'ew': 'UW', 'ar': 'AA R',
    'or': 'AO R', 'er': 'ER', 'ir': 'ER', 'ur': 'ER', 'le': 'AH L', 'ce': 'S', 'ge': 'JH',
    'a': 'AE', 'b': 'B', 'c': 'K', 'd': 'D', 'e': 'EH', 'f': 'F', 'g': 'G', 'h': 'HH', 'i': 'IH',
    'j': 'JH', 'k': 'K', 'l': 'L', 'm': 'M', 'n': 'N', 'o': 'AA', 'p': 'P', 'r': 'R', 's': 'S',
    't': 'T', 'u': 'AH', 'v': 'V', 'w': 'W', 'x': 'K S', 'y': 'IY', 'z': 'Z',
}  # fmt: skip
_LONG = {'a': 'EY', 'e': 'IY', 'i': 'AY', 'o': 'OW', 'u': 'UW'}  # before a consonant and a mute e
_SPELLING = re.compile('|'.join(sorted(_LETTERS, key=len, reverse=True)))

# British vowels that no rule gives (J. C. Wells, Accents of English, 1982, on TRAP and BATH).
_BRITISH = {'banana': 'B AH N AA N AH', 'tomato': 'T AH M AA T OW', 'can': 'K AE N'}
_BATH = re.compile(r'AE (?=(?:S|F|TH|S [KPT]|F T|N S|N T SH)(?: |$))')


def read_dictionary(text: str) -> dict[str, tuple[Phones, ...]]:
    """Return the words of a dictionary in the format of CMU Sphinx with their pronunciations.

    text: a word and its phones in each line; 'word(2)' is the second pronunciation of 'word'.
    """
    found: dict[str, tuple[Phones, ...]] = {}
    for line in text.splitlines():
        name, *phones = line.split() or ['']
        if phones:
            word = re.sub(r'\(\d+\)$', '', name)
            found[word] = (*found.get(word, ()), tuple(phones))
    return found


def pronunciations(word: str, dictionary: Dictionary) -> tuple[Phones, ...]:
    """Return how a word is said, at least one way, without duplicates.

    word: in lower case.

    The first that applies: the dictionary; two words of it joined ("right" + "most"); one with an
    ending ("mug" + "s"); rules of spelling. Accents are added to each.
    """
    known = dictionary.get(word) or _compound(word, dictionary) or _inflected(word, dictionary)
    plain = known or (spelt(word),)
    return tuple(dict.fromkeys(each for phones in plain for each in _accents(word, phones)))


def dictionary_text(words: Iterable[str], dictionary: Dictionary) -> str:
    """Return the lines of a dictionary in the format of CMU Sphinx for words, in order."""
    lines = []
    for word in dict.fromkeys(words):
        for number, phones in enumerate(pronunciations(word, dictionary), 1):
            name = word if number == 1 else f'{word}({number})'
            lines.append(f'{name} {" ".join(phones)}\n')
    return ''.join(lines)


def spelt(word: str) -> Phones:
    """Return how a word is said by rules of spelling alone; other characters than a to z are mute.

    It is a guess, and at least one phone: the neutral vowel where there is nothing to say.
    """
    plain = re.sub(r'(.)\1', r'\1', re.sub('[^a-z]', '', word))
    long = re.fullmatch(r'(.*[^aeiou]|)([aeiou])([^aeiouwxy])e', plain)
    if long:
        start, vowel, end = long.groups()
        sounds = [*_sounds(start), _LONG[vowel], *_sounds(end)]
    else:
        sounds = _sounds(plain)
    return tuple(sounds) or ('AH',)


def _sounds(letters: str) -> list[str]:
    return [phone for found in _SPELLING.findall(letters) for phone in _LETTERS[found].split()]


def _compound(word: str, dictionary: Dictionary) -> tuple[Phones, ...]:
    """Return the pronunciations of a word of two, with the longest first part; () if it is none."""
    for cut in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
        first, second = dictionary.get(word[:cut]), dictionary.get(word[cut:])
        if first and second:
            return tuple((*a, *b) for a in first for b in second)
    return ()


def _inflected(word: str, dictionary: Dictionary) -> tuple[Phones, ...]:
    """Return the pronunciations of a known word with an ending; () if it is none."""
    for ending in ('s', 'es', 'er', 'est', 'ing', 'ed'):
        stem = word.removesuffix(ending)
        for base in (stem, f'{stem}e', stem[:-1] if stem[-2:-1] == stem[-1:] else ''):
            if stem != word and base in dictionary:
                return tuple((*phones, *_ending(ending, phones[-1])) for phones in dictionary[base])
    return ()


def _ending(ending: str, last: str) -> Phones:
    match ending:
        case 's' | 'es':
            if last in _SIBILANTS:
                return ('IH', 'Z')
            return ('S',) if last in _VOICELESS else ('Z',)
        case 'ed':
            if last in ('T', 'D'):
                return ('IH', 'D')
            return ('T',) if last in _VOICELESS | _SIBILANTS else ('D',)
        case 'er':
            return ('ER',)
        case 'est':
            return ('AH', 'S', 'T')
    return ('IH', 'NG')


def _accents(word: str, phones: Phones) -> Iterator[Phones]:
    """Yield a pronunciation, and how it is with a flapped t, in southern England, and in noise.

    In noise a first f is hardly told from the th of "thin" (Miller and Nicely, "An analysis of
    perceptual confusions among some English consonants", JASA 1955).
    """
    british = tuple(_BRITISH[word].split()) if word in _BRITISH else _british(word, phones)
    for said in (phones, _flapped(phones), british):
        yield said
        if said[0] == 'F':
            yield ('TH', *said[1:])


def _flapped(phones: Phones) -> Phones:
    """Return a pronunciation with t as d between vowels, as Americans say "bottle"."""
    after = (*phones[1:], '')
    before = ('', *phones[:-1])
    return tuple(
        'D' if phone == 'T' and left in _VOWELS and right in ('AH', 'ER', 'IY', 'IH') else phone
        for left, phone, right in zip(before, phones, after, strict=True)
    )


def _british(word: str, phones: Phones) -> Phones:
    """Return an American pronunciation as it is in southern England.

    After Wells, Accents of English: r only before vowels; the vowels of BATH and LOT; the glide in
    "capsule". AO stands for the vowel of LOT, which the American phones do not have.
    """
    said = _BATH.sub('AA ', ' '.join(phones))
    if 'o' in word:
        said = re.sub(r'\bAA\b(?! R)', 'AO', said)
    vowel = '|'.join(sorted(_VOWELS))
    said = re.sub(rf'\b(IH|EH|UH) R(?! (?:{vowel}))', r'\1 AH', said)
    said = re.sub(rf' R(?! (?:{vowel}))\b', '', said)
    said = re.sub(r'\bER$', 'AH', said)
    if word.endswith('sule'):
        said = re.sub(r'S (?:AH|UH|UW) L$', 'S Y UW L', said)
    return tuple(said.split())
