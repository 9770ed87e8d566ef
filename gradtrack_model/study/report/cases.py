"""Cases: validation images beside their gaze, their label and their prediction, as pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gazetrack.maps.overlay import overlay
from gradtrack_model.data.batches import plain_maps
from gradtrack_model.data.labels import BORDER
from gradtrack_model.data.sample import middle_slice
from gradtrack_model.evaluation.class_pictures import draw_labels
from gradtrack_model.evaluation.overlay import draw_overlay
from gradtrack_model.study.report.html import data_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.sample import Sample

    Mask = npt.NDArray[Any]
    Pixels = npt.NDArray[np.uint8]

PANEL_PX = 224
_JPEG_QUALITY = 88
# The radius of a fixation of median duration, as a share of the picture's height.
_DOT_RADIUS = 1 / 90
_DOT = np.array([255, 255, 255], np.uint8)


@dataclass(frozen=True)
class Case:
    """An image of a report.

    Parameters
    ----------
    image_id : str
        The stem of the image's file name.
    dice : float or None
        Dice of the prediction; None where the image has no mask.
    panels : tuple of (str, str)
        Name of the picture, and a ``data:`` URI of a JPEG, empty where there is nothing to show.
    """

    image_id: str
    dice: float | None
    panels: tuple[tuple[str, str], ...]


def draw_case(sample: Sample, predicted: Mask, dice: float | None, config: DataConfig) -> Case:
    """Draw an image, its gaze, its label and its prediction.

    Parameters
    ----------
    sample : Sample
        One of the validation images.
    predicted : ndarray of bool, shape (H, W)
        Its predicted mask, at the size of the sample's mask, or the network's where it has none.
    dice : float or None
        Dice of the prediction; None where the image has no mask.
    config : DataConfig
        The run's configuration, which says how maps are rendered.

    Returns
    -------
    Case
        The image; the gaze as the method sees it, with the border of every level and a dot per
        fixation, the larger the longer; the label; the prediction.
    """
    pixels = middle_slice(sample.pixels).permute(1, 2, 0).numpy()
    # The network sees a square; panels have the proportions of the image again.
    shape = predicted.shape if sample.mask is None else sample.mask.shape
    outlined = _classes_outlined if config.classes.names else _outlined
    label = None if sample.mask is None else outlined(pixels, sample.mask)
    pictures = {
        "image": pixels,
        "gaze": _gaze(sample, pixels, config),
        "label": label,
        "prediction": outlined(pixels, predicted),
    }
    panels = tuple((name, _uri(picture, shape)) for name, picture in pictures.items())
    return Case(sample.image_id, dice, panels)


def _gaze(sample: Sample, pixels: Pixels, config: DataConfig) -> Pixels | None:
    if config.method == "full" or not sample.has_gaze:  # the maps of `full` are its labels
        return None
    maps = plain_maps([sample], config)[0].numpy()
    drawn = _of_classes(pixels, maps, config) if config.classes.names else overlay(pixels, maps)
    rows, columns = np.mgrid[: drawn.shape[0], : drawn.shape[1]]
    for track in sample.tracks:
        # A dot's area is the fixation's duration.
        relative = track.duration_ms / np.median(track.duration_ms)
        radii = np.sqrt(relative) * _DOT_RADIUS * len(drawn)
        for x, y, radius in zip(track.x, track.y, radii, strict=True):
            squared_distance = (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2
            drawn[squared_distance <= radius**2] = _DOT
    return drawn


def _of_classes(pixels: Pixels, maps: npt.NDArray[np.float32], config: DataConfig) -> Pixels:
    """Draw in which class's full track each pixel is, where it is in one."""
    full = maps.reshape(config.classes.n, -1, *maps.shape[1:])[:, -2]
    labels = np.where(full.max(0) >= BORDER, full.argmax(0) + 1, 0)
    return draw_labels(pixels, labels.astype(np.uint8))


def _classes_outlined(pixels: Pixels, labels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    resized = Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST)
    return draw_labels(pixels, np.asarray(resized))


def _outlined(pixels: Pixels, mask: Mask) -> Pixels:
    height, width = pixels.shape[:2]
    whole = Image.fromarray(mask.astype(np.uint8) * 255)
    resized = whole.resize((width, height), Image.Resampling.BILINEAR)
    return draw_overlay(pixels, np.asarray(resized) > 127)


def _uri(picture: Pixels | None, shape: Sequence[int]) -> str:
    """Return a picture as JPEG in the proportions of `shape`, its longer side `PANEL_PX`."""
    if picture is None:
        return ""
    scale = PANEL_PX / max(shape)
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    data = io.BytesIO()
    panel = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
    panel.save(data, "JPEG", quality=_JPEG_QUALITY)
    return data_uri(data.getvalue(), "image/jpeg")
