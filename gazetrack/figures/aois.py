"""Areas of interest on their image, in the colour of how long they were looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import PathPatch

from gazetrack.errors import ConfigError, SchemaError, did_you_mean, quote
from gazetrack.figures.aoi_outlines import name_area, outlines_of, path_of
from gazetrack.figures.ground import SCREEN_GRAY, draw_ground, read_picture
from gazetrack.figures.style import (
    AMOUNT_MAP,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    new_figure,
    shown,
)
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from gazetrack.figures.ground import Picture
    from gazetrack.measures.aois import AoiSet

WIDTH_INCHES = 6.0
# What can be shown, and how it is called: means over trials.
SHOWN = {
    "dwell_share_of_fixation_time": "mean share of the fixation time (%)",
    "dwell_share_of_trial": "mean share of the trial (%)",
    "fixation_share": "mean share of the fixations (%)",
}
_OPACITY = 0.65


def plot_aois(
    measures: pd.DataFrame,
    aois: AoiSet,
    image: Picture = None,
    *,
    stimulus: str = "",
    share: str = "dwell_share_of_fixation_time",
) -> Figure:
    """Draw the areas of a stimulus in the colour of the share of looks that they got.

    Parameters
    ----------
    measures : pandas.DataFrame
        What `gazetrack.measure_aois` returns, of one stimulus or of several.
    aois : AoiSet
        The areas that were measured.
    image : ndarray of uint8, shape (H, W, 3) or (H, W), or path-like, optional
        The image, or its file. Without it, areas are drawn on a grey ground of the size that they
        were drawn on, or else large enough for them.
    stimulus : str
        Which stimulus; needed where the measures are of several.
    share : {"dwell_share_of_fixation_time", "dwell_share_of_trial", "fixation_share"}
        Which column is shown: its mean over the trials, in which trials without a share, such as
        those without gaze, are left out.

    Returns
    -------
    matplotlib.figure.Figure
        Beside each area stand its name, the share, and of how many trials it was looked at in.

    Raises
    ------
    SchemaError
        The measures lack a column.
    ConfigError
        The stimulus is not among them, or has no areas, or there is no such share.

    Examples
    --------
    >>> measures = gazetrack.measure_aois("tables", "aois.json")  # doctest: +SKIP
    >>> areas = gazetrack.read_aois("aois.json")  # doctest: +SKIP
    >>> gazetrack.plot_aois(measures, areas, "images/a.png", stimulus="a")  # doctest: +SKIP
    """
    mine, name = _of_stimulus(measures, stimulus, share)
    pixels = None if image is None else read_picture(image)
    size = None if pixels is None else (float(pixels.shape[1]), float(pixels.shape[0]))
    outlines = outlines_of(aois, name, size)
    if not outlines:
        hint = did_you_mean(stem(name), aois.known) or None
        raise ConfigError(f"stimulus {quote(name)!r} has no areas of interest", hint=hint)
    if pixels is None:
        own = aois.of(name)
        assert own is not None  # noqa: S101 - it has outlines
        corners = np.concatenate([line for lines in outlines.values() for line in lines])
        width, height = own.size or np.ceil(corners.max(axis=0)).astype(int)
        pixels = np.full((int(height), int(width)), SCREEN_GRAY, np.uint8)
    height, width = pixels.shape[:2]
    figure = new_figure(WIDTH_INCHES + 0.9, WIDTH_INCHES * height / width + 0.7)
    axis = figure.subplots()
    draw_ground(axis, pixels, grey=True)
    by_area = mine.groupby(mine["aoi"].astype(str), sort=False)
    shares = 100 * by_area[share].mean()
    looked_at = by_area["fixations"].agg(lambda counts: int((counts > 0).sum()))
    n_trials = by_area.size()
    norm = Normalize(0, max(float(shares.max()), 1.0) if shares.notna().any() else 100)
    for area, lines in outlines.items():
        value = float(shares.get(area, np.nan))
        colour = "none" if np.isnan(value) else AMOUNT_MAP(norm(value))
        line = path_of(lines)
        axis.add_patch(PathPatch(line, facecolor=colour, edgecolor="none", alpha=_OPACITY))
        axis.add_patch(PathPatch(line, facecolor="none", edgecolor="white", linewidth=1.4))
        said = "nobody looked" if np.isnan(value) else f"{value:.1f} %"
        trials = f"{looked_at.get(area, 0)} of {n_trials.get(area, 0)} trials"
        corners = np.concatenate(lines)
        name_area(axis, corners[np.argmin(corners[:, 1])], f"{area}: {said}, {trials}")
    bar = figure.colorbar(ScalarMappable(norm, AMOUNT_MAP), ax=axis, shrink=0.8, pad=0.02)
    bar.set_label(SHOWN[share], fontsize=LABEL_POINTS)
    bar.ax.tick_params(labelsize=SMALL_POINTS)
    keys = ["recording", "participant", "trial"]
    counted = len(mine[keys].drop_duplicates())
    axis.set_title(
        f"{shown(name)} · {counted} trials of {mine['recording'].nunique()} recordings",
        fontsize=TITLE_POINTS,
    )
    return figure


def _of_stimulus(measures: pd.DataFrame, stimulus: str, share: str) -> tuple[pd.DataFrame, str]:
    """Return the rows of one stimulus, and its name as the measures have it."""
    if share not in SHOWN:
        hint = f"{did_you_mean(share, SHOWN)}use one of {', '.join(SHOWN)}"
        raise ConfigError(f"the share {quote(share)!r}", hint=hint)
    needed = ("recording", "participant", "trial", "stimulus", "aoi", "fixations", share)
    missing = [name for name in needed if name not in measures.columns]
    if missing:
        what = f"the measures have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give what gazetrack.measure_aois returns")
    names = [str(name) for name in measures["stimulus"].unique()]
    if not stimulus and len(names) == 1:
        stimulus = names[0]
    chosen = [name for name in names if stem(name) == stem(stimulus)]
    if not chosen:
        hint = f"{did_you_mean(stimulus, names)}say which with stimulus=…"
        known = f"{len(names)} stimuli, such as {quote(names[0], 30)!r}" if names else "no stimulus"
        raise ConfigError(f"{quote(stimulus)!r} among {known}", hint=hint)
    return measures[measures["stimulus"].astype(str) == chosen[0]], chosen[0]
