"""A small random CLIP of 32 pixel patches at 7 x 7, with a tokenizer of letters."""

import string

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

BLOCKS = 5
_LETTERS = string.ascii_lowercase + string.digits + string.punctuation


def tiny_clip_tokenizer():
    tokens = [*_LETTERS, *(f'{letter}</w>' for letter in _LETTERS), 'th', 'the</w>']
    tokens += ['<|startoftext|>', '<|endoftext|>']
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[('t', 'h'), ('th', 'e</w>')])


def tiny_clip(seed=0):
    """eos_token_id is 2, as in the first published configurations."""
    torch.manual_seed(seed)
    config = CLIPConfig(
        projection_dim=16,
        vision_config={
            'hidden_size': 24,
            'intermediate_size': 48,
            'num_hidden_layers': BLOCKS,
            'num_attention_heads': 3,
            'image_size': 224,
            'patch_size': 32,
        },
        text_config={
            'vocab_size': len(tiny_clip_tokenizer()),
            'hidden_size': 32,
            'intermediate_size': 48,
            'num_hidden_layers': 2,
            'num_attention_heads': 4,
            'max_position_embeddings': 77,
            'bos_token_id': 138,
            'eos_token_id': 2,
        },
    )
    model = CLIPModel(config).eval()
    # As initialised, every image has nearly the same feature.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name == 'logit_scale':
                parameter.fill_(2.0)
            elif 'patch_embedding' in name:
                parameter.normal_(std=0.02)
            elif parameter.dim() > 1:
                parameter.normal_(std=0.3)
            elif 'bias' in name:
                parameter.normal_(std=0.1)
    return model


def save_tiny_clip(folder):
    """Save the model and its tokenizer in the published format, and return the folder."""
    tiny_clip().save_pretrained(folder)
    tiny_clip_tokenizer().save_pretrained(folder)
    return folder
