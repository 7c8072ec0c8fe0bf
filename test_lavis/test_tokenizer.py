"""Texts become the tokens that LAVIS makes of them, and every token knows its characters."""

import contextlib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lavis.models.albef_models import AlbefBase
from lavis.models.blip_models.blip import BlipBase

from iterprime_ros.grounding.lavis import LavisTokenizer


@pytest.fixture(scope='module')
def lavis_tokenizer(vocabulary):
    with contextlib.chdir(vocabulary.parent):
        return BlipBase.init_tokenizer()


def test_the_tokens_of_albef_are_those_of_bert(vocabulary):
    with contextlib.chdir(vocabulary.parent):
        theirs = AlbefBase.init_tokenizer()
    ours = LavisTokenizer(theirs.vocab, is_blip=False)
    assert ours.cls_token_id == theirs.cls_token_id
    assert len(ours) == len(theirs)


@pytest.fixture(scope='module')
def tokenizer(lavis_tokenizer):
    return LavisTokenizer(lavis_tokenizer.vocab)


def test_the_special_tokens_are_those_of_lavis(lavis_tokenizer, tokenizer):
    assert lavis_tokenizer.bos_token_id == 30522
    assert tokenizer.cls_token_id == lavis_tokenizer.enc_token_id == 30523
    assert tokenizer.sep_token_id == lavis_tokenizer.sep_token_id
    assert tokenizer.pad_token_id == lavis_tokenizer.pad_token_id
    assert len(tokenizer) == len(lavis_tokenizer) == 30524


# Of rarer scripts the tokenizers library knows fewer characters than Python.
COMMON = st.characters(max_codepoint=0x5FF, exclude_categories=('Cn', 'Co', 'Cs'))


@settings(max_examples=500, deadline=None)
@given(text=st.text(st.one_of(st.sampled_from('the redmugÉé中,.- \t[]'), COMMON)))
def test_any_text_has_the_ids_of_lavis(lavis_tokenizer, tokenizer, text):
    assume(not any(token in text for token in lavis_tokenizer.all_special_tokens))
    encoded = tokenizer(text)
    assert encoded['input_ids'] == lavis_tokenizer(text, add_special_tokens=False)['input_ids']
    for start, end in encoded['offset_mapping']:
        assert 0 <= start < end <= len(text)


def test_offsets_are_characters_of_the_text(tokenizer):
    text = 'The red umbrella, holding a café'
    spans = [text[slice(*span)] for span in tokenizer(text)['offset_mapping']]
    assert spans == ['The', 'red', 'um', 'brel', 'la', ',', 'hold', 'ing', 'a', 'café']


def test_special_tokens_in_a_text_are_words(tokenizer):
    text = 'a [SEP] mug'
    assert tokenizer.sep_token_id not in tokenizer(text)['input_ids']
    pieces = [text[slice(*span)] for span in tokenizer(text)['offset_mapping']]
    assert pieces == ['a', '[', 'SEP', ']', 'mug']


def test_a_long_text_is_cut_as_lavis_cuts_it(lavis_tokenizer, matcher):
    text = ' '.join(['mug'] * 50)
    expected = lavis_tokenizer(text, truncation=True, max_length=35)['input_ids']
    batch = matcher.encode_text([text])
    assert batch.truncated == (True,)
    assert [len(offsets) for offsets in batch.offsets] == [len(expected)] == [35]
    assert batch.offsets[0][-1] == (0, 0)
