"""How far apart two scanpaths are: DTW, Fréchet, Hausdorff, Mannan, EyeAnalysis, TDE.

Positions are arrays [N, 2] of x and y in pixels, in the order of time; distances are pixels unless
said otherwise. Each is symmetric, and 0 for a path and itself. Sources: Sakoe & Chiba 1978 (DTW),
Eiter & Mannila 1994 (discrete Fréchet), Mannan, Ruddock & Wooding 1995, Mathôt, Cristino, Gilchrist
& Theeuwes 2012 (EyeAnalysis), Wang, Wang, Chua, Itti & Qiao 2011 (time-delay embedding).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.kernels.scanpaths import frechet_distance, warping_path

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RANDOM_PATHS = 100


def columns(places: Floats) -> tuple[Floats, Floats]:
    """Return x and y of positions [N, 2] as kernels take them."""
    x = np.ascontiguousarray(places[:, 0], np.float64)
    y = np.ascontiguousarray(places[:, 1], np.float64)
    return x, y


def dtw(a: Floats, b: Floats) -> tuple[float, float]:
    """Return the distance of two paths by dynamic time warping.

    Parameters
    ----------
    a, b : ndarray of float64, shape (N, 2) and (M, 2)
        Positions in pixels, in the order of time.

    Returns
    -------
    (float, float)
        The sum of distances along the best alignment, and their mean, which does not grow with the
        number of fixations.
    """
    way = warping_path(*columns(a), *columns(b))
    apart = np.hypot(*(a[way[:, 0]] - b[way[:, 1]]).T)
    return float(apart.sum()), float(apart.mean())


def frechet(a: Floats, b: Floats) -> float:
    """Return the discrete Fréchet distance of two paths, as `dtw` takes them."""
    return float(frechet_distance(*columns(a), *columns(b)))


def nearest(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return from each row of `a` the distance to the nearest of `b`, and the other way round.

    In trees, so that neither memory nor time grows with the number of pairs.
    """
    from scipy.spatial import KDTree

    return KDTree(b).query(a)[0], KDTree(a).query(b)[0]


def hausdorff(a: Floats, b: Floats) -> float:
    """Return the Hausdorff distance: the farthest that a fixation is from the other path."""
    return max(float(apart.max()) for apart in nearest(a, b))


def eyenalysis(a: Floats, b: Floats) -> float:
    """Return the distance of EyeAnalysis: all nearest distances, by the number of the longer path.

    It is 0 to twice the mean of nearest distances: both paths are mapped on each other.
    """
    from_a, from_b = nearest(a, b)
    return float(from_a.sum() + from_b.sum()) / max(len(a), len(b))


def mannan(a: Floats, b: Floats, width: float, height: float) -> float:
    """Return the linear distance of Mannan et al., as a share of the image's diagonal.

    Parameters
    ----------
    a, b : ndarray of float64, shape (N, 2) and (M, 2)
        Positions in pixels, in the order of time.
    width, height : float
        Size of the image in pixels.

    Returns
    -------
    float
        D with D² = (M Σ d² of a + N Σ d² of b) / (2 N M (width² + height²)), where d is how far a
        fixation is from the nearest of the other path.
    """
    from_a, from_b = nearest(a, b)
    mean_squares = np.square(from_a).mean() + np.square(from_b).mean()
    return math.sqrt(mean_squares / (2 * (width**2 + height**2)))


def mannan_similarity(
    distance: float, lengths: tuple[int, int], width: float, height: float, seed: int = 0
) -> float:
    """Return the similarity of Mannan et al.: 100 for the same places, 0 for chance.

    Parameters
    ----------
    distance : float
        A share of the diagonal, as `mannan` gives it.
    lengths : (int, int)
        Number of fixations of each path.
    width, height : float
        Size of the image in pixels.
    seed : int
        Of the paths of random places, equally likely anywhere on the image.

    Returns
    -------
    float
        100 (1 - D / D of random paths of these lengths); negative where the paths are farther apart
        than random ones.
    """
    low, high = sorted(lengths)
    return 100 * (1 - distance / _mannan_of_chance(low, high, width / height, seed))


@lru_cache(maxsize=4096)
def _mannan_of_chance(low: int, high: int, aspect: float, seed: int) -> float:
    """Return the mean distance of random paths, which depends on the shape of the image alone."""
    random = np.random.default_rng([seed, low, high])
    size = np.array([aspect, 1.0])
    found = [
        mannan(random.random((low, 2)) * size, random.random((high, 2)) * size, *size)
        for _ in range(RANDOM_PATHS)
    ]
    return float(np.mean(found))


def time_delay_embedding(a: Floats, b: Floats, length: int = 3) -> float:
    """Return the distance of the stretches of two paths: the mean of both directions.

    Parameters
    ----------
    a, b : ndarray of float64, shape (N, 2) and (M, 2)
        Positions in pixels, in the order of time.
    length : int
        Number of fixations in a row that are compared with each other, k in Wang et al.

    Returns
    -------
    float
        In pixels per fixation of a stretch; NaN where a path is shorter than a stretch.

    Raises
    ------
    ConfigError
        The length is below 1.
    """
    if length < 1:
        raise ConfigError(f"stretches of {length} fixations", hint="use 1 or more")
    if min(len(a), len(b)) < length:
        return math.nan
    from_a, from_b = nearest(_stretches(a, length), _stretches(b, length))
    return float(from_a.mean() + from_b.mean()) / (2 * length)


def _stretches(places: Floats, length: int) -> Floats:
    """Return all stretches of a path as points [N - length + 1, 2 length]."""
    windows = np.lib.stride_tricks.sliding_window_view(places, length, axis=0)
    return windows.reshape(len(windows), -1)
