"""Transitions between areas of interest: a matrix from row to column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.figures.style import (
    AMOUNT_MAP,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    new_figure,
    say_nothing_there,
    shown,
    titled,
)
from gazetrack.measures.aois import OUTSIDE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_AREAS = 40
_CELL_INCHES = 0.62
_DARK = 0.55  # of the colour map: brighter cells have dark digits


def plot_transitions(transitions: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw how often gaze went from each area to each other one.

    Parameters
    ----------
    transitions : pandas.DataFrame
        ``from_aoi``, ``to_aoi`` and ``transitions`` (counts), a row per pair and trial, such as
        the table of transitions that ``gazetrack measures`` makes. Of rows with a column
        ``states``, those with outside as a state of its own are drawn where there are any.
    title : str
        What is written above the figure, such as the name of the stimulus.

    Returns
    -------
    matplotlib.figure.Figure
        The colour is the share of all transitions from an area (of the row) that went to another
        (the column), blank where an area was never left; the digits are counts, summed over trials.

    Raises
    ------
    SchemaError
        A column is missing.
    ConfigError
        More than 40 areas, which nobody can tell apart.

    Examples
    --------
    >>> gazetrack.plot_transitions(gazetrack.aoi_transitions(fixations, aois))  # doctest: +SKIP
    """
    needed = ("from_aoi", "to_aoi", "transitions")
    missing = [name for name in needed if name not in transitions.columns]
    if missing:
        what = f"the transitions have no column {', '.join(missing)}"
        raise SchemaError(what, hint="give the table of transitions of gazetrack measures")
    counts, names = transition_counts(transitions)
    if len(names) > MOST_AREAS:
        what = f"transitions between {len(names)} areas"
        raise ConfigError(what, hint=f"choose {MOST_AREAS} at most, such as those of one stimulus")
    side = _CELL_INCHES * max(len(names), 3)
    figure = new_figure(side + 2.4, side + 1.5)
    axis = figure.subplots()
    axis.set_title(titled(title, "transitions between areas"), fontsize=TITLE_POINTS)
    if not len(names):
        say_nothing_there(axis, "no transitions")
        axis.set(xticks=[], yticks=[])
        return figure
    leaving = counts.sum(axis=1, keepdims=True)
    # An area that was never left has no shares: its row stays blank.
    share = np.divide(counts, leaving, out=np.full(counts.shape, np.nan), where=leaving > 0)
    drawn = axis.imshow(100 * share, cmap=AMOUNT_MAP, vmin=0, vmax=100)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "black" if share[row, column] > _DARK else "white"
        axis.text(
            column,
            row,
            f"{counts[row, column]:.0f}",
            ha="center",
            va="center",
            fontsize=SMALL_POINTS,
            color=colour,
        )
    labels = [shown(name) for name in names]
    axis.set_xticks(range(len(names)), labels, rotation=45, ha="right", fontsize=SMALL_POINTS)
    axis.set_yticks(range(len(names)), labels, fontsize=SMALL_POINTS)
    axis.set_xlabel("to", fontsize=LABEL_POINTS)
    axis.set_ylabel("from", fontsize=LABEL_POINTS)
    bar = figure.colorbar(drawn, ax=axis, shrink=0.8, pad=0.03)
    bar.set_label("share of the transitions from the area (%)", fontsize=LABEL_POINTS)
    bar.ax.tick_params(labelsize=SMALL_POINTS)
    return figure


def transition_counts(
    transitions: pd.DataFrame,
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[str]]:
    """Return the counts of all trials together, from row to column, and the names of both.

    Parameters
    ----------
    transitions : pandas.DataFrame
        Pairs of areas and their counts, as for `plot_transitions`.

    Returns
    -------
    ndarray of float64 of shape (A, A), list of str
        Areas by name; what lies in none is the last.
    """
    if "states" in transitions.columns:
        with_outside = transitions["states"].astype(str).str.contains("outside")
        if with_outside.any():
            transitions = transitions[with_outside]
    start, end = (transitions[name].astype(str) for name in ("from_aoi", "to_aoi"))
    names = sorted({*start, *end}, key=lambda name: (name == OUTSIDE, name))
    places = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    at = (start.map(places).to_numpy(np.intp), end.map(places).to_numpy(np.intp))
    np.add.at(counts, at, transitions["transitions"].to_numpy(np.float64))
    return counts, names
