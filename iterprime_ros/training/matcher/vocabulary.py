"""The vocabulary of the tabletop matcher, as a WordPiece tokenizer, and noun phrases made of it."""

from collections.abc import Sequence

from numpy.random import Generator
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import PreTrainedTokenizerFast

from iterprime_ros.sim.grammar import NOUNS, SIZE_WORDS, Description
from iterprime_ros.sim.scene import COLOURS

SPECIAL_TOKENS = ('[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]')
UNKNOWN_WORD = '[UNK]'
# Words that people use for these objects besides those of the grammar.
_MORE_NOUNS = {
    'cube': ('cuboid',),
    'ball': ('orb', 'globe'),
    'cylinder': ('can', 'tin'),
    'mug': ('teacup',),
    'bottle': ('vial',),
    'plate': ('saucer', 'platter'),
    'banana': ('fruit',),
    'capsule': ('tablet',),
    None: ('one', 'something', 'anything'),
}
_MORE_SIZES = {'small': ('tiny', 'mini', 'smaller'), 'large': ('huge', 'giant', 'larger', 'bigger')}
_MORE_COLOURS = {'red': ('crimson', 'scarlet'), 'purple': ('violet',), 'green': ('emerald',)}
_FUNCTION_WORDS = ('the', 'a', 'that', 'is')
_RARE_RATE = 0.12  # of words that the grammar does not have
_PLURAL_RATE = 0.12
_ARTICLE_RATE = 0.25
_CLAUSE_RATE = 0.06  # of "mug that is red" among phrases with a colour
_UNKNOWN_ADJECTIVE_RATE = 0.06


def noun_phrase(rng: Generator, description: Description, is_unknown: bool = False) -> str:
    """Draw a noun phrase that says a description.

    is_unknown: whether the noun is a word that the model does not know; then the phrase is true of
        nothing. An adjective that it does not know changes nothing: it says no more than silence.
    """
    kind, colour_name, size_name = description.kind, description.colour, description.size
    size = _drawn(rng, SIZE_WORDS.get(size_name or '', ()), _MORE_SIZES.get(size_name or '', ()))
    colour = _drawn(
        rng, (colour_name,) if colour_name else (), _MORE_COLOURS.get(colour_name or '', ())
    )
    noun = UNKNOWN_WORD if is_unknown else _drawn(rng, NOUNS[kind], _MORE_NOUNS[kind])
    if not is_unknown and rng.random() < _PLURAL_RATE:
        noun = plural(noun)
    unknown = UNKNOWN_WORD if rng.random() < _UNKNOWN_ADJECTIVE_RATE else ''
    clause = f'that is {colour}' if colour and rng.random() < _CLAUSE_RATE else ''
    article = 'the' if rng.random() < _ARTICLE_RATE else ''
    words = (article, size, unknown, '' if clause else colour, noun, clause)
    return ' '.join(word for word in words if word)


def plural(noun: str) -> str:
    """Return the plural of a noun of the vocabulary."""
    return noun + 'es' if noun.endswith(('x', 'sh')) else noun + 's'


def words() -> list[str]:
    """Return every word of the noun phrases, sorted."""
    nouns = [noun for table in (NOUNS, _MORE_NOUNS) for some in table.values() for noun in some]
    sizes = [
        word for table in (SIZE_WORDS, _MORE_SIZES) for some in table.values() for word in some
    ]
    colours = [*COLOURS, *(word for some in _MORE_COLOURS.values() for word in some)]
    return sorted({*nouns, *map(plural, nouns), *sizes, *colours, *_FUNCTION_WORDS})


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


def _drawn(rng: Generator, usual: Sequence[str], rare: Sequence[str]) -> str:
    """Draw a word; '' where there is none."""
    options = rare if rare and rng.random() < _RARE_RATE else usual or ('',)
    return options[int(rng.integers(len(options)))]


def _token_names(*names: str) -> dict[str, str]:
    return {f'{name}_token': f'[{name.upper()}]' for name in names}
