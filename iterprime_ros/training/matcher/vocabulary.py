"""The vocabulary of the tabletop world, as a WordPiece tokenizer."""

from typing import NamedTuple

from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from iterprime_ros.sim.grammar import Description, Phrase, Place, Relation, wordings
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES

SPECIAL_TOKENS = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')
# Words that cannot be predicted from an image; they are never masked.
_FUNCTION_WORDS = frozenset(
    ('the', 'a', 'is', 'that', 'there', 'of', 'to', 'in', 'at', 'on', 'from', 'away', 'side')
)
_STATEMENT_WORDS = ('is', 'a', 'there')


class Vocabulary(NamedTuple):
    """A tokenizer and the words that masked language modelling may mask.

    tokenizer: the tokenizer of texts.
    content_ids: token ids of content words, which an image can determine.
    """

    tokenizer: PreTrainedTokenizerBase
    content_ids: frozenset[int]


def tabletop_vocabulary() -> Vocabulary:
    """Return the vocabulary of the tabletop world."""
    tokenizer = word_tokenizer()
    ids = tokenizer.get_vocab()
    return Vocabulary(tokenizer, frozenset(ids[word] for word in content_words()))


def words() -> list[str]:
    """Return every word of the grammar's expressions and of statements, sorted."""
    phrases = [
        *(Phrase(Description(kind)) for kind in KINDS),
        *(Phrase(Description(None, colour)) for colour in COLOURS),
        *(Phrase(Description(None, None, size)) for size in SIZES),
        *(Phrase(Description(), place) for place in Place),
        *(
            Phrase(Description(), relation=relation, anchor=Description(KINDS[0]))
            for relation in Relation
        ),
    ]
    found = {word for phrase in phrases for text in wordings(phrase) for word in text.text.split()}
    return sorted(found.union(_STATEMENT_WORDS))


def content_words() -> list[str]:
    """Return the words that an image can determine, sorted."""
    return [word for word in words() if word not in _FUNCTION_WORDS]


def word_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer with one token for each word; all other words are [UNK]."""
    vocabulary = {word: number for number, word in enumerate((*SPECIAL_TOKENS, *words()))}
    tokenizer = Tokenizer(WordPiece(vocabulary, **_token_names('unk')))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single='[CLS] $A [SEP]', special_tokens=[('[CLS]', 2), ('[SEP]', 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **_token_names('pad', 'unk', 'cls', 'sep', 'mask')
    )


def _token_names(*names: str) -> dict[str, str]:
    return {f'{name}_token': f'[{name.upper()}]' for name in names}
