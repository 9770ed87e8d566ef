"""How long fixations last: a histogram, of one group or of several."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from gazetrack.errors import ConfigError, SchemaError, quote
from gazetrack.figures.style import (
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

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.figure import Figure

BIN_MS = 25.0
MOST_GROUPS = 7
_SHOWN_SHARE = 0.99  # of the fixations; the rest is said in words


def plot_durations(
    fixations: pd.DataFrame, *, by: str | None = None, bin_ms: float = BIN_MS, title: str = ""
) -> Figure:
    """Draw a histogram of fixation durations.

    Parameters
    ----------
    fixations : pandas.DataFrame
        A fixation table; only ``duration_ms`` and the column `by` are looked at.
    by : str, optional
        A column such as ``recording`` or ``group`` whose values are drawn as lines of their own:
        shares of each group's fixations instead of counts. At most seven.
    bin_ms : float
        Width of the bins in milliseconds.
    title : str
        What is written above the figure, such as the name of the recording.

    Returns
    -------
    matplotlib.figure.Figure
        The axis reaches to the 99th percentile; a note says how many fixations are longer.

    Raises
    ------
    SchemaError
        The table has no such column.
    ConfigError
        More than seven groups, or bins that are not wider than 0.

    Examples
    --------
    >>> fixations = pd.read_parquet("raw.fixations.parquet")  # doctest: +SKIP
    >>> gazetrack.plot_durations(fixations, by="stimulus")  # doctest: +SKIP
    """
    groups = _groups(fixations, by)
    if not bin_ms > 0:
        raise ConfigError(f"bins of {bin_ms:g} ms", hint="give a positive number")
    every = np.concatenate([np.empty(0), *groups.values()])
    figure = new_figure(5.6, 3.6)
    axis = figure.subplots()
    plain(axis)
    axis.set_title(titled(title, "fixation durations"), fontsize=TITLE_POINTS)
    axis.set_xlabel("duration of the fixation (ms)", fontsize=LABEL_POINTS)
    axis.set_ylabel("number of fixations", fontsize=LABEL_POINTS)
    if len(every) == 0:
        say_nothing_there(axis, "no fixations")
        return figure
    longest = float(np.quantile(every, _SHOWN_SHARE))
    edges = [bin_ms * number for number in range(max(math.ceil(longest / bin_ms), 1) + 1)]
    for name, colour in colours_of(groups).items():
        durations = groups[name]
        middle = float(np.median(durations))
        said = f"n = {len(durations)}, median {middle:.0f} ms"
        label = said if by is None else f"{shown(name)}: {said}"
        filled = by is None
        axis.hist(
            durations,
            edges,
            histtype="stepfilled" if filled else "step",
            weights=None if filled else np.full(len(durations), 100 / len(durations)),
            color=colour,
            alpha=0.7 if filled else 1.0,
            linewidth=1.6,
            label=label,
        )
        axis.axvline(middle, color="black" if filled else colour, linewidth=1, linestyle="--")
    if by is None:
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axis.set_ylabel(f"share of the {shown(by)}'s fixations (%)", fontsize=LABEL_POINTS)
    axis.set_xlim(0, edges[-1])
    longer = int((every > edges[-1]).sum())
    note = f"dashed: median; {longer} longer than {edges[-1]:.0f} ms"
    axis.legend(frameon=False, fontsize=SMALL_POINTS, title=note, title_fontsize=SMALL_POINTS)
    return figure


def _groups(fixations: pd.DataFrame, by: str | None) -> dict[str, npt.NDArray[np.float64]]:
    """Return the durations that are known, of each group."""
    for column in ("duration_ms", *([by] if by else [])):
        if column not in fixations.columns:
            hint = f"its columns are {', '.join(map(quote, fixations.columns))}"
            raise SchemaError(f"the table has no column {quote(column)!r}", hint=hint)
    known = fixations[np.isfinite(fixations["duration_ms"])]
    if by is None:
        return {"": known["duration_ms"].to_numpy(np.float64)} if len(known) else {}
    groups = {
        str(name): rows.to_numpy(np.float64)
        for name, rows in known.groupby(by, observed=True)["duration_ms"]
    }
    if len(groups) > MOST_GROUPS:
        what = f"{len(groups)} groups by {quote(by)!r}: nobody tells so many lines apart"
        raise ConfigError(what, hint=f"choose at most {MOST_GROUPS}, or leave `by` out")
    return groups
