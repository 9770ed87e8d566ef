"""Tables of eye movements: of every detector, beside the tracker's own, of whatever samples."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.events.base import Trial
from gazetrack.events.blinks import Blinks
from gazetrack.events.detectors import DETECTORS
from gazetrack.events.microsaccades import Microsaccades
from gazetrack.events.movements import MovementOptions, movement_table, tracker_movements
from gazetrack.tables.movements import MOVEMENT_KINDS, MOVEMENTS
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen
from tests.eye_signals import fixational
from tests.pages import SACCADE_F1
from tests.places import ROOT

SCREEN = Screen(1000, 600, width_mm=500, height_mm=300, distance_mm=600)
SCALE = SCREEN.px_per_deg
PLACES = [(200, 300), (600, 300), (600, 100), (300, 400), (320, 400)]


def gaze(hz=500.0, rest_ms=300.0, noise=0.4, places=PLACES):
    """Rests at places, with saccades of 30 ms between them, at any rate."""
    rng = np.random.default_rng(1)
    t = np.arange(0, len(places) * (rest_ms + 30), 1000 / hz)
    knots_t, knots = [], []
    for k, place in enumerate(places):
        knots_t += [k * (rest_ms + 30), k * (rest_ms + 30) + rest_ms]
        knots += [place, place]
    xy = np.column_stack([np.interp(t, knots_t, np.array(knots)[:, axis]) for axis in (0, 1)])
    return t, xy + rng.normal(0, noise, xy.shape)


def recording_of(t, xy, *, other=None, screen=SCREEN, **more):
    """Return a recording of one eye's gaze, or of two."""
    columns = {"recording": "r", "trial": "1", "stimulus": "a", "t_ms": t}
    columns |= {"x_px": xy[:, 0], "y_px": xy[:, 1]}
    for eye, own in (("left", xy), ("right", other)):
        if own is not None:
            columns |= {f"{eye}_x_px": own[:, 0], f"{eye}_y_px": own[:, 1]}
            columns[f"{eye}_pupil"] = more.pop(f"{eye}_pupil", np.nan)
    facts = {"event_table": EVENTS.empty_table(), "eyes": "combined", "rate_hz": 500.0} | more
    samples = conform(columns, SAMPLES)
    return Recording(name="r", format="made", sample_table=samples, screen=screen, **facts)


def events(recording, **choices):
    table, facts, notes = movement_table(recording, MovementOptions(**choices))
    assert table.schema.equals(MOVEMENTS)
    return table.to_pandas(), facts, notes


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_tells_the_saccades_between_the_rests(name):
    frame, facts, _ = events(recording_of(*gaze()), detector=DETECTORS[name]())
    assert facts["detector"]["name"] == name
    assert set(frame["kind"]) <= set(MOVEMENT_KINDS)
    large = frame[(frame["kind"] == "saccade") & (frame["amplitude_deg"] > 3)]
    expected = np.hypot(*np.diff(PLACES, axis=0).T)[:3] / SCALE
    # I-DT takes as much of a saccade into a fixation as its dispersion allows.
    within = 0.2 if name == "idt" else 0.12
    assert large["amplitude_deg"].to_numpy() == pytest.approx(expected, rel=within)
    assert large["onset_ms"].to_numpy() == pytest.approx([300, 630, 960], abs=25)
    assert large["direction_deg"].to_numpy() == pytest.approx([0, 90, -135], abs=3)
    assert (large["duration_ms"] < 70).all()
    assert (large["peak_velocity_deg_s"] >= large["mean_velocity_deg_s"]).all()
    fastest = expected / 0.03
    assert (large["peak_velocity_deg_s"].to_numpy() < 1.4 * fastest).all()
    assert (large["peak_velocity_deg_s"].to_numpy() > 0.6 * fastest).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_the_fixations_are_those_of_the_fixation_table(name):
    recording = recording_of(*gaze())
    frame, _, _ = events(recording, detector=DETECTORS[name]())
    own = frame[frame["kind"] == "fixation"].reset_index(drop=True)
    expected = gazetrack.detect_fixations(recording, name)
    for column in ("onset_ms", "duration_ms", "x_px", "y_px", "index"):
        np.testing.assert_allclose(own[column], expected[column], rtol=1e-6)


