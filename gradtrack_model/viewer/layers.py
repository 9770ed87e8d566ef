"""Layers: pictures that a page lays over an image, transparent where there is nothing to see."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Pixels = npt.NDArray[np.uint8]
    Colour = tuple[int, int, int]

# No picture that is shown has a longer side, px.
LONGEST_SIDE = 1400
# Colours that can be told apart by everybody (Okabe and Ito's), each said in words beside it.
GAZE: Colour = (230, 159, 0)
PROBABILITY: Colour = (86, 180, 233)
MASK: Colour = (0, 200, 255)
UNCERTAINTY: Colour = (213, 94, 0)
REFERENCE: Colour = (240, 228, 66)
_PIXELS_PER_LINE_WIDTH = 250


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height that an image of this size is shown at, px."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def plain(image: Image.Image) -> bytes:
    """Return an image as PNG, shrunk where it is large."""
    size = shown_size(*image.size)
    small = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    return _png(small.convert("RGB"))


def tinted(strength: Pixels, size: tuple[int, int], colour: Colour) -> bytes:
    """Return a layer of one colour.

    Parameters
    ----------
    strength : ndarray of uint8, shape (H, W)
        How much of the colour covers each pixel: 0 for nothing, 255 for all.
    size : (width, height)
        The size of the layer in pixels, that of the image as it is shown.
    colour : tuple of int
        Red, green and blue, 0 to 255.
    """
    alpha = Image.fromarray(strength).resize(size, Image.Resampling.BILINEAR)
    layer = Image.new("RGB", size, colour)
    layer.putalpha(alpha)
    return _png(layer)


def outlined(mask: Mask, size: tuple[int, int], colour: Colour) -> bytes:
    """Return a layer with the border of a mask, inside of it; parameters as in `tinted`.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        The foreground whose border is drawn.
    size, colour
        As in `tinted`: of the layer, and of its line.
    """
    whole = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    inside = np.asarray(whole) > 127
    width = max(1, round((size[0] * size[1]) ** 0.5 / _PIXELS_PER_LINE_WIDTH))
    # What is beyond the image counts as inside.
    line = inside & ~binary_erosion(inside, iterations=width, border_value=1)
    return tinted(line.astype(np.uint8) * 255, size, colour)


def _png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    # The page asks for many of them: speed before size, on one machine.
    image.save(data, "PNG", compress_level=1)
    return data.getvalue()
