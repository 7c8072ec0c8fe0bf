"""Where weights are loaded, what messages say about them, and checks of what they give."""

import pytest
import torch

from iterprime_ros.errors import WeightsMismatchError, WeightsNotFoundError
from iterprime_ros.grounding.albef import load_albef
from iterprime_ros.grounding.blip import load_blip
from iterprime_ros.masks.sam import load_sam
from iterprime_ros.weights import Placement, check_finite, model_folder, reading

OFFLINE = Placement(local_files_only=True)


def test_messages_name_the_profile_where_it_is_known():
    placement = Placement.named('cpu', 'auto', offline=True, profile='blip-sam')
    for load in (load_sam, lambda source, placement: load_blip(source, None, placement)):
        with pytest.raises(WeightsNotFoundError, match='`iterprime models fetch blip-sam`'):
            load('tiny/nowhere', placement)
    with pytest.raises(WeightsNotFoundError, match='`iterprime models fetch PROFILE`'):
        load_sam('tiny/nowhere', OFFLINE)


@pytest.mark.parametrize('name', ['x' * 5000, 'a/' * 2500, 'a\0b', '/nowhere'])
@pytest.mark.parametrize(
    'load',
    [
        lambda name: load_sam(name, OFFLINE),
        lambda name: load_blip(name, placement=OFFLINE),
        lambda name: load_albef(f'{name}.pth', placement=OFFLINE),
    ],
)
def test_impossible_names_are_one_sentence(load, name):
    with pytest.raises(WeightsNotFoundError) as caught:
        load(name)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_is_taken_as_it_is(tmp_path):
    assert model_folder(tmp_path, 'model') == tmp_path
    assert model_folder(str(tmp_path), 'model') == tmp_path


@pytest.mark.parametrize(
    'error', [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_full_memory_is_no_fault_of_the_weights(error):
    with pytest.raises(type(error)), reading('folder', 'model'):
        raise error


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_what_is_not_finite_is_an_error(value):
    check_finite('The model', torch.zeros(3), torch.ones(0))
    with pytest.raises(WeightsMismatchError, match='The model gave no number that is finite: its'):
        check_finite('The model', torch.zeros(3), torch.tensor([1.0, value]))
