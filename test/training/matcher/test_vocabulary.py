from itertools import islice

from iterprime_ros.sim.grammar import phrases, wordings
from iterprime_ros.training.matcher.captions import UNKNOWN
from iterprime_ros.training.matcher.vocabulary import content_words, word_tokenizer


def test_every_word_of_the_grammar_is_known():
    tokenizer = word_tokenizer()
    some = islice(phrases(), 0, None, 23)  # 23 divides no number of descriptions
    said = {word for phrase in some for text in wordings(phrase)[::5] for word in text.text.split()}
    assert len(said) > 55
    known = tokenizer.get_vocab()
    assert said <= known.keys()
    assert set(content_words()) <= known.keys()


def test_other_words_are_unknown_and_marks_are_kept():
    tokenizer = word_tokenizer()
    read = tokenizer('The RED zebra, left of the [UNK]')
    tokens = tokenizer.convert_ids_to_tokens(read['input_ids'])
    words = ['the', 'red', UNKNOWN, UNKNOWN, 'left', 'of', 'the', UNKNOWN]
    assert tokens == ['[CLS]', *words, '[SEP]']


def test_saved_and_loaded_it_reads_the_same(tmp_path):
    from transformers import AutoTokenizer

    tokenizer = word_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    text = 'the small red mug that is left of the blue plate'
    assert again(text)['input_ids'] == tokenizer(text)['input_ids']
    assert again(text, return_offsets_mapping=True)['offset_mapping'][1:3] == [(0, 3), (4, 9)]
