"""Pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, InputError
from gazetrack.figures.saving import save_figure
from gazetrack.figures.track_maps import plot_track
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import Track


def track(n):
    rng = np.random.default_rng(0)
    return Track(
        "r",
        "",
        "a.png",
        rng.uniform(5, 75, n),
        rng.uniform(5, 55, n),
        rng.uniform(100, 800, n),
        80.0,
        60.0,
    )


@pytest.mark.parametrize("n", [0, 1, 12])
@pytest.mark.parametrize("gray", [True, False])
def test_a_picture_of_any_track(tmp_path, n, gray):
    image = np.full((60, 80) if gray else (60, 80, 3), 120, np.uint8)
    mask = np.zeros((60, 80), np.bool_)
    mask[20:40, 20:50] = True
    maps = render_maps(track(n), MapParams(levels=3)).values
    figure = plot_track(track(n), image, maps, mask)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles[1:] == [f"level {number} of 3" for number in (1, 2, 3)]
    assert [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()] == [
        "fixation, in temporal order",
        "value of the map",
    ]
    assert str(n) in figure.axes[0].get_title()
    save_figure(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 800


def test_the_border_is_drawn_of_kinds_that_have_one_and_explained():
    for kind, has_border in (("density", True), ("heatmap", False)):
        maps = render_maps(track(12), MapParams(kind=kind, levels=2))
        figure = plot_track(track(12), maps=maps)
        levels = [axis for axis in figure.axes if axis.get_title().startswith(("last", "all"))]
        assert len(levels) == 2
        assert [bool(axis.collections) for axis in levels] == [has_border] * 2
        assert (levels[-1].get_legend() is not None) == has_border
        heading = figure.get_suptitle()
        assert heading == f"a.png · recording r · {kind} maps"


def test_many_levels_stand_in_two_rows_beside_a_scanpath_of_twice_their_size():
    figure = plot_track(track(12), maps=render_maps(track(12), MapParams(levels=4)))
    figure.canvas.draw()
    scanpath, *levels = figure.axes[:5]
    rows = {round(axis.get_position().y0, 2) for axis in levels}
    assert len(rows) == 2
    assert scanpath.get_position().width > 1.6 * levels[0].get_position().width
    width, height = figure.get_size_inches()
    assert width < 2.5 * height


def test_discs_have_the_area_of_the_dwell_time_and_the_same_picture_the_same_bytes(tmp_path):
    image = np.zeros((60, 80, 3), np.uint8)
    for name in ("a.png", "b.png"):
        figure = plot_track(track(5), image)
        save_figure(figure, tmp_path / name)
    areas = figure.axes[0].collections[0].get_sizes()
    np.testing.assert_allclose(areas / areas[0], track(5).duration_ms / track(5).duration_ms[0])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_image_may_be_a_path(tmp_path):
    Image.new("RGB", (80, 60), (10, 20, 30)).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        (drawn,) = plot_track(track(3), path).axes[0].images
        assert drawn.get_array().shape == (60, 80, 3)
    with pytest.raises(InputError, match=r"x\.png: no such file"):
        plot_track(track(3), "x.png")


def test_what_is_no_track_and_no_image_of_it_is_refused_in_words():
    with pytest.raises(ConfigError, match=r"80 x 61 .*80 x 60.*images=FOLDER|scaled"):
        plot_track(track(3), np.zeros((61, 80), np.uint8))
    with pytest.raises(ConfigError, match="the image is of type list"):
        plot_track(track(3), [[0]])
    with pytest.raises(ConfigError, match=r"of shape \(2, 60, 80, 3\)"):
        plot_track(track(3), np.zeros((2, 60, 80, 3), np.uint8))
    with pytest.raises(
        ConfigError, match=r"of type list - give one of those that gazetrack\.tracks"
    ):
        plot_track([track(3)])