@pytest.mark.parametrize("name", DETECTORS)
def test_movements_of_a_kind_do_not_overlap(name):
    t, xy = gaze(noise=2.0)
    xy[400:420] = np.nan
    trial = Trial(t, xy[:, 0], xy[:, 1], SCALE)
    found = DETECTORS[name]().movements(trial)
    fixed = DETECTORS[name]().runs(trial)
    for ours, runs in zip(found["fixation"], fixed, strict=True):
        np.testing.assert_array_equal(ours, runs)
    for starts, ends in found.values():
        assert (starts < ends).all()
        assert (ends[:-1] <= starts[1:]).all()
    both = np.zeros(len(t))
    for kind in ("fixation", "saccade"):
        for start, end in zip(*found[kind], strict=True):
            both[start:end] += 1
    assert both.max() <= 1, "no sample is of a fixation and of a saccade"


def test_glissades_and_smooth_pursuit_are_told_by_those_that_know():
    t, xy = gaze()
    after = (t > 344) & (t < 364)  # a bump behind the first saccade
    xy[after, 0] += 10 * np.sin((t[after] - 344) / 20 * np.pi)
    frame, _, _ = events(recording_of(t, xy), detector=DETECTORS["nystrom_holmqvist"]())
    pso = frame[frame["kind"] == "pso"]
    assert len(pso)
    saccades = frame[frame["kind"] == "saccade"]
    ends = saccades["onset_ms"] + saccades["duration_ms"]
    assert set(pso["onset_ms"]) <= set(ends), "each follows a saccade at once"
    assert pso["onset_ms"].iloc[0] == ends.iloc[0]
    slow = np.column_stack([np.linspace(200, 500, 1000), np.full(1000, 300.0)])
    slow += np.random.default_rng(0).normal(0, 0.3, slow.shape)
    slow[500:505] = np.nan
    frame, _, _ = events(recording_of(np.arange(1000) * 2.0, slow))
    pursuit = frame[frame["kind"] == "smooth_pursuit"]
    assert len(pursuit) == 1
    assert pursuit["direction_deg"].iloc[0] == pytest.approx(0, abs=2)
    assert pursuit["amplitude_deg"].iloc[0] == pytest.approx(300 / SCALE, rel=0.15)
    assert pursuit["mean_velocity_deg_s"].iloc[0] == pytest.approx(150 / SCALE, rel=0.6)


def test_saccades_beside_a_blink_are_not_told():
    t, xy = gaze(places=[(200, 300), (600, 300)])
    size = 900.0 + np.resize([0, 5, 2], len(t))
    shut = (t >= 315) & (t < 420)
    xy[shut] = np.nan
    size[shut] = 0
    recording = recording_of(t, xy, left_pupil=size)
    frame, _, _ = events(recording)
    assert "saccade" not in set(frame["kind"])
    (blink,) = frame[frame["kind"] == "blink"].itertuples()
    assert blink.onset_ms == pytest.approx(315, abs=12)
    assert blink.duration_ms == pytest.approx(105, abs=24)
    fixation = frame[frame["kind"] == "fixation"].iloc[0]
    assert fixation["pupil"] == pytest.approx(902.3, abs=0.2)
    without, _, _ = events(recording, blinks=Blinks(max_duration_ms=60))
    assert "blink" not in set(without["kind"])


def tracker_events():
    columns = {
        "recording": "r",
        "trial": "1",
        "stimulus": "a",
        "participant": "p7",
        "kind": ["fixation", "saccade", "saccade", "message"],
        "eye": ["left", "left", "left", ""],
        "onset_ms": [0.0, 300.0, 640.0, 10.0],
        "duration_ms": [300.0, 30.0, 0.0, 0.0],
        "x_px": [200.0, 200.0, 600.0, np.nan],
        "y_px": [300.0, 300.0, 300.0, np.nan],
        "end_x_px": [np.nan, 600.0, 600.0, np.nan],
        "end_y_px": [np.nan, 300.0, 100.0, np.nan],
        "amplitude_deg": [np.nan, np.nan, 9.5, np.nan],
        "text": ["", "", "", "go"],
    }
    return conform(columns, EVENTS)


