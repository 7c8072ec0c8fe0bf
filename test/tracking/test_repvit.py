"""RepViT computes what timm's does, folded or not."""

from math import prod

import pytest
import torch

from iterprime_ros.tracking.repvit import RepVitConfig, RepVitModel

# Shape, mean, deviation and two values of what timm 1.0.31 gives in the test below:
# create_model('repvit_m1', features_only=True, num_classes=0, embed_dim=.., depth=..).
OF_TIMM = (
    ((1, 8, 16, 24), 0.3685570955276489, 1.4115076065063477, -1.7631103992462158, 0.8798096179962),
    ((1, 16, 8, 12), 0.36322808265686035, 3.8581831455230713, -4.150593757629394, -3.5863854885101),
    ((1, 24, 4, 6), -0.37460410594940186, 6.813348293304443, -8.225179672241211, -5.06975507736207),
    ((1, 32, 2, 3), -0.003805237589403987, 3.255568504333496, 1.977145910263061, -10.3429279327393),
)


def waves(shape, number):
    values = torch.arange(prod(shape)).double() * (0.7 + 0.01 * number) + number
    return values.sin().float().view(shape)


@pytest.fixture
def model():
    made = RepVitModel(RepVitConfig(embed_dim=(8, 16, 24, 32), depth=(1, 1, 2, 1))).eval()
    for number, (name, tensor) in enumerate(sorted(made.timm_model.state_dict().items())):
        if tensor.is_floating_point():
            is_variance = name.endswith('running_var')
            offset = 1.0 if is_variance or name.endswith('bn.weight') else 0.0
            tensor.copy_(waves(tensor.shape, number) * (0.5 if is_variance else 0.4) + offset)
    return made


@torch.no_grad()
def test_features_are_those_of_timm(model):
    for features, expected in zip(
        model(waves((1, 3, 64, 96), 3)).last_hidden_state, OF_TIMM, strict=True
    ):
        found = (features.mean(), features.std(), features[0, -1, -1, -2], features[0, 1, 1, 1])
        assert tuple(features.shape) == expected[0]
        assert [float(each) for each in found] == pytest.approx(expected[1:], abs=1e-4)


@torch.no_grad()
def test_folding_changes_nothing_but_the_number_of_layers(model):
    image = waves((2, 3, 32, 64), 5)
    before = model(image).last_hidden_state
    model.fold()
    for folded, plain in zip(model(image).last_hidden_state, before, strict=True):
        torch.testing.assert_close(folded, plain, rtol=1e-5, atol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules())


def test_the_default_is_repvit_m1():
    model = RepVitModel(RepVitConfig())
    # The published EdgeTAM counts 4.9 million with its neck of 185,344.
    assert sum(each.numel() for each in model.parameters()) == 4_713_712
