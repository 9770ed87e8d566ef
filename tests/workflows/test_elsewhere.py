"""Files that lie elsewhere: near while there is work on them, and told by their addresses."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazetrack.errors import ConfigError, InputError, OutputError, ParseError
from gazetrack.storage.address import output_folder
from gazetrack.storage.objects import listed, send
from gazetrack.tables.store import KEY
from gazetrack.workflows.convert import ConvertOptions, convert, convert_files
from gazetrack.workflows.elsewhere import near_file, written
from gazetrack.workflows.info import info
from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.quality import quality
from gazetrack.workflows.read import read
from tests.object_store import BUCKET
from tests.pupil_files import write_core

LAB = f"s3://{BUCKET}"
GAZE = "x,y,t\n" + "".join(f"{100 + i % 2},{200 + 50 * (i // 70)},{i * 4}\n" for i in range(210))
FIXATIONS = ((250.0, 400, 300.0, 200.0), (700.0, 300, 800.0, 500.0))


@pytest.fixture(autouse=True)
def _temporary(tmp_path, monkeypatch):
    """Whatever is left behind in the folder for temporary files fails the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture(params=["memory", "s3"])
def lab(request):
    """An empty folder of each store."""
    if request.param == "memory":
        return request.getfixturevalue("memory_store")
    request.getfixturevalue("object_store")
    return LAB


def put(url, data, tmp_path):
    file = tmp_path / "to-put"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    send(file, url)


def put_folder(folder, url):
    for file in folder.rglob("*"):
        if file.is_file():
            send(file, f"{url}/{file.relative_to(folder).as_posix()}")


def table(url):
    with near_file(url) as file:
        return file.read_bytes()


def test_an_export_is_converted_beside_itself_to_the_same_bytes_as_here(lab, tmp_path):
    put(f"{lab}/s01/raw.csv", GAZE, tmp_path)
    (tmp_path / "raw.csv").write_text(GAZE)
    convert(tmp_path / "raw.csv", samples=True)
    (outcome,) = convert(f"{lab}/s01/raw.csv", samples=True)
    assert outcome.file == f"{lab}/s01/raw.csv"
    paths = [entry["path"] for entry in outcome.outputs]
    assert paths == [f"{lab}/s01/raw.{kind}.parquet" for kind in ("fixations", "samples")]
    for path in paths:
        assert table(path) == (tmp_path / path.rpartition("/")[2]).read_bytes()
    assert listed(f"{lab}/s01", recursive=True)[0] == sorted([*paths, f"{lab}/s01/raw.csv"])


def test_a_folder_goes_to_another_store_or_to_this_machine(lab, tmp_path):
    for name in ("a.csv", "below/b.csv"):
        put(f"{lab}/raw/{name}", GAZE, tmp_path)
    put(f"{lab}/raw/readme.txt", "Recorded in spring.\n", tmp_path)
    done = convert(f"{lab}/raw", recursive=True, out=f"{lab}/tables")
    assert {outcome.file.rpartition("/")[2]: outcome.status for outcome in done} == {
        "a.csv": "ok",
        "b.csv": "ok",
        "readme.txt": "skipped",
    }
    there = [f"{lab}/tables/{name}.fixations.parquet" for name in ("a", "b")]
    assert listed(f"{lab}/tables", recursive=True)[0] == there
    convert(f"{lab}/raw/*.csv", out=tmp_path / "here")
    assert (tmp_path / "here" / "a.fixations.parquet").read_bytes() == table(there[0])
    (tmp_path / "raw.csv").write_text(GAZE)
    convert((tmp_path / "raw.csv").as_uri(), out=f"{lab}/more")
    assert listed(f"{lab}/more", recursive=True)[0] == [f"{lab}/more/raw.fixations.parquet"]


def test_files_of_one_recording_are_joined_there_as_here(lab, tmp_path):
    write_core(tmp_path / "ada", FIXATIONS)
    put_folder(tmp_path / "ada", f"{lab}/study/ada")
    (here, *_) = convert(tmp_path / "ada")
    (there, joined) = convert(f"{lab}/study/ada")
    assert joined.status == "joined"
    assert joined.notes == [f"read with {lab}/study/ada/gaze_positions.csv, as one recording"]
    assert there.outputs[0]["sha256"] == here.outputs[0]["sha256"]


