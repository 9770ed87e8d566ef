"""Scanpaths."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings

from gazetrack.errors import ConfigError
from gazetrack.figures.scanpath import MOST_NUMBERS, plot_scanpath
from tests import strategies
from tests.figure_cases import AOIS, picture, track


def numbers(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text().isdigit()]


def test_colour_is_the_order_and_area_the_duration():
    figure = plot_scanpath(track(), picture()[0])
    (discs,) = figure.axes[0].collections
    np.testing.assert_array_equal(discs.get_array(), np.arange(1, 19))
    areas = discs.get_sizes()
    np.testing.assert_allclose(areas / areas[0], track().duration_ms / track().duration_ms[0])
    np.testing.assert_allclose(discs.get_offsets(), np.column_stack([track().x, track().y]))
    assert numbers(figure) == [str(number) for number in range(1, 19)]


def test_it_says_what_is_shown_and_what_colour_and_size_mean():
    figure = plot_scanpath(track(), picture()[0])
    title = figure.axes[0].get_title()
    assert "lesion-001.png · recording reader-1 · participant anna · trial 3" in title
    assert "18 fixations" in title
    assert figure.axes[1].get_ylabel() == "fixation, in temporal order"
    said = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert said == ["duration of the fixation:", "100 ms", "300 ms", "600 ms"]


def test_areas_of_interest_have_their_outlines_and_names():
    figure = plot_scanpath(track(), aois=AOIS, mask=picture()[1])
    axis = figure.axes[0]
    assert len(axis.patches) == 6  # of three areas, ground and border
    assert {"lesion", "fold", "corner"} <= {text.get_text() for text in axis.texts}
    assert len(axis.collections) == 2  # discs, and the outline of the mask


@settings(max_examples=15, deadline=None)
@given(strategies.tracks())
def test_the_picture_is_the_image_whatever_the_track(track):
    figure = plot_scanpath(track, np.zeros((int(track.height), int(track.width)), np.uint8))
    axis = figure.axes[0]
    assert axis.get_xlim() == (0, int(track.width))
    assert axis.get_ylim() == (int(track.height), 0)
    assert numbers(figure) == [str(number + 1) for number in range(len(track))]


def test_of_a_long_scanpath_some_are_numbered():
    figure = plot_scanpath(track(150))
    assert numbers(figure) == [str(number) for number in range(1, 151, 3)]
    assert len(numbers(figure)) <= MOST_NUMBERS


def test_missing_positions_and_durations_are_left_out():
    holes = track(6)
    broken = dataclasses.replace(
        holes,
        x=np.where(np.arange(6) == 2, np.nan, holes.x),
        duration_ms=np.where(np.arange(6) == 4, np.nan, holes.duration_ms),
    )
    figure = plot_scanpath(broken)
    figure.canvas.draw()
    assert numbers(figure) == ["1", "2", "4", "5", "6"]


def test_what_is_no_track_is_refused():
    with pytest.raises(ConfigError, match=r"of type list - give one of those that gazetrack"):
        plot_scanpath([track()])


def test_numbers_keep_off_each_other_also_in_the_figure():
    figure = plot_scanpath(track(30), picture()[0])
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    pairs = [(one, other) for i, one in enumerate(boxes) for other in boxes[:i]]
    assert sum(one.overlaps(other) for one, other in pairs) == 0
    places = figure.axes[0].transData.transform(np.column_stack([track(30).x, track(30).y]))
    middle = [
        box.translated(*(place - box.get_points().mean(0)))
        for box, place in zip(boxes, places, strict=True)
    ]
    pairs = [(one, other) for i, one in enumerate(middle) for other in middle[:i]]
    assert sum(one.overlaps(other) for one, other in pairs) > 3
