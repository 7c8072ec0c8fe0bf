import pytest

from iterprime_ros.language.command_parser import CommandParser


@pytest.fixture(scope='session')
def parser():
    return CommandParser.load()
