"""The BLIP of LAVIS, its matcher and an image."""

import contextlib
import copy

import pytest
import torch
from lavis_models import build, write_vocabulary

from iterprime_ros.grounding.lavis import lavis_matcher


@pytest.fixture(scope='session')
def vocabulary(tmp_path_factory):
    """A folder bert-base-uncased."""
    folder = tmp_path_factory.mktemp('tokenizer') / 'bert-base-uncased'
    write_vocabulary(folder)
    return folder


@pytest.fixture(scope='session')
def blip_itm(vocabulary):
    with contextlib.chdir(vocabulary.parent):
        return build('base')


@pytest.fixture(scope='session')
def matcher(blip_itm):
    return lavis_matcher(copy.deepcopy(blip_itm))


@pytest.fixture
def image():
    generator = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (3, 37, 50), generator=generator, dtype=torch.uint8)
