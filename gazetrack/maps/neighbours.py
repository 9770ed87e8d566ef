"""Maps of a slice that gain from looks at the slices around it.

Somebody who goes through a volume looks at an organ on many slices, and at some of them briefly: a
map of one slice has few fixations, and its neighbours say much the same. With M_j the map of slice
j by the same observer, d_j its distance and w(d) = exp(-d^2 / 2 sigma^2), a slice's map M becomes

    M' = (M + sum_j w(d_j) M_j) / (1 + sum_j w(d_j)),

level by level, over the slices j that this observer looked at and that are at most three sigmas
away. Slices without a look are in neither sum: of them nothing is known, and a map would not end
where looking ended if they counted as empty; and they get no map. So maps stay in [0, 1], maps that
are the same on all slices stay as they are, and nested levels stay nested. A slice that an observer
saw several times counts once, by the mean of its maps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Maps = npt.NDArray[np.float32]

UNITS = ("slices", "mm")
# In sigmas: what is further away would count about a hundredth.
REACH = 3.0


@dataclass(frozen=True, kw_only=True)
class SliceSmoothing:
    """How much the slices around a slice count.

    Parameters
    ----------
    sigma : float
        Standard deviation of the Gaussian over the distance of slices, above 0.
    unit : {"slices", "mm"}
        Of `sigma` and of distances: the number of slices, or millimetres, which the headers of
        volumes tell.

    Raises
    ------
    ConfigError
        A sigma that is no positive number, or another unit.
    """

    sigma: float
    unit: str = "slices"

    def __post_init__(self) -> None:
        if not 0 < self.sigma < math.inf:
            hint = "use a positive number, such as 1 slice or 3 mm"
            raise ConfigError(f"a sigma of {self.sigma:g} over slices", hint=hint)
        if self.unit not in UNITS:
            what = f"a sigma over slices in {self.unit!r}"
            raise ConfigError(what, hint=f"use {' or '.join(UNITS)}")

    def weight(self, distance: float) -> float:
        """Return what a slice at a distance counts beside the slice itself, which counts 1."""
        if abs(distance) > REACH * self.sigma:
            return 0.0
        return math.exp(-(distance**2) / (2 * self.sigma**2))


def smoothed(own: Maps, others: Iterable[tuple[float, Maps]]) -> Maps:
    """Return the maps of a slice, averaged with those of others.

    Parameters
    ----------
    own : ndarray of float32, shape (L, H, W)
        The maps of the slice itself, which count 1.
    others : iterable of (float, ndarray of float32 of that shape)
        What the maps of another slice count, above 0, and these; each is used before the next one
        is asked for.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        `own` itself where there are no others.
    """
    total = None
    weights = 1.0
    for weight, maps in others:
        total = own.copy() if total is None else total
        total += np.float32(weight) * maps
        weights += weight
    return own if total is None else total / np.float32(weights)
