"""Cross-level consistency of GazeMedSeg (Zhong et al., MICCAI 2024), as its paper describes it.

Each head's probabilities are propagated to similar neighbours and shall agree with the other
heads'.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# 5 x 5 neighbours, two pixels apart.
REACH = 2
DILATION = 2


def consistency_loss(heads: Tensor, features: Tensor) -> Tensor:
    """Return how much the heads disagree.

    For each head, that is 1 - the mean agreement of its propagated probabilities with those of each
    of the other heads, which get no gradient; summed over the heads.

    Parameters
    ----------
    heads : Tensor, shape (B, m, h, w)
        Logits of the m >= 2 segmentations.
    features : Tensor, shape (B, C, h, w)
        The features that neighbours are compared by.

    Returns
    -------
    Tensor
        A scalar in [0, m].
    """
    p = torch.sigmoid(heads.float())  # [B, m, h, w]
    near = propagate(p, features.float())
    m = p.shape[1]
    total = p.new_zeros(())
    for i in range(m):
        mine = near[:, i : i + 1]
        others = torch.cat([p[:, :i], p[:, i + 1 :]], dim=1).detach()
        # The probability that both say foreground, or both background.
        agreement = mine * others + (1 - mine) * (1 - others)
        total = total + 1 - agreement.mean()
    return total


def propagate(p: Tensor, features: Tensor) -> Tensor:
    """Average probabilities over neighbours, each weighted by how similar its features are.

    The weights are the softmax of the features' scalar products over the neighbours within the
    image. One shifted view comes after the other: what ``unfold`` would copy, 25 times the
    features, is never in memory.

    Parameters
    ----------
    p : Tensor, shape (B, m, h, w)
        The probabilities of each head.
    features : Tensor, shape (B, C, h, w)
        The features that neighbours are compared by.

    Returns
    -------
    Tensor, shape (B, m, h, w)
    """
    scores = []
    inside = torch.ones_like(p[:1, :1])
    for neighbour, is_there in zip(_neighbours(features), _neighbours(inside), strict=True):
        score = (features * neighbour).sum(1, keepdim=True)  # [B, 1, h, w]
        scores.append(score.masked_fill(is_there == 0, -torch.inf))
    weights = torch.cat(scores, dim=1).softmax(1)  # [B, 25, h, w]
    total = torch.zeros_like(p)
    for k, neighbour in enumerate(_neighbours(p)):
        total = total + weights[:, k : k + 1] * neighbour
    return total


def _neighbours(x: Tensor) -> list[Tensor]:
    """Return x [B, C, h, w] shifted to each of its neighbours, row by row; 0 beyond the border."""
    h, w = x.shape[-2:]
    margin = REACH * DILATION
    padded = functional.pad(x, [margin] * 4)
    shifts = range(0, 2 * margin + 1, DILATION)
    views = []
    for down in shifts:
        views += [padded[..., down : down + h, right : right + w] for right in shifts]
    return views
