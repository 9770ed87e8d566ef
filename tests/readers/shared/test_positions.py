"""Units and origins of positions in tables whose columns the user names."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers.base import POSITION_SETTINGS
from gazetrack.readers.shared import positions as _positions
from gazetrack.readers.shared.positions import Reach
from gazetrack.tables.screen import Screen
from tests.places import ROOT

WIDTH, HEIGHT, WIDE_MM, HIGH_MM, FAR_MM = 1600, 1000, 480.0, 300.0, 700.0
SCREEN = Screen(WIDTH, HEIGHT, WIDE_MM, HIGH_MM, FAR_MM)
# Where gaze truly was, in pixels from the top left: at corners, in the middle, and beside the
# screen.
TRUTH = np.array(
    [(2.5, 3.5), (1600, 1000), (800, 500), (80, 900), (1234.5, 77.25), (-40, 1040)], float
)
MM = WIDE_MM / WIDTH  # pixels are square: 300 / 1000 is the same


def fick(x, y):
    """Azimuth and elevation of one position, by plane geometry."""
    right, down = (x - WIDTH / 2) * MM, (y - HEIGHT / 2) * MM
    return math.degrees(math.atan2(right, FAR_MM)), math.degrees(
        math.atan2(down, math.hypot(FAR_MM, right))
    )


def flat(mm):
    """Degrees as PsychoPy counts them: all as long as the one in the centre."""
    return mm / (FAR_MM * math.tan(math.radians(1)))


# By what a user says: how a tracker that counts so would have written a position.
WRITTEN = {
    "unit=px": lambda x, y: (x, y),
    "unit=px,origin=bottom_left": lambda x, y: (x, HEIGHT - y),
    "unit=px,origin=centre,y_axis=up": lambda x, y: (x - WIDTH / 2, HEIGHT / 2 - y),
    "unit=px,origin=center,y_axis=down": lambda x, y: (x - WIDTH / 2, y - HEIGHT / 2),
    "unit=norm": lambda x, y: (x / WIDTH, y / HEIGHT),
    "unit=norm,origin=bottom-left": lambda x, y: (x / WIDTH, 1 - y / HEIGHT),
    "unit=norm1": lambda x, y: (2 * x / WIDTH - 1, 1 - 2 * y / HEIGHT),
    "unit=norm1,y_axis=down": lambda x, y: (2 * x / WIDTH - 1, 2 * y / HEIGHT - 1),
    "unit=norm0.5,y_axis=up": lambda x, y: (x / WIDTH - 0.5, 0.5 - y / HEIGHT),
    "unit=height": lambda x, y: ((x - WIDTH / 2) / HEIGHT, (HEIGHT / 2 - y) / HEIGHT),
    "unit=mm": lambda x, y: (x * MM, y * MM),
    "unit=cm,origin=centre,y_axis=up": lambda x, y: (
        (x - WIDTH / 2) * MM / 10,
        (HEIGHT / 2 - y) * MM / 10,
    ),
    "unit=deg,y_axis=down": fick,
    "unit=deg,y_axis=up": lambda x, y: (fick(x, y)[0], -fick(x, y)[1]),
    "unit=deg_flat": lambda x, y: (flat((x - WIDTH / 2) * MM), flat((HEIGHT / 2 - y) * MM)),
}


def pairs(text):
    return dict(part.split("=") for part in text.split(",")) if text else {}


def table(tmp_path, positions, header="gx,gy,t"):
    rows = [f"{x:.9g},{y:.9g},{20 * i}" for i, (x, y) in enumerate(positions)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


NAMED = {"x": "gx", "y": "gy", "t": "t[ms]"}


def read(tmp_path, positions, said="", screen=None, columns=NAMED):
    return gazetrack.read(table(tmp_path, positions), columns=columns | pairs(said), screen=screen)


def found(recording):
    return np.column_stack([recording.sample_table[name].to_numpy() for name in ("x_px", "y_px")])


@pytest.mark.parametrize("said", WRITTEN)
def test_positions_in_any_unit_and_origin_become_the_same_pixels(said, tmp_path):
    recording = read(tmp_path, [WRITTEN[said](*position) for position in TRUTH], said, SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH, atol=2e-3)
    assert recording.fractions_of == ""


def test_units_in_brackets_behind_the_columns_are_those_of_the_settings(tmp_path):
    written = [WRITTEN["unit=mm"](*position) for position in TRUTH[1:]]
    recording = read(
        tmp_path, written, screen=SCREEN, columns={"x": "gx[mm]", "y": "gy[mm]", "t": "t[ms]"}
    )
    np.testing.assert_allclose(found(recording), TRUTH[1:], atol=2e-3)


def test_units_in_the_names_of_columns_are_taken(tmp_path):
    written = [WRITTEN["unit=norm"](*position) for position in TRUTH[1:]]
    path = table(tmp_path, written, "Gaze X [norm],Gaze Y [norm],t")
    columns = {"x": "Gaze X [norm]", "y": "Gaze Y [norm]", "t": "t[ms]"}
    recording = gazetrack.read(path, columns=columns, screen=SCREEN)
    np.testing.assert_allclose(found(recording), TRUTH[1:], atol=2e-3)
    assert "positions in norm by the names of their columns" in recording.notes


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("gaze_x_px", "px"),
        ("X (pixels)", "px"),
        ("x [Degrees]", "deg"),
        ("Left X_normalised", "norm"),
        ("x", None),
        ("complex", None),
        ("px_x", None),
        ("foodeg", None),
    ],
)
def test_units_of_names(name, unit):
    assert _positions.unit_of_name(name) == unit


@pytest.mark.parametrize("said", ["unit=norm", "unit=norm1", "unit=norm0.5,y_axis=down"])
def test_units_of_fractions_without_a_screen_are_on_a_nominal_one_that_is_said(said, tmp_path):
    written = (
        [WRITTEN[said](*p) for p in TRUTH[1:]] if said in WRITTEN else [(0.1, 0.2), (-0.4, 0.3)]
    )
    path = table(tmp_path, written)
    nominal = gazetrack.read(path, columns=NAMED | pairs(said))
    assert (nominal.fractions_of, nominal.screen.width_px) == ("screen", 1920)
    assert any(
        "fractions of the screen, whose size the export does not state" in note
        for note in nominal.notes
    )
    placed = gazetrack.read(path, columns=NAMED | pairs(said), screen=SCREEN)
    np.testing.assert_allclose(
        found(nominal) * (WIDTH / 1920, HEIGHT / 1080), found(placed), atol=2e-3
    )


def test_units_of_an_image_whose_size_stands_in_the_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("gx,gy,t,d,w,h\n0.5,0.25,0,200,400,800\n0.1,0.9,300,200,1000,500\n")
    columns = {
        "x": "gx[norm]",
        "y": "gy",
        "t": "t[ms]",
        "duration": "d[ms]",
        "width": "w",
        "height": "h",
    }
    recording = gazetrack.read(path, columns=columns)
    assert recording.fixation_table["x_px"].to_pylist() == pytest.approx([200, 100])
    assert recording.fixation_table["y_px"].to_pylist() == pytest.approx([200, 450])
    assert recording.screen is None


def test_units_of_samples_are_of_the_screen_though_images_have_sizes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("gx,gy,t,w,h\n0.5,0.25,0,400,800\n0.1,0.9,20,1000,500\n")
    columns = {"x": "gx[norm]", "y": "gy", "t": "t[ms]", "width": "w", "height": "h"}
    recording = gazetrack.read(path, columns=columns, screen=SCREEN)
    np.testing.assert_allclose(found(recording), [(800, 250), (160, 900)], atol=1e-3)
    assert "width is not used for samples" in recording.notes


@pytest.mark.parametrize("named", [False, True])
def test_positions_within_0_and_1_without_units_are_refused_with_both_ways_out(named, tmp_path):
    rng = np.random.default_rng(1)
    path = table(tmp_path, rng.uniform(0, 1, (200, 2)), "x,y,t")
    columns = {"x": "x", "y": "y", "t": "t"} if named else {}
    with pytest.raises(ParseError, match="within 0…1") as caught:
        gazetrack.read(path, columns=columns)
    assert ("…,unit=norm" in caught.value.hint) == named
    for way in ("unit=norm", "unit=px"):
        assert way in caught.value.hint
    as_fractions = gazetrack.read(path, columns=columns | {"unit": "norm"}, screen=SCREEN)
    assert float(as_fractions.sample_table["x_px"].to_numpy().max()) > 1500
    as_pixels = gazetrack.read(path, columns=columns | {"unit": "px"})
    assert float(as_pixels.sample_table["x_px"].to_numpy().max()) < 1


@pytest.mark.parametrize(("reach", "word"), [(1.0, "norm1"), (18.0, "deg")])
def test_positions_around_0_without_units_are_refused(reach, word, tmp_path):
    rng = np.random.default_rng(2)
    with pytest.raises(ParseError) as caught:
        read(tmp_path, rng.uniform(-reach, reach, (200, 2)))
    assert word in caught.value.hint
    assert "unit=px" in caught.value.hint


def test_pixels_are_not_refused_for_their_units(tmp_path):
    rng = np.random.default_rng(3)
    for low, high in ((0, 1500), (-300, 1200), (2, 80)):
        assert read(tmp_path, rng.uniform(low, high, (200, 2))).sample_table.num_rows == 200


@pytest.mark.parametrize(
    ("said", "screen", "words"),
    [
        ("unit=inch", SCREEN, "use one of px, norm"),
        ("origin=middle", SCREEN, "use one of top_left"),
        ("unit=norm,origin=centre", SCREEN, "unit=norm1 where the edges are at -1 and 1"),
        ("unit=deg,origin=top_left", SCREEN, "leave origin out"),
        ("unit=px,origin=centre", SCREEN, "y_axis=up or y_axis=down"),
        ("unit=deg", SCREEN, "y_axis=up or y_axis=down"),
        ("y_axis=up", SCREEN, "origin=centre"),
        ("origin=bottom_left,y_axis=down", SCREEN, "use y_axis=up"),
        ("origin=centre,y_axis=left", SCREEN, "use up or down"),
        ("unit=mm", None, "--screen 1920x1080,531x299mm,650mm"),
        (
            "unit=deg,y_axis=up",
            Screen(WIDTH, HEIGHT, WIDE_MM),
            "--screen 1920x1080,531x299mm,650mm",
        ),
        ("unit=px,origin=centre,y_axis=up", None, "--screen 1920x1080"),
        ("unit=height", None, "--screen 1920x1080"),
    ],
)
def test_units_that_cannot_be_are_refused_with_what_to_do(said, screen, words, tmp_path):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, TRUTH, said, screen)
    assert words in f"{caught.value.what} {caught.value.hint}"


def test_two_units_of_positions_contradict_each_other(tmp_path):
    with pytest.raises(ConfigError, match="positions in mm and norm"):
        read(tmp_path, TRUTH, columns={"x": "gx[norm]", "y": "gy[mm]", "t": "t[ms]"})


def test_units_are_for_tables_whose_columns_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "gaze_timestamp,world_index,confidence,norm_pos_x,norm_pos_y,base_data\n1.0,0,1.0,0.5,0.5,a\n"
    )
    with pytest.raises(ConfigError, match="pupil_core states its own columns and units"):
        gazetrack.read(path, columns={"unit": "px"})


def test_every_setting_of_units_is_documented():

    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    for word in (*_positions.UNITS, *_positions.ORIGINS, *POSITION_SETTINGS):
        assert f"`{word}`" in page or f"`{word}=" in page, word


def test_marks_of_lost_gaze_are_missing_and_counted_in_units_from_a_corner(tmp_path):
    positions = [(500, 400), (-1, -1), (0, 0), (510, 410), (0, 300), (-1, 20)]
    recording = read(tmp_path, positions)
    known = np.isfinite(found(recording)[:, 0])
    assert known.tolist() == [True, False, False, True, True, True]
    assert any(note.startswith("2 positions at (-1, -1) or (0, 0)") for note in recording.notes)
    assert recording.loss == pytest.approx(2 / 6)


def test_lost_gaze_of_one_eye_does_not_pull_the_mean_in_any_units(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,lx,ly,rx,ry\n0,500,400,0,0\n20,500,400,520,420\n40,-1,-1,520,420\n")
    recording = gazetrack.read(path)
    assert recording.sample_table["x_px"].to_pylist() == [500, 510, 520]
    assert np.isnan(recording.sample_table["right_x_px"].to_pylist()[0])


def test_fixations_at_marks_of_lost_gaze_are_dropped_in_units_of_pixels(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y,t,duration\n500,400,0,200\n-1,-1,300,200\n0,0,600,200\n")
    recording = gazetrack.read(path)
    assert recording.fixation_table.num_rows == 1
    assert dict(recording.dropped) == {"no position": 2}
    assert any("2 positions at (-1, -1)" in note for note in recording.notes)


def test_the_middle_is_gaze_in_units_from_the_centre(tmp_path):
    recording = read(
        tmp_path, [(0, 0), (-1, -1), (100, 100)], "unit=px,origin=centre,y_axis=up", SCREEN
    )
    np.testing.assert_allclose(found(recording), [(800, 500), (799, 501), (900, 400)])
    assert not any("taken as missing" in note for note in recording.notes)


def test_positions_reach_as_far_in_parts_as_at_once(tmp_path):
    x = np.linspace(0, 1.4, 50)
    whole = Reach()
    whole.take(x, x)
    parts = Reach()
    for own in np.array_split(x, 7):
        parts.take(own, own)
    assert vars(parts) == vars(whole)
    with pytest.raises(ParseError, match="within 0…1"):
        parts.refuse(tmp_path, named=False)
    Reach().refuse(tmp_path, named=False)
