"""Maps drawn on their image, for people: a tint, and the border of every level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_TINT = np.array([255.0, 80.0, 40.0])
_CORE = np.array([255.0, 230.0, 80.0])
_WHOLE = np.array([255.0, 255.0, 255.0])
_STRENGTH = 0.45


def overlay(image: npt.NDArray[np.uint8], maps: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Draw maps on their image.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        The image that the maps are of.
    maps : ndarray of float32, shape (L, H, W)
        The maps in [0, 1], the core first.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Tinted by the full track's map; the .5 border of every level as a line, the core's yellow,
        the last one's white.
    """
    out = image.astype(np.float64)
    out += (_STRENGTH * maps[-1])[..., None] * (_TINT - out)
    for level, values in enumerate(maps):
        share = level / (len(maps) - 1) if len(maps) > 1 else 1.0
        out[_border(values >= 0.5)] = _CORE + share * (_WHOLE - _CORE)
    return np.rint(out).astype(np.uint8)


def _border(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the pixels inside that have one of their four neighbours outside.

    What is beyond the image counts as inside.
    """
    wide = np.pad(inside, 1, mode="edge")
    within = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return inside & ~within
