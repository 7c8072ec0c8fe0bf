"""Small random models in the real formats."""

import pytest
import torch

from helpers.tiny_blip import BLOCKS, WORDS, tiny_blip, tiny_tokenizer
from iterprime_ros.grounding.blip import blip_matcher

torch.set_num_threads(1)


@pytest.fixture(scope='session')
def tokenizer():
    return tiny_tokenizer(WORDS)


@pytest.fixture(scope='session')
def blip():
    """In double precision, so that only a wrong computation can tell two ways apart."""
    return tiny_blip().double()


@pytest.fixture(scope='session')
def matcher(blip, tokenizer):
    made = blip_matcher(blip, tokenizer, encoder_dtype=torch.float64)
    assert made.fusion_blocks == range(BLOCKS)
    return made


@pytest.fixture
def image():
    generator = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (3, 37, 50), generator=generator, dtype=torch.uint8)
