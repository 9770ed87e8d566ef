"""The user's screen or camera beside the export's.

The cases: world cameras, contradictions, gaze off the screen, in all units.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.events.detectors import DETECTORS
from gazetrack.events.fixations import fixation_table
from gazetrack.tables.cameras import CAMERAS, field_of_view
from gazetrack.tables.geometry import with_geometry
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen
from gazetrack.tables.store import read_meta
from gazetrack.workflows.convert import ConvertOptions, convert_files


def recording(positions, screen=None, **facts):
    x, y = np.asarray(positions, float).T
    samples = conform(
        {"recording": "a", "t_ms": 10.0 * np.arange(len(x)), "x_px": x, "y_px": y}, SAMPLES
    )
    return Recording(
        name="a",
        format=facts.pop("format", "test"),
        sample_table=samples,
        event_table=conform({}, EVENTS),
        screen=screen,
        **facts,
    )


MIDDLE = [(500, 400)] * 20


# World cameras: degrees


@pytest.mark.parametrize("model", ["Tobii Pro Glasses 2", "Tobii Pro Glasses 3"])
def test_a_flat_camera_sees_its_field_of_view_from_edge_to_edge(model):
    camera = CAMERAS[model]
    screen = Screen(1920, 1080, fov_deg=camera.fov_deg, fisheye=camera.fisheye)
    azimuth, elevation = screen.degrees(
        np.array([0.0, 1920.0, 960.0]), np.array([540.0, 540.0, 1080.0])
    )
    assert azimuth[:2] == pytest.approx([-camera.fov_deg / 2, camera.fov_deg / 2])
    # The makers' vertical figure, which nothing here was told, is that of a flat picture.
    assert 2 * elevation[2] == pytest.approx(
        {"Tobii Pro Glasses 2": 52, "Tobii Pro Glasses 3": 63}[model], abs=0.5
    )


@pytest.mark.parametrize(
    ("model", "size", "vertical"),
    [("Pupil Invisible", (1088, 1080), 82), ("Neon", (1600, 1200), 77)],
)
def test_a_fisheye_camera_has_degrees_all_of_one_length(model, size, vertical):
    screen = Screen(*size, fov_deg=field_of_view(model, *size), fisheye=True)
    x = np.linspace(0, size[0], 9)
    azimuth, _ = screen.degrees(x, np.full(9, size[1] / 2))
    assert np.diff(azimuth) == pytest.approx(np.full(8, CAMERAS[model].fov_deg / 8))
    _, elevation = screen.degrees(np.array([size[0] / 2]), np.array([float(size[1])]))
    assert 2 * elevation[0] == pytest.approx(vertical, abs=1)


def test_the_scale_in_the_middle_of_a_camera_is_the_slope_of_its_degrees():
    for fisheye in (False, True):
        screen = Screen(1600, 1200, fov_deg=100.0, fisheye=fisheye)
        azimuth, _ = screen.degrees(np.array([800.0, 800.01]), np.array([600.0, 600.0]))
        assert screen.px_per_deg == pytest.approx(0.01 / (azimuth[1] - azimuth[0]), rel=1e-3)


def test_pixels_undo_degrees():
    screen = Screen(1000, 800, 500.0, 420.0, 600.0)
    x, y = np.array([0.0, 500, 999, 20]), np.array([3.0, 400, 799, 700])
    assert np.column_stack(screen.pixels(*screen.degrees(x, y))) == pytest.approx(
        np.column_stack([x, y])
    )
    assert np.isnan(screen.pixels(np.array([90.0]), np.array([0.0]))[0])


@pytest.mark.parametrize(
    ("fov", "fisheye"), [(0.0, True), (180.0, False), (360.0, True), (math.nan, True)]
)
def test_a_field_of_view_no_camera_has(fov, fisheye):
    with pytest.raises(ConfigError, match="field of view"):
        Screen(1000, 800, fov_deg=fov, fisheye=fisheye)


def test_a_camera_of_known_model_is_seen_under_its_makers_angle_and_says_so():
    given = with_geometry(recording(MIDDLE, Screen(1280, 720), world_camera="Pupil Core"))
    assert (given.screen.fov_deg, given.screen.fisheye) == (103.0, True)
    assert any("103 degrees wide at 1280x720 px" in note for note in given.notes)


def test_the_angle_of_a_camera_follows_the_size_that_the_user_states():
    nominal = recording(MIDDLE, world_camera="Pupil Core").on_nominal_screen(
        Screen(1280, 720), "camera's image"
    )
    assert with_geometry(nominal, Screen(1920, 1080)).screen.fov_deg == 155.0
    assert with_geometry(nominal, Screen(800, 600)).screen.px_per_deg is None


def test_the_users_field_of_view_wins_over_the_cameras_own():
    given = with_geometry(
        recording(MIDDLE, Screen(1280, 720), world_camera="Pupil Core"), fov_deg=63.0
    )
    assert given.screen.px_per_deg == pytest.approx(1280 / 63)
    assert not any("makers" in note for note in given.notes)


def test_a_field_of_view_serves_for_a_screen_too():
    given = with_geometry(recording(MIDDLE, Screen(1000, 800)), fov_deg=40.0)
    assert given.screen.px_per_deg == pytest.approx(
        500 / math.tan(math.radians(20)) * math.tan(math.radians(1))
    )


def test_a_field_of_view_needs_the_size_of_the_camera_image():
    with pytest.raises(ConfigError, match="without the size of the image") as caught:
        with_geometry(recording(MIDDLE), fov_deg=40.0)
    assert "--screen" in caught.value.hint


def test_no_fixations_are_detected_behind_an_unknown_camera():
    unknown = with_geometry(recording(MIDDLE, Screen(1920, 1080), world_camera="AdHawk MindLink"))
    for detector in (None, DETECTORS["idt"]()):
        with pytest.raises(
            ConfigError, match="field of view of the AdHawk MindLink is not known"
        ) as caught:
            fixation_table(unknown, detector)
        assert "--fov" in caught.value.hint
    known = with_geometry(
        recording(MIDDLE, Screen(1920, 1080), world_camera="AdHawk MindLink"), fov_deg=80.0
    )
    table, source = fixation_table(known)
    assert (table.num_rows, source["detector"]["px_per_deg_assumed"]) == (1, False)


def test_drift_behind_a_camera_on_the_head_is_no_pursuit_to_the_default_detector():
    drifting = [(300 + 0.8 * i, 400) for i in range(120)]  # about 6 degrees a second for 1.2 s
    screen = Screen(1280, 720, fov_deg=103.0, fisheye=True)
    auto = DETECTORS["auto"]
    assert fixation_table(recording(drifting, screen))[0].num_rows == 0
    for detector in (None, auto()):
        table, source = fixation_table(
            recording(drifting, screen, world_camera="Pupil Core"), detector
        )
        assert (table.num_rows, source["detector"]["pursuit_velocity_deg_s"]) == (1, 1000)
    chosen = auto(min_duration_ms=80.0)
    assert (
        fixation_table(recording(drifting, screen, world_camera="Pupil Core"), chosen)[0].num_rows
        == 0
    )


def adhawk(tmp_path, deg_to_px):
    path = tmp_path / "gaze_data.csv"
    rows = [f"{0.008 * i},0.1,0.2,0.3,0.4,{0.5 + 0.1 * (i > 60)},0.5" for i in range(120)]
    path.write_text(
        "\n".join(["Timestamp,Gaze_X,Gaze_Y,Gaze_Z,Vergence,Image_X,Image_Y", *rows]) + "\n"
    )
    if deg_to_px is not None:
        (tmp_path / "meta_data.json").write_text(
            json.dumps({"camera_config": {"deg_to_px": deg_to_px}})
        )
    return path


def test_the_camera_of_a_mindlink_is_told_by_its_settings_beside_the_gaze(tmp_path):
    flat = Screen(1920, 1080, fov_deg=72.0)
    path = adhawk(
        tmp_path, [0.007, 0.0, flat.px_per_deg / math.degrees(math.tan(math.radians(1.0)))]
    )
    found = gazetrack.read(path)
    assert found.screen.fov_deg == pytest.approx(72.0)
    assert any("72.0 degrees wide by meta_data.json" in note for note in found.notes)
    assert fixation_table(found)[1]["detector"]["px_per_deg"] == pytest.approx(flat.px_per_deg)
    smaller = gazetrack.read(path, screen=Screen(1280, 720))  # the same picture in fewer pixels
    assert (smaller.screen.width_px, smaller.screen.fov_deg) == (1280, found.screen.fov_deg)


@pytest.mark.parametrize(
    "deg_to_px",
    [None, [], ["a"], [0.0, 0.0, -3.0], [0, 0, 1e9], [0, 0, 10**400], [0, 0, math.nan], {"a": 1}],
)
def test_settings_that_tell_no_camera_leave_it_unknown(deg_to_px, tmp_path):
    found = gazetrack.read(adhawk(tmp_path, deg_to_px))
    assert found.screen.px_per_deg is None
    assert (deg_to_px is None) != any("not used" in note for note in found.notes)


def test_the_vendors_fixations_need_no_camera():
    fixations = conform(
        {"recording": "a", "onset_ms": [0.0], "duration_ms": [200.0], "x_px": [5.0], "y_px": [5.0]},
        FIXATIONS,
    )
    own = replace(
        recording(MIDDLE, world_camera="AdHawk MindLink"),
        sample_table=None,
        fixation_table=fixations,
    )
    assert fixation_table(own)[0].num_rows == 1


def test_pupil_core_is_detected_by_its_camera_and_no_longer_as_45_degrees(tmp_path):
    path = tmp_path / "gaze_positions.csv"
    rows = [f"{10 + 0.005 * i},0,1.0,{0.4 + 0.2 * (i >= 60)},0.5,a" for i in range(120)]
    header = "gaze_timestamp,world_index,confidence,norm_pos_x,norm_pos_y,base_data"
    path.write_text("\n".join([header, *rows]) + "\n")
    (outcome,) = convert_files([path], ConvertOptions())
    assert outcome.status == "ok", outcome.error
    detector = outcome.summary["detector"]
    assert (detector["px_per_deg"], detector["px_per_deg_assumed"]) == (
        pytest.approx(1280 / 103),
        False,
    )
    meta = read_meta(tmp_path / "gaze_positions.fixations.parquet")
    assert (meta["world_camera"], meta["screen"]["fov_deg"]) == ("Pupil Core", 103.0)
    json.dumps(outcome.summary)


def test_samples_written_behind_a_camera_are_detected_by_it_again(tmp_path):
    path = tmp_path / "gaze_positions.csv"
    rows = [f"{10 + 0.005 * i},0,1.0,{0.4 + 0.2 * (i >= 60)},0.5,a" for i in range(120)]
    path.write_text(
        "gaze_timestamp,world_index,confidence,norm_pos_x,norm_pos_y,base_data\n"
        + "\n".join(rows)
        + "\n"
    )
    (first,) = convert_files([path], ConvertOptions(samples=True))
    (again,) = convert_files(
        [tmp_path / "gaze_positions.samples.parquet"], ConvertOptions(out=tmp_path / "again")
    )
    for outcome in (first, again):
        assert outcome.summary["detector"]["px_per_deg"] == pytest.approx(1280 / 103)
        assert outcome.summary["detector"]["pursuit_velocity_deg_s"] == 1000
        assert outcome.summary["world_camera"] == "Pupil Core"


@pytest.mark.parametrize(
    ("model", "size"), [("Pupil Invisible", (1088, 1080)), ("Neon", (1600, 1200))]
)
def test_the_camera_of_pupil_cloud_is_told_by_its_azimuths(model, size, tmp_path):
    rng = np.random.default_rng(4)
    azimuth, elevation = rng.uniform(-12, 12, (2, 200))
    scale = size[0] / 90.0  # a camera of this one study: 90 degrees wide
    header = (
        "recording id,timestamp [ns],gaze x [px],gaze y [px],worn,azimuth [deg],elevation [deg]"
    )
    rows = []
    for i, (a, e) in enumerate(zip(azimuth, elevation, strict=True)):
        t_ns = 1700000000000000000 + 5_000_000 * i
        x = size[0] / 2 + 9 + scale * a
        y = size[1] / 2 - scale * e
        rows.append(f"r,{t_ns},{x},{y},1,{a},{e}")
    path = tmp_path / "gaze.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    found = gazetrack.read(path)
    assert (found.world_camera, found.screen.width_px) == (model, size[0])
    assert found.screen.px_per_deg == pytest.approx(scale, rel=1e-3)
    still = tmp_path / "still.csv"
    still.write_text("\n".join([header, *rows[:3]]) + "\n")
    assert (gazetrack.read(still).world_camera, gazetrack.read(still).screen) == (
        "Pupil Invisible or Neon",
        None,
    )


# The user's screen against the export's


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Screen(1024, 768), "1680x1050 px, not 1024x768"),
        (Screen(1680, 1050, 400.0, 296.0), "a width of 474 mm, not 400"),
        (Screen(1680, 1050, 474.0, 296.0, 900.0), "a distance of 600 mm, not 900"),
    ],
)
def test_a_screen_that_contradicts_the_export_is_said_and_wins_in_all_units(given, words):
    own = recording(MIDDLE, Screen(1680, 1050, 474.0, 296.0, 600.0))
    (note,) = with_geometry(own, given).notes
    assert words in note
    assert note.endswith("--screen wins")
    assert with_geometry(own, given).screen.width_px == given.width_px


def test_a_screen_that_agrees_says_nothing_and_keeps_the_lengths_of_the_export_in_their_units():
    own = recording(MIDDLE, Screen(1680, 1050, 474.0, 296.0, 600.0))
    for given in (Screen(1680, 1050), Screen(1680, 1050, 476.0, 297.0)):
        stated = with_geometry(own, given)
        assert (stated.notes, stated.screen.distance_mm) == ((), 600.0)
    nominal = recording(MIDDLE).on_nominal_screen(Screen(1920, 1080), "screen")
    assert with_geometry(nominal, Screen(1680, 1050)).notes == ()


# Gaze off the screen


def notes_of(positions, screen, **facts):
    return with_geometry(recording(positions, screen, **facts)).notes


def test_more_than_a_fifth_of_the_gaze_off_the_screen_is_the_first_note_whatever_the_units():
    on, off = [(500, 400)] * 79, [(500, 900)] * 21
    (note, other) = notes_of(on + off, Screen(1000, 800), notes=("other",), format="generic")
    assert note.startswith("21 % of the gaze lies off the screen (1000x800 px)")
    for cause in ("swapped", "origin another (--columns", "--screen"):
        assert cause in note
    assert "--columns" not in notes_of(on + off, Screen(1000, 800), format="smi")[0]
    assert other == "other"
    assert notes_of([*on, (1, 1), *off[1:]], Screen(1000, 800)) == ()


def test_events_alone_are_looked_at_in_units_of_pixels():
    events = {
        "recording": "a",
        "kind": "fixation",
        "eye": "left",
        "onset_ms": np.arange(4.0) * 300,
        "duration_ms": 200.0,
    }
    events = conform(events | {"x_px": [5.0, 500.0, -300.0, -20.0], "y_px": 10.0}, EVENTS)
    alone = replace(recording(MIDDLE, Screen(1000, 800)), sample_table=None, event_table=events)
    assert with_geometry(alone).notes[0].startswith("50 % of the gaze lies off the screen")


def test_fractions_that_an_export_gives_for_pixels_are_noticed_whatever_its_units_should_be():
    rng = np.random.default_rng(6)
    (note,) = notes_of(rng.uniform(0, 1, (200, 2)), Screen(1000, 800))
    assert "100 % of the gaze lies within 1.5 px of the corner" in note
    assert notes_of(rng.uniform(0, 200, (200, 2)), Screen(1000, 800)) == ()


def test_lost_gaze_is_not_off_the_screen_in_any_units():
    assert notes_of([(500, 400)] * 9 + [(math.nan, math.nan)] * 90, Screen(1000, 800)) == ()
    assert notes_of([(math.nan, math.nan)] * 9, Screen(1000, 800)) == ()


def test_without_a_screen_negative_positions_are_off_it_in_pixel_units():
    (note,) = notes_of([(5, 4)] * 6 + [(-300, 200)] * 4, None)
    assert "40 % of the gaze" in note
    assert "negative" in note


def test_swapped_axes_of_any_reader_are_noticed_in_its_units(tmp_path):
    rng = np.random.default_rng(5)
    rows = [
        f"{20 * i},{x:.1f},{y:.1f}"
        for i, (x, y) in enumerate(rng.uniform((0, 0), (1920, 1080), (300, 2)))
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["t,a,b", *rows]) + "\n")
    screen = Screen(1920, 1080)
    right = gazetrack.read(path, columns={"x": "a", "y": "b", "t": "t[ms]"}, screen=screen)
    wrong = gazetrack.read(path, columns={"x": "b", "y": "a", "t": "t[ms]"}, screen=screen)
    assert not any("off the screen" in note for note in right.notes)
    assert "off the screen" in wrong.notes[0]


def test_fixations_on_an_image_are_not_off_the_screen_in_units_of_the_image():
    fixations = conform(
        {
            "recording": "a",
            "onset_ms": np.arange(5.0) * 300,
            "duration_ms": 200.0,
            "x_px": [2000.0] * 5,
            "y_px": 10.0,
            "image_width_px": 3000.0,
            "image_height_px": 3000.0,
        },
        FIXATIONS,
    )
    own = replace(recording(MIDDLE, Screen(1000, 800)), sample_table=None, fixation_table=fixations)
    assert with_geometry(own).notes == ()


def test_a_screen_is_not_used_where_positions_are_directions():
    given = recording(MIDDLE, directions=True)
    found = with_geometry(given, Screen(1000, 800), None)
    assert found.screen is None
    assert found.notes[-1].startswith("positions are directions")
    assert "--screen and --fov are not used" in found.notes[-1]
    assert with_geometry(given, None, None).notes == given.notes
