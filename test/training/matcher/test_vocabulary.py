"""The tokenizer of the tabletop world."""

from itertools import islice

from iterprime_ros.sim.grammar import phrases, wordings
from iterprime_ros.training.matcher.captions import UNKNOWN_WORD
from iterprime_ros.training.matcher.vocabulary import content_words, word_tokenizer


def test_every_word_of_the_grammar_is_in_the_vocabulary():
    tokenizer = word_tokenizer()
    sample = islice(phrases(), 0, None, 23)  # 23 divides no number of descriptions
    words = {
        word for phrase in sample for text in wordings(phrase)[::5] for word in text.text.split()
    }
    assert len(words) > 55
    vocabulary = tokenizer.get_vocab()
    assert words <= vocabulary.keys()
    assert set(content_words()) <= vocabulary.keys()


def test_other_words_are_unknown_and_special_tokens_are_kept():
    tokenizer = word_tokenizer()
    encoding = tokenizer('The RED zebra, left of the [UNK]')
    tokens = tokenizer.convert_ids_to_tokens(encoding['input_ids'])
    words = ['the', 'red', UNKNOWN_WORD, UNKNOWN_WORD, 'left', 'of', 'the', UNKNOWN_WORD]
    assert tokens == ['[CLS]', *words, '[SEP]']


def test_a_saved_tokenizer_is_loaded_unchanged(tmp_path):
    from transformers import AutoTokenizer

    tokenizer = word_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    text = 'the small red mug that is left of the blue plate'
    assert loaded(text)['input_ids'] == tokenizer(text)['input_ids']
    assert loaded(text, return_offsets_mapping=True)['offset_mapping'][1:3] == [(0, 3), (4, 9)]
