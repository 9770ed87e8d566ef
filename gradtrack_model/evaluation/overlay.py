"""A mask drawn on its image, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Mask = npt.NDArray[np.bool_]

_GREEN = (0, 220, 80)
_TINT = 0.3  # how much of the colour is mixed into the mask's inside
_PIXELS_PER_LINE_WIDTH = 200


def draw_overlay(pixels: Pixels, mask: Mask, colour: tuple[int, int, int] = _GREEN) -> Pixels:
    """Tint the mask and outline it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        The image in colour (red, green, blue).
    mask : ndarray of bool, shape (H, W)
        The foreground to show on it.
    colour : tuple of int
        Red, green and blue of tint and outline, 0 to 255; green by default.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        A copy of the image with the mask on it.
    """
    side = (mask.shape[0] * mask.shape[1]) ** 0.5
    width = max(1, round(side / _PIXELS_PER_LINE_WIDTH))
    strength = np.where(mask, _TINT, 0.0)
    outline = mask & ~_eroded(mask, width)
    strength[outline] = 1.0
    mixed = pixels + strength[..., None] * (np.array(colour) - pixels.astype(np.float64))
    return np.asarray(np.rint(mixed), np.uint8)


def _eroded(mask: Mask, times: int) -> Mask:
    """Take `times` pixels off the mask's border; beyond the image counts as inside."""
    for _ in range(times):
        padded = np.pad(mask, 1, mode="edge")
        vertical = padded[:-2, 1:-1] & padded[2:, 1:-1]
        horizontal = padded[1:-1, :-2] & padded[1:-1, 2:]
        mask = mask & vertical & horizontal
    return mask