def test_what_a_reader_looks_at_beside_and_above_a_table_comes_with_it(lab, tmp_path):
    sub = tmp_path / "set" / "sub-01" / "eyetrack"
    sub.mkdir(parents=True)
    gaze = "".join(f"{i * 2}\t{100 + i % 2}\t200\t1000\n" for i in range(300))
    (sub / "sub-01_recording-eye1_physio.tsv").write_text(gaze)
    about = (
        '{"SamplingFrequency": 500, "StartTime": 0, "PhysioType": "eyetrack", '
        '"RecordedEye": "left", "Columns": ["timestamp", "x_coordinate", "y_coordinate", '
        '"pupil_size"]}'
    )
    (tmp_path / "set" / "recording-eye1_physio.json").write_text(about)
    (tmp_path / "set" / "dataset_description.json").write_text("{}")
    put_folder(tmp_path / "set", f"{lab}/set")
    here = info(sub / "sub-01_recording-eye1_physio.tsv")
    there = info(f"{lab}/set/sub-01/eyetrack/sub-01_recording-eye1_physio.tsv")
    assert there.pop("file").startswith(lab)
    here.pop("file")
    assert there == here
    assert there["rate_hz"] == 500


def test_in_python_an_address_is_read_as_a_file_is(lab, tmp_path):
    put(f"{lab}/s01/raw.csv", GAZE, tmp_path)
    recording = read(f"{lab}/s01/raw.csv")
    assert recording.name == "raw"
    assert len(recording.samples) == 210
    report = quality(f"{lab}/s01/raw.csv")
    assert report["n_samples"].tolist() == [210]
    facts = info(f"{lab}/s01/raw.csv")
    assert facts["file"] == f"{lab}/s01/raw.csv"
    assert facts["samples"] == 210
    convert(f"{lab}/s01/raw.csv")
    facts = info(f"{lab}/s01/raw.fixations.parquet")
    assert (facts["file"], facts["format"]) == (
        f"{lab}/s01/raw.fixations.parquet",
        "gazetrack_fixations",
    )


def test_what_gazetrack_did_not_write_is_not_replaced(lab, tmp_path):
    put(f"{lab}/raw.csv", GAZE, tmp_path)
    target = f"{lab}/raw.fixations.parquet"
    stranger = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), stranger)
    for foreign in (b"a text", stranger.getvalue(), b""):
        put(target, foreign, tmp_path)
        with pytest.raises(OutputError, match="was not written by gazetrack") as caught:
            convert(f"{lab}/raw.csv")
        assert str(caught.value.path) == target
        assert table(target) == foreign
    convert(f"{lab}/raw.csv", force=True)
    assert KEY in pq.read_schema(io.BytesIO(table(target))).metadata
    before = table(target)
    convert(f"{lab}/raw.csv")
    assert table(target) == before


def test_a_table_of_another_recording_is_not_replaced(lab, tmp_path):
    put(f"{lab}/a/raw.csv", GAZE, tmp_path)
    put(f"{lab}/b/raw.csv", GAZE.replace("100,", "300,"), tmp_path)
    convert(f"{lab}/a/raw.csv", out=f"{lab}/tables")
    with pytest.raises(OutputError, match="holds another recording"):
        convert(f"{lab}/b/raw.csv", out=f"{lab}/tables")


def test_an_error_in_an_export_tells_its_address_and_line(lab, tmp_path):
    put(f"{lab}/raw.csv", GAZE + "1,two,900\n", tmp_path)
    with pytest.raises(ParseError) as caught:
        convert(f"{lab}/raw.csv")
    assert str(caught.value).startswith(f"{lab}/raw.csv:212:2: ")
    assert tempfile.gettempdir() not in caught.value.whole()


def test_an_object_that_is_missing_fails_alone(lab, tmp_path):
    put(f"{lab}/raw.csv", GAZE, tmp_path)
    done = list(convert_files([f"{lab}/none.csv", f"{lab}/raw.csv"], ConvertOptions()))
    assert [outcome.status for outcome in done] == ["failed", "ok"]
    assert "no such object or bucket (404)" in str(done[0].error)
    with pytest.raises(InputError, match="a folder without files"):
        convert(f"{lab}/*.tsv")


def test_a_key_cannot_lead_out_of_the_private_folder(lab, tmp_path):
    put(f"{lab}/../../raw.csv", GAZE, tmp_path)
    with near_file(f"{lab}/../../raw.csv") as copy:
        assert Path(tempfile.gettempdir()) in copy.resolve().parents
        assert copy.read_text() == GAZE


def test_participants_without_names_are_in_no_message_of_an_address(lab, tmp_path):
    from gazetrack.tables.pseudonyms import Pseudonyms

    put(f"{lab}/ada lovelace.csv", GAZE + "1,two,900\n", tmp_path)
    put(f"{lab}/grace hopper.csv", GAZE, tmp_path)
    options = ConvertOptions(pseudonyms=Pseudonyms("drop"), out=f"{lab}/tables")
    files = [f"{lab}/ada lovelace.csv", f"{lab}/grace hopper.csv"]
    bad, good = convert_files(files, options)
    assert "lovelace" not in bad.error.whole()
    assert str(bad.error).startswith("input 1 of 2:212:2")
    assert good.outputs[0]["path"].startswith(f"{lab}/tables/")
    assert "hopper" not in str(good.as_json())


