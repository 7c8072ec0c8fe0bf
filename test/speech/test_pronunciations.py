"""Words that the dictionary lacks are pronounced by their parts, then by rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterprime_ros.language.word_lists import words
from iterprime_ros.speech.pronunciations import (
    dictionary_text,
    pronunciations,
    read_dictionary,
    spelt,
)

DICTIONARY = read_dictionary(
    'right R AY T\nmost M OW S T\nmug M AH G\nbox B AA K S\nbottle B AA T AH L\n'
    'flask F L AE S K\nnear N IH R\nlarge L AA R JH\nthe DH AH\nthe(2) DH IY\nbig B IH G\n'
)
PHONES = words(
    'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W '
    'Y Z ZH'
)


@pytest.mark.parametrize(
    ('word', 'said'),
    [
        ('rightmost', 'R AY T M OW S T'),
        ('mugs', 'M AH G Z'),
        ('boxes', 'B AA K S IH Z'),
        ('larger', 'L AA R JH ER'),
        ('biggest', 'B IH G AH S T'),
        ('bottle', 'B AA D AH L'),  # the flapped t of Americans
        ('bottle', 'B AO T AH L'),  # the o of the English
        ('flask', 'F L AA S K'),
        ('near', 'N IH AH'),
        ('the', 'DH IY'),
        ('cake', 'K EY K'),  # by its spelling
    ],
)
def test_known_ways_to_say_a_word(word, said):
    assert tuple(said.split()) in pronunciations(word, DICTIONARY)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_every_word_can_be_said(word):
    found = pronunciations(word, DICTIONARY)
    assert found
    assert len(set(found)) == len(found)
    assert all(phones and set(phones) <= PHONES for phones in found)


@settings(deadline=None)
@given(st.text('abcdefghijklmnopqrstuvwxyz', min_size=1, max_size=12))
def test_spelling_gives_phones_of_the_model(word):
    assert set(spelt(word)) <= PHONES


def test_a_dictionary_can_be_written_and_read_again():
    words = ['the', 'rightmost', 'flask', 'the']
    read = read_dictionary(dictionary_text(words, DICTIONARY))
    assert read == {word: pronunciations(word, DICTIONARY) for word in words}
