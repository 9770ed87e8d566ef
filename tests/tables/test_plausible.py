"""What no reader may let through."""

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.events.fixations import fixation_table
from gazetrack.tables.plausible import checked, valid_fixations
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform

NAN = float("nan")


def fixations(**columns):
    n = len(next(iter(columns.values())))
    usual = {
        "recording": ["r"] * n,
        "onset_ms": [0.0] * n,
        "duration_ms": [200.0] * n,
        "x_px": [1.0] * n,
    }
    return conform(usual | {"y_px": [1.0] * n} | columns, FIXATIONS)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("x_px", NAN, "no position"),
        ("y_px", 1e18, "absurd position"),
        ("x_px", -32768.0, "absurd position"),
        ("onset_ms", NAN, "no onset"),
        ("duration_ms", NAN, "no duration"),
        ("duration_ms", 0.0, "no duration"),
        ("duration_ms", -5.0, "negative duration"),
        ("duration_ms", 1e18, "absurd duration"),
    ],
)
def test_rows_that_cannot_be_are_left_out_by_reason(column, value, reason):
    table = fixations(**{column: [value, 300.0]})
    kept, dropped = valid_fixations(table)
    assert dropped == {reason: 1}
    assert kept.num_rows == 1
    recording = checked(
        Recording(
            name="r",
            format="f",
            sample_table=None,
            event_table=conform({}, EVENTS),
            fixation_table=table,
            rows_in=2,
            dropped={"other": 3},
        )
    )
    assert recording.dropped == {"other": 3, reason: 1}


def test_samples_and_events_at_absurd_positions_have_none():
    samples = conform(
        {
            "recording": ["r"] * 3,
            "t_ms": [0.0, 1.0, 2.0],
            "x_px": [5.0, 1e18, 6.0],
            "y_px": [5.0, 7.0, -4e4],
        },
        SAMPLES,
    )
    events = conform(
        {
            "recording": ["r"] * 2,
            "kind": ["saccade"] * 2,
            "duration_ms": [20.0, 1e15],
            "end_x_px": [-32768.0, 1.0],
        },
        EVENTS,
    )
    recording = checked(Recording(name="r", format="f", sample_table=samples, event_table=events))
    np.testing.assert_array_equal(
        recording.sample_table["x_px"].to_numpy(), np.float32([5, NAN, NAN])
    )
    np.testing.assert_array_equal(
        recording.sample_table["y_px"].to_numpy(), np.float32([5, NAN, NAN])
    )
    assert recording.event_table.num_rows == 1
    assert np.isnan(recording.event_table["end_x_px"].to_numpy()).all()
    assert [note.split(" ", 1)[1].split(" ")[0] for note in recording.notes] == [
        "samples",
        "events",
        "events",
    ]


def test_what_is_possible_stays_as_it_is():
    samples = conform(
        {"recording": ["r"], "t_ms": [0.0], "x_px": [-900.0], "y_px": [3000.0]}, SAMPLES
    )
    recording = Recording(
        name="r",
        format="f",
        sample_table=samples,
        event_table=conform({}, EVENTS),
        fixation_table=fixations(x_px=[4.0]),
    )
    again = checked(recording)
    assert again.sample_table is samples
    assert again.fixation_table is recording.fixation_table
    assert again.notes == ()


def test_a_fixation_without_a_position_takes_that_of_its_samples_or_is_left_out():
    samples = conform(
        {
            "recording": ["r"] * 4,
            "t_ms": [0.0, 10.0, 500.0, 510.0],
            "left_x_px": [10.0, 20.0, NAN, NAN],
            "left_y_px": [30.0, 30.0, NAN, NAN],
        },
        SAMPLES,
    )
    events = conform(
        {
            "recording": ["r"] * 2,
            "kind": ["fixation"] * 2,
            "eye": ["left"] * 2,
            "index": [1, 2],
            "onset_ms": [0.0, 500.0],
            "duration_ms": [20.0, 20.0],
        },
        EVENTS,
    )
    table, source = fixation_table(
        Recording(name="r", format="f", sample_table=samples, event_table=events)
    )
    assert table["x_px"].to_pylist() == [15.0]
    assert table["y_px"].to_pylist() == [30.0]
    assert (source["fixation_source"], source["left_out"]) == ("export", {"no position": 1})


