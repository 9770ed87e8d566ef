"""gazetrack events."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

import gazetrack


@pytest.fixture
def export(tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=3, size=(48, 64))
    example.exports[0].rename(tmp_path / "raw.asc")
    return tmp_path


def test_it_writes_a_table_and_says_how_well_the_sources_agree(run, export):
    result = run("gazetrack events raw.asc --microsaccades --microsaccade threshold_factor=5")
    assert result.code == 0, result.err
    header, *rows = [line.split() for line in result.out.splitlines() if "  " in line.strip()]
    assert "tracker" in header
    assert "fixation" in {row[0] for row in rows}
    assert "main sequence, detected" in result.out
    assert "wrote raw.events.parquet" in result.out
    frame = pd.read_parquet(export / "raw.events.parquet")
    assert set(frame["source"]) == {"tracker", "detected"}
    meta = json.loads(pq.read_schema(export / "raw.events.parquet").metadata[b"gazetrack"])
    assert meta["movements"]["microsaccades"]["threshold_factor"] == 5


def test_sources_detectors_and_blinks_can_be_chosen(run, export):
    line = "gazetrack events raw.asc --source detected --detector ivt --set min_duration_ms=80"
    assert run(f"{line} --blinks method=gaze --prepare max_gap_ms=75").code == 0
    meta = json.loads(pq.read_schema(export / "raw.ivt.events.parquet").metadata[b"gazetrack"])
    how = meta["movements"]
    assert (how["source"], how["detector"]["name"]) == ("detected", "ivt")
    assert how["detector"]["min_duration_ms"] == 80
    assert how["blinks"]["method"] == "gaze"
    assert how["preparation"]["max_gap_ms"] == 75
    result = run("gazetrack events raw.asc --source tracker --quiet")
    assert (result.code, result.out) == (0, "")
    assert set(pd.read_parquet(export / "raw.events.parquet")["source"]) == {"tracker"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--blinks method=lid", "method = 'lid'"),
        ("--blinks speed=3", "none of method"),
        ("--microsaccade threshold_factor=0", "threshold_factor"),
        ("--set min_duration_ms=long", "is no number"),
    ],
)
def test_bad_choices_are_one_line_and_nothing_is_written(run, export, options, told):
    result = run(f"gazetrack events raw.asc {options}")
    assert result.code == 2
    assert told in result.err
    assert not (export / "raw.events.parquet").exists()


def test_a_bad_file_leaves_the_others_alone(run, export):
    (export / "bad.asc").write_text("nothing\n")
    result = run("gazetrack events bad.asc raw.asc --report report.jsonl --manifest done.jsonl")
    assert result.code == 1
    assert "bad.asc" in result.err
    assert (export / "raw.events.parquet").exists()
    rows = [json.loads(line) for line in (export / "report.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["failed", "ok"]
    planned = run("gazetrack events raw.asc --manifest done.jsonl --dry-run")
    assert "1 done before" in planned.out


def test_it_needs_no_force_after_convert_nor_convert_after_it(run, export):
    for line in ("convert raw.asc --events", "events raw.asc", "convert raw.asc --events"):
        result = run(f"gazetrack {line}")
        assert result.code == 0, result.err
    assert "note: raw.events.parquet holds these events already" in result.out
    assert "source" in pd.read_parquet(export / "raw.events.parquet")


def test_trials_begin_where_a_rule_says(run, export):
    assert run("gazetrack events raw.asc --trial-by message=images/(.+).png -o by").code == 0
    assert run("gazetrack convert raw.asc --trial-by message=images/(.+).png -o by").code == 0
    ours = pd.read_parquet(export / "by" / "raw.events.parquet")
    theirs = pd.read_parquet(export / "by" / "raw.fixations.parquet")
    assert {name.rstrip("0123456789") for name in theirs["trial"]} == {"lesion-"}
    for source in ("tracker", "detected"):
        rows = ours[(ours["source"] == source) & (ours["kind"] == "fixation")]
        assert set(rows["trial"]) - {""} == set(theirs["trial"]) - {""}
    refused = run("gazetrack events raw.asc --trial-by turns -o refused")
    assert (refused.code, "--trial-by stimulus" in refused.err) == (2, True)
