"""Thin linear layers compute what nn.Linear computes, forward and backward."""

import pytest
import torch
from torch import nn

from iterprime_ros.grounding.thin_linear import ThinLinear, use_thin_linear


def blocks():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(512, 640), nn.GELU(), nn.ModuleList([nn.Linear(640, 512)]))


@pytest.mark.parametrize('shape', [(512,), (1, 512), (3, 12, 512), (65, 512), (2, 0, 512)])
def test_it_equals_the_usual_layer(shape):
    usual, thin = blocks(), blocks()
    use_thin_linear(thin)
    inputs = [torch.randn(shape, dtype=torch.float32, requires_grad=True)]
    inputs.append(inputs[0].detach().clone().requires_grad_())
    outputs = [layers[0](given) for layers, given in zip((usual, thin), inputs, strict=True)]
    torch.testing.assert_close(outputs[1], outputs[0], atol=1e-5, rtol=1e-5)
    for output in outputs:
        output.square().sum().backward()
    torch.testing.assert_close(inputs[1].grad, inputs[0].grad, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(thin[0].weight.grad, usual[0].weight.grad, atol=1e-2, rtol=1e-4)


def test_large_layers_are_replaced_wherever_they_are_and_keep_their_weights():
    layers = nn.Sequential(blocks(), nn.Linear(8, 8))
    weights = dict(layers.named_parameters())
    use_thin_linear(layers)
    kinds = [type(each) for each in layers.modules() if isinstance(each, nn.Linear)]
    assert kinds == [ThinLinear, ThinLinear, nn.Linear]
    assert dict(layers.named_parameters()).keys() == weights.keys()
    assert all(value is weights[name] for name, value in layers.named_parameters())
