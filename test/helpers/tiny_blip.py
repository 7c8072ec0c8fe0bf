"""Models and words of the tests: the real classes, small and random."""

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertTokenizerFast, BlipConfig

from iterprime_ros.grounding.blip import BlipWithStem

BLOCKS = 4
STEM = {'strides': [2, 4], 'channels': [4, 6], 'blocks': [1, 0], 'width': 24}
WORDS = (
    *('there', 'is', 'a', 'the', 'red', 'blue', 'small', 'mug', 'ball', 'left', 'of', 'right'),
    *('behind', 'um', '##brel', '##la', 'hold', '##ing', 'man', 'two', '2nd', 'from', 'car'),
)
SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


def tiny_tokenizer(words):
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *words])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token=SPECIAL[1]))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return BertTokenizerFast(tokenizer_object=made)


def tiny_blip(seed=0, max_tokens=40, spread=0.35, stem=None):
    """A random BLIP; stem: the arguments of its ConvStem, if it has one."""
    torch.manual_seed(seed)
    text = {
        'vocab_size': len(SPECIAL) + len(WORDS),
        'hidden_size': 32,
        'encoder_hidden_size': 24,
        'intermediate_size': 48,
        'num_hidden_layers': BLOCKS,
        'num_attention_heads': 4,
        'max_position_embeddings': max_tokens,
        'pad_token_id': 0,
        'bos_token_id': 2,
        'sep_token_id': 3,
    }
    vision = {
        'hidden_size': 24,
        'intermediate_size': 48,
        'num_hidden_layers': 2,
        'num_attention_heads': 3,
        'image_size': 40,
        'patch_size': 8,
        **({'patch_stem': stem} if stem else {}),
    }
    config = BlipConfig(text_config=text, vision_config=vision, image_text_hidden_size=16)
    model = BlipWithStem(config).eval()
    # As initialised, attention is all but even and gradients vanish: nothing would be tested.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=spread)
            elif 'bias' in name:
                parameter.normal_(std=0.1)
        for name, buffer in model.named_buffers():
            if 'running' in name:  # statistics of a stem
                buffer.uniform_(0.5, 1.5)
    return model
