"""Histograms of fixation durations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.figures.durations import plot_durations
from tests.figure_cases import durations


def test_every_fixation_is_in_a_bin_or_counted_as_longer():
    table = pd.DataFrame({"duration_ms": [*range(100, 300), 5000.0, np.nan]})
    figure = plot_durations(table, bin_ms=50, title="one")
    axis = figure.axes[0]
    (outline,) = axis.patches
    corners = outline.get_xy()
    assert axis.get_xlim() == (0, 300)
    assert corners[:, 1].max() == 50
    legend = axis.get_legend()
    assert legend.get_title().get_text() == "dashed: median; 1 longer than 300 ms"
    assert [text.get_text() for text in legend.get_texts()] == ["n = 201, median 200 ms"]
    assert axis.get_xlabel() == "duration of the fixation (ms)"
    assert axis.get_title() == "one"


def test_groups_are_lines_of_shares():
    axis = plot_durations(durations(), by="group").axes[0]
    texts = [text.get_text().split(",")[0] for text in axis.get_legend().get_texts()]
    assert texts == ["expert: n = 200", "novice: n = 400"]
    assert "%" in axis.get_ylabel()
    medians = [line.get_xdata()[0] for line in axis.lines]
    wanted = durations().groupby("group")["duration_ms"].median().tolist()
    assert medians == pytest.approx(wanted)


def test_no_fixations_are_said_and_what_cannot_be_drawn_is_refused():
    empty = plot_durations(durations().head(0)).axes[0]
    assert [text.get_text() for text in empty.texts] == ["no fixations"]
    with pytest.raises(SchemaError, match=r"no column 'duration_ms'.*columns are group"):
        plot_durations(durations()[["group"]])
    with pytest.raises(SchemaError, match="no column 'who'"):
        plot_durations(durations(), by="who")
    many = durations().assign(group=lambda table: table.index % 8)
    with pytest.raises(ConfigError, match="8 groups"):
        plot_durations(many, by="group")
    with pytest.raises(ConfigError, match="bins of 0 ms"):
        plot_durations(durations(), bin_ms=0)
