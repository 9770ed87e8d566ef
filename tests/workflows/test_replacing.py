"""The tables of events of two commands in one file: the richer one stays, either order."""

from __future__ import annotations

import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import OutputError
from gazetrack.events.ivt import IVT
from gazetrack.tables.store import read_meta, read_table, write_table
from gazetrack.workflows.replacing import kept_richer, refuse_other


@pytest.fixture
def folder(tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=3, size=(48, 64))
    example.exports[0].rename(tmp_path / "raw.asc")
    return tmp_path


@pytest.fixture
def table(folder):
    return folder / "raw.events.parquet"


def convert(folder, **choices):
    (outcome,) = gazetrack.convert(folder / "raw.asc", events=True, **choices)
    return outcome


def detect(folder, **choices):
    options = gazetrack.EventsOptions(**choices)
    (outcome,) = gazetrack.convert_files([folder / "raw.asc"], options)
    if outcome.error is not None:
        raise outcome.error
    return outcome


def own_rows(path):
    frame = pd.read_parquet(path)
    own = frame[frame["source"] == "tracker"] if "source" in frame else frame
    columns = ["kind", "onset_ms", "duration_ms", "trial"]
    return own[columns].astype(str).sort_values(columns).to_numpy().tolist()


@pytest.mark.parametrize("source", ["both", "tracker"])
def test_events_take_the_place_of_the_exports_own(folder, table, source):
    convert(folder)
    own = own_rows(table)
    assert len(own) > 10
    detect(folder, source=source)
    assert own_rows(table) == own
    assert "movements" in read_meta(table)


def test_the_exports_own_do_not_take_the_place_of_events(folder, table):
    detect(folder)
    before = table.read_bytes()
    outcome = convert(folder)
    assert table.read_bytes() == before
    assert [output["path"].rpartition("/")[2] for output in outcome.outputs] == [
        "raw.fixations.parquet"
    ]
    (note,) = [note for note in outcome.notes if "raw.events.parquet" in note]
    assert "stays (--force replaces it" in note
    assert outcome.summary["notes"] == outcome.notes
    convert(folder, force=True)
    assert "movements" not in read_meta(table)


def test_what_lies_there_does_not_change_the_metadata_of_others(folder):
    convert(folder)
    alone = (folder / "raw.fixations.parquet").read_bytes()
    detect(folder)
    convert(folder)
    assert (folder / "raw.fixations.parquet").read_bytes() == alone


def test_detected_events_alone_lie_beside_them(folder, table):
    convert(folder)
    before = table.read_bytes()
    outcome = detect(folder, source="detected", detector=IVT())
    assert table.read_bytes() == before
    (output,) = outcome.outputs
    assert output["path"] == str(folder / "raw.ivt.events.parquet")
    assert set(pd.read_parquet(output["path"])["source"]) == {"detected"}


@pytest.mark.parametrize("change", ["trials", "export", "source"])
def test_a_table_that_lacks_something_is_not_kept_but_told(folder, table, change):
    """A manifest's own output as well: what is there is no longer what it wrote."""
    manifest = {"manifest": folder / "done.jsonl"}
    convert(folder, **manifest)
    detect(folder, source="tracker")
    choices = {"trial_by": "message=images/(.+).png"} if change == "trials" else {}
    if change == "export":
        export = folder / "raw.asc"
        export.write_bytes(export.read_bytes() + b"** later\n")
    if change == "source":
        rows = read_table(table)[0].slice(1)
        write_table(table, rows, read_meta(table), force=True)
    before = table.read_bytes()
    with pytest.raises(OutputError, match="holds eye movements of gazetrack events") as refused:
        convert(folder, **choices, **manifest)
    assert "gazetrack events again" in refused.value.hint
    assert table.read_bytes() == before


def test_a_study_with_a_manifest_keeps_the_richer_table(folder, table):
    manifest = {"manifest": folder / "done.jsonl"}
    convert(folder, **manifest)
    detect(folder)
    before = table.read_bytes()
    assert "stays" in convert(folder, **manifest).notes[-1]
    convert(folder, **manifest)
    assert table.read_bytes() == before


def test_events_of_others_are_not_replaced(folder, table):
    convert(folder)
    meta = read_meta(table)
    other = {"source": meta["source"] | {"sha256": "0" * 64}, "movements": {"source": "both"}}
    with pytest.raises(OutputError, match="holds another recording"):
        refuse_other(table, other, force=False, same_bytes=True)
    renamed = {"source": {"file": "b.asc", "sha256": "0"}, "movements": {"source": "both"}}
    with pytest.raises(OutputError, match=r"of raw\.asc"):
        refuse_other(table, renamed, force=False, same_bytes=False)
    refuse_other(table, renamed, force=True, same_bytes=False)
    fixations = folder / "raw.fixations.parquet"
    mine = {"source": meta["source"], "movements": {"source": "both"}}
    with pytest.raises(OutputError, match="own fixations"):
        refuse_other(fixations, mine, force=False, same_bytes=True)
    assert not kept_richer(fixations, read_table(fixations)[0], meta)


def test_a_file_of_somebody_elses_program_is_not_looked_into(folder, table):
    table.write_bytes(b"notes of mine")
    with pytest.raises(OutputError, match="not written by gazetrack"):
        convert(folder)
    with pytest.raises(OutputError, match="not written by gazetrack"):
        detect(folder)
    assert table.read_bytes() == b"notes of mine"
