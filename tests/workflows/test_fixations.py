"""Fixations of a recording at hand, as data frames."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError, InputError, SchemaError
from gazetrack.events.auto import Auto
from gazetrack.events.ivt import IVT
from gazetrack.tables.schema import FIXATIONS
from gazetrack.workflows.fixations import as_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixations")
    example = gazetrack.write_example(folder, n_images=4, size=(48, 64))
    for name, export in zip(("raw.asc", "raw.tsv"), example.exports, strict=True):
        export.rename(folder / name)
    return folder


@pytest.mark.parametrize("name", ["raw.asc", "raw.tsv"])
def test_detected_fixations_are_those_of_the_command(folder, tmp_path, name):
    frame = gazetrack.detect_fixations(gazetrack.read(folder / name))
    (outcome,) = gazetrack.convert(folder / name, out=tmp_path, detector=Auto())
    written = pd.read_parquet(outcome.outputs[0]["path"])
    pd.testing.assert_frame_equal(frame, written)
    assert list(frame) == FIXATIONS.names
    assert len(frame) > 4


def test_the_export_s_own_fixations_are_those_that_convert_writes(folder, tmp_path):
    frame = gazetrack.exported_fixations(gazetrack.read(folder / "raw.asc"))
    (outcome,) = gazetrack.convert(folder / "raw.asc", out=tmp_path)
    pd.testing.assert_frame_equal(frame, pd.read_parquet(outcome.outputs[0]["path"]))
    recording = gazetrack.read(folder / "raw.tsv")
    without = replace(recording, event_table=recording.arrow("events").slice(0, 0))
    with pytest.raises(InputError, match="detect_fixations"):
        gazetrack.exported_fixations(without)


def test_what_is_known_goes_with_the_fixations(folder):
    recording = gazetrack.read(folder / "raw.tsv")
    frame = gazetrack.detect_fixations(recording, IVT(velocity_threshold_deg_s=50))
    part = frame[frame["duration_ms"] > 100]
    known = part.attrs["gazetrack"]
    assert known["detector"]["velocity_threshold_deg_s"] == 50
    assert known["screen"] == recording.screen.facts()
    assert known["fixation_source"] == "detector"
    assert json.loads(json.dumps(known)) == known
    table, meta = as_table(part)
    assert table.num_rows == len(part)
    assert meta == known


def test_eyes_and_detectors_can_be_chosen(folder):
    recording = gazetrack.read(folder / "raw.tsv")
    named = gazetrack.detect_fixations(recording, "ivt")
    pd.testing.assert_frame_equal(named, gazetrack.detect_fixations(recording, IVT()))
    assert set(gazetrack.detect_fixations(recording, eye="left")["eye"]) == {"left"}
    with pytest.raises(ConfigError, match="did you mean 'ivt'"):
        gazetrack.detect_fixations(recording, "ivtt")


def test_fixations_are_taken_in_any_form(folder, tmp_path):
    frame = gazetrack.exported_fixations(gazetrack.read(folder / "raw.tsv"))
    (outcome,) = gazetrack.convert(folder / "raw.tsv", out=tmp_path)
    path = outcome.outputs[0]["path"]
    forms = [frame, as_table(frame)[0], path, pd.read_parquet(path), frame.assign(more=1)]
    first = as_table(forms[0])[0].to_pandas()
    for form in forms[1:]:
        pd.testing.assert_frame_equal(as_table(form)[0].to_pandas(), first)
    with pytest.raises(SchemaError, match="onset_ms"):
        as_table(frame.drop(columns="onset_ms"))
    with pytest.raises(SchemaError, match="x_px"):
        as_table(frame.assign(x_px="left of the middle"))


def test_a_row_that_somebody_added_without_a_name_is_empty_text(folder):
    frame = gazetrack.detect_fixations(gazetrack.read(folder / "raw.tsv"))
    added = pd.DataFrame({"stimulus": [None], "onset_ms": [1.0], "duration_ms": [2.0]})
    table = as_table(pd.concat([frame.astype({"stimulus": str}), added]).assign(x_px=1.0))[0]
    assert table["stimulus"][-1].as_py() == ""
    assert np.isnan(table["y_px"][-1].as_py())
