"""A small random Whisper of two languages, with a tokenizer of letters."""

import string

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, WhisperConfig, WhisperForConditionalGeneration

_SPECIAL = ['<|endoftext|>', '<|startoftranscript|>', '<|transcribe|>', '<|notimestamps|>']
LANGUAGES = ('en', 'de')


def tiny_whisper_tokenizer(is_multilingual):
    tokens = [*string.ascii_lowercase, ' ', *_SPECIAL]
    if is_multilingual:
        tokens += [f'<|{code}|>' for code in LANGUAGES]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token='<|endoftext|>'))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Split('', 'isolated')
    tokenizer.decoder = decoders.Fuse()
    special = [token for token in tokens if token.startswith('<|')]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, additional_special_tokens=special)


def tiny_whisper(vocabulary, seed=0):
    torch.manual_seed(seed)
    config = WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=80,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_source_positions=1500,
        max_target_positions=24,
        pad_token_id=26,
        bos_token_id=27,
        eos_token_id=27,
        decoder_start_token_id=28,
    )
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def save_tiny_whisper(folder, is_multilingual=False):
    """Save the model and its tokenizer in the published format, and return the folder."""
    tokenizer = tiny_whisper_tokenizer(is_multilingual)
    tiny_whisper(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
