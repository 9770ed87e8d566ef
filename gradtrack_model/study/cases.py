"""Cases: validation images beside their gaze, their label and what the network made of them, as pictures for a page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gazetrack.maps.overlay import overlay
from gradtrack_model.data.batches import plain_maps
from gradtrack_model.evaluation.overlay import draw_overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.sample import Sample

    Mask = npt.NDArray[np.bool_]
    Pixels = npt.NDArray[np.uint8]

PANEL_PX = 224
_DOT = np.array([255, 255, 255], np.uint8)


@dataclass(frozen=True)
class Case:
    """An image of a report.

    Parameters
    ----------
    image_id : str
        The image.
    dice : float or None
        None where it has no mask.
    panels : tuple of (str, str)
        Name, and ``data:`` URI of a JPEG; none where there is nothing to show.
    """

    image_id: str
    dice: float | None
    panels: tuple[tuple[str, str], ...]


def draw_case(sample: Sample, predicted: Mask, dice: float | None, config: DataConfig) -> Case:
    """Draw one image.

    Parameters
    ----------
    sample : Sample
        Of the validation images.
    predicted : ndarray of bool, shape (H, W)
        At the size of the sample's mask, or the network's.
    dice : float or None
        Of the prediction.
    config : DataConfig
        Of the run: it says how maps are rendered.

    Returns
    -------
    Case
        The image; the gaze as the method sees it, with the border of every level and a dot per
        fixation, the larger the longer; the label; the prediction.
    """
    pixels = sample.pixels.permute(1, 2, 0).numpy()
    shape = (sample.mask if sample.mask is not None else predicted).shape
    pictures = (
        ("image", pixels),
        ("gaze", _gaze(sample, pixels, config)),
        ("label", None if sample.mask is None else _outlined(pixels, sample.mask)),
        ("prediction", _outlined(pixels, predicted)),
    )
    return Case(
        sample.image_id, dice, tuple((name, _uri(picture, shape)) for name, picture in pictures)
    )


def _gaze(sample: Sample, pixels: Pixels, config: DataConfig) -> Pixels | None:
    if config.method == "full" or not sample.has_gaze:  # the maps of `full` are its labels
        return None
    drawn = overlay(pixels, plain_maps([sample], config)[0].numpy())
    rows, columns = np.mgrid[: drawn.shape[0], : drawn.shape[1]]
    for track in sample.tracks:
        radii = np.sqrt(track.duration_ms / np.median(track.duration_ms)) * len(drawn) / 90
        for x, y, radius in zip(track.x, track.y, radii, strict=True):
            drawn[(columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2] = _DOT
    return drawn


def _outlined(pixels: Pixels, mask: Mask) -> Pixels:
    height, width = pixels.shape[:2]
    small = Image.fromarray(mask.astype(np.uint8) * 255).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    return draw_overlay(pixels, np.asarray(small) > 127)


def _uri(picture: Pixels | None, shape: Sequence[int]) -> str:
    """Return a picture as JPEG in the proportions of `shape`, its longer side `PANEL_PX`."""
    if picture is None:
        return ""
    scale = PANEL_PX / max(shape)
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    data = io.BytesIO()
    Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC).save(data, "JPEG", quality=88)
    return data_uri(data.getvalue(), "image/jpeg")


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as a URI that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
