"""One answer of several: the mean over flips of an image, and over networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 1e-12  # a probability of which the logit is finite in float32


def mean_of_passes(passes: Tensor) -> Tensor:
    """Return the logits of an image [C, h, w] from those of all networks and flips [N, F, ...]."""
    members = []
    for flips in passes:
        total = torch.zeros(())
        for one in flips:
            total = total + one
        members.append(total / len(flips))
    return members[0] if len(members) == 1 else mean_of_logits(torch.stack(members))


def mean_of_logits(logits: Tensor) -> Tensor:
    """Return the logits of the mean probability of networks, from theirs [N, ...]."""
    # In float64, where a probability close to 1 has a logit of its own.
    mean = torch.sigmoid(logits.double()).mean(0)
    return torch.logit(mean, eps=_LEAST).float()
