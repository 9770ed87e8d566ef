"""Exports into fixation tables: what is written where, what is said of it, and what fails alone."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest

from gazetrack.errors import ConfigError, InputError, OutputError, UnknownFormat
from gazetrack.events.ivt import IVT
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.tables.store import read_meta
from gazetrack.workflows.convert import ConvertOptions, convert, convert_files

# The eye rests for 280 ms at each of three places, moving by a pixel to and fro.
PLACES = ((100, 200), (400, 250), (250, 120))


def gaze(places=PLACES, participant=""):
    header = "x,y,t,participant\n" if participant else "x,y,t\n"
    more = f",{participant}" if participant else ""
    rows = []
    for i in range(70 * len(places)):
        x, y = places[i // 70]
        rows.append(f"{x + i % 2},{y + i % 2},{4 * i}{more}\n")
    return header + "".join(rows)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "raw.csv").write_text(gaze())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.glob("*.parquet"))


def test_the_table_lies_beside_its_export_with_a_row_a_look(folder):
    (outcome,) = convert("raw.csv")
    (output,) = outcome.outputs
    assert output["path"] == "raw.fixations.parquet"
    written = (folder / "raw.fixations.parquet").read_bytes()
    assert output["sha256"] == hashlib.sha256(written).hexdigest()
    table = pd.read_parquet("raw.fixations.parquet")
    assert len(table) == output["rows"] == outcome.rows_out == outcome.summary["fixations"] == 3
    for row, (x, y) in zip(table.itertuples(), PLACES, strict=True):
        assert (row.x_px, row.y_px) == pytest.approx((x + 0.5, y + 0.5), abs=1)
        assert row.duration_ms == pytest.approx(280, abs=20)
    assert set(table["recording"]) == {"raw"}


def test_the_table_says_what_it_was_made_of(folder):
    (outcome,) = convert("raw.csv")
    digest = hashlib.sha256((folder / "raw.csv").read_bytes()).hexdigest()
    assert outcome.sha256 == digest
    assert (outcome.status, outcome.format, outcome.rows_in) == ("ok", "generic", 210)
    meta = read_meta(folder / "raw.fixations.parquet")
    assert meta["source"] == {"file": "raw.csv", "sha256": digest}
    assert meta["notes"] == outcome.notes
    assert meta["fixation_source"] == "detector"


def test_rows_read_are_those_used_and_those_dropped(folder):
    (folder / "raw.csv").write_text(gaze() + "100,200,\n101,200,\n")
    (outcome,) = convert("raw.csv")
    assert outcome.rows_in == 212
    assert sum(outcome.dropped.values()) == 2
    assert outcome.as_json()["rows_used"] == 210


def test_samples_and_events_are_written_when_asked_for(folder):
    (outcome,) = convert("raw.csv", samples=True, events=True, out="tables")
    assert names(folder / "tables") == [
        f"raw.{kind}.parquet" for kind in ("events", "fixations", "samples")
    ]
    samples = pd.read_parquet("tables/raw.samples.parquet")
    assert list(samples["t_ms"]) == [4.0 * i for i in range(210)]
    assert list(samples["x_px"][:3]) == [100, 101, 100]
    assert {output["path"]: output["rows"] for output in outcome.outputs} == {
        "tables/raw.fixations.parquet": 3,
        "tables/raw.samples.parquet": 210,
        "tables/raw.events.parquet": 0,
    }
    assert names(folder) == []


def test_fixations_of_a_detector_that_was_chosen_carry_its_name(folder):
    convert("raw.csv", detector=IVT())
    assert names(folder) == ["raw.ivt.fixations.parquet"]
    assert read_meta(folder / "raw.ivt.fixations.parquet")["detector"]["name"] == "ivt"


def test_samples_of_ours_lead_to_the_export_they_were_made_of(folder):
    convert("raw.csv", samples=True)
    convert("raw.samples.parquet", out="again")
    (written,) = (folder / "again").iterdir()
    source = read_meta(written)["source"]
    digest = hashlib.sha256((folder / "raw.csv").read_bytes()).hexdigest()
    assert source["made_of"] == {"file": "raw.csv", "sha256": digest}


def test_a_failed_input_does_not_touch_the_others(folder):
    (folder / "bad.csv").write_text("nothing that anybody knows")
    told = []
    options = ConvertOptions(out="tables")
    outcomes = list(
        convert_files(
            ["bad.csv", "raw.csv", "gone.csv"], options, progress=lambda *now: told.append(now)
        )
    )
    assert [one.status for one in outcomes] == ["failed", "ok", "failed"]
    assert [one.file for one in outcomes] == ["bad.csv", "raw.csv", "gone.csv"]
    assert isinstance(outcomes[0].error, UnknownFormat)
    assert isinstance(outcomes[2].error, InputError)
    assert names(folder / "tables") == ["raw.fixations.parquet"]
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_the_first_error_is_raised_when_all_are_done(folder):
    (folder / "bad.csv").write_text("nothing that anybody knows")
    with pytest.raises(UnknownFormat, match=r"bad\.csv"):
        convert(["bad.csv", "raw.csv"])
    assert names(folder) == ["raw.fixations.parquet"]


def test_of_a_folder_what_is_no_export_is_skipped(folder):
    (folder / "notes.txt").write_text("nothing that anybody knows")
    outcomes = {one.file: one for one in convert(folder)}
    assert outcomes[str(folder / "notes.txt")].status == "skipped"
    assert outcomes[str(folder / "notes.txt")].error is None
    assert "notes.txt" in outcomes[str(folder / "notes.txt")].notes[0]
    assert outcomes[str(folder / "raw.csv")].status == "ok"


def test_two_inputs_for_one_place_are_not_pooled(folder):
    (folder / "raw.txt").write_text(gaze(PLACES[::-1]))
    first, second = convert(["raw.csv", "raw.txt"], errors="report")
    assert first.status == "ok"
    assert isinstance(second.error, OutputError)
    assert "raw.csv" in str(second.error)


def test_all_tables_of_an_input_are_written_or_none(folder):
    convert("raw.csv")
    before = (folder / "raw.fixations.parquet").read_bytes()
    (folder / "raw.csv").write_text(gaze(PLACES[:2]))
    (folder / "raw.samples.parquet").write_text("of somebody else")
    with pytest.raises(OutputError, match=r"raw\.samples\.parquet"):
        convert("raw.csv", samples=True)
    assert (folder / "raw.fixations.parquet").read_bytes() == before
    convert("raw.csv", samples=True, force=True)
    assert len(pd.read_parquet("raw.fixations.parquet")) == 2


def test_a_folder_for_all_keeps_the_table_of_another_recording(folder):
    (folder / "other").mkdir()
    (folder / "other" / "raw.csv").write_text(gaze(PLACES[::-1]))
    convert("raw.csv", out="tables")
    with pytest.raises(OutputError, match="another recording"):
        convert("other/raw.csv", out="tables")
    convert("other/raw.csv", out="tables", force=True)
    convert("other/raw.csv", out="tables")


def test_beside_its_export_a_table_follows_it(folder):
    convert("raw.csv")
    (folder / "raw.csv").write_text(gaze(PLACES[::-1]))
    convert("raw.csv")
    first = pd.read_parquet("raw.fixations.parquet").iloc[0]
    assert (first.x_px, first.y_px) == pytest.approx((250.5, 120.5), abs=1)


@pytest.mark.parametrize("wrong", [{"trial_by": "the moon"}, {"eye": "third"}])
def test_choices_that_cannot_be_name_the_file(folder, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong.values()))) as caught:
        convert("raw.csv", **wrong)
    assert str(caught.value.path) == "raw.csv"
    assert names(folder) == []


def test_exports_that_name_a_recording_alike_are_told(folder):
    header = "Recording timestamp [ms]\tRecording name\tGaze point X\tGaze point Y\tSensor\n"
    rows = "".join(f"{10 * i}\tlong\t{100 + i % 2}\t200\tEye Tracker\n" for i in range(80))
    for name in ("anna.tsv", "ben.tsv"):
        (folder / name).write_text(header + rows)
    anna, ben = convert(["anna.tsv", "ben.tsv"])
    assert not [note for note in anna.notes if "as well" in note]
    assert [note for note in ben.notes if "anna.tsv names a recording long as well" in note]


@pytest.mark.parametrize("policy", ["drop", "hash"])
def test_without_names_no_file_and_no_person_is_named(folder, policy):
    person = "Rosalind"
    (folder / f"{person}.csv").write_text(gaze(participant=person))
    key = bytes(range(32)) if policy == "hash" else b""
    (outcome,) = convert(f"{person}.csv", out="tables", pseudonyms=Pseudonyms(policy, key))
    assert outcome.file == "input 1 of 1"
    assert person.lower() not in json.dumps(outcome.as_json(), default=str).lower()
    (written,) = (folder / "tables").iterdir()
    assert person.lower() not in written.name.lower()
    assert person.encode().lower() not in written.read_bytes().lower()
    digest = hashlib.sha256((folder / f"{person}.csv").read_bytes()).hexdigest()
    assert read_meta(written)["source"]["file"] == f"sha256-{digest[:12]}"


def test_an_input_that_fails_without_names_is_told_by_its_place(folder):
    (folder / "Rosalind.csv").write_text("Rosalind, and nothing that anybody knows")
    pseudonyms = Pseudonyms("drop")
    _, failed = convert(["raw.csv", "Rosalind.csv"], pseudonyms=pseudonyms, errors="report")
    assert failed.status == "failed"
    assert str(failed.error).startswith("input 2 of 2")
    assert "Rosalind" not in str(failed.error)


def test_a_single_path_is_one_export(folder):
    for path in ("raw.csv", folder / "raw.csv"):
        (outcome,) = convert_files(path, ConvertOptions(force=True))
        assert outcome.status == "ok"
