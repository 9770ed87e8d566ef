"""Eye movements of recordings at hand and of files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.events.microsaccades import Microsaccades
from gazetrack.tables.movements import MOVEMENTS
from gazetrack.workflows.events import agreement, counts, main_sequences, of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("events")
    example = gazetrack.write_example(folder, n_images=4, size=(48, 64))
    for name, export in zip(("raw.asc", "raw.tsv"), example.exports, strict=True):
        export.rename(folder / name)
    return folder


def written(folder, tmp_path, name="raw.asc", **choices):
    options = gazetrack.EventsOptions(out=tmp_path, **choices)
    (outcome,) = gazetrack.convert_files([folder / name], options)
    if outcome.error is not None:
        raise outcome.error
    (output,) = outcome.outputs
    return outcome, output["path"]


@pytest.mark.parametrize("name", ["raw.asc", "raw.tsv"])
def test_the_frame_is_what_the_command_writes(folder, tmp_path, name):
    frame = gazetrack.detect_events(gazetrack.read(folder / name))
    outcome, path = written(folder, tmp_path, name)
    pd.testing.assert_frame_equal(frame, pd.read_parquet(path))
    assert list(frame) == MOVEMENTS.names
    assert path.endswith("raw.events.parquet")
    assert outcome.rows_out == len(frame)
    assert {"fixation", "saccade"} <= set(frame[frame["source"] == "detected"]["kind"])


def test_the_metadata_say_how(folder, tmp_path):
    _, path = written(folder, tmp_path, microsaccades=Microsaccades(threshold_factor=5.0))
    meta = json.loads(pq.read_schema(path).metadata[b"gazetrack"])
    how = meta["movements"]
    assert how["detector"]["name"] == "auto"
    assert how["detector"]["min_duration_ms"] == 50.0
    assert how["detector"]["px_per_deg"] > 0
    assert how["blinks"]["merge_ms"] == 100.0
    assert how["microsaccades"]["threshold_factor"] == 5.0
    assert meta["source"]["file"] == "raw.asc"
    assert "shown" not in meta
    frame = gazetrack.detect_events(gazetrack.read(folder / "raw.asc"), "ivt", source="detected")
    known = frame.attrs["gazetrack"]["movements"]
    assert known["detector"]["name"] == "ivt"
    assert json.loads(json.dumps(known)) == known


def test_both_sources_are_counted_and_compared(folder, tmp_path):
    outcome, path = written(folder, tmp_path)
    table = pq.read_table(path)
    shown = outcome.summary["shown"]
    assert shown["counts"] == counts(table)
    fixations = shown["counts"]["fixation"]
    assert fixations["tracker"] == of(table, "fixation", "tracker").num_rows > 4
    agreed = agreement(table)["fixation"]
    assert agreed["f1"] > 0.8
    assert agreed["reference"] >= agreed["matched"] > 4
    assert set(main_sequences(table)) <= {"tracker", "detected"}
    alone, _ = written(folder, tmp_path / "alone", source="detected")
    assert alone.summary["shown"]["agreement"] == {}


def test_detected_events_alone_are_other_tables_to_a_manifest(folder, tmp_path):
    manifest = tmp_path / "study.jsonl"
    for source in ("both", "detected", "both", "detected"):
        options = gazetrack.EventsOptions(out=tmp_path, source=source)
        (outcome,) = gazetrack.convert_files([folder / "raw.asc"], options, manifest=manifest)
        assert outcome.error is None
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert sorted(stamps) == ["raw.auto.events.parquet", "raw.events.parquet"]
    assert len(manifest.read_text().splitlines()) < 5


def test_a_manifest_knows_what_is_done(folder, tmp_path):
    options = gazetrack.EventsOptions(out=tmp_path)
    manifest = tmp_path / "study.jsonl"
    (first,) = gazetrack.convert_files([folder / "raw.asc"], options, manifest=manifest)
    stamp = (tmp_path / "raw.events.parquet").stat().st_mtime_ns
    (again,) = gazetrack.convert_files([folder / "raw.asc"], options, manifest=manifest)
    assert (tmp_path / "raw.events.parquet").stat().st_mtime_ns == stamp
    assert again.summary["shown"] == first.summary["shown"]
    changed = gazetrack.EventsOptions(out=tmp_path, velocity_window_ms=12.0)
    (other,) = gazetrack.convert_files([folder / "raw.asc"], changed, manifest=manifest)
    assert other.outputs[0]["sha256"] != first.outputs[0]["sha256"]


def test_twice_gives_the_same_bytes(folder, tmp_path):
    _, first = written(folder, tmp_path / "a")
    _, second = written(folder, tmp_path / "b")
    assert Path(first).read_bytes() == Path(second).read_bytes()


def test_choices_about_other_tables_are_refused(folder):
    for choice in ({"samples": True}, {"events": True}, {"dataset": "x"}):
        with pytest.raises(ConfigError, match="of their own"):
            gazetrack.EventsOptions(**choice)
    with pytest.raises(ConfigError, match="source"):
        gazetrack.EventsOptions(source="mine")
    with pytest.raises(ConfigError, match=r"gazetrack\.read"):
        gazetrack.detect_events(pd.DataFrame({"x": [1]}))
    with pytest.raises(ConfigError, match="did you mean 'ivt'"):
        gazetrack.detect_events(gazetrack.read(folder / "raw.asc"), "ivtt")


def test_saccades_lead_from_fixation_to_fixation(folder):
    frame = gazetrack.detect_events(gazetrack.read(folder / "raw.tsv"), source="detected")
    saccades = frame[frame["kind"] == "saccade"]
    dx = saccades["end_x_px"] - saccades["x_px"]
    dy = saccades["end_y_px"] - saccades["y_px"]
    turned = np.degrees(np.arctan2(-dy, dx))
    np.testing.assert_allclose(saccades["direction_deg"], turned, atol=0.01)
