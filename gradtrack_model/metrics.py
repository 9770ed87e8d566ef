"""Overlap of a predicted mask with the reference mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

EMPTY_POLICY = "1 with both masks empty, 0 with one empty"


def dice_and_iou(predicted: Mask, mask: Mask) -> tuple[float, float]:
    """Return Dice 2|A∩B| / (|A| + |B|) and IoU |A∩B| / |A∪B| of one image.

    Parameters
    ----------
    predicted, mask : ndarray of bool, shape (H, W)
        Of the same shape.

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