def test_the_tracker_s_own_stand_beside_the_detected():
    recording = recording_of(*gaze(), event_table=tracker_events())
    frame, facts, _ = events(recording)
    assert facts["source"] == "both"
    assert set(frame["source"]) == {"tracker", "detected"}
    assert (frame["participant"] == "p7").all()
    assert frame["onset_ms"].is_monotonic_increasing
    alone, facts, _ = events(recording, source="tracker")
    assert facts == {"source": "tracker"}
    assert list(alone["kind"]) == ["fixation", "message", "saccade", "saccade"]
    assert list(alone["text"]) == ["", "go", "", ""]
    only, _, _ = events(recording, source="detected")
    assert set(only["source"]) == {"detected"}
    assert len(alone) + len(only) == len(frame)


def test_what_the_tracker_does_not_say_follows_from_what_it_says():
    recording = recording_of(*gaze(), event_table=tracker_events())
    saccades = tracker_movements(recording).to_pandas().query("kind == 'saccade'")
    assert saccades["amplitude_deg"].tolist() == pytest.approx([400 / SCALE, 9.5])
    assert saccades["direction_deg"].tolist() == [0.0, 90.0]
    assert saccades["mean_velocity_deg_s"].iloc[0] == pytest.approx(400 / SCALE / 0.03)
    assert np.isnan(saccades["mean_velocity_deg_s"].iloc[1])
    unknown = tracker_movements(replace(recording, screen=None)).to_pandas()
    assert np.isnan(unknown.query("kind == 'saccade'")["amplitude_deg"].iloc[0])


def test_an_export_without_samples_has_the_tracker_s_alone():
    columns = {"recording": "r", "stimulus": "a", "onset_ms": [0.0, 400.0], "duration_ms": 300.0}
    columns |= {"x_px": [1.0, 2.0], "y_px": 3.0, "index": [1, 2], "eye": "both"}
    recording = replace(
        recording_of(*gaze()), sample_table=None, fixation_table=conform(columns, FIXATIONS)
    )
    frame, facts, notes = events(recording)
    assert list(frame["kind"]) == ["fixation", "fixation"]
    assert "detector" not in facts
    assert "tracker's own alone" in notes[0]
    with pytest.raises(ConfigError, match="no samples"):
        events(recording, source="detected")


def test_a_scale_that_is_assumed_is_said():
    _, facts, notes = events(recording_of(*gaze(), screen=Screen(1000, 600)))
    assert facts["detector"]["px_per_deg_assumed"]
    assert facts["detector"]["px_per_deg"] == pytest.approx(1000 / 45)
    assert "45 deg" in notes[0]
    frame, facts, notes = events(recording_of(*gaze(), screen=None))
    assert facts["detector"]["px_per_deg_assumed"]
    assert notes
    assert frame["amplitude_deg"].notna().any()
    _, facts, notes = events(recording_of(*gaze()))
    assert not facts["detector"]["px_per_deg_assumed"]
    assert notes == []


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("name", DETECTORS)
def test_next_to_no_samples(n, name):
    t, xy = gaze()
    frame, _, _ = events(
        recording_of(t[:n], xy[:n]), detector=DETECTORS[name](), microsaccades=Microsaccades()
    )
    assert set(frame["kind"]) <= {"fixation"}


def test_samples_without_any_gaze():
    t, xy = gaze()
    frame, _, _ = events(recording_of(t, np.full_like(xy, np.nan)), microsaccades=Microsaccades())
    assert len(frame) == 0


def test_a_clock_that_steps_back_begins_anew():
    t, xy = gaze()
    n = len(t)
    twice = recording_of(np.concatenate([t, t]), np.concatenate([xy, xy]))
    frame, _, _ = events(twice)
    once, _, _ = events(recording_of(t, xy))
    assert len(frame) == 2 * len(once)
    pieces = frame.sort_values(["kind", "index"])
    assert pieces.groupby("kind", observed=True)["index"].max().sum() == len(frame)
    assert n == len(t)


def test_each_eye_on_its_own_and_one_alone():
    t, xy = gaze()
    recording = recording_of(t, xy, other=xy + 3.0, eyes="binocular")
    frame, _, _ = events(recording, eye="both")
    assert set(frame["eye"]) == {"left", "right"}
    n = frame.groupby("eye", observed=True).size()
    assert n["left"] == n["right"]
    combined, _, _ = events(recording)
    assert set(combined["eye"]) == {"both"}
    alone, _, _ = events(replace(recording, eyes="left"), eye="left")
    assert set(alone["eye"]) == {"left"}


