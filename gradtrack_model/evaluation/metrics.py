"""Overlap of a predicted mask with the reference mask, and distance between their borders."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradtrack_model.evaluation.surfaces import hd95_and_asd, surface_distances_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

EMPTY_POLICY = "1 with both masks empty, 0 with one empty"
EMPTY_DISTANCE_POLICY = "0 with both masks empty, the image's diagonal with one empty"


@dataclass(frozen=True)
class Scores:
    """All measures of one image.

    Parameters
    ----------
    dice, iou, precision, recall : float
        2|A∩B| / (|A| + |B|), |A∩B| / |A∪B|, |A∩B| / |A|, |A∩B| / |B|, A the prediction and B the
        mask. All are 1 when both masks are empty and 0 when one is.
    hd95, asd : float
        Distances of `surface_distances`, in the units of the spacing.
    """

    dice: float
    iou: float
    precision: float
    recall: float
    hd95: float
    asd: float


def score(predicted: Mask, mask: Mask, spacing: tuple[float, float] = (1.0, 1.0)) -> Scores:
    """Return all measures of one image.

    Parameters
    ----------
    predicted, mask : ndarray of bool, shape (H, W)
        What is compared, both of one shape (H, W).
    spacing : (float, float)
        Height and width of a pixel.

    Raises
    ------
    ValueError
        The shapes differ.
    """
    dice, iou = dice_and_iou(predicted, mask)
    hd95, asd = surface_distances(predicted, mask, spacing)
    both = int(np.count_nonzero(predicted & mask))
    n_predicted = int(np.count_nonzero(predicted))
    n_mask = int(np.count_nonzero(mask))
    # Of an empty mask the shares are not defined: they follow Dice, 1 where both are empty, else 0.
    precision = dice if n_predicted == 0 or n_mask == 0 else both / n_predicted
    recall = dice if n_predicted == 0 or n_mask == 0 else both / n_mask
    return Scores(dice=dice, iou=iou, precision=precision, recall=recall, hd95=hd95, asd=asd)


def dice_and_iou(predicted: Mask, mask: Mask) -> tuple[float, float]:
    """Return Dice 2|A∩B| / (|A| + |B|) and IoU |A∩B| / |A∪B| of one image.

    Parameters
    ----------
    predicted, mask : ndarray of bool, shape (H, W)
        What is compared, both of one shape (H, W).

    Returns
    -------
    tuple of float
        Both are 1 when both masks are empty and 0 when one is.

    Raises
    ------
    ValueError
        The shapes differ.
    """
    if predicted.shape != mask.shape:
        raise ValueError(f"shapes {predicted.shape} and {mask.shape}")
    both = int(np.count_nonzero(predicted & mask))
    total = int(np.count_nonzero(predicted)) + int(np.count_nonzero(mask))
    if total == 0:
        return 1.0, 1.0
    return 2 * both / total, both / (total - both)


def surface_distances(
    predicted: Mask, mask: Mask, spacing: tuple[float, float] = (1.0, 1.0)
) -> tuple[float, float]:
    """Return HD95 and the average symmetric surface distance of one image.

    `gradtrack_model.evaluation.surfaces` defines both; here, empty masks have a distance, too.

    Parameters
    ----------
    predicted, mask : ndarray of bool, shape (H, W)
        What is compared, both of one shape (H, W).
    spacing : (float, float)
        Height and width of a pixel.

    Returns
    -------
    tuple of float
        Both are 0 when both masks are empty; when one is, both are the image's diagonal, so that a
        missed object is not left out of a mean.
    """
    if not predicted.any() or not mask.any():
        if not predicted.any() and not mask.any():
            return 0.0, 0.0
        height, width = predicted.shape
        diagonal = math.hypot(height * spacing[0], width * spacing[1])
        return diagonal, diagonal
    there, back = surface_distances_of(predicted, mask, spacing)
    return hd95_and_asd(there, back)
