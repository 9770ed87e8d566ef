"""Gaze written as trackers export it: the same looks, blinks and places, in the vendors' words."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.events.fixations import fixation_table
from gazetrack.maps.track import build_tracks
from gazetrack.simulate import trackers
from gazetrack.simulate.example import SCREEN as EXAMPLE_SCREEN
from gazetrack.simulate.example import lesion_image, simulate_gaze, write_example
from gazetrack.simulate.trackers import Gaze, Trial, write_asc, write_tobii_tsv
from gazetrack.tables.placement import Placement, place
from gazetrack.tables.screen import Screen

SCREEN = Screen(width_px=640, height_px=480)
# An image of 100 x 50 px, shown twice as large.
PLACEMENT = Placement(10, 20, 200, 100, 100, 50)


@pytest.fixture
def still(monkeypatch):
    """Without noise and drift, every place is known."""
    monkeypatch.setattr(trackers, "NOISE_PX", 0.0)
    monkeypatch.setattr(trackers, "DRIFT_PX", 0.0)


def trial(blinks=False, stimulus="a.png"):
    """Two looks of 200 ms, 100 ms apart, at (50, 25) and (80, 10) of the image."""
    gaze = Gaze(
        onset_ms=np.array([0.0, 300.0]),
        duration_ms=np.array([200.0, 200.0]),
        x_px=np.array([50.0, 80.0]),
        y_px=np.array([25.0, 10.0]),
        blink_after=np.array([blinks, False]),
    )
    return Trial(stimulus, PLACEMENT, gaze)


def asc(tmp_path, *trials):
    path = tmp_path / "raw.asc"
    write_asc(path, trials, SCREEN, 250, np.random.default_rng(0))
    return [line.split() for line in path.read_text().splitlines()]


def tsv(tmp_path, *trials):
    path = tmp_path / "raw.tsv"
    write_tobii_tsv(path, trials, SCREEN, 50, np.random.default_rng(0))
    text = path.read_text("utf-8")
    assert text.startswith("\ufeff")
    header, *rows = (line.split("\t") for line in text.removeprefix("\ufeff").splitlines())
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_places_on_the_image_are_places_on_the_screen():
    x, y = trial().on_screen()
    np.testing.assert_array_equal(x, [10 + 2 * 50, 10 + 2 * 80])
    np.testing.assert_array_equal(y, [20 + 2 * 25, 20 + 2 * 10])


@pytest.mark.usefixtures("still")
def test_eyelink_tells_looks_and_movements_with_their_times_and_places(tmp_path):
    lines = asc(tmp_path, trial())
    start = 1_000_500
    assert ["MSG", "1000000", "DISPLAY_COORDS", "0", "0", "639", "479"] in lines
    looks = [line for line in lines if line[:1] == ["EFIX"]]
    first = ["EFIX", "R", str(start), str(start + 196), "200", "110.0", "70.0", "1200"]
    second = ["EFIX", "R", str(start + 300), str(start + 496), "200", "170.0", "40.0", "1200"]
    assert looks == [first, second]
    saccade = next(line for line in lines if line[:1] == ["ESACC"])
    assert saccade[2:5] == [str(start + 200), str(start + 296), "100"]
    assert saccade[5:9] == ["110.0", "70.0", "170.0", "40.0"]
    shown = next(line for line in lines if "IMGLOAD" in line)
    assert shown[-5:] == ["images/a.png", "10", "20", "200", "100"]


@pytest.mark.usefixtures("still")
def test_eyelink_has_no_gaze_in_a_blink(tmp_path):
    lines = asc(tmp_path, trial(blinks=True))
    lost = [line for line in lines if line and line[0].isdigit() and line[1] == "."]
    assert [int(line[0]) for line in lost] == list(range(1_000_700, 1_000_800, 4))
    assert ["SBLINK", "R", "1000700"] in lines
    assert ["EBLINK", "R", "1000700", "1000796", "100"] in lines


@pytest.mark.usefixtures("still")
def test_tobii_tells_looks_and_movements_with_their_times_and_places(tmp_path):
    rows = tsv(tmp_path, trial())
    assert rows[0]["Event"] == "RecordingStart"
    assert rows[1]["Event"] == "ImageStimulusStart"
    samples = [row for row in rows if row["Sensor"] == "Eye Tracker"]
    # From 200 ms on, 50 a second.
    times = [int(row["Recording timestamp [ms]"]) for row in samples]
    assert times == list(range(200, 701, 20))
    first = samples[0]
    assert first["Eye movement type"] == "Fixation"
    assert first["Eye movement event duration [ms]"] == "200"
    assert (first["Fixation point X [DACS px]"], first["Fixation point Y [DACS px]"]) == (
        "110",
        "70",
    )
    eyes = [first[f"Gaze point {eye}X [DACS px]"] for eye in ("", "left ", "right ")]
    assert eyes == ["110", "108", "112"]
    assert "," in first["Pupil diameter left [mm]"]
    assert (first["Recording resolution width [px]"], first["Original Media width [px]"]) == (
        "640",
        "100",
    )


@pytest.mark.usefixtures("still")
def test_tobii_finds_no_eyes_in_a_blink(tmp_path):
    rows = tsv(tmp_path, trial(blinks=True))
    lost = [row for row in rows if row["Validity left"] == "Invalid"]
    assert [int(row["Recording timestamp [ms]"]) for row in lost] == [400, 420, 440, 460, 480]
    assert {row["Eye movement type"] for row in lost} == {"EyesNotFound"}
    assert {row["Gaze point X [DACS px]"] for row in lost} == {""}


def test_tobii_counts_events_through_the_whole_recording(tmp_path):
    rows = tsv(tmp_path, trial(), trial(stimulus="b.png"))
    looks = [row for row in rows if row["Eye movement type"] == "Fixation"]
    numbers = {row["Eye movement type index"]: row["Presented Stimulus name"] for row in looks}
    assert numbers == {"1": "a.png", "2": "a.png", "3": "b.png", "4": "b.png"}


def test_the_asc_file_is_in_order_of_time_and_its_events_are_closed(tmp_path):
    lines = write_example(tmp_path, n_images=4, size=(96, 128)).exports[0].read_text().splitlines()
    assert sum("RECCFG CR 250 2 1 R" in line for line in lines) == 2
    stamps = [int(line.split("\t")[0]) for line in lines if line[:1].isdigit()]
    assert stamps == sorted(set(stamps))
    for kind in ("FIX", "SACC", "BLINK"):
        starts, ends = ([line for line in lines if line.startswith(mark + kind)] for mark in "SE")
        assert len(starts) == len(ends)
    now = 0
    for line in lines:
        words = line.split()
        place_of_stamp = {"MSG": 1, "START": 1, "SFIX": 2, "SSACC": 2, "SBLINK": 2}
        if line[:1].isdigit():
            stamp = int(words[0])
        elif words and words[0] in place_of_stamp:
            stamp = int(words[place_of_stamp[words[0]]])
        else:
            continue
        assert stamp >= now
        now = stamp


@pytest.mark.parametrize("write", [write_asc, write_tobii_tsv])
def test_fixations_survive_the_way_through_an_export(tmp_path, write):
    rng = np.random.default_rng(3)
    _, mask = lesion_image(rng, 96, 128)
    shown = Trial("a.png", place("fit", EXAMPLE_SCREEN, 128, 96), simulate_gaze(mask, rng))
    path = tmp_path / "raw.txt"
    write(path, [shown], EXAMPLE_SCREEN, 250, rng)
    table, _ = fixation_table(gazetrack.read(path))
    track = build_tracks(table)[0].scaled(128, 96)
    np.testing.assert_allclose(track.x, shown.gaze.x_px, atol=1.5)
    np.testing.assert_allclose(track.y, shown.gaze.y_px, atol=1.5)
    np.testing.assert_allclose(track.duration_ms, shown.gaze.duration_ms, atol=9)
    np.testing.assert_allclose(np.diff(table["onset_ms"]), np.diff(shown.gaze.onset_ms), atol=9)
