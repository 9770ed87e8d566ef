"""How well label images of several classes agree: every class by itself, and their mean.

An image on which a class is in neither of the two says nothing of that class and does not count for
it: in a data set of rare classes, the many empty images would otherwise be all that one sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradtrack_model.evaluation.metrics import dice_and_iou, score, surface_distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gradtrack_model.evaluation.metrics import Scores

    Labels = npt.NDArray[np.uint8]
    Floats = npt.NDArray[np.float64]

EMPTY_CLASS_POLICY = "not with both empty, 0 with one empty"


def class_overlaps(predicted: Labels, labels: Labels, n_classes: int) -> list[tuple[float, float]]:
    """Return Dice and IoU of each class of one image.

    Parameters
    ----------
    predicted, labels : ndarray of uint8, shape (H, W)
        What is compared: 0 for background, 1 to `n_classes` for the classes.
    n_classes : int
        How many classes there are, K.

    Returns
    -------
    list of (float, float)
        NaN of a class that is in neither of the two.
    """
    found = []
    for number in range(1, n_classes + 1):
        mine, theirs = predicted == number, labels == number
        is_there = mine.any() or theirs.any()
        found.append(dice_and_iou(mine, theirs) if is_there else (np.nan, np.nan))
    return found


def class_scores(predicted: Labels, labels: Labels, n_classes: int) -> list[Scores | None]:
    """Return all measures of each class of one image; None of a class that is in neither.

    Parameters are those of `class_overlaps`.
    """
    found: list[Scores | None] = []
    for number in range(1, n_classes + 1):
        mine, theirs = predicted == number, labels == number
        is_there = mine.any() or theirs.any()
        found.append(score(mine, theirs) if is_there else None)
    return found


def class_distances(
    predicted: Labels, labels: Labels, n_classes: int, spacing: tuple[float, float]
) -> list[tuple[float, float] | None]:
    """Return HD95 and the average symmetric surface distance of each class of one image.

    Parameters
    ----------
    predicted, labels : ndarray of uint8, shape (H, W)
        What is compared, as for `class_overlaps`.
    n_classes : int
        How many classes there are, K.
    spacing : (float, float)
        Height and width of a pixel, such as in mm: the distances have its unit.

    Returns
    -------
    list of (float, float) or None
        None of a class that is in neither of the two; NaN where it is in one alone.
    """
    found: list[tuple[float, float] | None] = []
    for number in range(1, n_classes + 1):
        mine, theirs = predicted == number, labels == number
        if not mine.any() and not theirs.any():
            found.append(None)
        elif mine.any() and theirs.any():
            found.append(surface_distances(mine, theirs, spacing))
        else:
            found.append((np.nan, np.nan))
    return found


def class_means(values: Sequence[float], names: Sequence[str]) -> dict[str, float]:
    """Return the mean of each class over the images that count for it.

    Parameters
    ----------
    values : sequence of float, length N K
        A measure of each class of the first image, then of the next; NaN where one does not count.
    names : sequence of str
        The classes, in their order.

    Returns
    -------
    dict of str to float
        By class; one that no image counts for is missing.
    """
    table = np.asarray(values, np.float64).reshape(-1, len(names))
    found = {}
    for name, column in zip(names, table.T, strict=True):
        counted = column[np.isfinite(column)]
        if counted.size:
            found[name] = float(counted.mean())
    return found
