"""Gaze that Pupil Labs' software mapped to a surface or an image.

That is the stimulus, and the screen of the recording. Source: https://docs.pupil-labs.com, "Surface
Tracking" of Pupil Player, "Marker Mapper" and "Reference Image Mapper" of Pupil Cloud.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.tables.recording import SURFACE
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_LEAST_FRACTION = 0.05  # nearer to the corner a quotient has too few digits
_MOST_SPREAD = 0.01
_LEAST_PX = 200  # smaller sizes are centimetres or inches of a real thing
_CLOUD_FOLDER = re.compile(r"(?:MARKER|REFERENCE-IMAGE)[-_]MAPPER_(.+?)(?:_csv)?", re.IGNORECASE)
_PLAYER_FILE = re.compile(r".*_on_surface_(.+)")
_IMAGES = ("reference_image.jpeg", "reference_image.jpg", "reference_image.png")


def name_of_player_file(stem: str) -> str:
    """Return the surface's name: Pupil Player writes ``gaze_positions_on_surface_NAME.csv``."""
    found = _PLAYER_FILE.fullmatch(stem)
    return found[1] if found else SURFACE


def name_of_cloud_folder(path: Path) -> str:
    """Return the surface's name: Pupil Cloud writes into the folder ``MARKER-MAPPER_NAME_csv``."""
    found = _CLOUD_FOLDER.fullmatch(path.absolute().parent.name)
    return found[1] if found else SURFACE


def size_from_scaled(
    fractions: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
    scaled: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
) -> Screen | None:
    """Return the size that the user gave a surface.

    It comes from positions as fractions of the surface and in its units, and is None where these
    are the units of no screen: the size was left at 1, or is in centimetres or metres.
    """
    sizes = []
    for part, whole in zip(fractions, scaled, strict=True):
        known = np.isfinite(whole) & (np.abs(part) >= _LEAST_FRACTION)
        quotients = whole[known] / part[known]
        if not quotients.size:
            return None
        size = float(np.median(quotients))
        if np.ptp(quotients) > _MOST_SPREAD * abs(size):
            return None
        sizes.append(size)
    if min(sizes) < _LEAST_PX:
        return None
    try:
        return Screen(round(sizes[0]), round(sizes[1]))
    except ConfigError:
        return None


def reference_image(path: Path) -> tuple[str, Screen | None]:
    """Return the name of the image that Pupil Cloud puts beside mapped gaze, and its size.

    The size is None where the image is not there, or damaged.
    """
    from PIL import Image

    for name in _IMAGES:
        beside = path.with_name(name)
        if not beside.is_file():
            continue
        try:
            with Image.open(beside) as image:
                width_px, height_px = image.size
            return name, Screen(width_px, height_px)
        except (OSError, ValueError, ConfigError, Image.DecompressionBombError):
            return name, None
    return "reference_image", None
