"""Dense CRF: pull the border of a soft map to the edges of its image.

Krähenbühl & Koltun (2011), Efficient inference in fully connected CRFs with Gaussian edge
potentials, NeurIPS: mean field for two labels with a bilateral Potts term, as commonly used on gaze
heatmaps (Zhong et al., MICCAI 2024), and, on request, one of position alone, which smooths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import CRFParams

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_MIN_PROBABILITY = 1e-5


class _Term(NamedTuple):
    """A pairwise term: its weight, its lattice, and 1 / sqrt of the lattice's filter of ones."""

    weight: np.float32
    lattice: tuple[npt.NDArray[np.int32], Floats, npt.NDArray[np.int32]]
    norm: Floats


def refine(maps: Floats, image: npt.NDArray[np.uint8], params: CRFParams | None = None) -> Floats:
    """Refine soft maps by a dense CRF on their image; the lattices are built once for all levels.

    Parameters
    ----------
    maps : ndarray of float32, shape (L, H, W)
        In [0, 1], calibrated: .5 is the intended border. On an uncalibrated map a CRF only makes
        things worse.
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        The image the maps lie on.
    params : CRFParams, optional
        Reach, weights and steps; by default as `CRFParams` says.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        The refined maps in [0, 1].

    Raises
    ------
    ConfigError
        Maps and image differ in size.
    """
    params = params or CRFParams()
    _, height, width = maps.shape
    if image.shape[:2] != (height, width):
        sizes = f"maps of {height} x {width} px on an image of {image.shape[0]} x {image.shape[1]}"
        raise ConfigError(sizes, hint="render the maps at the image's own size")
    y, x = np.mgrid[:height, :width]
    position = np.stack([x, y], -1).reshape(-1, 2)
    colours = image[..., None] if image.ndim == 2 else image[..., :3]
    rgb = np.broadcast_to(colours, (height, width, 3)).reshape(-1, 3)
    bilateral = np.concatenate([position / params.position_px, rgb / params.colour], -1)
    terms = [_term(params.weight, bilateral)]
    if params.smooth_weight:
        terms.append(_term(params.smooth_weight, position / params.smooth_px))
    refined = [_mean_field(level.ravel(), terms, params.iterations) for level in maps]
    return np.array(refined, np.float32).reshape(maps.shape)


def _term(weight: float, features: npt.NDArray[np.float64]) -> _Term:
    """Return the pairwise term of features [pixels, d], in their standard deviations."""
    from gazetrack.kernels.lattice import lattice_build, lattice_filter

    lattice = lattice_build(features.astype(np.float32))
    total = np.empty(len(features), np.float32)
    lattice_filter(*lattice, np.ones(len(features), np.float32), total)
    return _Term(np.float32(weight), lattice, 1.0 / np.sqrt(total + np.float32(1e-20)))


def _mean_field(soft: Floats, terms: list[_Term], iterations: int) -> Floats:
    """Return probabilities [pixels] after mean-field steps that begin with `soft`."""
    from scipy.special import expit

    from gazetrack.kernels.lattice import lattice_filter

    q = np.clip(soft, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY).astype(np.float32)
    unary = np.log(q) - np.log1p(-q)
    message = np.empty_like(q)
    for _ in range(iterations):
        logit = unary
        for weight, lattice, norm in terms:
            # With two labels, the message of q minus that of 1 - q is one filter of 2q - 1.
            lattice_filter(*lattice, norm * (2 * q - 1), message)
            logit = logit + weight * norm * message
        q = expit(logit).astype(np.float32)
    return q
