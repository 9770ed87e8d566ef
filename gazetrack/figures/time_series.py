"""Gaze over time: horizontal and vertical position, with what the eye did shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gazetrack.errors import SchemaError
from gazetrack.figures.style import (
    BLUE,
    EVENT_COLOURS,
    LABEL_POINTS,
    TITLE_POINTS,
    VERMILION,
    legend_below,
    new_figure,
    plain,
    say_nothing_there,
    titled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Floats = npt.NDArray[np.float64]

_EYES = {"left_": ("left eye", BLUE), "right_": ("right eye", VERMILION)}
_COMBINED = {"": ("gaze", "0.15")}
_PAUSE_STEPS = 5
_RASTER_SAMPLES = 20_000  # longer lines become pixels within an SVG or PDF, which stay small


def plot_time_series(
    samples: pd.DataFrame, events: pd.DataFrame | None = None, *, title: str = ""
) -> Figure:
    """Draw where gaze was at each moment, and shade fixations, saccades and blinks.

    Parameters
    ----------
    samples : pandas.DataFrame
        ``t_ms``, and ``x_px`` and ``y_px`` or those of either eye (``left_x_px``, …), such as
        ``recording.samples`` or the rows of one trial of it. Missing gaze leaves a gap.
    events : pandas.DataFrame, optional
        ``kind``, ``onset_ms`` and ``duration_ms`` of what is shaded, on the clock of the samples:
        ``recording.events``, or the table that ``gazetrack events`` writes. Kinds without a colour,
        such as messages, are left out; of a table with the tracker's own events and detected
        ones, the detected are drawn.
    title : str
        What is written above the figure, such as the name of the recording.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels that share the time in seconds. The vertical axis of the lower one points down,
        as on the screen.

    Raises
    ------
    SchemaError
        The tables lack the columns that are drawn.

    Examples
    --------
    >>> recording = gazetrack.read("raw.asc")  # doctest: +SKIP
    >>> first = recording.samples.query("t_ms < 5000")  # doctest: +SKIP
    >>> gazetrack.plot_time_series(first, recording.events)  # doctest: +SKIP
    """
    lines = lines_of(samples, "x_px")
    figure = new_figure(9.0, 4.4)
    upper, lower = figure.subplots(2, 1, sharex=True)
    seconds = samples["t_ms"].to_numpy(np.float64) / 1000
    breaks = breaks_of(seconds)
    handles: list[Artist] = []
    for axis, column, label in ((upper, "x_px", "x (px)"), (lower, "y_px", "y (px)")):
        for prefix, (name, colour) in lines.items():
            values = samples[f"{prefix}{column}"].to_numpy(np.float64)
            draw_line(axis, seconds, np.where(breaks, np.nan, values), colour)
            if axis is upper:
                handles.append(Line2D([], [], color=colour, label=name))
        axis.set_ylabel(label, fontsize=LABEL_POINTS)
        plain(axis)
    handles += shade_events((upper, lower), events, seconds)
    lower.invert_yaxis()
    lower.set_xlabel("time (s)", fontsize=LABEL_POINTS)
    if len(seconds):
        lower.set_xlim(seconds[0], max(seconds[-1], seconds[0] + 1e-3))
    else:
        say_nothing_there(upper, "no samples")
    figure.suptitle(titled(title, "gaze over time"), fontsize=TITLE_POINTS)
    legend_below(lower, handles, columns=len(handles))
    return figure


def one_source(events: pd.DataFrame) -> pd.DataFrame:
    """Return the detected events of a table that also holds the tracker's own, else all of it.

    Parameters
    ----------
    events : pandas.DataFrame
        Events with or without a column ``source``, as ``gazetrack events`` writes it.
    """
    if "source" not in events.columns:
        return events
    is_detected = events["source"].astype(str) == "detected"
    return events[is_detected] if is_detected.any() else events


def breaks_of(seconds: Floats) -> npt.NDArray[np.bool_]:
    """Return which samples come after a pause: no line may lead to them.

    Parameters
    ----------
    seconds : ndarray of float64, shape (N,)
        Times of the samples. A step of more than five usual ones is a pause, and so is one back.

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    breaks = np.zeros(len(seconds), np.bool_)
    if len(seconds) > 2:
        steps = np.diff(seconds)
        usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
        breaks[1:] = (steps > _PAUSE_STEPS * usual) | (steps < 0)
    return breaks


