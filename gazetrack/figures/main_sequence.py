"""The main sequence: the larger a saccade, the faster, on two logarithmic axes with their line.

Bahill, Clark and Stark (1975), The main sequence, a tool for studying human eye movements,
Mathematical Biosciences 24, 191-204. Points far from the line are seldom saccades of a healthy eye:
they tell of blinks, noise, or a wrong size of the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from gazetrack.errors import SchemaError
from gazetrack.figures.style import (
    BLUE,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    VERMILION,
    new_figure,
    plain,
    say_nothing_there,
    titled,
)
from gazetrack.figures.time_series import one_source

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.figure import Figure

_NEEDED = ("kind", "amplitude_deg", "peak_velocity_deg_s")
_DRAWN = {"saccade": (BLUE, "o"), "microsaccade": (VERMILION, "^")}
_FEWEST_TO_FIT = 3
_RASTER_POINTS = 5_000


class PowerLaw(NamedTuple):
    """A line on two logarithmic axes: peak velocity = factor x amplitude ** exponent.

    Parameters
    ----------
    factor : float
        Peak velocity of a saccade of one degree, in degrees a second.
    exponent : float
        By which power of the amplitude it grows; about .5 to .7 in healthy eyes.
    r : float
        Correlation of the two logarithms.
    """

    factor: float
    exponent: float
    r: float


def plot_main_sequence(events: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw peak velocities of saccades over their amplitudes, with the power law that fits best.

    Parameters
    ----------
    events : pandas.DataFrame
        ``kind``, ``amplitude_deg`` and ``peak_velocity_deg_s``: ``recording.events``, or the table
        that ``gazetrack events`` writes. Saccades and microsaccades are drawn, those with both
        numbers above 0; of a table with the tracker's own events and detected ones, the detected.
    title : str
        What is written above the figure, such as the name of the recording.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SchemaError
        The table lacks a column.

    Examples
    --------
    >>> recording = gazetrack.read("raw.asc")  # doctest: +SKIP
    >>> gazetrack.plot_main_sequence(recording.events, title=recording.name)  # doctest: +SKIP
    """
    missing = [name for name in _NEEDED if name not in events.columns]
    if missing:
        what = f"the events have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give recording.events, or what gazetrack events writes")
    events = one_source(events)
    amplitude = events["amplitude_deg"].to_numpy(np.float64)
    velocity = events["peak_velocity_deg_s"].to_numpy(np.float64)
    kinds = events["kind"].astype(str).to_numpy()
    usable = (amplitude > 0) & (velocity > 0) & np.isfinite(amplitude) & np.isfinite(velocity)
    figure = new_figure(5.0, 4.2)
    axis = figure.subplots()
    plain(axis)
    axis.set_title(titled(title, "main sequence"), fontsize=TITLE_POINTS)
    axis.set_xlabel("amplitude (deg)", fontsize=LABEL_POINTS)
    axis.set_ylabel("peak velocity (deg/s)", fontsize=LABEL_POINTS)
    drawn = usable & np.isin(kinds, list(_DRAWN))
    if not drawn.any():
        say_nothing_there(axis, "no saccades with amplitude and peak velocity")
        return figure
    axis.set(xscale="log", yscale="log")
    axis.grid(visible=True, which="major", color="0.92", linewidth=0.6)
    for kind, (colour, marker) in _DRAWN.items():
        chosen = usable & (kinds == kind)
        if chosen.any():
            axis.scatter(
                amplitude[chosen],
                velocity[chosen],
                12,
                color=colour,
                marker=marker,
                alpha=0.45,
                linewidths=0,
                label=f"{kind}s, n = {chosen.sum()}",
                rasterized=bool(chosen.sum() > _RASTER_POINTS),
            )
    law = fit_power_law(amplitude[drawn], velocity[drawn])
    if law is not None:
        ends = np.array([amplitude[drawn].min(), amplitude[drawn].max()])
        said = f"{law.factor:.3g} · amplitude$^{{{law.exponent:.2f}}}$, r = {law.r:.2f}"
        axis.plot(ends, law.factor * ends**law.exponent, color="black", linewidth=1.2, label=said)
    for scale in (axis.xaxis, axis.yaxis):
        scale.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        scale.set_major_formatter(StrMethodFormatter("{x:g}"))
        scale.set_minor_formatter(NullFormatter())
    axis.tick_params(which="both", labelsize=SMALL_POINTS)
    axis.legend(fontsize=SMALL_POINTS, loc="upper left", edgecolor="0.8")
    return figure


def fit_power_law(
    amplitude_deg: npt.NDArray[np.float64], peak_velocity_deg_s: npt.NDArray[np.float64]
) -> PowerLaw | None:
    """Fit the power law of the main sequence by least squares of the logarithms.

    Parameters
    ----------
    amplitude_deg : ndarray of float64, shape (N,)
        Amplitudes in degrees, all above 0.
    peak_velocity_deg_s : ndarray of float64, shape (N,)
        Peak velocities in degrees a second, all above 0.

    Returns
    -------
    PowerLaw or None
        None of fewer than three saccades, or where all have one amplitude.
    """
    if len(amplitude_deg) < _FEWEST_TO_FIT or np.ptp(amplitude_deg) == 0:
        return None
    from scipy.stats import linregress

    fit = linregress(np.log(amplitude_deg), np.log(peak_velocity_deg_s))
    return PowerLaw(float(np.exp(fit.intercept)), float(fit.slope), float(fit.rvalue))
