import math

from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.reporting.entries import Reported
from gazetrack.workflows.reporting.facts import facts_of, number, summed


def test_a_number_is_for_sorting_and_for_reading():
    assert number(1234.5, 1) == (1234.5, "1,234.5")
    assert number(math.nan, 1) is None
    assert number(None, 1) is None


def test_what_is_left_out_is_counted_by_reason():
    outcome = Outcome("a", dropped={"no time": 2}, left_out={"off": 1}, mended={"short": 3})
    told = [
        "not used: 2 rows, no time",
        "left out: 1 fixations, off",
        "mended: 3 rows, short",
    ]
    assert summed(outcome) == told


def test_a_detector_is_told_with_all_its_settings_and_no_fact_is_empty():
    detector = {"name": "ivt", "velocity_deg_s": 30.0, "px_per_deg_assumed": True}
    made = {"fixation_source": "detector", "detector": detector, "saccade_source": "detected"}
    made["degrees_assumed"] = True
    facts = dict(facts_of(Reported(outcome=Outcome("raw.tsv", sha256="ab"), provenance=made)))
    assert facts["fixations"] == "detected by ivt (as if the screen were 45 deg wide)"
    assert facts["settings"] == "velocity_deg_s=30, px_per_deg_assumed=True"
    assert facts["saccades and blinks"].endswith("degrees as if the screen were 45 deg wide")
    assert facts["file"] == "raw.tsv"
    assert "tracker" not in facts
