"""Points and weights whose sum stands for an integral along a line (Gauss-Legendre quadrature)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Standard deviations that one piece of a line may span; longer lines are cut into equal pieces.
LONGEST = 24.0
NODES_AT_LEAST = 2
NODES_PER_SIGMA = 1.3
_MOST_NODES = NODES_AT_LEAST + int(np.ceil(NODES_PER_SIGMA * LONGEST))


def pieces_and_nodes(lengths: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return into how many pieces to cut each line, and how many nodes each of its pieces needs.

    So many nodes give the integral of a Gaussian along the line to 2e-6 of its largest value,
    wherever it is centred.

    Parameters
    ----------
    lengths : ndarray of float64, shape (N,)
        Lengths of the lines in standard deviations of the Gaussian.

    Returns
    -------
    pieces, nodes : ndarray of int64, shape (N,)
        Number of pieces of each line, and of nodes of each of its pieces.
    """
    pieces = np.maximum(np.ceil(lengths / LONGEST), 1).astype(np.int64)
    nodes = NODES_AT_LEAST + np.ceil(NODES_PER_SIGMA * lengths / pieces).astype(np.int64)
    return pieces, nodes


@lru_cache(maxsize=1)
def unit_rules() -> Floats:
    """Return places in (0, 1) and weights of all rules, [2, n + 1, n].

    Row k holds the k nodes of the rule of k, then zeros.
    """
    places = np.zeros((_MOST_NODES + 1, _MOST_NODES))
    weights = np.zeros((_MOST_NODES + 1, _MOST_NODES))
    for count in range(1, _MOST_NODES + 1):
        at, weight = np.polynomial.legendre.leggauss(count)
        places[count, :count] = (at + 1) / 2
        weights[count, :count] = weight / 2
    return np.stack([places, weights])
