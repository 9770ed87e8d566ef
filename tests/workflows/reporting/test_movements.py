from dataclasses import replace

import pandas as pd
import pytest

import gazetrack
from gazetrack.events.detectors import DETECTORS
from gazetrack.workflows.reporting.movements import fixations_of, others_of, told
from gazetrack.workflows.reporting.options import ReportOptions


@pytest.fixture(scope="module")
def recording(study):
    return gazetrack.read(study.exports[0])


def test_fixations_are_those_of_convert_on_the_screen(recording):
    found, facts = fixations_of(recording, ReportOptions())
    own = recording.events[recording.events["kind"] == "fixation"]
    assert facts["fixation_source"] == "export"
    assert found["x_px"].to_numpy() == pytest.approx(own["x_px"].to_numpy(), abs=0.1)
    assert found["image_width_px"].isna().all()


def test_saccades_are_the_trackers_own_or_else_detected(recording):
    own, source, _ = others_of(recording, ReportOptions())
    assert source == "tracker"
    assert (own["kind"] == "saccade").sum() == (recording.events["kind"] == "saccade").sum()
    silent = replace(recording, event_table=recording.event_table.slice(0, 0))
    for asked in (ReportOptions(), ReportOptions(detector=DETECTORS["ivt"]())):
        found, source, _ = others_of(silent, asked)
        assert source == "detected"
        assert (found["kind"] == "saccade").any()


def test_medians_are_told_of_what_is_known():
    nan = float("nan")
    fixations = pd.DataFrame({"duration_ms": [100.0, 300.0, nan], "amplitude_deg": [1.0, 1.0, 1.0]})
    others = pd.DataFrame(
        {"kind": ["saccade", "saccade"], "duration_ms": [20.0, 40.0], "amplitude_deg": [nan, 4.0]}
    )
    found = told(fixations, others)
    assert found == {
        "fixation": {"n": 3, "median_ms": 200.0},
        "saccade": {"n": 2, "median_ms": 30.0, "median_deg": 4.0},
    }
