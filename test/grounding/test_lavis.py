"""Where LAVIS is not installed, one sentence says what makes its environment.

What needs LAVIS is tested in its own environment, below test_lavis/.
"""

from importlib.util import find_spec

import pytest

from iterprime_ros.backends import MATCHERS, load_matcher
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.grounding.lavis import LavisTokenizer
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.weights import Placement


@pytest.mark.skipif(find_spec('lavis') is not None, reason='LAVIS is installed')
def test_without_lavis_the_sentence_names_the_cure(tmp_path):
    words = r'needs salesforce-lavis, .*\(No module named .lavis.\): `make lavis`'
    assert 'lavis' in MATCHERS
    with pytest.raises(InvalidSettingError, match=words) as caught:
        load_matcher('lavis', str(tmp_path / 'none.pth'), None, Placement())
    assert '\n' not in str(caught.value)
    with pytest.raises(InvalidSettingError, match=words):
        IteRPrimE.from_profile('lavis', 'cpu', offline=True)


def test_its_tokenizer_counts_the_two_tokens_that_lavis_adds():
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']
    vocabulary = {piece: number for number, piece in enumerate([*special, 'red', 'mug', '##s'])}
    tokenizer = LavisTokenizer(vocabulary)
    dec, enc = 7, 8
    assert tokenizer.cls_token_id == enc == dec + 1
    assert len(tokenizer) == 9
    text = 'Red mugs, red'
    encoded = tokenizer(text)
    assert encoded['input_ids'] == [4, 5, 6, 1, 4]
    spans = [text[slice(*span)] for span in encoded['offset_mapping']]
    assert spans == ['Red', 'mug', 's', ',', 'red']