def draw_line(axis: Axes, seconds: Floats, values: Floats, colour: str) -> None:
    """Draw a signal over time.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis, which is horizontal in seconds.
    seconds : ndarray of float64, shape (N,)
        Times of the samples, in seconds.
    values : ndarray of float64, shape (N,)
        The signal; NaN leaves a gap in the line.
    colour : str
        The colour of the line, as matplotlib names it.
    """
    is_long = len(seconds) > _RASTER_SAMPLES
    axis.plot(seconds, values, color=colour, linewidth=0.9, rasterized=is_long)


def lines_of(samples: pd.DataFrame, column: str) -> dict[str, tuple[str, str]]:
    """Return the lines to draw: of each eye where there is gaze of either, else of both combined.

    Parameters
    ----------
    samples : pandas.DataFrame
        A table of samples, of which columns may be missing.
    column : str
        What is drawn, such as ``x_px``: that of the left eye is ``left_x_px``.

    Returns
    -------
    dict of str to (str, str)
        By the prefix of the column: what the line is called, and its colour.

    Raises
    ------
    SchemaError
        There is no such column, or no time.
    """
    if "t_ms" not in samples.columns:
        raise SchemaError("the samples have no column t_ms", hint="give recording.samples")
    has_own = {
        prefix: line
        for prefix, line in _EYES.items()
        if f"{prefix}{column}" in samples.columns and samples[f"{prefix}{column}"].notna().any()
    }
    if has_own:
        return has_own
    if column not in samples.columns:
        raise SchemaError(f"the samples have no column {column}", hint="give recording.samples")
    return _COMBINED


def shade_events(
    axes: Sequence[Axes], events: pd.DataFrame | None, seconds: Floats
) -> list[Artist]:
    """Shade the time of events on axes whose horizontal axis is seconds.

    Parameters
    ----------
    axes : sequence of matplotlib.axes.Axes
        The axes that share the time.
    events : pandas.DataFrame, or None
        ``kind``, ``onset_ms`` and ``duration_ms``; nothing is shaded without them.
    seconds : ndarray of float64, shape (N,)
        Times of the samples: events beyond the first and last are left out.

    Returns
    -------
    list of matplotlib.artist.Artist
        A handle for each kind that was found, for a legend.

    Raises
    ------
    SchemaError
        The events lack one of these columns.
    """
    if events is None or len(seconds) == 0:
        return []
    missing = [name for name in ("kind", "onset_ms", "duration_ms") if name not in events.columns]
    if missing:
        what = f"the events have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give recording.events, or what gazetrack events writes")
    events = one_source(events)
    onset = events["onset_ms"].to_numpy(np.float64) / 1000
    end = onset + events["duration_ms"].to_numpy(np.float64) / 1000
    inside = (end > seconds[0]) & (onset < seconds[-1])
    kinds = events["kind"].astype(str).to_numpy()
    handles: list[Artist] = []
    for kind, colour in EVENT_COLOURS.items():
        chosen = inside & (kinds == kind)
        if not chosen.any():
            continue
        spans = list(zip(onset[chosen], (end - onset)[chosen], strict=True))
        for axis in axes:
            axis.broken_barh(
                spans,
                (0, 1),
                transform=axis.get_xaxis_transform(),
                color=colour,
                alpha=0.35,
                linewidth=0,
                zorder=0,
            )
        handles.append(Patch(color=colour, alpha=0.35, label=kind.replace("_", " ")))
    return handles