@pytest.mark.slow
def test_several_processes_share_a_store(object_store, tmp_path):
    for name in ("a", "b"):
        put(f"{LAB}/raw/{name}.csv", GAZE, tmp_path)
    done = convert(f"{LAB}/raw", jobs=2, out=f"{LAB}/tables")
    assert [outcome.status for outcome in done] == ["ok", "ok"]
    assert object_store.names()[2:] == [f"tables/{n}.fixations.parquet" for n in ("a", "b")]


def test_the_memory_of_a_process_is_not_shared(memory_store, tmp_path):
    for name in ("a", "b"):
        put(f"{memory_store}/{name}.csv", GAZE, tmp_path)
    with pytest.raises(ConfigError, match="one process"):
        convert(memory_store, jobs=2)


def test_a_refusal_in_the_middle_leaves_the_older_table(object_store, tmp_path):
    put(f"{LAB}/raw.csv", GAZE, tmp_path)
    convert(f"{LAB}/raw.csv")
    before = object_store.get("raw.fixations.parquet")
    faults = object_store.faults
    faults.status, faults.times, faults.method = 403, 99, "PUT"
    (outcome,) = convert_files([f"{LAB}/raw.csv"], ConvertOptions(detector=None))
    assert outcome.status == "failed"
    assert outcome.outputs == []
    assert str(outcome.error).startswith(f"{LAB}/raw.fixations.parquet: may not be written")
    assert outcome.error.exit_code == 3
    faults.times = 0
    assert object_store.get("raw.fixations.parquet") == before


def test_a_refused_look_at_what_is_there_is_no_word_that_it_is_foreign(object_store, tmp_path):
    put(f"{LAB}/raw.csv", GAZE, tmp_path)
    convert(f"{LAB}/raw.csv")
    faults = object_store.faults
    faults.status, faults.times, faults.method, faults.path = 403, 99, "GET", "raw.fixations"
    with pytest.raises(InputError, match=r"may not be read: the store refuses \(403\)"):
        convert(f"{LAB}/raw.csv")


def test_what_is_not_written_is_not_sent(lab, tmp_path):
    put(f"{lab}/out/a", b"old", tmp_path)
    with written(*output_folder(f"{lab}/out"), ["a", "b"]) as folder:
        (folder / "b").write_bytes(b"new")
    assert table(f"{lab}/out/a") == b"old"
    assert table(f"{lab}/out/b") == b"new"

    def fails():
        with written(*output_folder(f"{lab}/out"), ["a", "b"]) as folder:
            (folder / "a").write_bytes(b"newer")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert table(f"{lab}/out/a") == b"old"


def test_a_folder_here_is_written_to_as_it_is(tmp_path):
    with written(*output_folder(tmp_path), ["a"]) as folder:
        assert folder == tmp_path
    assert output_folder(None) == (None, "")


def test_no_password_of_an_address_is_in_what_is_told_or_written(memory_store, tmp_path):
    put(f"{memory_store}/raw.csv", GAZE, tmp_path)
    signed = "memory://ann:hidden@lab/raw.csv?sig=token"
    (source,) = find_sources([signed], out="memory://ann:hidden@lab/out?sig=token")
    assert str(source.path) == "memory://lab/raw.csv"
    assert str(source.target) == "memory://lab/out/raw"
    for text in (repr(source), str(source)):
        assert "hidden" not in text
        assert "token" not in text


def test_pandas_reads_the_same_table_from_the_store(object_store, tmp_path):
    put(f"{LAB}/raw.csv", GAZE, tmp_path)
    convert(f"{LAB}/raw.csv")
    assert len(pd.read_parquet(f"{LAB}/raw.fixations.parquet")) == 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_for_copies_says_which_and_sends_nothing(lab, tmp_path, monkeypatch, number):
    put(f"{lab}/raw.csv", GAZE, tmp_path)
    convert(f"{lab}/raw.csv")
    target = f"{lab}/raw.fixations.parquet"
    before = table(target)

    def full(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    (outcome,) = convert_files([f"{lab}/raw.csv"], ConvertOptions(force=True))
    monkeypatch.undo()
    assert outcome.status == "failed"
    assert outcome.error.exit_code == 3
    assert str(outcome.error.path) == target
    assert os.strerror(number) in outcome.error.what
    assert "set TMPDIR" in outcome.error.hint
    assert table(target) == before
