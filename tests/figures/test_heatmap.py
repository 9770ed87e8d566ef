"""Heat maps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.figures.heatmap import MOST_CELLS, dwell_density, plot_heatmap
from gazetrack.maps.track import Track
from tests.figure_cases import picture, track


def one(x, y, duration_ms, width=200.0, height=150.0):
    values = [np.atleast_1d(np.asarray(value, float)) for value in (x, y, duration_ms)]
    return Track("r", "", "a.png", *values, width, height)


def test_the_density_is_a_gaussian_whose_volume_is_the_dwell():
    density = dwell_density([one(100.5, 75.5, 400)], 8.0)
    assert density.shape == (150, 200)
    np.testing.assert_allclose(density.sum(), 400, rtol=1e-4)
    down, across = np.mgrid[:150, :200] + 0.5
    away = (across - 100.5) ** 2 + (down - 75.5) ** 2
    wanted = 400 / (2 * np.pi * 64) * np.exp(-away / 128)
    np.testing.assert_allclose(density, wanted, atol=2e-3 * wanted.max())


def test_it_is_the_same_per_pixel_on_a_large_image_whose_cells_are_coarser():
    density = dwell_density([one(2000, 1500, 400, 4000.0, 3000.0)], 160.0)
    assert max(density.shape) == MOST_CELLS
    np.testing.assert_allclose(density.max(), 400 / (2 * np.pi * 160**2), rtol=0.01)


def test_fixations_beside_the_image_and_without_a_duration_count_nothing():
    tracks = [one([100, -5, 100, np.nan], [75, 75, 75, 75], [400, 400, np.nan, 400])]
    np.testing.assert_allclose(dwell_density(tracks, 8.0).sum(), 400, rtol=1e-4)


def test_the_image_is_seen_where_nobody_looked_and_the_title_counts_everybody():
    tracks = [track(seed=0.1 * n, recording=f"r{n}") for n in range(3)]
    figure = plot_heatmap(tracks, picture()[0], sigma_px=5, mask=picture()[1])
    axis = figure.axes[0]
    alpha = np.asarray(axis.images[1].get_alpha())
    assert alpha.min() == 0
    assert alpha.max() == pytest.approx(0.85)
    assert "3 recordings\n54 fixations" in axis.get_title()
    assert "σ = 5 px" in axis.get_title()
    assert figure.axes[1].get_ylabel() == "dwell time per area (ms/px²)"
    assert "recording reader-1" in plot_heatmap(track()).axes[0].get_title()


def test_nobody_looked():
    nothing = dataclasses.replace(track(), x=np.empty(0), y=np.empty(0), duration_ms=np.empty(0))
    figure = plot_heatmap([nothing])
    figure.canvas.draw()
    assert np.asarray(figure.axes[0].images[1].get_alpha()).max() == 0


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ConfigError, match="no tracks"):
        plot_heatmap([])
    with pytest.raises(ConfigError, match="several sizes"):
        plot_heatmap([track(), one(1, 1, 1, 50.0)])
    with pytest.raises(ConfigError, match="sigma of 0 pixels"):
        plot_heatmap(track(), sigma_px=0)
