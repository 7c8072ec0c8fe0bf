"""The words of the tabletop world as a WordPiece tokenizer."""

from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import PreTrainedTokenizerFast

from iterprime_ros.sim.grammar import Description, Phrase, Place, Relation, wordings
from iterprime_ros.sim.scene import COLOURS, KINDS, SIZES

SPECIAL = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')
# Words that tell nothing of what the picture shows, so that nothing is learnt by guessing them.
_FUNCTION_WORDS = frozenset(
    ('the', 'a', 'is', 'that', 'there', 'of', 'to', 'in', 'at', 'on', 'from', 'away', 'side')
)
_STATEMENT_WORDS = ('is', 'a', 'there')


def words() -> list[str]:
    """Return every word that the grammar of expressions and statements can say, sorted."""
    phrases = [
        *(Phrase(Description(kind)) for kind in (*KINDS,)),
        *(Phrase(Description(None, colour)) for colour in COLOURS),
        *(Phrase(Description(None, None, size)) for size in SIZES),
        *(Phrase(Description(), place) for place in Place),
        *(
            Phrase(Description(), relation=relation, anchor=Description(KINDS[0]))
            for relation in Relation
        ),
    ]
    said = {word for phrase in phrases for text in wordings(phrase) for word in text.text.split()}
    return sorted(said.union(_STATEMENT_WORDS))


def content_words() -> list[str]:
    """Return the words that something in a picture can tell."""
    return [word for word in words() if word not in _FUNCTION_WORDS]


def word_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of these words; every other word is [UNK]."""
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *words()))}
    tokenizer = Tokenizer(WordPiece(vocabulary, **_named('unk')))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single='[CLS] $A [SEP]', special_tokens=[('[CLS]', 2), ('[SEP]', 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **_named('pad', 'unk', 'cls', 'sep', 'mask')
    )


def _named(*names: str) -> dict[str, str]:
    return {f'{name}_token': f'[{name.upper()}]' for name in names}
