"""A folder that many write to and one puts in order."""

from __future__ import annotations

import subprocess
import sys
import time

import pyarrow as pa
import pytest

from gazetrack.errors import OutputError
from gazetrack.storage.objects import send
from gazetrack.tables.partitions import MERGED_FOLDER
from gazetrack.tables.store import write_table
from gazetrack.workflows import shared_folder
from gazetrack.workflows.shared_folder import (
    digest_of_meta,
    held,
    kept_in_merged,
    refuse_compacted_url,
    swap,
    workshop_of,
)

HOLD = """
import sys, time
from pathlib import Path
from gazetrack.workflows.shared_folder import held
print("wants it", flush=True)
with held(Path(sys.argv[1]), alone=sys.argv[2] == "alone"):
    print(time.monotonic(), flush=True)
    sys.stdin.read()
    print(time.monotonic(), flush=True)
"""


def holder(folder, how):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [("together", "together", False), ("together", "alone", True), ("alone", "together", True)],
)
def test_who_wants_it_alone_waits_and_is_waited_for(tmp_path, first, second, waits):
    one = holder(tmp_path, first)
    assert one.stdout.readline() == "wants it\n"
    assert float(one.stdout.readline())
    other = holder(tmp_path, second)
    try:
        assert other.stdout.readline() == "wants it\n"
        if waits:
            time.sleep(0.5)  # it would hold it by now
            let_go = float(one.communicate("", timeout=300)[0])
            # Of one clock, which all processes share.
            assert float(other.stdout.readline()) >= let_go
        else:
            assert float(other.stdout.readline())
            assert one.poll() is None
    finally:
        for process in (one, other):
            process.kill()
            process.communicate()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written"), held(tmp_path / "file", alone=True):
        pass


@pytest.mark.parametrize("in_one_step", [True, False])
def test_two_folders_change_places(tmp_path, monkeypatch, in_one_step):
    if not in_one_step:
        monkeypatch.setattr(shared_folder, "exchanged", lambda *_: False)
    for name in ("new", "live"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("x")
    swap(tmp_path / "new", tmp_path / "live")
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["new"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["live"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live", "new"]


def test_a_swap_of_two_steps_that_was_cut_short_is_undone(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_folder, "exchanged", lambda *_: False)
    dataset = tmp_path / "set"
    live, new = dataset / "fixations", workshop_of(dataset) / "fixations"
    for folder in (live, new):
        folder.mkdir(parents=True)
    (live / "part").write_text("all rows")
    live.rename(new.with_name("fixations.old"))  # and then the machine stopped
    with held(dataset, alone=False):
        assert (live / "part").read_text() == "all rows"


def test_the_workshop_is_not_within_the_data_set(tmp_path):
    """DuckDB and Polars find what is hidden in a folder as well."""
    assert tmp_path / "set" not in workshop_of(tmp_path / "set").parents
    assert workshop_of(tmp_path / "set").parent == tmp_path


def test_a_part_that_was_merged_is_known_by_its_metadata(tmp_path):
    meta = {"source": {"file": "raw.csv", "sha256": "a"}, "rate_hz": 500.0}
    parts = {"fixations/p/part-1.parquet": {"digest": digest_of_meta(meta)}}
    path = tmp_path / "fixations" / MERGED_FOLDER / "merged-1.parquet"
    write_table(path, pa.table({"x": [1]}), {"compacted": {"shared": {}, "parts": parts}})
    assert kept_in_merged(tmp_path, "fixations/p/part-1.parquet", meta)
    assert not kept_in_merged(tmp_path, "fixations/p/part-2.parquet", meta)
    assert not kept_in_merged(tmp_path, "samples/p/part-1.parquet", meta)
    with pytest.raises(OutputError, match="another version of the export") as caught:
        kept_in_merged(tmp_path, "fixations/p/part-1.parquet", meta | {"rate_hz": 250.0})
    assert caught.value.path == path


def test_what_was_compacted_does_not_grow_from_afar(memory_store, tmp_path):
    (tmp_path / "a").write_text("x")
    send(tmp_path / "a", f"{memory_store}/set/fixations/p/part-1.parquet")
    refuse_compacted_url(f"{memory_store}/set", {"fixations", "samples"})
    send(tmp_path / "a", f"{memory_store}/set/samples/{MERGED_FOLDER}/merged-1.parquet")
    refuse_compacted_url(f"{memory_store}/set", {"fixations"})
    with pytest.raises(OutputError, match="is a compacted data set"):
        refuse_compacted_url(f"{memory_store}/set", {"fixations", "samples"})
