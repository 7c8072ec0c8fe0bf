"""Matchers and mask proposers by kind: every line of the registries names a loader."""

from pkgutil import resolve_name

import pytest

from iterprime_ros import backends
from iterprime_ros.backends import MATCHERS, PROPOSERS, load_matcher, load_proposer
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.profiles import load_profile
from iterprime_ros.weights import Placement


@pytest.mark.parametrize('loader', [*MATCHERS.values(), *PROPOSERS.values()])
def test_every_loader_is_there(loader):
    assert callable(resolve_name(loader))


def test_an_unknown_kind_is_one_sentence(tmp_path):
    with pytest.raises(InvalidSettingError, match=r'"sam9": name one of sam, '):
        load_proposer('sam9', None, Placement())
    with pytest.raises(InvalidSettingError, match=r'"clip": name one of blip, albef'):
        load_matcher('clip', 'weights', None, Placement())
    path = tmp_path / 'mine.yaml'
    path.write_text('base: blip-sam\nmasks: {kind: sam9}\n')
    with pytest.raises(InvalidSettingError, match=r'masks\.kind: .*must be one of sam, '):
        load_profile(path)


@pytest.mark.parametrize('kind', ['sam', 'segment_anything', 'mask2former', 'sam3'])
def test_masks_with_a_model_need_weights(kind):
    with pytest.raises(InvalidSettingError, match=f'masks.weights must be given .*{kind}'):
        load_proposer(kind, None, Placement())


def test_a_line_in_a_registry_is_all_that_a_new_backend_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(
        backends, 'PROPOSERS', {**PROPOSERS, 'mine': 'iterprime_ros.masks.regions:load_regions'}
    )
    monkeypatch.setattr('iterprime_ros.profiles.PROPOSERS', backends.PROPOSERS)
    path = tmp_path / 'mine.yaml'
    path.write_text('base: blip-sam\nmasks: {kind: mine}\n')
    masks = load_profile(path).masks
    assert isinstance(load_proposer(masks.kind, masks.weights, Placement()), RegionProposer)
