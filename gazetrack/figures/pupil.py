"""The pupil over time, before and after it was made ready for analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gazetrack.errors import SchemaError
from gazetrack.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    LABEL_POINTS,
    TITLE_POINTS,
    VERMILION,
    legend_below,
    new_figure,
    plain,
    say_nothing_there,
    shown,
    titled,
)
from gazetrack.figures.time_series import breaks_of, draw_line

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Floats = npt.NDArray[np.float64]

_NEEDED = ("eye", "t_ms", "raw_pupil", "pupil", "removed_by", "is_filled")
_SHADES = tuple(colour for colour in COLOURS if colour not in (BLUE, VERMILION))
_PANEL_INCHES = 2.3


def plot_pupil(samples: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw the size of the pupil as exported and as it is after all steps, a panel for each eye.

    Parameters
    ----------
    samples : pandas.DataFrame
        ``gazetrack.pupil(recording).samples``, the table that ``gazetrack pupil`` writes, or the
        rows of one trial of it.
    title : str
        What is written above the figure, such as the name of the recording.

    Returns
    -------
    matplotlib.figure.Figure
        Grey is the size as exported, blue what is left, vermilion where a gap was filled. Shaded is
        what was taken out, in a colour for each reason.

    Raises
    ------
    SchemaError
        A column is missing.

    Examples
    --------
    >>> made = gazetrack.pupil(gazetrack.read("raw.asc"))  # doctest: +SKIP
    >>> gazetrack.plot_pupil(made.samples.query("t_ms < 10000"))  # doctest: +SKIP
    """
    missing = [name for name in _NEEDED if name not in samples.columns]
    if missing:
        what = f"the samples have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give gazetrack.pupil(recording).samples")
    eyes = [str(eye) for eye in samples["eye"].unique()]
    figure = new_figure(9.0, 1.2 + _PANEL_INCHES * max(len(eyes), 1))
    axes = figure.subplots(max(len(eyes), 1), 1, sharex=True, squeeze=False)[:, 0].tolist()
    reasons = sorted({str(reason) for reason in samples["removed_by"].unique()} - {""})
    colours = {name: _SHADES[number % len(_SHADES)] for number, name in enumerate(reasons)}
    for axis, eye in zip(axes, eyes, strict=False):
        _draw_eye(axis, samples[samples["eye"].astype(str) == eye], colours)
        axis.set_ylabel(f"{shown(eye)}: pupil size\n(as exported)", fontsize=LABEL_POINTS)
    for axis in axes:
        plain(axis)
    if not eyes:
        say_nothing_there(axes[0], "no pupil sizes")
    axes[-1].set_xlabel("time (s)", fontsize=LABEL_POINTS)
    figure.suptitle(titled(title, "pupil size"), fontsize=TITLE_POINTS)
    handles: list[Artist] = [
        Line2D([], [], color=GREY, label="as exported"),
        Line2D([], [], color=BLUE, label="after all steps"),
        Line2D([], [], color=VERMILION, label="gap filled"),
        *(
            Patch(color=colour, alpha=0.3, label=f"taken out: {shown(name).replace('_', ' ')}")
            for name, colour in colours.items()
        ),
    ]
    legend_below(axes[-1], handles, columns=4)
    return figure


def _draw_eye(axis: Axes, samples: pd.DataFrame, colours: dict[str, str]) -> None:
    """Draw one eye's sizes, and shade what was taken out of them."""
    seconds = samples["t_ms"].to_numpy(np.float64) / 1000
    breaks = breaks_of(seconds)
    made = np.where(breaks, np.nan, samples["pupil"].to_numpy(np.float64))
    raw = np.where(breaks, np.nan, samples["raw_pupil"].to_numpy(np.float64))
    filled = samples["is_filled"].to_numpy(np.bool_)
    draw_line(axis, seconds, raw, GREY)
    draw_line(axis, seconds, made, BLUE)
    draw_line(axis, seconds, np.where(filled, made, np.nan), VERMILION)
    removed = samples["removed_by"].astype(str).to_numpy()
    for name, colour in colours.items():
        axis.broken_barh(
            _spans(seconds, removed == name),
            (0, 1),
            transform=axis.get_xaxis_transform(),
            color=colour,
            alpha=0.3,
            linewidth=0,
            zorder=0,
        )


def _spans(seconds: Floats, chosen: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Return begin and length of each run of chosen samples, one step longer than its last."""
    if len(seconds) < 2:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    step = float(np.median(np.diff(seconds)))
    starts, ends = edges[::2], edges[1::2]
    return [
        (float(seconds[start]), float(seconds[end - 1] - seconds[start] + step))
        for start, end in zip(starts, ends, strict=True)
    ]
