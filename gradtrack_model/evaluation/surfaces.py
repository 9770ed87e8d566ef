"""How far apart the surfaces of two objects are, in two or three dimensions.

The surface of an object is its voxels with a neighbour outside it: above, below, left, right, and
in a volume in the slices before and after. Outside the image counts as outside. With d(A, B) the
distances from every surface voxel of A to the nearest one of B, between the centres of voxels:

- HD95 is the larger of the 95th percentiles of d(A, B) and of d(B, A), each interpolated linearly;
- ASD, the average symmetric surface distance, is the mean of d(A, B) and d(B, A) together (others
  write ASSD for it);
- the surface Dice at a tolerance is the share of both that is not above it.

These are the definitions of Metrics Reloaded (Maier-Hein, Reinke et al., Nature Methods 2024),
whose surface Dice is called NSD there, and MONAI gives the same numbers. Others do not: Nikolov et
al. (2018), who introduced the surface Dice, weigh each element of the surface by its area, and
MedPy takes one percentile of both distances together (``benchmarks/surface_peers.py``). Every voxel
counts alike here, whatever its height: of thick slices, the faces at top and bottom of an object
count less than their area.

Where one object or both are empty, there is no distance, and the result is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

EMPTY_SURFACE_POLICY = "nan with a mask empty: not in the means, but counted as n_empty"
_ROBUST = 95.0
_ROUNDED = 1 + 1e-9


@dataclass(frozen=True)
class Surfaces:
    """How well the surfaces of two objects agree.

    Parameters
    ----------
    hd95, asd : float
        Distances in the units of the spacing; NaN where an object is empty.
    surface_dice : float
        Share of both surfaces that is within the tolerance of the other, in [0, 1]; NaN where an
        object is empty.
    """

    hd95: float
    asd: float
    surface_dice: float


def compare_surfaces(
    predicted: Mask, mask: Mask, spacing: Sequence[float], tolerance: float
) -> Surfaces:
    """Compare the surfaces of two objects of one class.

    Parameters
    ----------
    predicted, mask : ndarray of bool, shape (H, W) or (N, H, W)
        What is compared, both of one shape. Of several classes, each is compared by itself.
    spacing : sequence of float
        Distance between voxels along each axis, such as millimetres; 1 for pixels.
    tolerance : float
        Distance that still counts as agreement, in the units of the spacing.

    Returns
    -------
    Surfaces

    Raises
    ------
    ValueError
        The shapes differ, or the spacing has another number of axes.
    ConfigError
        A tolerance below 0.
    """
    if predicted.shape != mask.shape or len(spacing) != mask.ndim:
        raise ValueError(f"shapes {predicted.shape}, {mask.shape} and spacing {tuple(spacing)}")
    check_tolerance(tolerance)
    if not predicted.any() or not mask.any():
        return Surfaces(math.nan, math.nan, math.nan)
    there, back = surface_distances_of(predicted, mask, spacing)
    hd95, asd = hd95_and_asd(there, back)
    both = np.concatenate([there, back])
    # What is as far as the tolerance is within it, however its distance was rounded.
    within = np.count_nonzero(both <= tolerance * _ROUNDED)
    return Surfaces(hd95, asd, float(within / len(both)))


def check_tolerance(tolerance: float) -> None:
    """Refuse what is no distance; errors as in `compare_surfaces`."""
    if not 0 <= tolerance < math.inf:
        hint = "use a distance of 0 or more"
        raise ConfigError(f"a surface tolerance of {tolerance:g}", hint=hint)


def hd95_and_asd(there: Floats, back: Floats) -> tuple[float, float]:
    """Return HD95 and ASD from the distances there, shape (N,), and back, shape (M,)."""
    hd95 = max(float(np.percentile(there, _ROBUST)), float(np.percentile(back, _ROBUST)))
    return hd95, float(np.concatenate([there, back]).mean())


def surface_distances_of(
    predicted: Mask, mask: Mask, spacing: Sequence[float]
) -> tuple[Floats, Floats]:
    """Return the distances of each surface to the other.

    Parameters
    ----------
    predicted, mask : ndarray of bool, shape (H, W) or (N, H, W)
        Two objects of one shape, neither of them empty.
    spacing : sequence of float
        Distance between voxels along each axis.

    Returns
    -------
    there : ndarray of float64, shape (N,)
        Of each surface voxel of `predicted`, in the order of the array, to the nearest of `mask`.
    back : ndarray of float64, shape (M,)
        The same the other way round.
    """
    # Only the part with all foreground: what is outside changes no distance.
    window = _bounding_box(predicted | mask)
    of_predicted = _surface(predicted[window])
    of_mask = _surface(mask[window])
    return _nearest(of_predicted, of_mask, spacing), _nearest(of_mask, of_predicted, spacing)


def _bounding_box(mask: Mask) -> tuple[slice, ...]:
    """Return the smallest part of an array that holds all its foreground."""
    found = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(found)


def _surface(mask: Mask) -> Mask:
    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def _nearest(a: Mask, b: Mask, spacing: Sequence[float]) -> Floats:
    """Return the distance of every voxel of `a` to the nearest one of `b`."""
    return np.asarray(ndimage.distance_transform_edt(~b, sampling=spacing)[a])