def test_fixations_of_the_export_have_what_their_samples_say():
    x = [10.0, 20.0, 60.0, 12.0]
    samples = conform(
        {
            "recording": ["r"] * 4,
            "t_ms": [0.0, 10.0, 20.0, 30.0],
            "x_px": x,
            "y_px": [5.0, 5.0, 5.0, 9.0],
        },
        SAMPLES,
    )
    events = {
        "recording": ["r"],
        "kind": ["fixation"],
        "eye": ["both"],
        "onset_ms": [0.0],
        "duration_ms": [30.0],
    }
    events = conform(events | {"x_px": [33.0], "y_px": [5.0]}, EVENTS)
    (row,) = fixation_table(
        Recording(name="r", format="f", sample_table=samples, event_table=events)
    )[0].to_pylist()
    assert (row["x_px"], row["n_samples"], row["dispersion_px"]) == (33, 3, 50)
    assert (row["median_x_px"], row["median_y_px"]) == (20, 5)
    assert row["rms_s2s_px"] == pytest.approx(np.sqrt((10**2 + 40**2) / 2))


def samples(**columns):
    n = len(next(iter(columns.values())))
    usual = {"recording": "r", "t_ms": 4.0 * np.arange(n)}
    return conform(usual | columns, SAMPLES)


def test_marks_of_lost_gaze_and_of_no_pupil_are_missing_from_the_first_one_on():
    good = np.arange(300.0) + 100
    x, y, pupil = good.copy(), good.copy(), good / 50
    x[200:203], y[200:203] = [0, -1, 0], [0, -1, -1]  # the last is a place, of no mark
    pupil[[250, 251]] = [0, -1]
    table = samples(x_px=x, y_px=y, left_pupil=pupil)
    # In parts, of which the first has none.
    parts = pa.Table.from_batches(table.to_batches(max_chunksize=100), table.schema)
    recording = checked(
        Recording(name="r", format="f", sample_table=parts, event_table=conform({}, EVENTS))
    )
    found = recording.sample_table.to_pandas()
    assert np.flatnonzero(np.isnan(found["x_px"])).tolist() == [200, 201]
    assert np.flatnonzero(np.isnan(found["y_px"])).tolist() == [200, 201]
    assert np.flatnonzero(np.isnan(found["left_pupil"])).tolist() == [250, 251]
    assert found["t_ms"].tolist() == table["t_ms"].to_pylist()
    marks = "2 samples at (0, 0) or (-1, -1), which trackers write for lost gaze: taken as missing"
    assert {marks, "2 pupil sizes of 0 or -1 in the samples: taken as missing"} <= set(
        recording.notes
    )


def test_what_is_left_of_both_eyes_is_their_gaze():
    n = 50
    eyes = {f"{eye}_{axis}_px": np.full(n, 100.0) for eye in ("left", "right") for axis in "xy"}
    eyes["right_x_px"] += 20
    for name in ("left_x_px", "left_y_px"):
        eyes[name][[3, 5]] = 0.0
    for name in ("right_x_px", "right_y_px"):
        eyes[name][[4, 5]] = -1.0
    both = {f"{axis}_px": (eyes[f"left_{axis}_px"] + eyes[f"right_{axis}_px"]) / 2 for axis in "xy"}
    recording = Recording(
        name="r", format="f", sample_table=samples(**eyes, **both), event_table=conform({}, EVENTS)
    )
    found = checked(recording).sample_table.to_pandas()
    assert found["x_px"][[2, 3, 4]].tolist() == [110.0, 120.0, 100.0]
    assert found["y_px"][[2, 3, 4]].tolist() == [100.0, 100.0, 100.0]
    assert np.isnan(found[["x_px", "y_px"]].to_numpy()[5]).all()
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found["left_x_px"])), [3, 5])


