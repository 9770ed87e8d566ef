"""How sure a prediction of several classes is: `gradtrack_model.evaluation.uncertainty` for these.

With one class, disagreement and spread are those of that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gradtrack_model.network.classes import label_image, probabilities

if TYPE_CHECKING:
    from torch import Tensor


def class_disagreement(logits: Tensor, threshold: float, *, exclusive: bool) -> float:
    """Return 1 - the mean Dice of all pairs of label images, from 0 for one label image to 1.

    The Dice of a pair is the mean over the classes that one of the two has; of none, it is 1.

    Parameters
    ----------
    logits : Tensor, shape (P, K, h, w)
        What P networks or flips say of each class, at least two.
    threshold : float
        Probability above which a pixel is foreground, see `label_image`.
    exclusive : bool
        Whether classes exclude each other.
    """
    labels = label_image(logits, threshold, exclusive=exclusive).flatten(1)
    dice = []
    for number in range(1, logits.shape[1] + 1):
        masks = (labels == number).double()
        sizes = masks.sum(1)
        total = sizes[:, None] + sizes
        # What neither of two has, the mean over classes leaves out.
        dice.append(torch.where(total > 0, 2 * (masks @ masks.T) / total, torch.nan))
    of_pair = torch.stack(dice).nanmean(0).nan_to_num(1.0)
    above = torch.triu_indices(len(labels), len(labels), 1)
    return float(1 - of_pair[above[0], above[1]].mean())


def class_spread(logits: Tensor, *, exclusive: bool) -> Tensor:
    """Return how far probabilities of each pixel are spread, from 0; .5 where two are opposite.

    Of exclusive classes, the root of half the sum of the variances of all, background among them,
    which of one class is its standard deviation. Of others, the largest standard deviation.

    Parameters
    ----------
    logits : Tensor, shape (P, K, h, w)
        What P networks or flips say of each class.
    exclusive : bool
        Whether classes exclude each other.

    Returns
    -------
    Tensor of float32, shape (h, w)
    """
    p = probabilities(logits.double(), exclusive=exclusive)
    variance = p.var(0, correction=0)
    if not exclusive:
        return variance.amax(0).sqrt().float()
    of_background = p.sum(1).var(0, correction=0)
    return ((variance.sum(0) + of_background) / 2).sqrt().float()


def entropy(logits: Tensor, *, exclusive: bool) -> float:
    """Return the mean predictive entropy of a pixel, in nats.

    Parameters
    ----------
    logits : Tensor, shape (K, h, w)
        Those of the mean probability of all networks.
    exclusive : bool
        Whether classes exclude each other; the entropies of others are added up.
    """
    p = probabilities(logits.double(), exclusive=exclusive)
    if exclusive:
        every = torch.cat([(1 - p.sum(-3, keepdim=True)).clamp(min=0), p], -3)
        return float(torch.special.entr(every).sum(-3).mean())
    return float((torch.special.entr(p) + torch.special.entr(1 - p)).sum(-3).mean())
