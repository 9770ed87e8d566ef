"""gazetrack measures: what it writes and prints, and its exit codes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gazetrack.tables.schema import FIXATIONS
from gazetrack.tables.store import write_table
from tests.aoi_tables import NAN, own_json, rectangle, table


@pytest.fixture
def folder(tmp_path):
    write_table(tmp_path / "a.fixations.parquet", table([10, 60, 20], [5] * 3), {})
    own_json(
        tmp_path / "aois.json",
        rectangle("left", 0, 0, 50, 100),
        rectangle("right", 50, 0, 50, 100),
    )
    return tmp_path


def test_the_tables_lie_beside_each_other_and_say_how_they_were_made(run, folder):
    result = run("gazetrack measures --aois aois.json -o out/looks.parquet --margin 1")
    assert result.code == 0, result.err
    assert "a.fixations.parquet: 3 fixations, 2 rows" in result.out
    assert "wrote out/looks.parquet (2 rows)" in result.out
    assert "wrote out/looks.transitions.parquet (4 rows)" in result.out
    assert "wrote out/looks.entropy.parquet (2 rows)" in result.out
    line = next(line for line in result.out.splitlines() if line.startswith("left"))
    assert line.split() == ["left", "1", "100", "66.67", "0", "2"]
    looks = pd.read_parquet(folder / "out/looks.parquet")
    assert looks["visits"].tolist() == [2, 1]
    meta = json.loads(pq.read_schema(folder / "out/looks.parquet").metadata[b"gazetrack"])
    assert meta["measures"]["margin"] == {"px": 1.0, "deg": None}
    assert meta["measures"]["aois"]["file"] == "aois.json"


def test_csv_and_json(run, folder):
    assert run("gazetrack measures --aois aois.json -o looks.csv").code == 0
    assert pd.read_csv(folder / "looks.csv")["aoi"].tolist() == ["left", "right"]
    assert (folder / "looks.transitions.csv").is_file()
    rows = json.loads(run("gazetrack measures --aois aois.json --json").out)
    assert [row["dwell_ms"] for row in rows] == [200, 100]
    assert rows[1]["censored"] is False


def test_masks(run, folder):
    (folder / "masks").mkdir()
    mask = np.zeros((100, 100), np.uint8)
    mask[:, :50] = 255
    Image.fromarray(mask).save(folder / "masks" / "cat.png")
    result = run("gazetrack measures --masks masks --aoi-name polyp -o looks.parquet")
    assert result.code == 0, result.err
    looks = pd.read_parquet(folder / "looks.parquet")
    assert looks[["aoi", "fixations"]].to_numpy().tolist() == [["polyp", 2]]
    result = run("gazetrack measures --masks masks --labels 255=polyp,7=tool --json")
    assert [row["aoi"] for row in json.loads(result.out)] == ["tool", "polyp"]


def test_the_hits_of_an_export(run, folder):
    lines = [
        "Recording timestamp\tEye movement type\tEye movement type index\tAOI hit [cat.png - eye]"
    ]
    lines += [f"{t}\tFixation\t{1 + t // 200}\t{int(t // 200 == 1)}" for t in range(0, 600, 50)]
    (folder / "raw.tsv").write_text("\n".join(lines) + "\n")
    result = run("gazetrack measures --aoi-hits raw.tsv -o looks.parquet")
    assert result.code == 0, result.err
    looks = pd.read_parquet(folder / "looks.parquet")
    assert looks[["aoi", "fixations", "first_fixation_number"]].to_numpy().tolist() == [
        ["eye", 1, 2]
    ]
    assert looks["area_share"].isna().all()
    result = run("gazetrack measures --aoi-hits raw.tsv --margin 3")
    assert "a margin around areas whose shapes are not known" in result.err
    assert run("gazetrack measures --aoi-hits aois.json").code == 1


def test_the_interest_areas_of_a_fixation_report(run, tmp_path):
    names = "RECORDING_SESSION_LABEL\tTRIAL_INDEX\timage\tCURRENT_FIX_INDEX\tCURRENT_FIX_START"
    names += "\tCURRENT_FIX_DURATION\tCURRENT_FIX_X\tCURRENT_FIX_Y"
    rows = [f"s\t1\tcat.png\t{n}\t{250 * n}\t200\t10\t20\t{'.e'[n % 2]}" for n in (1, 2, 3)]
    header = f"{names}\tCURRENT_FIX_INTEREST_AREA_LABEL"
    (tmp_path / "report.xls").write_text("\n".join([header, *rows]) + "\n")
    assert run("gazetrack convert report.xls -o tables").code == 0
    result = run("gazetrack measures tables --aoi-hits report.xls -o looks.csv")
    assert result.code == 0, result.err
    assert "note: areas that no fixation of the report lay in" in result.out
    looks = pd.read_csv(tmp_path / "looks.csv")
    assert looks[["aoi", "dwell_ms", "visits"]].to_numpy().tolist() == [["e", 400, 2]]


def test_a_report_and_one_bad_table(run, folder):
    on_screen = table([10], [5], image_width_px=NAN, image_height_px=NAN, recording="s")
    write_table(folder / "b.fixations.parquet", on_screen, {})
    result = run("gazetrack measures --aois aois.json -o looks.parquet --report r.jsonl")
    assert result.code == 1
    assert "b.fixations.parquet: fixations on 'cat.png' are in screen pixels" in result.err
    assert "--placement" in result.err
    lines = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["ok", "failed"]
    assert [entry["path"] for entry in lines[0]["outputs"]] == [
        "looks.parquet",
        "looks.transitions.parquet",
        "looks.entropy.parquet",
    ]
    assert len(lines[0]["outputs"][0]["sha256"]) == 64
    assert len(pd.read_parquet(folder / "looks.parquet")) == 2


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("", 2, "nothing to measure: give --aois FILE, --masks DIR, --sc"),
        ("--aois aois.json --masks .", 2, "give one of them"),
        ("--aois none.json", 1, "none.json: no such file"),
        ("--aois aois.json --labels 1=a", 2, "--labels needs --masks"),
        ("--masks . --labels a=1", 2, "'a' is no label"),
        ("--aois aois.json --margin -1", 2, "a margin of -1 px"),
        ("--aois aois.json --margin 1 --margin-deg 1", 2, "a margin in px and in degrees"),
        ("--aois aois.json -o looks.txt", 2, "end it in .parquet, .csv, .tsv"),
        ("--aois aois.json --trials none.csv", 1, "none.csv: no such file"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(run, folder, line, code, message):
    before = sorted(folder.iterdir())
    result = run(f"gazetrack measures {line}")
    assert result.code == code, result.err
    assert message in result.err
    assert sorted(folder.iterdir()) == before


def test_files_of_others_are_not_replaced(run, folder):
    (folder / "looks.csv").write_text("mine\n")
    result = run("gazetrack measures --aois aois.json -o looks.csv")
    assert result.code == 3
    assert (folder / "looks.csv").read_text() == "mine\n"


def test_an_input_is_never_replaced(run, folder):
    before = (folder / "a.fixations.parquet").read_bytes()
    for line in ("-o a.fixations.parquet", "-o a.fixations.parquet --force"):
        result = run(f"gazetrack measures --aois aois.json {line}")
        assert result.code == 3
        assert "would be written over the input" in result.err
    assert (folder / "a.fixations.parquet").read_bytes() == before
    (folder / "looks.entropy.csv").write_text("mine\n")
    assert run("gazetrack measures --aois aois.json -o looks.csv").code == 3
    assert not (folder / "looks.csv").exists()


def test_a_table_without_fixations_gives_tables_without_rows(run, folder):
    write_table(folder / "a.fixations.parquet", FIXATIONS.empty_table(), {})
    result = run("gazetrack measures --aois aois.json -o looks.parquet")
    assert result.code == 0, result.err
    assert len(pd.read_parquet(folder / "looks.parquet")) == 0
    assert "0 fixations, 0 rows" in result.out


def test_two_kinds_of_measures_are_two_calls(run, folder, monkeypatch):
    from gazetrack_cli import measures

    monkeypatch.setitem(measures._KINDS, ("labels",), lambda *_, **__: 0)
    result = run("gazetrack measures --aois aois.json --labels 1=a")
    assert result.code == 2
    assert "several kinds of measures" in result.err


def test_no_input_of_any_kind_is_replaced(run, folder):
    trials = folder / "tin.csv"
    trials.write_text("stimulus,onset_ms,duration_ms\ncat,0,900\n")
    for name in ("areas", "pictures"):
        (folder / name).mkdir()
        (folder / name / "c.csv").write_text("not ours")
    own_json(folder / "areas" / "a.json", rectangle())
    Image.new("L", (100, 100), 255).save(folder / "pictures" / "cat.png")
    calls = (
        "--aois aois.json --trials tin.csv -o tin.csv",
        "--aois aois.json --images pictures -o pictures/c.csv",
        "--masks pictures -o pictures/c.csv",
        "--scanpaths dtw --images pictures -o pictures/c.csv",
        "--scanpaths levenshtein --letters aois.json -o aois.json",
    )
    for call in calls:
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        result = run(f"gazetrack measures a.fixations.parquet {call} --force")
        assert result.code != 0
        assert {path: path.read_bytes() for path in before} == before
    result = run("gazetrack measures --aois aois.json -o t.csv --report t.csv")
    assert (result.code, (folder / "t.csv").exists()) == (2, False)
    assert "--report and a table are the same file" in result.err
    # A table of ours beside the inputs may be written again.
    for _ in range(2):
        again = "--aois aois.json --images pictures -o pictures/looks.parquet"
        assert run(f"gazetrack measures a.fixations.parquet {again}").code == 0


def test_what_does_nothing_is_refused_and_counts_say_measured(run, folder):
    result = run("gazetrack measures --aois aois.json --aoi-name polyp")
    assert result.code == 2
    assert "--aoi-name needs --masks" in result.err
    write_table(folder / "b.fixations.parquet", table([1], [5], image_width_px=NAN), {})
    result = run("gazetrack measures --aois aois.json")
    assert "of 2 files: 1 measured, 0 skipped, 1 with errors" in result.out
