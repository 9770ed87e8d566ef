"""Images of labels and masks as areas: which pixels belong to one, and which are near."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import DataError, InputError
from gazetrack.images.folder import decode, read_mask

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

_GREY_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")


def read_labels(image: ImageRef) -> npt.NDArray[np.integer]:
    """Read an image of labels as whole numbers [H, W].

    Parameters
    ----------
    image : ImageRef
        A picture in gray values or with a palette, whose indices are the labels.

    Raises
    ------
    InputError
        It is damaged, no image, too large, or in colours, which are no labels.
    """
    return _labels(image, stamp_of(image))


def stamp_of(image: ImageRef) -> tuple[int, int]:
    """Return what tells a file from what it was before."""
    try:
        facts = image.file.stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_size


# The areas of one image are asked one after the other: it is read once.
@lru_cache(maxsize=1)
def _labels(image: ImageRef, stamp: tuple[int, int]) -> npt.NDArray[np.integer]:  # noqa: ARG001
    picture = decode(image)
    if picture.mode not in _GREY_MODES:
        what = f"is in colours (mode {picture.mode}), not an image of labels"
        hint = "store one gray value, or one index of a palette, for each area"
        raise InputError(what, path=image.path, hint=hint)
    return np.asarray(picture).astype(np.int64)


def read_pixels(image: ImageRef) -> npt.NDArray[np.bool_]:
    """Read which pixels of a mask are its foreground, as booleans [H, W].

    Parameters
    ----------
    image : ImageRef
        A picture of black and white, or a slice of a volume of labels.

    Raises
    ------
    InputError
        It is damaged, no image, or too large.
    DataError
        It holds labels in place of gray values.
    """
    return _mask(image, stamp_of(image))


@lru_cache(maxsize=1)
def _mask(image: ImageRef, stamp: tuple[int, int]) -> npt.NDArray[np.bool_]:  # noqa: ARG001
    try:
        return read_mask(image)
    except DataError as error:
        hint = "store the mask as 0 and 255, or say which label is which area: --labels 1=polyp"
        raise DataError(error.what, path=error.path, hint=hint) from error


def grown(pixels: npt.NDArray[np.bool_], margin_px: float) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centre is at most a margin from that of one of them.

    Parameters
    ----------
    pixels : ndarray of bool, shape (H, W)
        The pixels that are grown.
    margin_px : float
        The margin in pixels, more than 0.

    Returns
    -------
    ndarray of bool, shape (H + 2 M, W + 2 M)
        Wider by M, the margin rounded up, on each side.
    """
    from scipy.ndimage import distance_transform_edt

    wider = np.pad(pixels, ceil(margin_px))
    if not pixels.any():
        return wider
    return np.asarray(distance_transform_edt(~wider) <= margin_px, np.bool_)
