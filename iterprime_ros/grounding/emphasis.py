"""Primary Word Emphasis (PWEM): the referred object against those that it is described by.

Wang et al., "IteRPrimE", AAAI 2025 (arXiv 2503.00936); symbols as there: p the primary word, F the
focus words' tokens, O = F without p's, A and G = max(0, dz/dA), C_t = A_t * G_t.
"""

from dataclasses import replace

import torch
from torch import Tensor

from iterprime_ros.grounding.alignment import Expression, TokenRoles
from iterprime_ros.grounding.gradcam import token_maps


def emphasised_map(
    attention: Tensor,
    gradient: Tensor,
    roles: TokenRoles,
    local_emphasis: bool = True,
    global_emphasis: bool = True,
) -> Tensor:
    """Return the map (B, N) float32, >= 0: over heads, the mean of the mean of a list of maps.

    The list holds C of the text's [CLS] and C_t for t in F; with `local_emphasis` E_o for every o
    in O (one E where O is empty); with `global_emphasis` C_t for p's tokens |F| times more.
    Without a primary word it holds C of [CLS] and of F; where F is empty too, of all real tokens.

    attention, gradient: (B, H, T, N) float32, A and dz/dA.
    """
    maps, positive = token_maps(attention, gradient)
    focus, primary = roles.focus.to(maps), roles.primary.to(maps)
    no_focus = ~roles.focus.any(dim=1, keepdim=True)
    weights = torch.where(no_focus, roles.real.to(maps), roles.cls.to(maps) + focus)
    if global_emphasis:
        weights = weights + focus.sum(dim=1, keepdim=True) * primary
    total = torch.einsum('bt,bhtn->bn', weights, maps)
    count = weights.sum(dim=1)
    if local_emphasis:
        emphasis, emphases = _contrasts(attention, positive, roles)
        total = total + emphasis.sum(dim=1)
        count = count + emphases
    return total / (count[:, None] * attention.shape[1])


def _contrasts(attention: Tensor, positive: Tensor, roles: TokenRoles) -> tuple[Tensor, Tensor]:
    """Return the sum over O of E_o (B, H, N), and how many E there are (B,): 0 without p.

    E_o = D_o * G_p * (A_p * G_p) with D_o = (A_p - A_o) / its L2 norm across O, 0 where that is 0;
    A_p and G_p are means over p's pieces; with O empty A_o is 0.
    """
    primary, others = roles.primary.to(attention), roles.others.to(attention)
    share = primary / primary.sum(dim=1, keepdim=True).clamp(min=1)
    primary_attention = torch.einsum('bt,bhtn->bhn', share, attention)
    primary_gradient = torch.einsum('bt,bhtn->bhn', share, positive)

    alone = ~roles.others.any(dim=1)
    contrast = (primary_attention[:, :, None] - attention) * others[:, None, :, None]
    summed = torch.where(alone[:, None, None], primary_attention, contrast.sum(dim=2))
    norm = torch.where(alone[:, None, None], primary_attention, contrast.square().sum(dim=2).sqrt())
    direction = torch.where(norm > 0, summed / norm, 0)

    has_primary = roles.primary.any(dim=1)
    emphasis = direction * primary_gradient * (primary_attention * primary_gradient)
    count = torch.where(has_primary, others.sum(dim=1).clamp(min=1), 0)
    return torch.where(has_primary[:, None, None], emphasis, 0), count


def head_means_map(attention: Tensor, gradient: Tensor, roles: TokenRoles) -> Tensor:
    """Return the map (B, N) that the authors' code makes of an expression without a primary word.

    The means over heads of A and of G are multiplied, and averaged over all real tokens where there
    are focus words; where there are none, [CLS] stands alone.
    """
    product = attention.mean(dim=1) * gradient.clamp(min=0).mean(dim=1)
    has_focus = roles.focus.any(dim=1, keepdim=True)
    weights = torch.where(has_focus, roles.real, roles.cls).to(product)
    return torch.einsum('bt,btn->bn', weights, product) / weights.sum(dim=1, keepdim=True)


def with_most_attended_word(expression: Expression, word_maps: Tensor) -> Expression:
    """Return `expression` with the focus word of the largest map as its primary word.

    word_maps: (focus words, N) float32, as `gradcam.word_maps` returns them; without focus words
    the expression stays as it is.
    """
    if not expression.focus_words:
        return expression
    best = expression.focus_words[int(word_maps.sum(dim=1).argmax())]
    return replace(expression, primary_word=best)
