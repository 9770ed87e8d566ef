"""One answer of several: the mean over flips of an image, and over networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradtrack_model.network.classes import with_background

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 1e-12  # a probability of which the logit is finite in float32


def mean_of_passes(passes: Tensor, *, exclusive: bool = False) -> Tensor:
    """Return the logits of an image [C, h, w] from those of all networks and flips [N, F, ...].

    Parameters
    ----------
    passes : Tensor, shape (N, F, C, h, w)
        What N networks say of F flips: flips are averaged as logits, networks as probabilities.
    exclusive : bool
        Whether the channels are classes that exclude each other, see `mean_of_logits`.
    """
    members = []
    for flips in passes:
        total = torch.zeros(())
        for one in flips:
            total = total + one
        members.append(total / len(flips))
    if len(members) == 1:
        return members[0]
    return mean_of_logits(torch.stack(members), exclusive=exclusive)


def mean_of_logits(logits: Tensor, *, exclusive: bool = False) -> Tensor:
    """Return the logits of the mean probability of networks, from theirs.

    Parameters
    ----------
    logits : Tensor, shape (N, ...), or (N, K, h, w) of classes that exclude each other
        What each network says, the logit of the background being 0.
    exclusive : bool
        Whether probabilities are the softmax over the K classes and the background. Otherwise every
        channel has its sigmoid.
    """
    if exclusive:
        log_p = with_background(logits.double()).log_softmax(-3)
        # The mean over networks, but for a factor that all classes share.
        mean = log_p.logsumexp(0)
        return (mean.narrow(-3, 1, logits.shape[-3]) - mean.narrow(-3, 0, 1)).float()
    # In float64, where a probability close to 1 has a logit of its own.
    mean = torch.sigmoid(logits.double()).mean(0)
    return torch.logit(mean, eps=_LEAST).float()
