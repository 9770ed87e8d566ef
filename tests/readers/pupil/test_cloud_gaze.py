"""Gaze of Pupil Cloud in parts: fixations that reach across them, or that come again."""

import numpy as np
import pytest

import gazetrack
from gazetrack.readers.pupil import cloud_gaze
from tests.parts import grown, same_in_parts

START = 1_700_000_000_000_000_000
HEAD = (
    "section id,recording id,timestamp [ns],gaze x [px],gaze y [px],worn,fixation id,blink id,"
    "azimuth [deg],elevation [deg]\n"
)


def rows(n=200, again=()):
    rng = np.random.default_rng(4)
    for i in range(n):
        who = "ab"[i // 100]
        fixation = "" if i % 20 > 15 else 1 + i % 100 // 20
        blink = 7 if i % 20 > 17 else ""
        if i in again:
            fixation = 1
        azimuth = rng.uniform(-10, 10)
        x = 800 + 20 * azimuth
        yield (
            f"s,{who},{START + 5_000_000 * i},{x:.3f},{rng.uniform(0, 900):.2f},"
            f"{int(i % 50 != 3)},{fixation},{blink},{azimuth:.6f},1.5\n"
        )


def test_parts_make_the_same_recording(tmp_path, monkeypatch):
    path = tmp_path / "gaze.csv"
    path.write_text(HEAD + "".join(rows(again=(70, 95))))
    found = same_in_parts(path, monkeypatch)
    kinds = found.events["kind"].value_counts()
    assert kinds["fixation"] == 10
    assert kinds["blink"] == 2
    # The first one of a comes again much later, and lasts until then.
    assert found.events["duration_ms"].max() >= 95 * 5
    assert found.world_camera == "Neon"
    assert any("4 samples while the glasses were not worn" in note for note in found.notes)


def test_a_line_is_drawn_through_the_first_samples_near_the_axis(tmp_path, monkeypatch):
    path = tmp_path / "gaze.csv"
    path.write_text(HEAD + "".join(rows()))
    whole = same_in_parts(path, monkeypatch)
    monkeypatch.setattr(cloud_gaze, "_ENOUGH_NEAR_AXIS", 60)
    found = same_in_parts(path, monkeypatch)  # wherever a part ends
    assert found.world_camera == whole.world_camera == "Neon"
    assert abs(found.screen.fov_deg - whole.screen.fov_deg) < 0.01


@pytest.mark.slow
def test_a_grown_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("pupil_cloud", tmp_path / "gaze.csv"), monkeypatch)
    assert len(found.samples) > 400


@pytest.mark.parametrize(
    ("spread", "px_per_deg", "ahead", "camera"),
    [
        (10, 20, 800, "Neon"),
        (0.5, 20, 800, cloud_gaze.UNKNOWN_CAMERA),  # the gaze went nowhere
        (10, -20, 800, cloud_gaze.UNKNOWN_CAMERA),  # as in a mirror
        (10, 20, 50, cloud_gaze.UNKNOWN_CAMERA),  # no camera looks to the side
    ],
)
def test_a_camera_is_told_by_where_straight_ahead_is(spread, px_per_deg, ahead, camera, tmp_path):
    path = tmp_path / "gaze.csv"
    lines = []
    for i in range(100):
        azimuth = spread * (i / 50 - 1)
        x = ahead + px_per_deg * azimuth
        lines.append(f"s,a,{START + 5_000_000 * i},{x:.3f},600,1,,,{azimuth:.6f},1.5\n")
    path.write_text(HEAD + "".join(lines))
    found = gazetrack.read(path)
    assert found.world_camera == camera
    assert (found.screen is None) == (camera == cloud_gaze.UNKNOWN_CAMERA)


def test_stretches_without_a_fixation_make_no_difference(tmp_path, monkeypatch):
    lines = []
    for i in range(120):
        fixation = 1 + i // 60 if i % 60 < 10 else ""
        lines.append(f"s,a,{START + 5_000_000 * i},800,600,1,{fixation},,0,0\n")
    path = tmp_path / "gaze.csv"
    path.write_text(HEAD + "".join(lines))
    found = same_in_parts(path, monkeypatch)
    assert found.events["onset_ms"].tolist() == [0, 300]
    assert found.events["duration_ms"].tolist() == [50, 50]


def test_samples_without_the_number_of_the_fixation_around_them_are_noted(tmp_path):
    path = tmp_path / "gaze.csv"
    lines = list(rows())
    path.write_text(HEAD + "".join(lines))
    # Both blinks have the same number all along, and samples of none in between.
    blinks = "2 blinks have samples among theirs without their number"
    assert [note for note in gazetrack.read(path).notes if "their number" in note] == [blinks]
    for i in (4, 5, 27):
        cells = lines[i].split(",")
        cells[6] = ""
        lines[i] = ",".join(cells)
    path.write_text(HEAD + "".join(lines))
    notes = gazetrack.read(path).notes
    assert "2 fixations have samples among theirs without their number" in notes
