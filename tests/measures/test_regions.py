"""Scanpaths as words: ScanMatch, and the edit distance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.regions import aoi_word, grid_word, levenshtein, scanmatch, substitutions
from gazetrack.measures.shapes import Rectangle
from tests.measures.paths import track, tracks

GRID = (12, 8)


def test_the_cells_of_a_grid_go_row_by_row():
    corners = track([[0, 0], [799.9, 0], [0, 599.9], [799.9, 599.9], [-5, 700], [66.7, 75.1]])
    assert grid_word(corners, GRID).tolist() == [0, 11, 84, 95, 84, 13]


def test_a_letter_for_each_bin_of_time_and_half_a_bin_counts():
    path = track([[0, 0], [799, 0], [0, 0]], [100.0, 124.0, 24.0])
    assert grid_word(path, GRID, 50.0).tolist() == [0, 0, 11, 11]
    assert grid_word(track([[0, 0]], [125.0]), GRID, 50.0).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("grid", "bin_ms", "message"),
    [
        ((0, 8), 0.0, "grid of 0 x 8"),
        ((100, 100), 0.0, "grid of 100 x 100"),
        (GRID, -1.0, "bins of -1 ms"),
        (GRID, math.nan, "bins of nan ms"),
        (GRID, 1e-6, "letters"),
    ],
)
def test_refused(grid, bin_ms, message):
    with pytest.raises(ConfigError, match=message):
        grid_word(track([[0, 0]], [2000.0]), grid, bin_ms)


def test_the_substitutions_are_those_of_the_toolbox():
    # |distance - largest distance| - (largest distance - threshold), as ScanMatch has it.
    rows, columns = np.divmod(np.arange(96), 12)
    apart = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    expected = np.abs(apart - apart.max()) - (apart.max() - 3.5)
    assert np.allclose(substitutions(GRID, 3.5), expected)


def test_scanmatch_of_words_that_differ():
    a = np.array([0, 5, 90])
    assert scanmatch(a, a, GRID) == 1
    # One of three letters faces nothing, for which there is nothing with a gap of 0.
    assert scanmatch(a, a[:2], GRID) == pytest.approx(2 / 3)
    assert scanmatch(a, a[:2], GRID, gap=-3.5) == pytest.approx(1 / 3)
    assert scanmatch(np.array([0]), np.array([1]), GRID) == pytest.approx(2.5 / 3.5)
    assert math.isnan(scanmatch(a, a[:0], GRID))


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"gap": 0.5}, {"gap": math.nan}])
def test_scanmatch_refuses(wrong):
    with pytest.raises(ConfigError, match="ScanMatch with"):
        scanmatch(np.array([0]), np.array([1]), GRID, **wrong)


@given(tracks(), tracks())
@settings(deadline=None, max_examples=40)
def test_words_are_alike_both_ways(a, b):
    words = [grid_word(one, GRID, 50.0) for one in (a, b)]
    assert scanmatch(*words, GRID) == pytest.approx(scanmatch(*words[::-1], GRID))
    assert scanmatch(words[0], words[0], GRID) == pytest.approx(1)
    assert levenshtein(words[0], words[0]) == (0, 1)
    assert levenshtein(*words) == levenshtein(*words[::-1])


def areas(*windows, size=None, **names):
    """A left and a right half, of which the right one is a strip of the left as well."""
    shapes = (
        Rectangle(x_px=0, y_px=0, width_px=400, height_px=600),
        Rectangle(x_px=300, y_px=0, width_px=500, height_px=600),
    )
    times = dict(zip(("onset_ms", "offset_ms"), windows, strict=False))
    parts = [Part(shape=shape, **times) for shape in shapes]
    aois = tuple(Aoi(name=name, parts=(part,)) for name, part in zip("lr", parts, strict=True))
    return AoiSet(stimuli=(StimulusAois(stimulus="cat", aois=aois, size=size),), **names)


def test_a_letter_for_the_first_area_a_fixation_lies_in():
    path = track([[10, 5], [350, 5], [450, 5], [10, 700]])
    assert aoi_word(path, areas()).tolist() == [0, 0, 1, 2]
    # Areas drawn on an image of half the size.
    small = areas(size=(400, 300))
    assert aoi_word(track([[10, 5], [790, 590]]), small).tolist() == [0, 0]
    assert aoi_word(track([[0, 0]], stimulus="dog.png"), areas()) is None


def test_areas_that_a_scanpath_cannot_be_told_by():
    with pytest.raises(ConfigError, match="'cat' that come and go"):
        aoi_word(track([[0, 0]]), areas(0.0, 500.0))
    with pytest.raises(SchemaError, match="in the pixels of the screen"):
        aoi_word(track([[0, 0]]), areas(space="screen"))


def test_levenshtein():
    assert levenshtein(np.array([1, 2, 3]), np.array([1, 3])) == (1, pytest.approx(2 / 3))
    assert levenshtein(np.array([1]), np.array([], np.int64)) == (1, 0)
    assert all(math.isnan(v) for v in levenshtein(np.zeros(0, np.int64), np.zeros(0, np.int64)))
