"""The environment of LAVIS: every package has one version, and another Python is refused."""

import shutil
import sys
from collections import namedtuple

import make_lavis_venv
import pytest

Version = namedtuple('Version', 'major minor micro')


def normalised(name):
    return name.lower().replace('_', '-')


def test_everything_asked_for_has_one_version():
    lines = make_lavis_venv.CONSTRAINTS.read_text().split()
    pins = {normalised(name): version for name, version in (line.split('==') for line in lines)}
    assert len(pins) == len(lines)
    asked = {*make_lavis_venv.WITHOUT_REQUIREMENTS, *make_lavis_venv.REQUIREMENTS, 'torch'}
    assert {normalised(name) for name in asked} <= pins.keys()
    assert pins['torch'] == '2.13.0'  # the way CPU builds are found
    assert pins['salesforce-lavis'] == '1.0.2'
    assert pins['transformers'].startswith('4.26.')


def test_a_newer_python_looks_for_the_one_that_is_needed(monkeypatch):
    monkeypatch.setattr(sys, 'version_info', Version(3, 12, 0))
    monkeypatch.setattr(shutil, 'which', {'python3.11': '/here/python3.11'}.get)
    assert make_lavis_venv.interpreter() == '/here/python3.11'
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    with pytest.raises(SystemExit, match=r'needs python3\.11'):
        make_lavis_venv.interpreter()


def test_the_right_python_is_taken_outside_of_environments(monkeypatch):
    monkeypatch.setattr(sys, 'version_info', Version(3, 11, 7))
    assert make_lavis_venv.interpreter() == make_lavis_venv.base_interpreter()
