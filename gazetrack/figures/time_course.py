"""Proportions of looks over time in two groups or conditions, with the clusters that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import refuse_other_type
from gazetrack.figures.style import (
    COLOURS,
    GREY,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    new_figure,
    plain,
    shown,
    titled,
)
from gazetrack.measures.cluster_permutation import ClusterTest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIGNIFICANT = 0.05
_HUGE_T = 1000.0


def plot_time_course(test: ClusterTest, *, title: str = "") -> Figure:
    """Draw both time courses, and below them the t of each bin with its clusters.

    Parameters
    ----------
    test : ClusterTest
        The test that `gazetrack.cluster_permutation` made.
    title : str
        What is written above the figure, such as the name of the area.

    Returns
    -------
    matplotlib.figure.Figure
        Lines are means of the people's means, bands their standard errors. Clusters with a p below
        .05 are shaded, with their p; others are drawn hollow, and without.

    Raises
    ------
    ConfigError
        `test` is no such test.

    Examples
    --------
    >>> found = gazetrack.cluster_permutation(courses, "group", "lesion")  # doctest: +SKIP
    >>> gazetrack.plot_time_course(found).savefig("time-course.pdf")  # doctest: +SKIP
    """
    hint = "give what gazetrack.cluster_permutation returns"
    refuse_other_type(test, ClusterTest, "the test", hint)
    figure = new_figure(6.4, 4.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    bins = test.bins
    middle = ((bins["bin_start_ms"] + bins["bin_end_ms"]) / 2000).to_numpy(np.float64)
    for name, level, n, colour in zip(
        ("first", "second"), test.levels, test.n_units, COLOURS, strict=False
    ):
        mean = bins[name].to_numpy(np.float64)
        error = bins[f"{name}_se"].to_numpy(np.float64)
        upper.plot(middle, mean, color=colour, linewidth=1.8, label=f"{shown(level)}, n = {n}")
        upper.fill_between(
            middle, mean - error, mean + error, color=colour, alpha=0.25, linewidth=0
        )
    lower.step(middle, bins["t"], where="mid", color="black", linewidth=1)
    for side in (1, -1):
        limit = side * bins["threshold"].to_numpy(np.float64)
        lower.plot(middle, limit, color=GREY, linewidth=0.9, linestyle="--")
    lower.axhline(0, color=GREY, linewidth=0.6)
    # A bin in which nobody varies has a t of millions: it leaves the axis, and all others stay.
    sizes = np.abs(bins[["t", "threshold"]].to_numpy(np.float64))
    if (sizes > _HUGE_T).any():
        highest = 1.3 * float(np.max(sizes[sizes <= _HUGE_T], initial=1.0))
        lower.set_ylim(-highest, highest)
    for row in test.clusters.itertuples():
        start, end = float(row.start_ms) / 1000, float(row.end_ms) / 1000  # type: ignore[arg-type]
        p = float(row.p)  # type: ignore[arg-type]
        is_found = p < _SIGNIFICANT
        for axis in (upper, lower):
            axis.axvspan(
                start,
                end,
                facecolor=GREY if is_found else "none",
                edgecolor=GREY,
                alpha=0.25 if is_found else 0.6,
                linestyle="-" if is_found else ":",
                zorder=0,
            )
        said = f"p = {p:.3f}" if p >= 0.001 else "p < .001"
        upper.text(
            (start + end) / 2,
            0.98,
            said if is_found else "",  # the p of others would lie on one another
            transform=upper.get_xaxis_transform(),
            fontsize=SMALL_POINTS,
            ha="center",
            va="top",
        )
    for axis in (upper, lower):
        plain(axis)
    upper.set_ylabel("proportion of looks", fontsize=LABEL_POINTS)
    lower.set_ylabel("t", fontsize=LABEL_POINTS)
    lower.set_xlabel("time from the start of the trial (s)", fontsize=LABEL_POINTS)
    kind = "all" if test.is_exact else "drawn"
    what = f"clusters against {test.n_permutations} permutations ({kind}); bands: standard errors"
    upper.set_title(f"{titled(title, 'time course of looks')}\n{what}", fontsize=TITLE_POINTS)
    upper.legend(frameon=False, fontsize=SMALL_POINTS, loc="lower right")
    return figure
