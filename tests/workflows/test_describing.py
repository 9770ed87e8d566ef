"""The facts that are told of a recording."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gazetrack.readers.base import Level, Verdict
from gazetrack.readers.head import read_head
from gazetrack.tables.placement import Placement
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen
from gazetrack.workflows.describing import describe

VERDICT = Verdict(Level.LIKELY, "columns t, x, y")


@pytest.fixture
def head(tmp_path):
    (tmp_path / "raw.csv").write_text("x,y,t\n1,2,3\n")
    return read_head(tmp_path / "raw.csv")


def samples():
    x_px = np.arange(10.0)
    x_px[:2] = np.nan  # two of ten are lost
    return conform(
        {
            "recording": ["raw"] * 10,
            "trial": ["1"] * 4 + ["2"] * 4 + [""] * 2,
            "stimulus": ["a.png"] * 8 + [""] * 2,
            "t_ms": np.arange(10) * 4.0,
            "x_px": x_px,
            "y_px": x_px,
        },
        SAMPLES,
    )


def events(*kinds):
    return conform({"kind": list(kinds), "onset_ms": np.arange(len(kinds), dtype=float)}, EVENTS)


def test_facts_of_samples_and_events(head):
    recording = Recording(
        name="raw",
        format="generic",
        sample_table=samples(),
        event_table=events("saccade", "fixation", "message", "fixation"),
        screen=Screen(width_px=1000, height_px=600),
        placements={"a.png": Placement(0, 0, 10, 10, 10, 10)},
        eyes="combined",
        tracker="One",
        rows_in=12,
        dropped={"no time": 2},
        mended={"short": 1},
        notes=("time unit inferred: ms",),
    )
    facts = describe(recording, VERDICT, head)
    told = {
        "format": "generic",
        "confidence": "likely",
        "reason": "columns t, x, y",
        "recordings": ["raw"],
        "encoding": "utf-8",
        "tracker": "One",
        "effective_rate_hz": 250,
        "eyes": "combined",
        "world_camera": None,
        "samples": 10,
        "loss": pytest.approx(0.2),
        "fixations": 2,
        "events": {"fixation": 2, "message": 1, "saccade": 1},
        "trials": 2,
        "stimuli": 1,
        "placed_stimuli": 1,
        "rows_in": 12,
        "dropped": {"no time": 2},
        "mended": {"short": 1},
        "notes": ["time unit inferred: ms"],
    }
    assert {name: facts[name] for name in told} == told
    assert facts["screen"] == recording.screen.facts()
    assert list(facts["events"]) == sorted(facts["events"])
    json.dumps(facts)


def test_facts_of_an_export_of_fixations_alone(head):
    fixations = conform(
        {
            "recording": ["a", "a", "b"],
            "stimulus": ["p", "q", "p"],
            "onset_ms": [0.0, 300.0, 0.0],
            "duration_ms": [200.0] * 3,
        },
        FIXATIONS,
    )
    recording = Recording(
        name="raw",
        format="generic",
        sample_table=None,
        event_table=events(),
        fixation_table=fixations,
    )
    facts = describe(recording, VERDICT, head)
    assert (facts["samples"], facts["fixations"], facts["events"]) == (0, 3, {})
    assert (facts["recordings"], facts["stimuli"], facts["trials"]) == (["a", "b"], 2, 0)
    assert facts["screen"] is None


def test_facts_of_an_export_of_events_alone(head):
    recording = Recording(
        name="raw", format="generic", sample_table=None, event_table=events("fixation", "blink")
    )
    facts = describe(recording, VERDICT, head)
    assert (facts["recordings"], facts["trials"], facts["stimuli"]) == ([], 0, 0)
    assert facts["fixations"] == 1
