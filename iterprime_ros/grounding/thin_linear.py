"""Linear layers for a few rows: a text is some ten tokens, and a weight millions of numbers."""

import torch
from torch import Tensor, nn

_MOST_ROWS = 64
_LEAST_WEIGHTS = 1 << 18  # below, a layer is bound by starting it


class ThinLinear(nn.Linear):
    """nn.Linear that multiplies a few rows from the right on the CPU, which reads weights once.

    The usual order repacks the weights for every product. Results differ by rounding.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # the name that PyTorch gives it
        """Return what nn.Linear returns."""
        rows = input.numel() // self.in_features
        if input.device.type != 'cpu' or rows > _MOST_ROWS or self.bias is None:
            return super().forward(input)
        flat = input.reshape(rows, self.in_features)
        product = torch.mm(self.weight, flat.T).T + self.bias
        return product.view(*input.shape[:-1], self.out_features)


def use_thin_linear(module: nn.Module) -> None:
    """Replace the large nn.Linear layers inside a module, which keep their weights."""
    for name, child in module.named_children():
        if type(child) is nn.Linear and child.weight.numel() >= _LEAST_WEIGHTS:
            thin = ThinLinear(child.in_features, child.out_features, device='meta')
            thin.weight, thin.bias = child.weight, child.bias
            setattr(module, name, thin.train(child.training))
        else:
            use_thin_linear(child)
