"""Grad-CAM of cross-attention: where a text's match with an image comes from, token by token."""

from torch import Tensor


def token_maps(attention: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return (C, G), both (B, H, T, N) float32: C_t = A_t * G_t with G = max(0, dz/dA).

    attention: A, the cross-attention probabilities; gradient: dz/dA of the matching logit z.
    Selvaraju et al., "Grad-CAM", ICCV 2017, on cross-attention as in Li et al., "Align before
    fuse", NeurIPS 2021.
    """
    positive = gradient.clamp(min=0)
    return attention * positive, positive
