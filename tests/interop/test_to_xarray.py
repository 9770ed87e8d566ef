"""Maps in xarray: the values of the maps, and coordinates that say where they are."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError, InputError, SchemaError
from gazetrack.interop.to_xarray import to_xarray
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.store import map_writer
from gazetrack.maps.track import Track
from gazetrack.tables.screen import Screen

SCREEN = Screen(1280, 1024, 380.0, 300.0, 600.0)
PARAMS = MapParams(kind="tube", levels=3, drop_first=0)


def track(stimulus="a.png", width=40, height=30, **names):
    x = np.array([5.0, 20.0, 33.0, 12.0])
    y = np.array([5.0, 9.0, 22.0, 25.0])
    long_ms = np.full(4, 300.0)
    known = {"recording": "anna", "trial": "1", "participant": "p1"}
    return Track(
        stimulus=stimulus,
        x=x,
        y=y,
        duration_ms=long_ms,
        width=width,
        height=height,
        **known | names,
    )


@pytest.fixture(scope="module")
def two():
    return [render_maps(track(), PARAMS), render_maps(track("b.png", trial="2"), PARAMS)]


@pytest.fixture
def file(two, tmp_path):
    with map_writer(tmp_path / "maps.parquet", {"params": PARAMS.as_dict()}) as write:
        for maps in two:
            write(maps)
    return tmp_path


def test_values_and_names_of_rendered_maps(two):
    array = to_xarray(two)
    assert array.dims == ("trial", "level", "y", "x")
    assert array.shape == (2, 3, 30, 40)
    np.testing.assert_array_equal(array[1], two[1].values)
    assert array["stimulus"].values.tolist() == ["a.png", "b.png"]
    assert array["trial_name"].values.tolist() == ["1", "2"]
    assert array["participant"].values.tolist() == ["p1", "p1"]
    assert array["n_fixations"].values.tolist() == [4, 4]
    assert array["level"].values.tolist() == [1, 2, 3]
    np.testing.assert_allclose(array["share"], PARAMS.ratios)
    assert array["keeps"].values.tolist() == ["last 33.3 %", "last 66.7 %", "all"]
    assert json.loads(array.attrs["params"])["kind"] == "tube"


def test_coordinates_are_the_centres_of_pixels(two):
    array = to_xarray(two[0])
    assert array["x"].values.tolist() == [i + 0.5 for i in range(40)]
    assert array["y"].attrs["units"] == "px"
    at = array.sel(level=3, x=5.0, y=5.0, method="nearest").item()
    assert at in (two[0].values[2, 4, 4], two[0].values[2, 5, 5])  # 5 is between two centres


def test_a_file_gives_what_was_stored(two, file):
    array = to_xarray(file)
    stored = [maps.as_uint8().astype(np.float32) / np.float32(255) for maps in two]
    np.testing.assert_allclose(array.values, stored, atol=1e-7)
    assert array["stimulus"].values.tolist() == ["a.png", "b.png"]
    assert array["keeps"].values.tolist() == ["last 33.3 %", "last 66.7 %", "all"]
    assert json.loads(array.attrs["gazetrack"])["params"]["levels"] == 3
    opened = to_xarray(gazetrack.read_maps(file))
    np.testing.assert_array_equal(opened, array)


def test_a_file_of_another_program_has_no_shares(two, tmp_path):
    with map_writer(tmp_path / "maps.parquet", {}) as write:
        write(two[0])
    array = to_xarray(tmp_path / "maps.parquet")
    assert "share" not in array.coords
    assert array.shape == (1, 3, 30, 40)


def test_degrees_are_those_of_the_screen(two):
    array = to_xarray(two, screen=SCREEN, placement="100,50,800,600")
    # Twenty screen pixels a pixel: the first centre is 10 to the right of the image's edge.
    azimuth, _ = SCREEN.degrees(np.array([110.0]), np.array([512.0]))
    _, elevation = SCREEN.degrees(np.array([640.0]), np.array([50 + 590.0]))
    assert array["x_deg"].values[0] == pytest.approx(azimuth[0])
    assert array["y_deg"].values[-1] == pytest.approx(elevation[0])
    assert array["x_deg"].attrs["units"] == "deg"
    assert (np.diff(array["y_deg"]) > 0).all()


def test_maps_as_large_as_the_screen_need_no_placement(two):
    screen = Screen(40, 30, 400.0, 300.0, 600.0)
    array = to_xarray(two, screen=screen)
    np.testing.assert_allclose(array["x_deg"], -array["x_deg"][::-1], atol=1e-12)
    with pytest.raises(ConfigError, match="nobody says where they lay"):
        to_xarray(two, screen=SCREEN)
    with pytest.raises(ConfigError, match="without width and distance"):
        to_xarray(two, screen=Screen(40, 30))
    with pytest.raises(ConfigError, match="needs the screen"):
        to_xarray(two, placement="fit")


def test_through_a_file_of_xarray(two, tmp_path):
    import xarray

    array = to_xarray(two, screen=SCREEN, placement="fit")
    array.to_netcdf(tmp_path / "maps.nc", engine="scipy")
    with xarray.open_dataarray(tmp_path / "maps.nc", engine="scipy") as back:
        xarray.testing.assert_equal(back.load(), array)
        assert back.attrs == array.attrs


def test_maps_that_differ_are_refused(two):
    with pytest.raises(SchemaError, match="3x30x40 and 3x30x44"):
        to_xarray([two[0], render_maps(track(width=44), PARAMS)])
    with pytest.raises(SchemaError, match="different parameters"):
        to_xarray([two[0], render_maps(track(), replace(PARAMS, radius=0.1))])


def test_a_file_of_several_sizes_is_refused(two, tmp_path):
    with map_writer(tmp_path / "maps.parquet", {}) as write:
        write(two[0])
        write(render_maps(track("b.png", width=44), PARAMS))
    with pytest.raises(SchemaError, match="several sizes"):
        to_xarray(tmp_path)


def test_what_is_too_large_or_no_map_is_refused(two, file, tmp_path):
    needed = 2 * 3 * 30 * 40 * 4
    assert to_xarray(two, max_bytes=needed).nbytes == needed
    for maps in (two, file):
        with pytest.raises(ConfigError, match="as float32"):
            to_xarray(maps, max_bytes=needed - 1)
    with pytest.raises(ConfigError, match="no maps"):
        to_xarray([])
    with pytest.raises(ConfigError, match="one of the maps is of type int"):
        to_xarray([3])
    with pytest.raises(ConfigError, match="the maps is of type int"):
        to_xarray(3)
    shutil.rmtree(file)
    with pytest.raises(InputError):
        to_xarray(file / "maps.parquet")


@pytest.mark.parametrize("told", [3, {"kind": "nonsense"}, {"unknown": 1}, {"ratios": [2, 3, 4]}])
def test_parameters_that_nobody_knows_are_no_shares(two, tmp_path, told):
    with map_writer(tmp_path / "maps.parquet", {"params": told}) as write:
        write(two[0])
    assert "share" not in to_xarray(tmp_path).coords


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"screen": "1920x1080"}, "the screen is of type str"),
        ({"screen": SCREEN, "placement": 3}, "the placement is of type int"),
        ({"max_bytes": "a"}, "max_bytes='a'|max_bytes=a"),
    ],
)
def test_arguments_of_another_type_are_refused(two, wrong, message):
    with pytest.raises(ConfigError, match=message):
        to_xarray(two, **wrong)