def _samples(**columns):
    usual = {"recording": ["r"] * 4, "t_ms": [0.0, 1.0, 2.0, 3.0]}
    table = conform(usual | columns, SAMPLES)
    return checked(
        Recording(name="r", format="f", sample_table=table, event_table=conform({}, EVENTS))
    )


def test_one_coordinate_alone_is_no_gaze():
    recording = _samples(
        left_x_px=[1.0, NAN, 3.0, 4.0],
        left_y_px=[1.0, -1.0, 3.0, 4.0],
        right_x_px=[3.0, 505.0, 5.0, NAN],
        right_y_px=[3.0, 303.0, 5.0, NAN],
        x_px=[2.0, 505.0, 4.0, 4.0],
        y_px=[2.0, 151.0, 4.0, 4.0],
    )
    table = recording.sample_table
    np.testing.assert_array_equal(table["left_y_px"], [1, NAN, 3, 4])
    np.testing.assert_array_equal(table["x_px"], [2, 505, 4, 4])
    np.testing.assert_array_equal(table["y_px"], [2, 303, 4, 4])
    half = "1 samples with one coordinate alone, which is no place: taken as missing"
    assert half in recording.notes


def test_what_is_left_of_two_eyes_is_no_half_either():
    recording = _samples(
        left_x_px=[1.0, 2.0, 3.0, 4.0],
        left_y_px=[1.0, 2.0, 3.0, NAN],
        right_x_px=[1.0, 2.0, 3.0, 6.0],
        right_y_px=[NAN] * 4,  # measures one coordinate, and keeps it
        x_px=[1.0, 2.0, 3.0, 5.0],
        y_px=[1.0, 2.0, 3.0, 5.0],
    )
    table = recording.sample_table
    np.testing.assert_array_equal(table["right_x_px"], [1, 2, 3, 6])
    for name in ("left_x_px", "x_px", "y_px"):
        np.testing.assert_array_equal(table[name], [1, 2, 3, NAN])


def test_combined_gaze_of_one_coordinate_keeps_what_one_eye_has():
    recording = _samples(
        left_x_px=[1.0, 2.0, NAN, 4.0],
        left_y_px=[1.0, 2.0, 3.0, 4.0],
        right_x_px=[3.0, 4.0, 5.0, 6.0],
        right_y_px=[NAN] * 4,
        x_px=[2.0, 3.0, 5.0, 5.0],
        y_px=[NAN] * 4,
    )
    np.testing.assert_array_equal(recording.sample_table["x_px"], [2, 3, 5, 5])


def test_an_infinite_pupil_is_missing_and_told():
    recording = _samples(left_pupil=[3.0, np.inf, 3.5, 4.0])
    np.testing.assert_array_equal(recording.sample_table["left_pupil"], [3, NAN, 3.5, 4])
    assert any("1 pupil sizes of the samples are absurdly large" in one for one in recording.notes)


def test_an_infinite_pupil_is_missing_among_relative_ones_as_well():
    recording = _samples(left_pupil=[0.1, np.inf, -0.2, -1.0])
    np.testing.assert_array_equal(
        recording.sample_table["left_pupil"], np.array([0.1, NAN, -0.2, -1.0], np.float32)
    )


def test_a_tracker_of_one_coordinate_keeps_it():
    recording = _samples(x_px=[1.0, 2.0, NAN, 4.0], y_px=[NAN] * 4)
    np.testing.assert_array_equal(recording.sample_table["x_px"], [1, 2, NAN, 4])
    assert not [note for note in recording.notes if "one coordinate" in note]
