"""An export's own fixations, and what its samples say of each."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.events import exported
from gazetrack.events.exported import exported_fixations
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform

# A step of (3, 4) px between neighbours: 5 px, and 10 ms.
SAMPLE_COLUMNS = {
    "t_ms": np.arange(10) * 10.0,
    "x_px": np.arange(10) * 3.0,
    "y_px": np.arange(10) * 4.0,
    "left_x_px": np.full(10, 50.0),
    "left_y_px": np.full(10, 60.0),
}


def samples(**columns):
    return conform({"recording": "r"} | SAMPLE_COLUMNS | columns, SAMPLES)


def events(onsets, durations, **columns):
    given = {"recording": "r", "kind": "fixation", "eye": "both"}
    given |= {"onset_ms": np.array(onsets, float), "duration_ms": np.array(durations, float)}
    given |= {"x_px": np.full(len(onsets), np.nan), "y_px": np.full(len(onsets), np.nan)}
    texts = {
        name: np.array(value, object) if isinstance(value, list) else value
        for name, value in columns.items()
    }
    return conform(given | texts, EVENTS)


def recording(of_events, of_samples=None, **more):
    return Recording(
        name="r", format="test", sample_table=of_samples, event_table=of_events, **more
    )


def test_an_export_that_is_a_fixation_table_gives_it_as_it_is():
    table = conform({"recording": np.array(["r"], object), "x_px": np.ones(1)}, FIXATIONS)
    found, left_out = exported_fixations(recording(conform({}, EVENTS), fixation_table=table))
    assert found is table
    assert left_out == {}


def test_an_export_without_fixations_has_none():
    only_messages = events([0], [0], kind=["message"])
    assert exported_fixations(recording(only_messages, samples())) == (None, {})


def test_a_fixation_is_described_by_the_samples_from_its_onset_until_its_end():
    # The samples 2, 3 and 4; the one at 50 ms, its end, is no longer of it.
    table, left_out = exported_fixations(recording(events([20], [30]), samples()))
    assert left_out == {}
    assert table.schema == FIXATIONS
    (row,) = table.to_pylist()
    assert (row["x_px"], row["y_px"]) == (9.0, 12.0)
    assert (row["median_x_px"], row["median_y_px"]) == (9.0, 12.0)
    assert row["dispersion_px"] == 6 + 8
    assert row["rms_s2s_px"] == 5.0
    assert row["n_samples"] == 3
    assert (row["onset_ms"], row["duration_ms"]) == (20.0, 30.0)


def test_the_export_s_own_position_counts_before_that_of_its_samples():
    given = {"x_px": np.array([1.0, np.nan, 7.0]), "y_px": np.array([2.0, np.nan, np.nan])}
    table, _ = exported_fixations(recording(events([20, 50, 50], [30, 20, 20], **given), samples()))
    # A position of which one half is missing is none.
    assert table["x_px"].to_pylist() == [1.0, 16.5, 16.5]
    assert table["y_px"].to_pylist() == [2.0, 22.0, 22.0]
    assert table["median_x_px"].to_pylist() == [9.0, 16.5, 16.5]


def test_a_fixation_of_an_eye_is_described_by_its_gaze():
    both = events([20, 20, 20], [30, 30, 30], eye=["left", "both", "right"])
    table, left_out = exported_fixations(recording(both, samples()))
    assert table["eye"].to_pylist() == ["left", "both"]
    assert table["x_px"].to_pylist() == [50.0, 9.0]
    assert left_out == {"no position": 1}  # there is no gaze of the right eye


def test_recordings_are_described_by_their_own_samples():
    columns = {name: np.tile(values, 2) for name, values in SAMPLE_COLUMNS.items()}
    columns["x_px"][10:] += 100
    for order in (np.arange(20), np.arange(20).reshape(2, 10).T.ravel()):
        # First one after the other, then row by row in turn.
        table = samples(
            **{name: values[order] for name, values in columns.items()},
            recording=np.repeat(np.array(["r", "s"], object), 10)[order],
        )
        two = events([20, 20], [30, 30], recording=["s", "r"])
        found, _ = exported_fixations(recording(two, table))
        assert found["x_px"].to_pylist() == [109.0, 9.0]
        assert found["n_samples"].to_pylist() == [3, 3]


@pytest.mark.parametrize("window", [1, 3, 1 << 18])
@pytest.mark.parametrize("chunks", [1, 3])
@pytest.mark.parametrize("shuffled", [False, True])
def test_chunks_windows_and_the_order_of_samples_make_no_difference(
    monkeypatch, window, chunks, shuffled
):
    monkeypatch.setattr(exported, "_WINDOW", window)
    order = np.random.default_rng(0).permutation(10) if shuffled else np.arange(10)
    table = samples(**{name: values[order] for name, values in SAMPLE_COLUMNS.items()})
    size = math.ceil(10 / chunks)
    parts = [table.slice(start, size) for start in range(0, 10, size)]
    several = events([70, 0, 20, 35], [100, 10, 30, 2])
    found, left_out = exported_fixations(recording(several, pa.concat_tables(parts)))
    assert found["onset_ms"].to_pylist() == [70, 0, 20]
    assert found["x_px"].to_pylist() == [24.0, 0.0, 9.0]
    assert found["n_samples"].to_pylist() == [3, 1, 3]
    assert left_out == {"no position": 1}  # between two samples


def test_impossible_fixations_are_left_out_and_counted():
    places = {"x_px": np.ones(4), "y_px": np.ones(4)}
    odd = events([0, 10, np.nan, 30], [20, -1, 20, 0], **places)
    table, left_out = exported_fixations(recording(odd))
    assert table["onset_ms"].to_pylist() == [0.0]
    assert left_out == {"negative duration": 1, "no onset": 1, "no duration": 1}


def test_an_export_without_positions_has_fixations_all_the_same():
    nowhere = events([0, 100], [50, 50])
    assert exported_fixations(recording(nowhere, no_positions=True))[0].num_rows == 2
    table, left_out = exported_fixations(recording(nowhere))
    assert (table.num_rows, left_out) == (0, {"no position": 2})


def test_an_empty_chunk_says_nothing_about_the_order_of_samples():
    backwards = samples(**{name: values[::-1] for name, values in SAMPLE_COLUMNS.items()})
    table = pa.concat_tables([backwards.slice(0, 0), backwards.slice(0, 4), backwards.slice(4)])
    assert len(table["t_ms"].chunk(0)) == 0
    (row,) = exported_fixations(recording(events([20], [30]), table))[0].to_pylist()
    assert (row["x_px"], row["n_samples"]) == (9.0, 3)


def test_a_chunk_that_begins_before_the_end_of_the_one_before_is_put_in_order():
    order = [0, 1, 2, 5, 3, 4, 6, 7, 8, 9]  # the second chunk begins at 30 ms, after one at 50
    table = samples(**{name: values[order] for name, values in SAMPLE_COLUMNS.items()})
    parts = pa.concat_tables([table.slice(0, 4), table.slice(4)])
    (row,) = exported_fixations(recording(events([30], [20]), parts))[0].to_pylist()
    assert (row["x_px"], row["n_samples"]) == (10.5, 2)
    # And one that is alone in its chunk.
    for size in (1, 2):
        parts = pa.concat_tables([table.slice(k, size) for k in range(0, 10, size)])
        (row,) = exported_fixations(recording(events([30], [20]), parts))[0].to_pylist()
        assert (row["x_px"], row["n_samples"]) == (10.5, 2)


def test_samples_of_a_recording_may_lie_in_two_places_behind_those_of_another():
    names = np.array(["r", "r", "r", "s", "r", "s"], object)
    columns = {name: values[:6] for name, values in SAMPLE_COLUMNS.items()}
    found, _ = exported_fixations(
        recording(events([0], [100], recording=["s"]), samples(**columns, recording=names))
    )
    assert found["x_px"].to_pylist() == [12.0]  # the mean of 9 and 15
    assert found["n_samples"].to_pylist() == [2]
