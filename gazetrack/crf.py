"""Dense CRF: pull the border of a soft map to the edges of its image.

Krähenbühl & Koltun (2011), Efficient inference in fully connected CRFs with Gaussian edge potentials, NeurIPS: mean
field for two labels with one bilateral Potts term, as commonly used on gaze heatmaps (Zhong et al., MICCAI 2024).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

_MIN_PROBABILITY = 1e-5


@dataclass(frozen=True)
class CRFParams:
    """Parameters of the dense CRF.

    Parameters
    ----------
    position_px : float
        Standard deviation in position, pixels of the image.
    colour : float
        Standard deviation in colour, 0 to 255.
    weight : float
        Weight of the bilateral term; 3 to 5 for calibrated maps.
    iterations : int
        Mean-field steps.
    """

    position_px: float = 80.0
    colour: float = 13.0
    weight: float = 3.0
    iterations: int = 10

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"CRF {name} = {value}", hint="use a positive number")


# Chosen on the 90 images of Kvasir-SEG's val.txt. There is none for MRI, where a CRF makes maps worse.
CRF_PRESETS = {"polyp": CRFParams(position_px=50, weight=5)}


def crf_params(preset: str | None = None, **changes: float | None) -> CRFParams:
    """Return the parameters of a preset, or the defaults where it has none, with those changes that are not None.

    Parameters
    ----------
    preset : str, optional
        A key of `CRF_PRESETS`.
    **changes
        Fields of `CRFParams`.

    Returns
    -------
    CRFParams
    """
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(CRF_PRESETS.get(preset or "", CRFParams()), **given)


def refine(
    maps: npt.NDArray[np.float32], image: npt.NDArray[np.uint8], params: CRFParams | None = None
) -> npt.NDArray[np.float32]:
    """Refine soft maps by a dense CRF on their image; the lattice is built once for all levels.

    Parameters
    ----------
    maps : ndarray of float32, shape (L, H, W)
        In [0, 1], calibrated: .5 is the intended border. On an uncalibrated map a CRF only makes things worse.
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        The image the maps lie on.
    params : CRFParams, optional
        Defaults: 80 px, colour 13, weight 3, 10 steps.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        In [0, 1].

    Raises
    ------
    ConfigError
        Maps and image differ in size.
    """
    from scipy.special import expit

    from gazetrack.kernels.lattice import lattice_build, lattice_filter

    params = params or CRFParams()
    _, height, width = maps.shape
    if image.shape[:2] != (height, width):
        sizes = f"maps of {height} x {width} px on an image of {image.shape[0]} x {image.shape[1]}"
        raise ConfigError(sizes, hint="render the maps at the image's own size")
    lattice = lattice_build(_features(image, params))
    n = height * width
    message = np.empty(n, np.float32)
    lattice_filter(*lattice, np.ones(n, np.float32), message)
    norm = 1.0 / np.sqrt(message + np.float32(1e-20))
    out = np.empty_like(maps, dtype=np.float32)
    for level in range(len(maps)):
        p = np.clip(maps[level].ravel(), _MIN_PROBABILITY, 1 - _MIN_PROBABILITY).astype(np.float32)
        unary = np.log(p) - np.log1p(-p)
        q = p
        for _ in range(params.iterations):
            # With two labels, the message of q minus that of 1 - q is one filter of 2q - 1.
            lattice_filter(*lattice, norm * (2 * q - 1), message)
            q = expit(unary + np.float32(params.weight) * norm * message).astype(np.float32)
        out[level] = q.reshape(height, width)
    return out


def _features(image: npt.NDArray[np.uint8], params: CRFParams) -> npt.NDArray[np.float32]:
    height, width = image.shape[:2]
    rgb = np.broadcast_to(image[..., None] if image.ndim == 2 else image[..., :3], (height, width, 3))
    y, x = np.mgrid[:height, :width]
    position = np.stack([x, y], -1) / params.position_px
    return np.concatenate([position, rgb / params.colour], -1).reshape(-1, 5).astype(np.float32)
