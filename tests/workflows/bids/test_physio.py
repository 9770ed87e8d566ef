"""The tables of one recording, cell by cell."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import DataError
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.workflows.bids.parts import parts_of
from gazetrack.workflows.bids.physio import write_part
from gazetrack.workflows.read import InputOptions, read_files
from tests.bids_sets import SCREEN
from tests.workflows.bids.test_parts import recording


def written(folder, one, place=0):
    tables, _ = write_part(parts_of(replace(one, screen=SCREEN))[place], folder)
    texts = {}
    for name in tables.rows:
        data = (folder / name).read_bytes()
        texts[name] = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    return texts, tables


def test_samples_stand_on_the_trackers_clock(tmp_path):
    texts, tables = written(tmp_path, replace(recording(), rate_hz=250.0, origin_ms=1000.0))
    assert texts["recording-eye1_physio.tsv.gz"] == "1000\t0\t0\n1004\t1\t1\n1008\t2\t2\n"
    assert tables.sidecars["recording-eye1_physio.json"]["SamplingFrequency"] == 250
    assert texts["events.tsv"] == "onset\tduration\ttrial_type\n0\t0.012\trecording\n"
    assert list(texts) == ["recording-eye1_physio.tsv.gz", "events.tsv"]


def test_what_was_shown_counts_from_the_first_sample(tmp_path):
    one = recording(stimulus=["", "", "", "p", "q", "q"])
    texts, _ = written(tmp_path, one, place=1)
    assert texts["events.tsv"].splitlines() == [
        "onset\tduration\ttrial_type\ttrial\tstimulus",
        "0\t0.004\ttrial\tn/a\tp",
        "0.004\t0.008\ttrial\tn/a\tq",
    ]


def test_events_stand_in_the_table_of_their_eye(tmp_path):
    one = recording(**{f"right_{axis}_px": [1.0] * 6 for axis in "xy"})
    events = conform(
        {
            "recording": ["a"] * 4,
            "kind": ["fixation", "message", "saccade", "fixation"],
            "eye": ["right", "", "left", "both"],
            "onset_ms": [4.0, 2.0, 1.0, 6.0],
            "duration_ms": [2.5, 0.0, 1.0, float("nan")],
            "text": ["", "tab\there", "", ""],
            "x_px": [1.5, float("nan"), 2.0, 3.0],
        },
        EVENTS,
    )
    texts, tables = written(tmp_path, replace(one, event_table=events))
    # The combined gaze, which is not the mean of these eyes, has a table of its own.
    left, right, both = (texts[f"recording-eye{n}_physioevents.tsv.gz"] for n in (1, 2, 3))
    assert left.splitlines() == [
        "1\t0.001\tsaccade\tn/a\tleft\t0\t2",
        "2\t0\tn/a\ttab here\tn/a\t0\tn/a",
    ]
    assert right.splitlines() == ["4\t0.0025\tfixation\tn/a\tright\t0\t1.5\tn/a"]
    assert both.splitlines() == ["6\tn/a\tfixation\tn/a\tboth\t0\t3\tn/a"]
    columns = tables.sidecars["recording-eye1_physioevents.json"]["Columns"]
    assert columns == ["onset", "duration", "trial_type", "message", "eye", "index", "x_coordinate"]


def test_a_single_sample_has_no_rate(tmp_path):
    one = recording()
    single = replace(one, sample_table=one.sample_table.slice(0, 1))
    with pytest.raises(DataError, match="sampling rate"):
        written(tmp_path, single)


def test_times_of_trials_are_no_times_of_a_recording(tmp_path):
    with pytest.raises(DataError, match="from each trial"):
        written(tmp_path, replace(recording(), time_origin="trial"))


texts = st.text("abcé\"'=# 1", min_size=1, max_size=6).map(str.strip).filter(bool)
positions = st.floats(-5000, 5000, width=32) | st.just(float("nan"))

# No pupil has the size 0: tables of ours have none either.
pupils = st.floats(1, 9000, width=32) | st.just(float("nan"))


@st.composite
def event_rows(draw):
    kind = draw(st.sampled_from(["fixation", "saccade", "blink", "message", "input", "button"]))
    is_message = kind == "message"
    return {
        "kind": kind,
        "eye": "" if is_message else draw(st.sampled_from(["left", "right", "both"])),
        "index": draw(st.integers(1, 1000)),
        "onset_ms": draw(st.integers(0, 8000)) / 1000,
        "duration_ms": 0.0 if is_message else draw(st.integers(0, 100_000)) / 1000,
        "text": draw(texts) if kind in ("message", "input", "button") else "",
        "x_px": draw(positions),
        "end_y_px": draw(positions),
        "pupil": draw(pupils),
    }


@settings(max_examples=6, deadline=None)
@given(rows=st.lists(event_rows(), min_size=1, max_size=6))
def test_any_events_are_the_same_again(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("events")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    events = conform(columns | {"recording": ["a"] * len(rows)}, EVENTS)
    one = recording(right_x_px=[1.0] * 6, x_px=[3.0] * 6)
    one = replace(one, event_table=events, rate_hz=250.0, origin_ms=1234.5)
    texts, tables = written(folder, one)
    begin = "sub-a_task-b_"
    for name in texts:
        (folder / name).rename(folder / f"{begin}{name}")
    for name, facts in tables.sidecars.items():
        (folder / f"{begin}{name}").write_text(json.dumps(facts))
    (back,) = [found for _, found in read_files([folder], InputOptions())]
    names = ["onset_ms", "kind", "eye", "text", "index"]
    compared = [*names, "duration_ms", "x_px", "end_y_px", "pupil"]
    mine = events.to_pandas()[compared].astype({"kind": str, "eye": str, "text": str})
    again = back.events[compared].astype({"kind": str, "eye": str, "text": str})
    mine["onset_ms"] = mine["onset_ms"].round(3)
    again["onset_ms"] = again["onset_ms"].round(3)
    pd.testing.assert_frame_equal(
        *(frame.sort_values(names).reset_index(drop=True) for frame in (mine, again)), rtol=1e-9
    )
