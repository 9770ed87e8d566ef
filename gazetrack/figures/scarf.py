"""A scarf plot: which area of interest each person looked at, over time, one band a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.figures.style import (
    GREY,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    colours_of,
    new_figure,
    plain,
    say_nothing_there,
    shown,
    titled,
)
from gazetrack.figures.transitions import MOST_AREAS
from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.looks import LOOKS
from gazetrack.measures.trials import KEYS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

MOST_BANDS = 200
_BAND_INCHES = 0.26
_BAND = 0.84  # height of a band, of the distance between two


def plot_scarf(looks: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw which area was looked at when, a band per trial.

    Parameters
    ----------
    looks : pandas.DataFrame
        What `gazetrack.aoi_looks` returns: a row per fixation and area that it lies in. Where areas
        overlap, a fixation's band is divided among them.
    title : str
        What is written above the figure, such as the name of the stimulus.

    Returns
    -------
    matplotlib.figure.Figure
        A band per trial, in order of their first appearance, the first on top; white where nothing
        was fixated, grey for fixations in no area. A line ends the trial.

    Raises
    ------
    SchemaError
        A column is missing.
    ConfigError
        More than 200 trials, or 40 areas, which nobody can tell apart.

    Examples
    --------
    >>> looks = gazetrack.aoi_looks("one.fixations.parquet", "aois.json")  # doctest: +SKIP
    >>> gazetrack.plot_scarf(looks[looks["stimulus"] == "a.png"])  # doctest: +SKIP
    """
    missing = [name for name in LOOKS if name not in looks.columns]
    if missing:
        what = f"the looks have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give what gazetrack.aoi_looks returns")
    trials = looks.groupby(KEYS, observed=True, sort=False, dropna=False)
    if trials.ngroups > MOST_BANDS:
        what = f"a scarf plot of {trials.ngroups} trials"
        raise ConfigError(what, hint=f"choose {MOST_BANDS} at most, such as those of one stimulus")
    names = sorted(name for name in looks["aoi"].astype(str).unique() if name != OUTSIDE)
    if len(names) > MOST_AREAS:
        what = f"a scarf plot of {len(names)} areas"
        raise ConfigError(what, hint=f"choose {MOST_AREAS} at most, such as those of one stimulus")
    colours = {**colours_of(names), OUTSIDE: GREY}
    figure = new_figure(8.0, 1.4 + _BAND_INCHES * max(trials.ngroups, 2))
    axis = figure.subplots()
    plain(axis)
    axis.set_title(titled(title, "areas of interest over time"), fontsize=TITLE_POINTS)
    axis.set_xlabel("time from the start of the trial (s)", fontsize=LABEL_POINTS)
    if trials.ngroups == 0:
        say_nothing_there(axis, "no trials")
        return figure
    labels = []
    varying = [key for key in KEYS if len(looks[key].unique()) > 1] or ["recording"]
    for number, (key, rows) in enumerate(trials):
        bottom = trials.ngroups - 1 - number - _BAND / 2
        named = dict(zip(KEYS, map(str, key), strict=True))
        labels.append(" · ".join(shown(named[one]) for one in varying if named[one]))
        end = float(rows["trial_ms"].iloc[0]) / 1000
        axis.plot([end, end], [bottom, bottom + _BAND], color="black", linewidth=0.8)
        seen = rows[rows["begin_ms"].notna()].sort_values("begin_ms", kind="stable")
        at_once = seen.groupby("fixation")["aoi"].transform("size").to_numpy(np.float64)
        place = seen.groupby("fixation").cumcount().to_numpy(np.float64)
        for name in seen["aoi"].astype(str).unique():
            mine = (seen["aoi"].astype(str) == name).to_numpy()
            axis.barh(
                bottom + _BAND * place[mine] / at_once[mine],
                (seen["end_ms"] - seen["begin_ms"]).to_numpy(np.float64)[mine] / 1000,
                height=_BAND / at_once[mine],
                left=seen["begin_ms"].to_numpy(np.float64)[mine] / 1000,
                align="edge",
                color=colours[name],
                linewidth=0,
            )
    axis.set_yticks(range(trials.ngroups - 1, -1, -1), labels, fontsize=SMALL_POINTS)
    axis.set_ylim(-0.6, trials.ngroups - 0.4)
    axis.set_xlim(0, None)
    handles: list[Artist] = [
        Patch(color=colour, label="in no area" if name == OUTSIDE else shown(name))
        for name, colour in colours.items()
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), 6),
        frameon=False,
        fontsize=SMALL_POINTS,
    )
    return figure
