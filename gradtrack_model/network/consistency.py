"""Cross-level consistency of GazeMedSeg (Zhong et al., MICCAI 2024), as its authors released it.

Each segmentation is made a second time of features that are propagated to similar neighbours, and
shall then agree with the other segmentations. What is computed is that of the release
(https://github.com/med-air/GazeMedSeg, commit 4088a8e); how, is our own: it propagates 128 feature
channels and classifies them, and as both are linear, propagating the logits is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import EllipsisType

    _Region = tuple[EllipsisType, slice, slice]

# 5 x 5 neighbours, two pixels apart.
REACH = 2
DILATION = 2
N_NEIGHBOURS = (2 * REACH + 1) ** 2
_ITSELF = N_NEIGHBOURS // 2


def consistency_loss(heads: Tensor, features: Sequence[Tensor], empty: Tensor) -> Tensor:
    """Return how much the segmentations disagree.

    For each of them, that is 1 - the mean agreement of its propagated probabilities with those of
    each of the others, which get no gradient; summed over the segmentations.

    Parameters
    ----------
    heads : Tensor, shape (B, m, h, w)
        Logits of the m >= 2 segmentations, those of the same network beside each other.
    features : sequence of Tensor, shapes (B, C, h, w)
        The features of each network, which neighbours are compared by; as many segmentations are
        of each.
    empty : Tensor, shape (m,)
        Logits of each segmentation where all features are 0: what is beyond the border.

    Returns
    -------
    Tensor
        A scalar in [0, m].
    """
    logits = heads.float()
    p = torch.sigmoid(logits)  # [B, m, h, w]
    of_networks = zip(
        logits.chunk(len(features), dim=1),
        features,
        empty.float().chunk(len(features)),
        strict=True,
    )
    propagated = [propagate(own, seen.float(), outside) for own, seen, outside in of_networks]
    near = torch.sigmoid(torch.cat(propagated, dim=1))  # [B, m, h, w]
    m = p.shape[1]
    total = p.new_zeros(())
    for i in range(m):
        mine = near[:, i : i + 1]
        others = torch.cat([p[:, :i], p[:, i + 1 :]], dim=1).detach()
        # The probability that both say foreground, or both background.
        agreement = mine * others + (1 - mine) * (1 - others)
        total = total + 1 - agreement.mean()
    return total


def propagate(logits: Tensor, features: Tensor, empty: Tensor) -> Tensor:
    """Return the logits of features that are averaged over neighbours, weighted by similarity.

    The weights are the softmax over all 25 neighbours of the features' scalar products, where
    negative ones are taken for 0. A neighbour beyond the border has features 0, and takes part: the
    release pads so. One shifted view comes after the other: what ``unfold`` would copy, 25 times
    the features, is never in memory.

    Parameters
    ----------
    logits : Tensor, shape (B, m, h, w)
        A linear function of the features, for each segmentation.
    features : Tensor, shape (B, C, h, w)
        The features of one network, which neighbours are compared by.
    empty : Tensor, shape (m,)
        The logits of features 0.

    Returns
    -------
    Tensor, shape (B, m, h, w)
    """
    weights = similarities(features).clamp(min=0).softmax(1)  # [B, 25, h, w]
    # Above those of features 0, so that padding with 0 is padding the features.
    above = logits - empty[:, None, None]
    total = torch.zeros_like(above)
    for k, neighbour in enumerate(_neighbours(above)):
        total = total + weights[:, k : k + 1] * neighbour
    return total + empty[:, None, None]


def similarities(features: Tensor) -> Tensor:
    """Return the scalar product of each pixel's features with those of its 25 neighbours.

    Parameters
    ----------
    features : Tensor, shape (B, C, h, w)
        The features; 0 beyond the border.

    Returns
    -------
    Tensor, shape (B, 25, h, w)
        Neighbours row by row.
    """
    if torch.compiler.is_compiling():
        # The compiler joins all of these, and their gradients, by itself.
        products = [(features * near).sum(1, keepdim=True) for near in _neighbours(features)]
        return torch.cat(products, dim=1)
    found: Tensor = _Similarities.apply(features)  # type: ignore[no-untyped-call] # untyped in torch
    return found


class _Similarities(torch.autograd.Function):
    """Similarities without a compiler: each pair of pixels once, gradients added in place.

    Autograd would make a gradient of the size of all features for each of the 25 views.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        """Return [B, 25, h, w] of features [B, C, h, w]."""
        ctx.save_for_backward(features)
        b, _, h, w = features.shape
        found = features.new_zeros(b, N_NEIGHBOURS, h, w)
        found[:, _ITSELF] = (features * features).sum(1)
        for k, here, there in _pairs(h, w):
            product = (features[here] * features[there]).sum(1)
            found[:, k : k + 1][here] = product[:, None]
            # Seen from the other pixel, it is the neighbour on the opposite side.
            found[:, _opposite(k) : _opposite(k) + 1][there] = product[:, None]
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient of the features."""
        (features,) = ctx.saved_tensors
        total: Tensor = 2 * features * gradient[:, _ITSELF : _ITSELF + 1]
        for k, here, there in _pairs(*features.shape[-2:]):
            other = _opposite(k)
            # [B, 1, h', w'], of both directions of the pair.
            both = gradient[:, k : k + 1][here] + gradient[:, other : other + 1][there]
            total[here].addcmul_(features[there], both)
            total[there].addcmul_(features[here], both)
        return total


def _opposite(k: int) -> int:
    return N_NEIGHBOURS - 1 - k


def _pairs(h: int, w: int) -> Iterator[tuple[int, _Region, _Region]]:
    """Yield each neighbour before the pixel itself: its number, pixels that have it, and those."""
    for k in range(_ITSELF):
        row, column = divmod(k, 2 * REACH + 1)
        (ys, other_ys), (xs, other_xs) = (
            _overlap((at - REACH) * DILATION, length) for at, length in ((row, h), (column, w))
        )
        yield k, (..., ys, xs), (..., other_ys, other_xs)


def _overlap(shift: int, length: int) -> tuple[slice, slice]:
    """Return places of an axis that are still on it after a shift, and where they come to."""
    first, last = max(0, -shift), max(0, min(length, length - shift))
    return slice(first, max(first, last)), slice(first + shift, max(first, last) + shift)


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
