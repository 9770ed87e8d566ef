"""What lies beside a recording is a part of it: a change there is a change of the recording."""

from __future__ import annotations

import gzip
import json

import pytest

from gazetrack.storage.objects import send
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.company import BIDS_ROOT, RecordingFiles, address_above, company_of
from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.inputs import Source
from gazetrack.workflows.quality import plan_quality, quality_files
from gazetrack.workflows.read import InputOptions

TABLE = "sub-01_task-look_recording-eye1_physio.tsv.gz"
SIDECAR = "sub-01_task-look_recording-eye1_physio.json"
MANIFEST = "study.jsonl"


def described(rate=250):
    return {
        "PhysioType": "eyetrack",
        "RecordedEye": "right",
        "SampleCoordinateSystem": "gaze-on-screen",
        "SamplingFrequency": rate,
        "StartTime": 0,
        "Columns": ["timestamp", "x_coordinate", "y_coordinate"],
        "timestamp": {"Units": "ms"},
        "x_coordinate": {"Units": "pixel"},
        "y_coordinate": {"Units": "pixel"},
    }


def write_bids(folder):
    """Write a data set with one table, its sidecar beside it, and its root two folders above."""
    beside = folder / "sub-01" / "beh"
    beside.mkdir(parents=True)
    (folder / BIDS_ROOT).write_text('{"Name": "look", "BIDSVersion": "1.11.0"}')
    rows = "".join(f"{4 * i}\t{100 + i % 3}\t{200 + i % 2}\n" for i in range(300))
    (beside / TABLE).write_bytes(gzip.compress(rows.encode(), mtime=0))
    (beside / SIDECAR).write_text(json.dumps(described()))
    return beside


@pytest.fixture
def bids(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_bids(tmp_path / "data")


def converted(**options):
    """Convert the table, or find that it is done; return the outcome."""
    (outcome,) = convert_files(
        [f"data/sub-01/beh/{TABLE}"], ConvertOptions(out="tables", **options), manifest=MANIFEST
    )
    assert outcome.status == "ok", outcome.error
    return outcome


def written(folder):
    tables = sorted((folder / "tables").glob("*.parquet"))
    return {path.name: path.stat().st_mtime_ns for path in tables}


def test_a_sidecar_that_changes_is_a_recording_that_has_changed(bids, tmp_path):
    converted()
    first = written(tmp_path)
    converted()
    assert written(tmp_path) == first
    (bids / SIDECAR).write_text(json.dumps(described(rate=500)))
    again = converted()  # without --force: the table of before is known
    assert again.summary["rate_hz"] == 500
    assert written(tmp_path) != first


def test_a_sidecar_that_is_written_anew_with_the_same_bytes_is_the_same(bids, tmp_path):
    converted()
    first = written(tmp_path)
    (bids / SIDECAR).write_text(json.dumps(described()))
    converted()
    assert written(tmp_path) == first


def test_a_sidecar_above_that_appears_later_counts_too(bids, tmp_path):
    converted()
    first = written(tmp_path)
    (tmp_path / "data" / "task-look_physio.json").write_text('{"Manufacturer": "SR Research"}')
    converted()
    assert written(tmp_path) != first


def test_events_beside_the_table_count_too(bids, tmp_path):
    converted()
    first = written(tmp_path)
    events = bids / TABLE.replace("_physio.", "_physioevents.")
    events.write_bytes(gzip.compress(b"0\tn/a\tstart\n", mtime=0))
    columns = {"Columns": ["onset", "duration", "message"], "OnsetSource": "timestamp"}
    (bids / SIDECAR.replace("_physio.", "_physioevents.")).write_text(json.dumps(columns))
    converted()
    assert written(tmp_path) != first


def test_what_was_shown_and_the_other_eye_count_too(bids, tmp_path):
    other = TABLE.replace("eye1", "eye2")
    (bids / other).write_bytes((bids / TABLE).read_bytes())
    right = described() | {"RecordedEye": "right"}
    (bids / other.replace(".tsv.gz", ".json")).write_text(json.dumps(right))
    source = Source(bids / TABLE, "r", bids / "r", eyes=(bids / other,))
    seen = [RecordingFiles().of(source)]
    events = bids / "sub-01_task-look_events.tsv"
    events.write_text("onset\tduration\tstimulus\n0\t1\ta.png\n")
    seen.append(RecordingFiles().of(source))
    right["SamplingFrequency"] = 500
    (bids / other.replace(".tsv.gz", ".json")).write_text(json.dumps(right))
    seen.append(RecordingFiles().of(source))
    assert len({str(files) for files in seen}) == 3
    assert [len(files) for files in seen] == [4, 6, 6]


def test_a_recording_that_is_not_named_depends_on_what_is_beside_it(bids, tmp_path):
    nameless = Pseudonyms("hash", b"k" * 32)
    converted(pseudonyms=nameless)
    first = written(tmp_path)
    converted(pseudonyms=nameless)
    assert written(tmp_path) == first
    (bids / SIDECAR).write_text(json.dumps(described(rate=500)))
    assert converted(pseudonyms=nameless).summary["rate_hz"] == 500


def test_a_report_of_quality_depends_on_what_is_beside_a_recording(bids):
    path = f"data/sub-01/beh/{TABLE}"
    quality_files([path], InputOptions(), manifest=MANIFEST)
    assert [one.action for one in plan_quality([path], InputOptions(), manifest=MANIFEST)] == [
        "done"
    ]
    (bids / SIDECAR).write_text(json.dumps(described(rate=500)))
    (planned,) = plan_quality([path], InputOptions(), manifest=MANIFEST)
    assert (planned.action, planned.why) == ("measure", "the recording has changed")


@pytest.mark.parametrize("name", ["gaze.csv", "GAZE_DATA.csv", "fixations.csv"])
def test_some_tables_have_a_file_beside_them(name):
    there = ["meta_data.json", "reference_image.png", "notes.txt", name]
    assert list(company_of(name, lambda _: there)) == [
        (0, "meta_data.json"),
        (0, "reference_image.png"),
    ]
    assert list(company_of("other.csv", lambda _: there)) == []


def test_sidecars_of_other_people_and_beyond_the_data_set_do_not_count():
    folders = {
        0: [SIDECAR, SIDECAR.replace("sub-01", "sub-02"), TABLE],
        1: ["sub-01_physio.json"],
        2: ["task-look_physio.json", "task-other_physio.json", BIDS_ROOT],
        3: ["physio.json"],
    }
    assert list(company_of(TABLE, folders.get)) == [
        (0, SIDECAR),
        (1, "sub-01_physio.json"),
        (2, "task-look_physio.json"),
        (2, BIDS_ROOT),
    ]


def test_above_a_bucket_there_is_nothing():
    assert address_above("s3://lab/a/b/c.tsv", 0) == "s3://lab/a/b"
    assert address_above("s3://lab/a/b/c.tsv", 2) == "s3://lab"
    assert address_above("s3://lab/a/b/c.tsv", 3) == ""


def test_what_lies_beside_an_object_of_a_store_counts_too(bids, memory_store):
    url = f"{memory_store}/sub-01/beh"
    for name in (TABLE, SIDECAR):
        send(bids / name, f"{url}/{name}")
    path = bids / TABLE
    source = Source(path, "r", bids / "r", addresses={path: f"{url}/{TABLE}"})
    before = RecordingFiles().of(source)
    assert len(before) == 2
    assert RecordingFiles().of(source) == before
    (bids / SIDECAR).write_text(json.dumps(described(rate=500)))
    send(bids / SIDECAR, f"{url}/{SIDECAR}")
    assert RecordingFiles().of(source) != before
