"""The vocabulary, shared by the tests of the matcher's training."""

import pytest

from iterprime_ros.training.matcher.vocabulary import tabletop_vocabulary


@pytest.fixture(scope='session')
def vocabulary():
    return tabletop_vocabulary()
