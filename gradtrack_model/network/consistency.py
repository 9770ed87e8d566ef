"""Cross-level consistency of GazeMedSeg (Zhong et al., MICCAI 2024), as its paper describes it.

Each head's probabilities are propagated to similar neighbours and shall agree with the other
heads'.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

REACH, DILATION = 2, 2  # 5 x 5 neighbours, two pixels apart


def consistency_loss(heads: Tensor, features: Tensor) -> Tensor:
    """Return 1 - the mean agreement of every head, propagated, with each of the others; summed over heads.

    Parameters
    ----------
    heads : Tensor, shape (B, m, h, w)
        Logits, m >= 2.
    features : Tensor, shape (B, C, h, w)
        What neighbours are compared by.

    Returns
    -------
    Tensor
        A scalar in [0, m].
    """
    p = torch.sigmoid(heads.float())  # [B, m, h, w]
    near = propagate(p, features.float())
    m, total = p.shape[1], p.new_zeros(())
    for i in range(m):
        others = torch.cat([p[:, :i], p[:, i + 1 :]], dim=1).detach()
        mine = near[:, i : i + 1]
        total = total + 1 - (mine * others + (1 - mine) * (1 - others)).mean()
    return total


def propagate(p: Tensor, features: Tensor) -> Tensor:
    """Average p [B, m, h, w] over neighbours, weighted by the softmax of the features' scalar products.

    One shifted view after the other: what ``unfold`` would copy, 25 times the features, is never in
    memory.
    """
    there = functional.pad(torch.ones_like(p[:1, :1]), [REACH * DILATION] * 4)
    p_padded, f_padded = (functional.pad(x, [REACH * DILATION] * 4) for x in (p, features))
    scores = [
        (features * shifted).sum(1, keepdim=True).masked_fill(inside == 0, -torch.inf)
        for shifted, inside in zip(_shifts(f_padded, p), _shifts(there, p), strict=True)
    ]
    weights = torch.cat(scores, dim=1).softmax(1)  # [B, 25, h, w]
    total = torch.zeros_like(p)
    for k, shifted in enumerate(_shifts(p_padded, p)):
        total = total + weights[:, k : k + 1] * shifted
    return total


def _shifts(padded: Tensor, like: Tensor) -> list[Tensor]:
    h, w = like.shape[-2:]
    steps = range(0, 2 * REACH * DILATION + 1, DILATION)
    return [padded[..., y : y + h, x : x + w] for y in steps for x in steps]
