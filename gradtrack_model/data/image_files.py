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
from gazetrack.images.labels import read_label_image
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import slices_of, spacing_of, write_like
from gazetrack.images.volume_files import is_writable
from gazetrack.workflows.dataset import read_ids

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "ImageRef",
    "find_images",
    "image_size",
    "is_gray",
    "is_writable",
    "open_image",
    "read_ids",
    "read_image",
    "read_label_image",
    "read_mask",
    "resized",
    "slices_of",
    "spacing_of",
    "write_like",
]


def read_image(image: ImageRef, size: int, window: tuple[float, ...] = ()) -> Tensor:
    """Read an image at the size of a network.

    Parameters
    ----------
    image : ImageRef
        A picture, or a slice of a volume file.
    size : int
        Width and height that the image is resized to, in pixels.
    window : tuple of float
        Center and width of the gray values of a medical image, see `open_image`.

    Returns
    -------
    Tensor of uint8, shape (3, size, size)

    Raises
    ------
    DataError
        The image has more than 8 bits a channel.
    InputError
        The image is damaged, no image, or too large.
    """
    return resized(open_image(image, window), size)


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
