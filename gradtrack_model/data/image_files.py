"""Image files as the trainer takes them, found and read by the toolkit, at a network's size.

Prediction and evaluation read their images through this module, so that one and the same image is
the same pixels in training and afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from gazetrack.errors import DataError
from gazetrack.images.folder import DEEP_MODES, decode, find_images, image_size, read_mask
from gazetrack.images.geometry import check_same_geometry
from gazetrack.images.labels import read_label_image
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import slices_of, spacing_of, write_like
from gazetrack.images.volume_files import is_writable
from gazetrack.images.volumes import ImageVolume, neighbours, volume_file, volume_of
from gazetrack.workflows.dataset import read_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = [
    "ImageRef",
    "ImageVolume",
    "check_same_geometry",
    "find_images",
    "image_size",
    "is_gray",
    "is_writable",
    "middle",
    "open_image",
    "open_slices",
    "read_ids",
    "read_image",
    "read_label_image",
    "read_mask",
    "resized",
    "resized_slices",
    "slices_of",
    "spacing_of",
    "volume_file",
    "volume_of",
    "write_like",
]


def read_image(
    image: ImageRef, size: int, window: tuple[float, ...] = (), context: int = 0
) -> Tensor:
    """Read an image at the size of a network.

    Parameters
    ----------
    image : ImageRef
        A picture, or a slice of a volume file.
    size : int
        Width and height that the image is resized to, in pixels.
    window : tuple of float
        Center and width of the gray values of a medical image, see `open_image`.
    context : int
        How many slices before and after it belong to it, see `open_slices`.

    Returns
    -------
    Tensor of uint8, shape (3 * (2 * context + 1), size, size)
        Red, green and blue of each slice, in their order.

    Raises
    ------
    DataError
        The image has more than 8 bits a channel, or is no slice where it needs neighbours.
    InputError
        The image is damaged, no image, or too large.
    """
    return resized_slices(open_slices(image, window, context), size)


def open_slices(
    image: ImageRef, window: tuple[float, ...] = (), context: int = 0
) -> tuple[Image.Image, ...]:
    """Read an image as RGB at its own size, in the middle of the slices around it.

    Parameters
    ----------
    image : ImageRef
        A picture, or a slice of a volume file.
    window : tuple of float
        Center and width of the gray values of a medical image, see `open_image`.
    context : int
        How many slices before it, and how many after it; beyond the ends of a volume, its first or
        last slice stands again.

    Returns
    -------
    tuple of Image
        2 * context + 1 of them. Errors are those of `read_image`.
    """
    return tuple(open_image(one, window) for one in neighbours(image, context))


def middle(slices: Sequence[Image.Image]) -> Image.Image:
    """Return the slice that is to be segmented, of `open_slices`."""
    return slices[len(slices) // 2]


def resized_slices(slices: Sequence[Image.Image], size: int) -> Tensor:
    """Return RGB images as uint8 [3 * n, size, size], the channels of the first one first."""
    return torch.cat([resized(one, size) for one in slices])


def resized(image: Image.Image, size: int) -> Tensor:
    """Return an RGB image as uint8 [3, size, size]."""
    small = image.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def open_image(image: ImageRef, window: tuple[float, ...] = ()) -> Image.Image:
    """Read an image as RGB at its own size; errors as in `read_image`.

    Of DICOM, NRRD and NIfTI the gray values are mapped to 8 bits as
    `gazetrack.images.slices.read_slice` says.
    """
    opened = decode(image, window)
    if opened.mode in DEEP_MODES:
        what = f"has pixels of type {opened.mode}"
        raise DataError(what, path=image.path, hint="convert it to 8 bits a channel")
    return opened.convert("RGB")


def is_gray(image: ImageRef) -> bool:
    """Whether a picture, or a slice of a volume, has one channel."""
    return decode(image).mode in ("L", "1")
