"""Gaze over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from gazetrack.errors import SchemaError
from gazetrack.figures.style import EVENT_COLOURS
from gazetrack.figures.time_series import (
    breaks_of,
    draw_line,
    lines_of,
    one_source,
    plot_time_series,
    shade_events,
)
from tests.figure_cases import gaze


def test_both_axes_share_the_time_in_seconds_and_y_points_down():
    samples, events = gaze()
    figure = plot_time_series(samples, events, title="one")
    upper, lower = figure.axes
    np.testing.assert_allclose(upper.lines[0].get_xdata(), samples["t_ms"] / 1000)
    np.testing.assert_array_equal(upper.lines[0].get_ydata(), samples["x_px"])
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), samples["y_px"])
    low, high = lower.get_ylim()
    assert low > high
    assert lower.get_xlabel() == "time (s)"
    assert [axis.get_ylabel() for axis in figure.axes] == ["x (px)", "y (px)"]
    said = [text.get_text() for text in lower.get_legend().get_texts()]
    assert said == ["gaze", "fixation", "saccade", "blink"]


def test_events_are_shaded_where_they_are():
    _, events = gaze()
    axis = Figure().subplots()
    messages = pd.DataFrame({"kind": ["message"], "onset_ms": [500.0], "duration_ms": [0.0]})
    handles = shade_events([axis], pd.concat([events, messages]), np.array([2.5, 3.0]))
    assert [handle.get_label() for handle in handles] == ["fixation", "saccade", "blink"]
    spans = {}
    for kind, shade in zip(("fixation", "saccade", "blink"), axis.collections, strict=True):
        spans[kind] = [
            (path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in shade.get_paths()
        ]
    assert spans["blink"] == [pytest.approx((2.6, 2.76))]
    assert spans["saccade"] == [pytest.approx((2.8, 2.84))]
    assert len(spans["fixation"]) == 2
    assert shade_events([axis], None, np.array([0.0, 1.0])) == []


def test_each_eye_has_a_line_where_there_is_gaze_of_it():
    samples, _ = gaze()
    eyes = samples.assign(left_x_px=samples["x_px"], right_x_px=np.nan)
    assert [name for name, _ in lines_of(eyes, "x_px").values()] == ["left eye"]
    assert list(lines_of(samples, "x_px")) == [""]


def test_no_line_leads_over_a_pause():
    seconds = np.r_[np.arange(5) * 0.004, 3 + np.arange(5) * 0.004]
    assert np.flatnonzero(breaks_of(seconds)).tolist() == [5]
    assert not breaks_of(np.array([1.0])).any()
    assert np.flatnonzero(breaks_of(np.array([0.0, 1, 2, 0, 1]))).tolist() == [3]


def test_long_lines_are_pixels_within_an_svg():
    axis = Figure().subplots()
    for n in (10, 30_000):
        draw_line(axis, np.arange(n), np.zeros(n), "black")
    assert [line.get_rasterized() for line in axis.lines] == [False, True]


def test_no_samples_and_missing_columns():
    samples, events = gaze()
    empty = plot_time_series(samples.head(0), events)
    assert [text.get_text() for text in empty.axes[0].texts] == ["no samples"]
    with pytest.raises(SchemaError, match="no column t_ms"):
        plot_time_series(samples.drop(columns="t_ms"))
    with pytest.raises(SchemaError, match="no column x_px"):
        plot_time_series(samples[["t_ms"]])
    with pytest.raises(SchemaError, match="no column kind, duration_ms"):
        plot_time_series(samples, events[["onset_ms"]])


def test_every_kind_of_movement_has_a_colour_of_its_own():
    assert len(set(EVENT_COLOURS.values())) == len(EVENT_COLOURS)


def test_detected_events_go_before_those_of_the_tracker():
    _, events = gaze()
    both = pd.concat([events.assign(source="tracker"), events.head(3).assign(source="detected")])
    assert len(one_source(both)) == 3
    assert len(one_source(events.assign(source="tracker"))) == len(events)
    assert one_source(events) is events