def test_microsaccades_are_of_both_eyes_at_once_or_of_one():
    t, (left, right) = fixational()
    recording = recording_of(t, left, other=right, eyes="binocular")
    chosen = Microsaccades(max_amplitude_deg=5.0)
    frame, facts, _ = events(recording, microsaccades=chosen)
    micro = frame[frame["kind"] == "microsaccade"]
    assert set(micro["eye"]) == {"both"}
    assert facts["microsaccades"]["threshold_factor"] == 6.0
    alone, _, _ = events(recording, eye="left", microsaccades=chosen)
    of_left = alone[alone["kind"] == "microsaccade"]
    assert set(of_left["eye"]) == {"left"}
    assert len(of_left) > len(micro) > 4
    assert (micro["mean_velocity_deg_s"] <= micro["peak_velocity_deg_s"]).all()
    _, _, notes = events(replace(recording, rate_hz=60.0), microsaccades=chosen)
    assert "200 Hz" in notes[0]
    monocular = recording_of(t, left, eyes="left")
    frame, _, _ = events(monocular, microsaccades=chosen)
    assert set(frame[frame["kind"] == "microsaccade"]["eye"]) == {"left"}


@pytest.mark.real_data
def test_saccades_agree_with_human_coders_as_reported(data_dir):
    script = ROOT / "benchmarks" / "human_movements.py"
    command = [sys.executable, script, data_dir / "eventbench", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    rows = json.loads(done.stdout)
    found = {(row["detector"], row["group"]): row["F1"] for row in rows if row["kind"] == "saccade"}
    for name, groups in SACCADE_F1.items():
        for group, value in groups.items():
            assert found[name, group] == pytest.approx(value, abs=0.01), (name, group)


@pytest.mark.parametrize(
    "choices", [{"source": "mine"}, {"eye": "third"}, {"velocity_window_ms": 0.0}]
)
def test_choices_are_checked(choices):
    with pytest.raises(ConfigError, match=next(iter(choices))):
        MovementOptions(**choices)


def fixations_of(**columns):
    facts = {"stimulus": "a", "duration_ms": 300.0, "x_px": 1.0, "y_px": 3.0, "eye": "both"}
    return conform(facts | {"amplitude_deg": 4.0} | columns, FIXATIONS)


@pytest.mark.parametrize(
    ("origin", "expected"), [("recording", [1, 2, 3, 4]), ("trial", [2, 4, 1, 3])]
)
def test_rows_are_in_the_order_of_time_or_of_trials_with_clocks_of_their_own(origin, expected):
    table = fixations_of(
        recording="r",
        trial=["x", "x", "b", "b"],
        onset_ms=[20.0, 40.0, 10.0, 30.0],
        index=[2, 4, 1, 3],
    )
    recording = replace(
        recording_of(*gaze()), sample_table=None, fixation_table=table, time_origin=origin
    )
    frame, _, _ = events(recording, source="tracker")
    assert frame["index"].tolist() == expected


def test_recordings_are_in_the_order_in_which_they_come():
    table = fixations_of(
        recording=["z", "a", "z"], trial="1", onset_ms=[20.0, 0.0, 10.0], index=[1, 2, 3]
    )
    recording = replace(recording_of(*gaze()), sample_table=None, fixation_table=table)
    frame, _, _ = events(recording, source="tracker")
    assert frame["recording"].tolist() == ["z", "z", "a"]
    assert frame["index"].tolist() == [3, 1, 2]
    # How far it is from the fixation before is no property of a fixation as a movement.
    assert frame["amplitude_deg"].isna().all()


def test_a_tracker_s_amplitude_is_of_both_axes_and_its_own_stays():
    rows = tracker_events().to_pandas()
    rows.loc[1, ["end_x_px", "end_y_px", "duration_ms"]] = [230.0, 260.0, 100.0]
    rows.loc[2, "duration_ms"] = 50.0
    table = conform({name: rows[name].to_numpy() for name in rows}, EVENTS)
    recording = recording_of(*gaze(), event_table=table)
    found = tracker_movements(recording).to_pandas().query("kind == 'saccade'")
    assert found["amplitude_deg"].tolist() == pytest.approx([50 / SCALE, 9.5])
    assert found["mean_velocity_deg_s"].tolist() == pytest.approx([500 / SCALE, 190.0])
    assert found["direction_deg"].iloc[0] == pytest.approx(np.degrees(np.arctan2(40, 30)))


def test_movements_are_numbered_within_trial_stimulus_kind_and_eye():
    t, xy = gaze()
    half = len(t) // 2
    samples = recording_of(t, xy).sample_table.to_pandas()
    samples["trial"] = ["1"] * half + ["2"] * (len(t) - half)
    table = conform({name: samples[name].to_numpy() for name in samples}, SAMPLES)
    frame, _, _ = events(replace(recording_of(t, xy), sample_table=table))
    for _, rows in frame.groupby(["trial", "kind"], observed=True):
        assert rows["index"].tolist() == list(range(1, len(rows) + 1))
    assert set(frame["trial"]) == {"1", "2"}
    assert frame["onset_ms"].is_monotonic_increasing


def test_the_velocity_is_taken_over_the_window_asked_for():
    recording = recording_of(*gaze(noise=0.0))
    peaks = []
    for window in (4.0, 20.0, 60.0):
        frame, facts, _ = events(recording, velocity_window_ms=window)
        assert facts["velocity_window_ms"] == window
        peaks.append(frame.query("kind == 'saccade'")["peak_velocity_deg_s"].iloc[0])
    assert peaks[0] == pytest.approx(400 / SCALE / 0.03, rel=0.01)
    assert peaks[2] < 0.8 * peaks[1]


def test_pupils_are_of_the_eye_whose_movements_these_are():
    t, xy = gaze()
    recording = recording_of(
        t, xy, other=xy + 3.0, eyes="binocular", left_pupil=4.0, right_pupil=6.0
    )
    frame, _, _ = events(recording, eye="both")
    fixed = frame[frame["kind"] == "fixation"]
    assert set(fixed[fixed["eye"] == "left"]["pupil"]) == {4.0}
    assert set(fixed[fixed["eye"] == "right"]["pupil"]) == {6.0}
    combined, _, _ = events(recording)
    assert set(combined[combined["kind"] == "fixation"]["pupil"]) == {5.0}


def test_a_microsaccade_s_mean_velocity_is_its_way_by_its_time():
    t, (left, right) = fixational()
    recording = recording_of(t, left, other=right, eyes="binocular", rate_hz=None)
    frame, _, notes = events(recording, microsaccades=Microsaccades(max_amplitude_deg=5.0))
    micro = frame[frame["kind"] == "microsaccade"]
    expected = 1000 * micro["amplitude_deg"] / micro["duration_ms"]
    np.testing.assert_allclose(micro["mean_velocity_deg_s"], expected, rtol=1e-5)
    assert notes == []
    exactly = replace(recording, rate_hz=200.0)
    assert events(exactly, microsaccades=Microsaccades())[2] == []


def test_where_the_eyes_pieces_differ_one_eye_alone_has_microsaccades(monkeypatch):
    monkeypatch.setattr("gazetrack.events.base.MAX_PIECE_SAMPLES", 1000)
    monkeypatch.setattr("gazetrack.events.base.CUT_SAMPLES", 200)
    t, (left, right) = fixational()
    left, right = left.copy(), right.copy()
    left[900], right[950] = np.nan, np.nan
    recording = recording_of(t, left, other=right, eyes="binocular")
    frame, _, _ = events(recording, microsaccades=Microsaccades(max_amplitude_deg=5.0))
    assert (frame["kind"] == "microsaccade").sum() > 4


def test_microsaccades_stand_beside_all_other_movements_and_so_do_their_notes():
    t, (left, right) = fixational()
    recording = recording_of(t, left, other=right, eyes="binocular", rate_hz=60.0, screen=None)
    without, _, notes = events(recording)
    frame, _, more = events(recording, microsaccades=Microsaccades(max_amplitude_deg=5.0))
    others = frame[frame["kind"] != "microsaccade"]
    assert 0 < len(others) == len(without) < len(frame)
    assert len(more) == len(notes) + 1
    assert "60 Hz" in more[0]
    assert more[1:] == notes


def test_the_velocity_window_may_be_less_than_a_millisecond():
    assert MovementOptions(velocity_window_ms=0.5).velocity_window_ms == 0.5
