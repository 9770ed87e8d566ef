"""Fixations and quality as tables of a data set of derivatives."""

from __future__ import annotations

from dataclasses import replace

import gazetrack
from gazetrack.workflows.bids.derived import FIXATIONS_NAME, QUALITY_NAME, Derived
from tests.bids_sets import SCREEN
from tests.places import GOLDEN
from tests.workflows.bids.test_parts import recording


def lines_of(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_the_exports_own_fixations_count_in_seconds_from_the_first_sample(tmp_path):
    one = gazetrack.read(GOLDEN / "eyelink_asc" / "mono_inputs" / "input.asc", screen=SCREEN)
    label = one.name
    rows, sidecars = Derived(one, "auto").write(label, 0.0, tmp_path)
    fixations = gazetrack.exported_fixations(one)
    assert rows[f"{FIXATIONS_NAME}.tsv"] == len(fixations)
    header, first, *_ = lines_of(tmp_path / f"{FIXATIONS_NAME}.tsv")
    cells = dict(zip(header, first, strict=True))
    assert float(cells["onset"]) == round(fixations["onset_ms"][0] / 1000, 6)
    assert float(cells["x_px"]) == round(float(fixations["x_px"][0]), 4)
    facts = sidecars[f"{FIXATIONS_NAME}.json"]
    assert "own" in facts["Description"]
    assert facts["onset"]["Units"] == "s"
    assert set(header) <= set(facts)


def test_quality_has_a_row_an_eye_of_the_recording_alone(tmp_path):
    rows, sidecars = Derived(replace(recording(), screen=SCREEN), "auto").write("b", 1.5, tmp_path)
    header, *lines = lines_of(tmp_path / f"{QUALITY_NAME}.tsv")
    assert rows[f"{QUALITY_NAME}.tsv"] == len(lines)
    eyes = [dict(zip(header, line, strict=True))["eye"] for line in lines]
    assert "left" in eyes
    assert sidecars[f"{QUALITY_NAME}.json"]["loss"]["Description"]


def test_what_cannot_be_derived_is_a_note_and_no_error(tmp_path):
    one = recording()
    # Times that all are the same have no rate, and nothing can be detected.
    t_ms = [0.0] * 6
    columns = {"t_ms": t_ms, "x_px": [float("nan")] * 6, "y_px": [float("nan")] * 6}
    derived = Derived(replace(recording(**columns), screen=one.screen), "auto")
    rows, _ = derived.write("a", 0.0, tmp_path)
    assert f"{FIXATIONS_NAME}.tsv" not in rows
