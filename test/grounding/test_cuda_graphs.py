"""Captured graphs: refused where there is no CUDA, and equal to the usual way where there is."""

import pytest
import torch

from helpers.tiny_blip import WORDS, tiny_blip, tiny_tokenizer
from helpers.tiny_profile import write_profile
from iterprime_ros.errors import InvalidSettingError
from iterprime_ros.grounding.alignment import Expression
from iterprime_ros.grounding.blip import blip_matcher
from iterprime_ros.grounding.cuda_graphs import with_graphs
from iterprime_ros.grounding.refinement import ground
from iterprime_ros.grounding.settings import OURS
from iterprime_ros.pipeline import IteRPrimE
from iterprime_ros.profiles import load_profile

SAID = [
    Expression('the red mug left of the blue ball', (8, 11), ((4, 7), (8, 11), (28, 32))),
    Expression('the umbrella', (4, 12), ((4, 12),)),
]
SETTINGS = OURS.model_copy(update={'block': 1, 'stop_early': False})


def test_a_cpu_is_refused_in_one_sentence_before_weights_are_sought(tmp_path):
    path = write_profile(tmp_path / 'fast.yaml', tmp_path / 'nowhere', matcher={'graphs': True})
    assert load_profile(path).matcher.graphs
    with pytest.raises(InvalidSettingError, match=r'^matcher\.graphs needs a CUDA device') as seen:
        IteRPrimE.from_profile(path, 'cpu', offline=True)
    assert len(str(seen.value).splitlines()) == 1


def test_they_are_off_and_turning_them_on_changes_nothing_else(tmp_path):
    base = load_profile('tabletop')
    assert not base.matcher.graphs
    path = tmp_path / 'fast.yaml'
    path.write_text('base: tabletop\nmatcher: {graphs: true}\n')
    fast = load_profile(path)
    assert fast.matcher.graphs
    off = fast.matcher.model_copy(update={'graphs': False})
    assert fast.model_copy(update={'matcher': off}) == base


def test_matchers_that_cannot_be_captured_are_refused(matcher):
    with pytest.raises(InvalidSettingError, match='needs a CUDA device, and this is "cpu"'):
        with_graphs(matcher, 1)
    with pytest.raises(InvalidSettingError, match='this kind of matcher cannot be captured'):
        with_graphs(object(), 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_replays_equal_the_usual_way_in_any_order():
    eager = blip_matcher(tiny_blip(), tiny_tokenizer(WORDS), 'cuda')
    graphs = with_graphs(eager, SETTINGS.block)
    generator = torch.Generator().manual_seed(5)
    pictures = torch.randint(0, 256, (2, 3, 37, 50), generator=generator).byte().cuda()
    images = [eager.encode_image(each) for each in pictures]
    for count, image in ((2, images[0]), (1, images[1]), (16, images[0]), (2, images[1])) * 2:
        said = (SAID * 8)[:count]
        found = ground(graphs, image, said, SETTINGS)
        for ours, plain in zip(found, ground(eager, image, said, SETTINGS), strict=True):
            assert torch.allclose(ours.heatmap, plain.heatmap, rtol=0, atol=1e-3)
            assert [each.hidden.tolist() for each in ours.rounds] == [
                each.hidden.tolist() for each in plain.rounds
            ]
