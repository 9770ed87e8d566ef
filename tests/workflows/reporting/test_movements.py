from dataclasses import replace

import pandas as pd
import pytest

import gazetrack
from gazetrack.events.detectors import DETECTORS
from gazetrack.tables.schema import EVENTS, FIXATIONS, conform
from gazetrack.workflows.reporting.movements import fixations_of, others_of, told, whose
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
    shown, _ = fixations_of(recording, ReportOptions())
    own, source, _ = others_of(recording, ReportOptions(), shown)
    assert source == "tracker"
    assert (own["kind"] == "saccade").sum() == (recording.events["kind"] == "saccade").sum()
    silent = replace(recording, event_table=recording.event_table.slice(0, 0))
    for asked in (ReportOptions(), ReportOptions(detector=DETECTORS["ivt"]())):
        found, source, _ = others_of(silent, asked, shown)
        assert source == "detected"
        assert (found["kind"] == "saccade").any()


def both_eyes(recording):
    """The recording with events of each eye: 2 fixations left, 3 right; blinks overlap in part."""
    # Kind, eye, trial, onset and duration in milliseconds.
    rows = [
        ("saccade", "left", "1", 100.0, 20.0),
        ("saccade", "right", "1", 101.0, 20.0),
        ("saccade", "right", "1", 300.0, 20.0),
        ("blink", "left", "1", 400.0, 80.0),
        ("blink", "right", "1", 410.0, 90.0),
        ("blink", "right", "1", 700.0, 50.0),
        ("saccade", "left", "2", 1500.0, 20.0),
        ("saccade", "right", "3", 2500.0, 20.0),
        ("saccade", "left", "3", 2501.0, 20.0),
    ]
    kind, eye, trial, onset, duration = (list(one) for one in zip(*rows, strict=True))
    named = {"recording": ["a"] * len(rows), "eye": eye, "trial": trial}
    times = {"onset_ms": onset, "duration_ms": duration}
    events = conform(named | times | {"kind": kind}, EVENTS)
    held = [("left", "1", 150.0), ("right", "1", 250.0), ("right", "1", 30.0), ("left", "2", 90.0)]
    eye, trial, duration = (list(one) for one in zip(*held, strict=True))
    named = {"recording": ["a"] * len(held), "eye": eye, "trial": trial}
    onset = [float(place) for place in range(len(held))]
    looks = conform(named | {"onset_ms": onset, "duration_ms": duration}, FIXATIONS)
    return replace(recording, event_table=events, fixation_table=looks)


def counts(found):
    return found.groupby(["trial", "kind", "eye"], observed=True).size().to_dict()


def test_the_trackers_events_are_of_the_eye_whose_fixations_are_shown(recording):
    of_both = both_eyes(recording)
    shown, _ = fixations_of(of_both, ReportOptions())
    # The second trial has fixations of the other eye alone, the third has none.
    assert list(shown["eye"]) == ["right", "right", "left"]
    found, _, _ = others_of(of_both, ReportOptions(), shown)
    assert counts(found) == {
        ("1", "saccade", "right"): 2,
        ("1", "blink", "right"): 2,
        ("2", "saccade", "left"): 1,
        ("3", "saccade", "right"): 1,
    }


def test_of_each_eye_a_blink_counts_once(recording):
    of_both = both_eyes(recording)
    asked = ReportOptions(eye="both")
    found, _, _ = others_of(of_both, asked, fixations_of(of_both, asked)[0])
    assert (found["kind"] == "saccade").sum() == 6
    blinks = found[found["kind"] == "blink"]
    assert list(blinks["eye"]) == ["both", "right"]
    assert list(blinks["onset_ms"]) == [400.0, 700.0]
    assert list(blinks["duration_ms"]) == [100.0, 50.0]
    assert whose(found) == "left and right, a blink of both counted once"


def test_without_fixations_of_an_eye_its_events_are_chosen_as_fixations_are(recording):
    of_both = both_eyes(recording)
    combined = pd.DataFrame({"recording": ["a"], "trial": ["1"], "eye": ["both"]})
    found, _, _ = others_of(of_both, ReportOptions(), combined)
    assert counts(found) == {
        ("1", "saccade", "right"): 2,
        ("1", "blink", "right"): 2,
        ("2", "saccade", "left"): 1,
        ("3", "saccade", "right"): 1,
    }


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
