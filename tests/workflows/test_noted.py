"""What was found in recordings, kept in a manifest until their report is complete."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.errors import InputError
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.noted import Notes, packed, unpacked


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lengths(done, parameters=None, kind="length", fails=(), holds=None):
    """Go on with a report of how long files are; `done` lists those that are looked at."""

    def work(left, at_once):
        for source in left:
            done.append(source.name)
            result = None if source.name in fails else len(source.path.read_bytes())
            at_once(source, result)
            yield result

    with Manifest("study.jsonl") as manifest:
        notes = Notes(manifest, kind, parameters or {}, holds)
        return list(
            notes.going_on(
                find_sources(["a.csv", "b.csv", "c.csv"]),
                work,
                kept=lambda result: None if result is None else {"length": result},
                again=lambda source, kept: kept["length"],
            )
        )


def test_nothing_is_done_twice_and_the_order_is_that_of_the_recordings(folder):
    done = []
    assert lengths(done, fails=("b",)) == [1, None, 1]
    (folder / "c.csv").write_text("longer")
    assert lengths(done) == [1, 1, 6]
    assert done == ["a", "b", "c", "b", "c"]
    assert lengths(done, {"unit": "bytes"}) == [1, 1, 6]
    assert len(done) == 8
    assert lengths(done, kind="another") == [1, 1, 6]
    assert len(done) == 11
    # Reports of several kinds share a manifest.
    lengths(done, kind="another")
    lengths(done, {"unit": "bytes"})
    assert len(done) == 11


def test_a_note_that_does_not_say_what_it_should_is_made_again(folder):
    done = []
    lengths(done)
    path = folder / "study.jsonl"
    path.write_text(path.read_text().replace('{"length": 1}', "{}", 2))
    assert lengths(done, holds={"length": int}) == [1, 1, 1]
    assert done == ["a", "b", "c", "a", "b"]


def test_a_table_is_the_same_again():
    table = pa.table(
        {
            "name": pa.array(["a", "b", "a"]).dictionary_encode(),
            "value": np.array([0.1, np.nan, -np.inf]),
        },
        metadata={"k": "v"},
    )
    again = unpacked(packed(table))
    assert again.schema.equals(table.schema, check_metadata=True)
    assert (
        again.column("value")
        .combine_chunks()
        .view(pa.int64())
        .equals(table.column("value").combine_chunks().view(pa.int64()))
    )
    assert again.column("name").to_pylist() == ["a", "b", "a"]


@pytest.mark.parametrize("text", ["no base 64!", "aGVsbG8=", packed(pa.table({"a": [1]}))[:40]])
def test_a_damaged_table_is_told(text):
    with pytest.raises(InputError, match="damaged"):
        unpacked(text)
