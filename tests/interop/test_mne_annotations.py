"""Events, trials and pauses as annotations."""

from __future__ import annotations

from dataclasses import replace

import mne
import numpy as np

from gazetrack.interop.grid import on_grid
from gazetrack.interop.mne_annotations import annotations_of, outside
from gazetrack.interop.movements import movements_of
from tests.interop.recordings import EVENT_TABLE, recording

CHANNELS = {"left": ["xpos_left", "ypos_left"], "right": ["xpos_right"]}


def made(own):
    samples = own.arrow("samples")
    grid = on_grid(samples["t_ms"].to_numpy(), own.rate_hz, is_asked=False)
    movements = movements_of(own, None)
    return annotations_of(mne, samples, movements, grid, CHANNELS), outside(movements, grid)


def test_events_count_from_the_first_sample_and_belong_to_their_eye():
    found, _ = made(recording())
    at = list(found.description).index("fixation")
    assert np.isclose(found.onset[at], 0.052)  # the first sample is at 3 ms
    assert np.isclose(found.duration[at], 0.036)
    assert found.ch_names[at] == ("xpos_left", "ypos_left")
    assert found.extras[at]["x_px"] == 300.5
    assert "end_x_px" not in found.extras[at]
    blink = list(found.description).index("BAD_blink")
    assert found.ch_names[blink] == ("xpos_right",)
    both = [i for i, kind in enumerate(found.description) if kind == "fixation"][1]
    assert len(found.ch_names[both]) == 3
    assert found.ch_names[list(found.description).index("button 5 1")] == ()


def test_trials_last_as_long_as_their_samples():
    found, _ = made(recording())
    runs = {
        name: (round(onset, 6), round(length, 6))
        for name, onset, length in zip(found.description, found.onset, found.duration, strict=True)
        if name.startswith("stimulus/")
    }
    # 13 samples without a trial, twice 13 of trial 1, and the last 11 of trial 2.
    assert runs == {"stimulus/1.png": (0.052, 0.104), "stimulus/2.png": (0.156, 0.044)}
    unnamed, _ = made(recording(trials=("", "", "", "")))
    assert not [name for name in unnamed.description if "/" in name]


def test_what_was_not_recorded_is_marked_bad():
    own = recording()
    t = own.sample_table["t_ms"].to_numpy().copy()
    t[20:] += 400.0
    at = own.sample_table.schema.get_field_index("t_ms")
    field = own.sample_table.schema.field(at)
    import pyarrow as pa

    paused = replace(own, sample_table=own.sample_table.set_column(at, field, pa.array(t)))
    found, _ = made(paused)
    at = list(found.description).index("BAD_ACQ_SKIP")
    assert np.isclose(found.onset[at], 0.080)
    assert np.isclose(found.duration[at], 0.400)


def test_events_beyond_the_data_are_kept_apart():
    found, beyond = made(recording())
    assert "TRIALID 1" not in found.description
    assert [event["text"] for event in beyond] == ["TRIALID 1"]
    assert beyond[0]["onset_ms"] == -7.0
    late = replace(recording(), event_table=EVENT_TABLE.slice(5, 1))
    assert made(late)[1] == []


def test_no_events_are_no_annotations():
    quiet = replace(recording(trials=("", "", "", "")), event_table=EVENT_TABLE.slice(0, 0))
    found, beyond = made(quiet)
    assert (len(found), beyond) == (0, [])
