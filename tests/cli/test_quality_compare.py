"""gazetrack quality, compare, and fixations of prepared samples."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

ROWS = [f"{[100, 400, 250][i // 70 % 3] + i % 2},{200 + i % 2},{i * 4}" for i in range(420)]
SCREEN = "--screen 1000x600,500x300mm,600mm"


@pytest.fixture
def export(tmp_path):
    (tmp_path / "raw.csv").write_text("x,y,t\n" + "\n".join(ROWS) + "\n")
    return tmp_path


def test_quality_prints_a_row_a_recording(run, export):
    result = run("gazetrack quality raw.csv")
    assert result.code == 0, result.err
    header, row, *notes = result.out.splitlines()
    assert notes[0].startswith("note: raw.csv: ")  # what the reader took for granted
    unknown = "pixels where the screen's size and distance are not known"
    assert notes[-1] == f"note: {unknown}: give --screen, or --fov, for degrees"
    assert header.split()[:3] == ["recording", "eye", "ms"]
    assert row.split()[:4] == ["raw", "both", "1680", "250"]
    assert " px" in row
    assert " deg" in run(f"gazetrack quality raw.csv {SCREEN}").out


def test_quality_json_and_table_hold_all_measures(run, export):
    (row,) = json.loads(run(f"gazetrack quality raw.csv {SCREEN} --json -o q.parquet").out)
    assert row["std_deg"] > 0
    assert row["accuracy_deg"] is None
    frame = pd.read_parquet(export / "q.parquet")
    assert frame["std_deg"].tolist() == [row["std_deg"]]
    meta = json.loads(pq.read_schema(export / "q.parquet").metadata[b"gazetrack"])
    assert meta["quality"] == {"by": "recording", "window_ms": 200.0}


def test_recordings_of_one_name_are_told_apart(run, export):
    for name in ("a/raw.csv", "b/raw.csv", "b/raw.txt"):
        (export / name).parent.mkdir(exist_ok=True)
        (export / name).write_text((export / "raw.csv").read_text())
    result = run("gazetrack quality a/raw.csv b/raw.csv b/raw.txt -o quality.parquet")
    assert [line.split()[0] for line in result.out.splitlines()[1:4]] == [
        "a_raw",
        "b_raw",
        "raw.txt",
    ]
    assert "note: b/raw.csv: " in result.out
    assert "note: b/raw.txt: " in result.out
    assert list(pd.read_parquet(export / "quality.parquet")["recording"]) == [
        "a_raw",
        "b_raw",
        "raw.txt",
    ]


def test_quality_by_window_and_by_target(run, export):
    out = run("gazetrack quality raw.csv --by window --window 280").out.splitlines()
    rows = [line.split() for line in out if line.startswith("raw ")]
    assert [row[1] for row in rows] == ["0", "280", "560", "840", "1120", "1400"]  # from ms
    (export / "targets.csv").write_text(
        "name,x_px,y_px,onset_ms,duration_ms\nfirst,100,200,0,280\n"
    )
    out = run("gazetrack quality raw.csv --targets targets.csv").out.splitlines()
    assert out[1].split()[-2:] == ["0.707", "px"]
    assert "first" in out[1]
    assert run("gazetrack quality raw.csv --targets targets.csv --by trial").code == 2


def test_quality_by_trial_tells_stimuli_apart(run, export):
    header = "x,y,t,stimulus\n"
    rows = [f"{row},{'cat' if n < 200 else 'dog'}" for n, row in enumerate(ROWS)]
    (export / "shown.csv").write_text(header + "\n".join(rows) + "\n")
    result = run("gazetrack quality shown.csv --by trial")
    header, cat, dog = result.out.splitlines()[:3]
    assert header.split()[:5] == ["recording", "stimulus", "from", "ms", "eye"]
    assert (cat.split()[1:3], dog.split()[1:3]) == (["cat", "0"], ["dog", "800"])


def test_quality_goes_on_after_a_bad_file(run, export):
    (export / "bad.csv").write_text("nothing\n")
    result = run("gazetrack quality bad.csv raw.csv")
    assert result.code == 1
    assert "bad.csv" in result.err
    assert "raw" in result.out
    assert run("gazetrack quality bad.csv -o q.parquet").out == ""
    assert not (export / "q.parquet").exists()


def test_quality_is_written_in_the_format_that_the_name_asks_for(run, export):
    rows = json.loads(run(f"gazetrack quality raw.csv {SCREEN} --json -o q.csv").out)
    frame = pd.read_csv(export / "q.csv", keep_default_na=True)
    assert frame["std_deg"].tolist() == [rows[0]["std_deg"]]
    assert np.isnan(frame["accuracy_deg"]).all()
    assert run(f"gazetrack quality raw.csv {SCREEN} -o q.tsv").code == 0
    assert pd.read_csv(export / "q.tsv", sep="\t").equals(frame)
    assert run("gazetrack quality raw.csv -o q.csv").code == 0  # its own table once more
    assert run("gazetrack quality raw.csv -o raw.csv").code == 3
    assert (export / "raw.csv").read_text().startswith("x,y,t")
    result = run("gazetrack quality raw.csv -o q.xlsx")
    assert (result.code, ".parquet, .csv, .tsv" in result.err) == (2, True)


def test_no_spreadsheet_takes_a_name_for_a_formula():
    from gazetrack.tables.store import csv_cell

    texts = ("=1+1", " @SUM(A1)", "a\n-b", "\tx", "a-b")
    cells = [csv_cell(value) for value in (*texts, -1.5, float("nan"), 3)]
    assert cells == ["'=1+1", "' @SUM(A1)", "'a\n-b", "'\tx", "a-b", "-1.5", "", "3"]


def test_quality_does_not_write_over_what_is_not_its_own(run, export):
    (export / "mine.parquet").write_text("precious")
    assert run("gazetrack quality raw.csv -o mine.parquet").code == 3
    assert (export / "mine.parquet").read_text() == "precious"


def test_tables_of_samples_serve_as_exports(run, export):
    run(f"gazetrack convert raw.csv --samples {SCREEN}")
    result = run("gazetrack fixations raw.samples.parquet")
    assert result.code == 0, result.err
    straight, again = (
        pd.read_parquet(export / f"raw{kind}.fixations.parquet") for kind in ("", ".auto")
    )
    assert again.equals(straight)
    assert "gazetrack_samples" in run("gazetrack info raw.samples.parquet").out
    again = run("gazetrack quality raw.fixations.parquet")
    assert again.code == 1
    assert "samples.parquet" in again.err


def test_prepared_samples_are_said_in_the_table(run, export):
    result = run(
        "gazetrack fixations raw.csv --prepare max_gap_ms=75 --prepare smooth=median --detector ivt"
    )
    assert result.code == 0, result.err
    meta = json.loads(pq.read_schema(export / "raw.ivt.fixations.parquet").metadata[b"gazetrack"])
    assert meta["preparation"]["smooth"] == "median"
    assert meta["preparation"]["max_gap_ms"] == 75
    assert run("gazetrack fixations raw.csv --detector ivt --set velocity=five_point").code == 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--prepare eye=third", "eye = 'third'"),
        ("--prepare speed=3", "'speed' is none of"),
        ("--prepare max_gap_ms=long", "max_gap_ms=long is no number"),
        ("--prepare eye=left", "no samples of the left eye"),
        ("--detector ivt --set velocity=guess", "velocity = 'guess'"),
    ],
)
def test_wrong_preparation_is_named(run, export, option, message):
    result = run(f"gazetrack fixations raw.csv {option}")
    assert result.code != 0
    assert message in result.err


def test_compare(run, export):
    run("gazetrack fixations raw.csv --detector ivt")
    run("gazetrack fixations raw.csv --detector idt")
    result = run("gazetrack compare raw.ivt.fixations.parquet raw.idt.fixations.parquet")
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1].split()[:4] == ["all", "6", "6", "6"]
    value = json.loads(
        run("gazetrack compare raw.ivt.fixations.parquet raw.ivt.fixations.parquet --json").out
    )
    assert value["overall"]["f1"] == 1
    assert value["rows"][0]["kappa"] == 1
    assert run("gazetrack compare raw.ivt.fixations.parquet none.parquet").code == 1


def test_compare_says_where_it_takes_two_recordings_for_one(run, export):
    raw = (export / "raw.csv").read_text()
    (export / "other.csv").write_text(raw)
    run("gazetrack fixations raw.csv other.csv --detector ivt")
    run("gazetrack fixations raw.csv --detector idt")
    word = (
        "note: other of B is compared with raw of A, the only recording of each: are they the same?"
    )
    assert (
        word in run("gazetrack compare raw.ivt.fixations.parquet other.ivt.fixations.parquet").out
    )
    assert (
        "note"
        not in run("gazetrack compare raw.ivt.fixations.parquet raw.idt.fixations.parquet").out
    )


@pytest.mark.parametrize("command", ["convert", "fixations"])
def test_a_folder_of_tables_is_not_named_like_a_table(run, export, command):
    result = run(f"gazetrack {command} raw.csv -o out/raw.parquet")
    assert result.code == 2
    assert (
        "'out/raw.parquet' is named like a file, but is the folder that tables are written to"
        in result.err
    )
    assert "for out, -o out" in result.err
    assert not (export / "out").exists()
    (export / "s01.csv").mkdir()  # whoever has such a folder means it
    assert run(f"gazetrack {command} raw.csv -o s01.csv").code == 0


def test_compare_names_stimuli_and_what_it_leaves_out(run, export):
    from gazetrack.tables.schema import FIXATIONS, conform
    from gazetrack.tables.store import write_table

    def write(name, recordings, stimuli):
        columns = {"recording": recordings, "stimulus": stimuli}
        columns = {key: np.array(values, object) for key, values in columns.items()}
        times = {"onset_ms": np.zeros(len(stimuli)), "duration_ms": np.full(len(stimuli), 100.0)}
        write_table(export / name, conform(columns | times, FIXATIONS), {})

    write("a.fixations.parquet", ["r", "r", "alone\x1b[31m"], ["cat", "dog", "cat"])
    write("b.fixations.parquet", ["r", "r"], ["cat", "dog"])
    out = run("gazetrack compare a.fixations.parquet b.fixations.parquet").out.splitlines()
    assert [line.split()[:2] for line in out[1:3]] == [["r", "cat"], ["r", "dog"]]
    assert out[-1] == r"note: left out, in one of the tables only: alone\x1b[31m"
    value = json.loads(run("gazetrack compare a.fixations.parquet b.fixations.parquet --json").out)
    assert value["left_out"] == ["alone\x1b[31m"]
