"""The profile of a pipeline says how it is tracked."""

import pytest

from helpers.tiny_profile import write_profile
from iterprime_ros.backends import load_propagator
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.masks.regions import RegionProposer
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import TrackingSettings, load_profile
from iterprime_ros.tracking.flow import FlowPropagator
from iterprime_ros.tracking.tracker import Tracker, load_tracker
from iterprime_ros.weights import ON_CPU


def test_flow_is_used_where_nothing_else_is_asked_for(regions):
    model = IteRPrimE.from_profile(regions, 'cpu')
    assert model.profile.tracking == TrackingSettings(kind='flow', weights=None)
    assert isinstance(load_tracker(model), Tracker)
    assert isinstance(load_propagator('flow', model.proposer, None, ON_CPU), FlowPropagator)


@pytest.mark.parametrize(
    'changes',
    [{'kind': 'telepathy'}, {'verify_every': 0}, {'search_every': 0}, {'lost_after': 0}, {'k': 1}],
)
def test_wrong_settings_are_refused(weights, tmp_path, changes):
    path = write_profile(tmp_path / 'wrong.yaml', weights, tracking=changes)
    with pytest.raises(InvalidSettingError, match=rf'tracking\.{next(iter(changes))}: '):
        load_profile(path)


def test_an_unknown_propagator_is_refused():
    with pytest.raises(InvalidSettingError, match='name one of flow'):
        load_propagator('telepathy', RegionProposer(), None, ON_CPU)
