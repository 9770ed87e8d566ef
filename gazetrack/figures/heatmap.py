"""A heat map: where everybody looked on an image, and how long, over the image itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from gazetrack.errors import ConfigError
from gazetrack.figures.ground import draw_ground, draw_mask, pixels_under, refuse_no_track
from gazetrack.figures.style import (
    AMOUNT_MAP,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    new_figure,
    shown,
)
from gazetrack.maps.track import Track

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.figure import Figure

    from gazetrack.figures.ground import Picture

    Floats = npt.NDArray[np.float64]

WIDTH_INCHES = 6.0
SIGMA_SHARE = 0.04  # of sqrt(height x width): about one degree where an image is seen under 25
MOST_CELLS = 512  # of the longer side: finer than a figure shows
_STRONGEST = 0.85  # opacity at the peak
_OPACITY_EXPONENT = 0.6
_FAINTEST = 0.02  # share of the peak below which nothing is drawn


def plot_heatmap(
    tracks: Sequence[Track] | Track,
    image: Picture = None,
    *,
    sigma_px: float | None = None,
    mask: npt.NDArray[np.bool_] | None = None,
) -> Figure:
    """Draw how long gaze was where, summed over the tracks of one image.

    Each fixation is a Gaussian whose volume is its duration. Where nobody looked, the image is
    seen; the more dwell, the less of it.

    Parameters
    ----------
    tracks : Track or sequence of Track
        Of one image, of any number of observers.
    image : ndarray of uint8, shape (H, W, 3) or (H, W), or path-like, optional
        The image, or its file; an empty grey screen without one.
    sigma_px : float, optional
        Standard deviation of the Gaussians in pixels; .04 of sqrt(height x width) by default.
        That of one degree of visual angle is a usual choice.
    mask : ndarray of bool, shape (H, W), optional
        An object, whose outline is drawn green.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ConfigError
        There is no track, they lie on images of several sizes, or `sigma_px` is not positive.
    InputError
        The file of the image cannot be read.

    Examples
    --------
    >>> tracks = gazetrack.tracks("raw.fixations.parquet", images="images")  # doctest: +SKIP
    >>> gazetrack.plot_heatmap(tracks[:1], "images/a.png").savefig("heat.png")  # doctest: +SKIP
    """
    listed = [tracks] if isinstance(tracks, Track) else list(tracks)
    for one in listed:
        refuse_no_track(one)
    if not listed:
        raise ConfigError("a heat map of no tracks", hint="give those of one image")
    sizes = {(round(track.width), round(track.height)) for track in listed}
    if len(sizes) > 1:
        raise ConfigError("the tracks lie on images of several sizes", hint="give those of one")
    first = listed[0]
    sigma = SIGMA_SHARE * math.sqrt(first.width * first.height) if sigma_px is None else sigma_px
    if not sigma > 0:
        raise ConfigError(f"a sigma of {sigma:g} pixels", hint="give a positive number")
    pixels = pixels_under(first, image)
    density = dwell_density(listed, sigma)
    height, width = pixels.shape[:2]
    figure = new_figure(WIDTH_INCHES + 0.9, WIDTH_INCHES * height / width + 0.6)
    axis = figure.subplots()
    draw_ground(axis, pixels, grey=True)
    peak = float(density.max())
    norm = Normalize(0, peak or 1)
    share = density / (peak or 1)
    # An exponent below 1, so that a tenth of the peak is still seen.
    opacity = _STRONGEST * np.clip((share - _FAINTEST) / (1 - _FAINTEST), 0, 1) ** _OPACITY_EXPONENT
    axis.imshow(density, cmap=AMOUNT_MAP, norm=norm, alpha=opacity, extent=(0, width, height, 0))
    draw_mask(axis, mask)
    bar = figure.colorbar(ScalarMappable(norm, AMOUNT_MAP), ax=axis, shrink=0.8, pad=0.02)
    bar.set_label("dwell time per area (ms/px²)", fontsize=LABEL_POINTS)
    bar.ax.tick_params(labelsize=SMALL_POINTS)
    axis.set_title(_title(listed, sigma), fontsize=TITLE_POINTS)
    return figure


def dwell_density(tracks: Sequence[Track], sigma_px: float) -> Floats:
    """Return how long gaze was at each place of an image, in ms per square pixel.

    Parameters
    ----------
    tracks : sequence of Track
        Of one image; fixations beside it or without a duration are left out.
    sigma_px : float
        Standard deviation of a fixation's Gaussian in pixels.

    Returns
    -------
    ndarray of float64, shape (H', W')
        On a grid of at most 512 cells along the longer side. Its integral over the image is the
        dwell on it, but for what the Gaussians of fixations at the border lose to the outside.
    """
    from scipy.ndimage import gaussian_filter

    width, height = tracks[0].width, tracks[0].height
    cell = max(1.0, max(width, height) / MOST_CELLS)
    shape = (math.ceil(height / cell), math.ceil(width / cell))
    dwell = np.zeros(shape)
    for track in tracks:
        inside = (track.x >= 0) & (track.x < width) & (track.y >= 0) & (track.y < height)
        seen = inside & (track.duration_ms > 0)
        rows = (track.y[seen] / cell).astype(np.intp)
        columns = (track.x[seen] / cell).astype(np.intp)
        np.add.at(dwell, (rows, columns), track.duration_ms[seen])
    spread: Floats = gaussian_filter(dwell, sigma_px / cell, mode="constant", truncate=5)
    return spread / cell**2


def _title(tracks: Sequence[Track], sigma_px: float) -> str:
    observers = len({(track.recording, track.participant) for track in tracks})
    who = f"{observers} recordings" if observers > 1 else f"recording {shown(tracks[0].recording)}"
    n_fixations = sum(len(track) for track in tracks)
    seconds = sum(float(np.nansum(track.duration_ms)) for track in tracks) / 1000
    what = f"{n_fixations} fixations, {seconds:.1f} s, Gaussians of σ = {sigma_px:.3g} px"
    return f"{shown(tracks[0].stimulus or 'no stimulus')} · {who}\n{what}"
