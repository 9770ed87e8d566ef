"""From the tracks on an image to the maps and the label that a network learns, in one way for all.

Training, validation, `gradtrack-train check` and the export for nnU-Net ask the same question, and
would otherwise come to answers of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.maps.crf import refine
from gazetrack.maps.parameters import CRFParams
from gazetrack.maps.render import prepare, render_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.track import Track

    Maps = npt.NDArray[np.float32]

# Of a map in 0 .. 1 and of its stored form in 0 .. 255: from here on, a pixel is foreground.
BORDER = 0.5
STORED_BORDER = 128


def cleaned(tracks: Sequence[Track], params: MapParams) -> tuple[Track, ...]:
    """Return tracks without the fixations that no level keeps, and without tracks left empty.

    Parameters
    ----------
    tracks : sequence of Track
        The tracks of an image, one for each observer.
    params : MapParams
        Says which fixations are too short or too early.
    """
    prepared = [prepare(track, params) for track in tracks]
    return tuple(track for track in prepared if len(track))


def mean_maps(tracks: Sequence[Track], params: MapParams, size: tuple[int, int]) -> Maps:
    """Render the track of each observer, and average over observers.

    Parameters
    ----------
    tracks : sequence of Track
        At least one; cleaned, in pixels of the map.
    params : MapParams
        How a track becomes maps.
    size : (height, width)
        Size of the maps in pixels.

    Returns
    -------
    ndarray of float32, shape (L, height, width)
        In 0 .. 1, the core first.
    """
    total = np.zeros((params.levels, *size), np.float32)
    for track in tracks:
        total += render_points(track.x, track.y, track.duration_ms, size, params)
    return total / np.float32(len(tracks))


def refined_maps(
    maps: Maps, pixels: npt.NDArray[np.uint8], weight: float, scale: float = 1.0
) -> Maps:
    """Pull the border of the last level, which is the label, to the edges of the image.

    Parameters
    ----------
    maps : ndarray of float32, shape (L, height, width)
        In 0 .. 1, the core first.
    pixels : ndarray of uint8, shape (height, width, 3)
        The image at the size of the maps.
    weight : float
        Weight of the CRF; its other parameters are those of `CRFParams`. 0 leaves the maps as they
        are.
    scale : float
        How large the maps are for the image: the CRF's lengths are in pixels of the image.

    Returns
    -------
    ndarray of float32, shape (L, height, width)
    """
    if not weight:
        return maps
    params = CRFParams(weight=weight).resized(scale)
    return np.concatenate([maps[:-1], refine(maps[-1:], pixels, params)])


def full_map(tracks: Sequence[Track], params: MapParams, size: tuple[int, int]) -> Maps | None:
    """Return the map of the full tracks, which is the label where it reaches `BORDER`.

    Parameters
    ----------
    tracks : sequence of Track
        As they were read, in pixels of the image.
    params : MapParams
        How a track becomes maps.
    size : (height, width)
        Size of the map in pixels; tracks on an image of another size are scaled to it.

    Returns
    -------
    ndarray of float32, shape (height, width), or None
        None where cleaning leaves no fixation.
    """
    height, width = size
    kept = [track.scaled(width, height) for track in cleaned(tracks, params)]
    return mean_maps(kept, params, size)[-1] if kept else None
