"""A data set of many recordings: written by many, read by all, put in order."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from gazetrack.tables.store import read_meta
from tests.object_store import BUCKET

LAB = f"s3://{BUCKET}"
NAMES = ("001", "Ada L.", "a=b/ü", "")


def gaze(participant, shift=0):
    rows = [
        f"{100 + shift + i % 2},{200 + 50 * (i // 70)},{i * 4},{participant}\n" for i in range(210)
    ]
    return "x,y,t,participant\n" + "".join(rows)


@pytest.fixture
def exports(tmp_path):
    """Four exports of three fixations each; names of people that paths have to take."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / f"e{number}.csv").write_text(gaze(name, 10 * number))
    return folder


def parts(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))


def test_a_folder_becomes_a_data_set_that_pandas_polars_and_duckdb_read(run, exports, tmp_path):
    done = run("gazetrack convert exports --dataset dataset --samples --events")
    assert done.code == 0, done.err
    found = parts(tmp_path / "dataset")
    assert [name.partition("/by_participant=")[0] for name in found] == [
        *["fixations"] * 4,
        *["samples"] * 4,
    ], "an export without events has no part of them"
    assert "by_participant=a%3Db%2F%C3%BC" in found[2]
    expected = sorted(name for name in NAMES for _ in range(3))

    frame = pd.read_parquet("dataset/fixations")
    assert sorted(frame["participant"]) == expected
    lazy = pl.scan_parquet("dataset/fixations/**/*.parquet")
    assert sorted(lazy.collect()["participant"].cast(pl.String)) == expected
    rows = duckdb.sql("select participant from 'dataset/fixations/**/*.parquet' order by all")
    assert [name for (name,) in rows.fetchall()] == expected
    count = "select by_participant, count(*) from 'dataset/samples/**/*.parquet' group by all"
    assert ("001", 210) in duckdb.sql(count).fetchall()
    (part,) = (tmp_path / "dataset" / "fixations").glob("by_participant=001/*/*.parquet")
    assert read_meta(part)["source"]["file"] == "e0.csv"
    assert pq.read_schema(part).field("x_px").metadata[b"unit"] == b"px"
    assert len(pd.read_parquet(part)) == 3


def test_of_fixations_alone_every_parquet_file_of_the_data_set_is_one_table(run, exports):
    run("gazetrack convert exports --dataset dataset")
    query = "select count(*), sum(duration_ms) from 'dataset/**/*.parquet'"
    ((n, total),) = duckdb.sql(query).fetchall()
    assert n == 12
    assert total == pytest.approx(pd.read_parquet("dataset/fixations")["duration_ms"].sum())


@pytest.mark.slow
def test_again_it_is_the_same_data_set_whoever_writes_it(run, exports, tmp_path):
    run("gazetrack convert exports --dataset one")
    before = {name: (tmp_path / "one" / name).read_bytes() for name in parts(tmp_path / "one")}
    assert run("gazetrack convert exports --dataset one --jobs 2").code == 0
    assert run("gazetrack convert exports --dataset two --jobs 2").code == 0
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert {name: (folder / name).read_bytes() for name in parts(folder)} == before


def test_an_export_that_changed_replaces_its_part_with_force(run, exports, tmp_path):
    run("gazetrack convert exports --dataset dataset")
    (exports / "e0.csv").write_text(gaze("001", shift=300))
    done = run("gazetrack convert exports --dataset dataset")
    assert done.code == 1
    assert "holds another recording" in done.err
    assert run("gazetrack convert exports --dataset dataset --force").code == 0
    frame = pd.read_parquet("dataset/fixations")
    assert len(frame) == 12
    assert (frame[frame["participant"] == "001"]["x_px"] > 350).all()


def test_a_file_that_gazetrack_did_not_write_is_not_replaced(run, exports, tmp_path):
    run("gazetrack convert exports --dataset dataset")
    (part,) = (tmp_path / "dataset" / "fixations").glob("by_participant=001/*/*.parquet")
    part.write_bytes(b"mine")
    done = run("gazetrack convert exports/e0.csv --dataset dataset")
    assert done.code == 3
    assert "was not written by gazetrack" in done.err
    assert part.read_bytes() == b"mine"


def test_compact_merges_it_and_says_so(run, exports, tmp_path):
    run("gazetrack convert exports --dataset dataset --samples")
    query = "select recording, t_ms, x_px, y_px from 'dataset/samples/**/*.parquet' order by all"
    before = duckdb.sql(query).fetchall()
    done = run("gazetrack compact dataset")
    assert done.code == 0, done.err
    assert "fixations: 4 files in 0.0 MB are now 1 in 0.0 MB; 12 rows" in done.out
    assert "samples: 4 files in" in done.out
    assert len(parts(tmp_path / "dataset")) == 2
    assert len(before) == 840
    assert duckdb.sql(query).fetchall() == before
    done = run("gazetrack compact dataset --json")
    assert [table["files_after"] for table in json.loads(done.out)] == [1, 1]
    assert run("gazetrack convert exports --dataset dataset --samples").code == 0
    assert len(parts(tmp_path / "dataset")) == 2, "what is in it is not written again"


def test_compact_of_something_else_is_one_line(run, tmp_path):
    done = run("gazetrack compact exports")
    assert done.code == 1
    assert done.err == (
        "gazetrack: error: exports: is no data set of gazetrack - make one with: "
        "gazetrack convert EXPORTS --dataset DIR [INPUT]\n"
    )
    assert run("gazetrack compact s3://bucket/set").code == 2


def test_a_data_set_has_no_other_folder(run, exports):
    done = run("gazetrack convert exports --dataset dataset -o tables")
    assert done.code == 2
    assert "leave out one of the two" in done.err


def test_participants_under_pseudonyms_are_in_no_path(run, exports, tmp_path):
    assert run("gazetrack convert exports --dataset dataset --participant hash").code == 0
    found = "".join(parts(tmp_path / "dataset"))
    assert "=001" not in found
    assert "Ada" not in found
    assert "part-e" not in found
    assert len(pd.read_parquet("dataset/fixations")) == 12


def test_a_data_set_in_a_store_is_written_and_read_there(run, object_store, exports):
    done = run(f"gazetrack convert exports --dataset {LAB}/set")
    assert done.code == 0, done.err
    assert len(object_store.names()) == 4
    assert f"wrote {LAB}/set/fixations/by_participant=001/by_recording=001/part-e0-" in done.out
    frame = pd.read_parquet(f"{LAB}/set/fixations")
    assert sorted(set(frame["participant"])) == sorted(NAMES)
    before = {name: object_store.get(name) for name in object_store.names()}
    assert run(f"gazetrack convert exports --dataset {LAB}/set").code == 0
    assert {name: object_store.get(name) for name in object_store.names()} == before
