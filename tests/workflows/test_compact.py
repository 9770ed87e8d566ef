"""A data set put in order: every row once, before, during and after, and after every accident."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.publish import sha256_of
from gazetrack.tables.partitions import MERGED_FOLDER, part_path
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import read_meta, write_table
from gazetrack.workflows import compact as room
from gazetrack.workflows.compact import MB, compact
from gazetrack.workflows.convert import convert
from gazetrack.workflows.shared_folder import workshop_of


def table(participant, recording, n_rows, seed=0):
    random = np.random.default_rng(seed)
    columns = {
        "participant": [participant] * n_rows,
        "recording": [recording] * n_rows,
        "onset_ms": random.uniform(0, 1e6, n_rows),
        "x_px": random.uniform(0, 1e3, n_rows).astype("f4"),
    }
    return conform(pa.table(columns), FIXATIONS)


def add(folder, participant, recording, n_rows, seed=0):
    path = folder / part_path("fixations", participant, recording, recording)
    meta = {"source": {"file": f"{recording}.csv", "sha256": str(seed)}, "rate_hz": 500.0}
    write_table(path, table(participant, recording, n_rows, seed), meta)
    return path


@pytest.fixture
def dataset(tmp_path):
    """Thirty recordings of 300 fixations, of names that readers like to take for numbers."""
    for number in range(30):
        add(tmp_path / "set", f"{number % 7:03d}", f"{number:02d}", 300, number)
    return tmp_path / "set"


def rows(folder):
    """All rows as DuckDB reads them, in an order of their own."""
    columns = "participant, recording, onset_ms, x_px"
    query = f"select {columns} from '{folder}/**/*.parquet'"  # noqa: S608 - our own
    return duckdb.sql(f"{query} order by all").fetchall()


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))


def test_every_row_stays_in_fewer_files(dataset):
    before = rows(dataset)
    told = []
    (done,) = compact(dataset, progress=lambda *at: told.append(at))
    assert told == [(0, 1), (1, 1)]
    assert rows(dataset) == before
    (merged,) = files(dataset)
    assert merged.startswith(f"fixations/{MERGED_FOLDER}/merged-")
    assert (done.kind, done.files_before, done.files_after, done.rows) == ("fixations", 30, 1, 9000)
    assert done.bytes_after == (dataset / merged).stat().st_size < done.bytes_before
    assert not workshop_of(dataset).exists()


def test_pandas_polars_and_duckdb_read_it_with_its_names_as_they_are(dataset):
    for _ in range(2):
        frame = pd.read_parquet(dataset / "fixations")
        assert sorted(frame["participant"].unique()) == [f"{n:03d}" for n in range(7)]
        assert len(frame) == 9000
        lazy = pl.scan_parquet(f"{dataset}/fixations/**/*.parquet", hive_partitioning=True)
        assert lazy.filter(pl.col("participant") == "003").collect().height == 1200
        count = "select count(*)"
        query = f"{count} from '{dataset}/**/*.parquet' where participant = '003'"
        assert duckdb.sql(query).fetchall() == [(1200,)]
        compact(dataset)


def test_what_each_part_said_of_itself_is_kept(dataset):
    compact(dataset)
    meta = read_meta(dataset / files(dataset)[0])["compacted"]
    assert meta["shared"]["rate_hz"] == 500.0
    part = meta["parts"][part_path("fixations", "003", "10", "10")]
    assert part["metadata"]["source"] == {"file": "10.csv", "sha256": "10"}
    assert part["rows"] == 300
    fields = pq.read_schema(dataset / files(dataset)[0])
    assert fields.field("onset_ms").metadata[b"unit"] == b"ms"


def test_files_are_between_half_the_target_and_twice_it(tmp_path):
    for number in range(40):
        add(tmp_path / "set", f"p{number}", f"{number}", 20_000, number)
    target_mb = 1.0
    before = rows(tmp_path / "set")
    (done,) = compact(tmp_path / "set", target_mb=target_mb)
    sizes = [(tmp_path / "set" / name).stat().st_size / MB for name in files(tmp_path / "set")]
    assert 1 < len(sizes) == done.files_after < 40
    assert 0.5 * target_mb <= min(sizes)
    assert max(sizes) <= 2 * target_mb
    assert rows(tmp_path / "set") == before


def test_again_there_is_nothing_to_do(dataset):
    compact(dataset)
    (name,) = files(dataset)
    before = (dataset / name).stat().st_mtime_ns
    (done,) = compact(dataset)
    assert (done.files_before, done.files_after) == (1, 1)
    assert (dataset / name).stat().st_mtime_ns == before


def test_what_is_added_later_is_merged_with_what_was(dataset):
    compact(dataset)
    add(dataset, "new", "31", 300, 31)
    before = rows(dataset)
    assert len(before) == 9300
    compact(dataset)
    assert rows(dataset) == before
    (name,) = files(dataset)
    meta = read_meta(dataset / name)["compacted"]
    assert len(meta["parts"]) == 31
    assert meta["parts"][part_path("fixations", "new", "31", "31")]["rows"] == 300


def test_large_files_and_those_of_others_stay_as_they_are(dataset):
    large = add(dataset, "large", "large", 200_000, 99)
    facts = large.stat()
    note = dataset / "fixations" / "about.txt"
    note.write_text("of our lab")
    compact(dataset, target_mb=2 * large.stat().st_size / MB)
    assert large.stat().st_ino == facts.st_ino
    assert note.read_text() == "of our lab"
    assert len(files(dataset)) == 2


def test_the_same_data_set_gives_the_same_bytes(dataset, tmp_path):
    for number in range(30):
        add(tmp_path / "again", f"{number % 7:03d}", f"{number:02d}", 300, number)
    compact(dataset)
    compact(tmp_path / "again")
    one, other = (folder / files(folder)[0] for folder in (dataset, tmp_path / "again"))
    assert sha256_of(one) == sha256_of(other)


class Stopped(BaseException):
    """The machine stops: nothing of ours runs any more."""


STEPS = ("publish", "swap", "_link_others", "_sync", "rmtree")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_cut_short_anywhere_every_row_is_there_once_and_the_next_call_ends_it(
    dataset, monkeypatch, step, after
):
    before = rows(dataset)
    owner = room.shutil if step == "rmtree" else room
    real = getattr(owner, step)

    def stops(*args, **kwargs):
        if after:
            result = real(*args, **kwargs)
            if step == "publish":
                with result as file:
                    file.write(b"not complete")
                    raise Stopped
        raise Stopped

    monkeypatch.setattr(owner, step, stops)
    with pytest.raises(Stopped):
        compact(dataset)
    assert rows(dataset) == before
    monkeypatch.undo()
    compact(dataset)
    assert rows(dataset) == before
    assert len(files(dataset)) == 1
    assert not workshop_of(dataset).exists()


def test_what_was_merged_before_an_interruption_is_not_merged_again(tmp_path, monkeypatch):
    for number in range(40):
        add(tmp_path / "set", f"p{number}", f"{number}", 20_000, number)
    before = rows(tmp_path / "set")
    real = room.table_writer
    opened = itertools.count()

    def second_fails(*args):
        if next(opened) == 1:
            raise Stopped
        return real(*args)

    monkeypatch.setattr(room, "table_writer", second_fails)
    with pytest.raises(Stopped):
        compact(tmp_path / "set", target_mb=1.0)
    done = list(workshop_of(tmp_path / "set").rglob("merged-*.parquet"))
    assert len(done) == 1
    first_written = done[0].stat().st_mtime_ns
    monkeypatch.undo()
    compact(tmp_path / "set", target_mb=1.0)
    (kept,) = (tmp_path / "set").rglob(done[0].name)
    assert kept.stat().st_mtime_ns == first_written
    assert rows(tmp_path / "set") == before


def test_a_part_that_changed_after_an_interruption_is_merged_as_it_is_now(dataset, monkeypatch):
    def stops(*_args):
        raise Stopped

    monkeypatch.setattr(room, "swap", stops)
    with pytest.raises(Stopped):
        compact(dataset)
    monkeypatch.undo()
    add(dataset, "001", "01", 77, 123)
    before = rows(dataset)
    compact(dataset)
    assert rows(dataset) == before
    assert len(before) == 9000 - 300 + 77


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_disk_is_told_and_leaves_the_data_set(dataset, monkeypatch, number):
    before = rows(dataset)
    names = files(dataset)

    def full(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=os.strerror(number)) as caught:
        compact(dataset)
    assert caught.value.exit_code == 3
    monkeypatch.undo()
    assert files(dataset) == names
    assert rows(dataset) == before


def test_a_damaged_or_foreign_file_is_named_and_nothing_is_done(dataset):
    names = files(dataset)
    stranger = dataset / "fixations" / "by_participant=x" / "by_recording=y" / "z.parquet"
    stranger.parent.mkdir(parents=True)
    pq.write_table(pa.table({"x": [1]}), stranger)
    with pytest.raises(InputError, match="was not written by gazetrack") as caught:
        compact(dataset)
    assert caught.value.path == stranger
    stranger.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="damaged Parquet file") as caught:
        compact(dataset)
    assert caught.value.path == stranger
    stranger.unlink()
    assert files(dataset) == names


def test_a_part_with_other_columns_is_named(dataset):
    other = dataset / part_path("fixations", "zoe", "z", "z")
    write_table(other, table("zoe", "z", 3).drop_columns(["pupil"]), {"source": {}})
    with pytest.raises(InputError, match="has other columns") as caught:
        compact(dataset)
    assert caught.value.path == other


def test_what_is_no_data_set_is_refused(tmp_path, memory_store):
    with pytest.raises(InputError, match="is no data set of gazetrack"):
        compact(tmp_path)
    with pytest.raises(InputError, match="is no data set of gazetrack"):
        compact(tmp_path / "none")
    with pytest.raises(ConfigError, match="lies elsewhere"):
        compact(f"{memory_store}/set")
    with pytest.raises(ConfigError, match="a target of 0 MB"):
        compact(tmp_path, target_mb=0)


def test_a_recording_that_is_in_a_compacted_file_is_not_written_twice(tmp_path):
    gaze = "x,y,t\n" + "".join(
        f"{100 + i % 2},{200 + 50 * (i // 70)},{i * 4}\n" for i in range(210)
    )
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(gaze)
    dataset = tmp_path / "set"
    exports = [tmp_path / "a.csv", tmp_path / "b.csv"]
    convert(exports, dataset=dataset)
    compact(dataset)
    before = rows(dataset)
    assert len(before) == 6
    convert(exports, dataset=dataset)
    assert rows(dataset) == before
    exports[0].write_text(gaze.replace("100,", "300,"))
    with pytest.raises(OutputError, match="another version of the export"):
        convert(exports, dataset=dataset, force=True)
    assert rows(dataset) == before


def test_readers_find_every_row_while_it_is_put_in_order(dataset, monkeypatch):
    """Whoever reads between any two steps meets every row once."""
    before = rows(dataset)
    seen = []
    for step in ("publish", "swap", "_link_others", "_sync"):
        real = getattr(room, step)

        def looks(*args, real=real, **kwargs):
            seen.append(rows(dataset))
            result = real(*args, **kwargs)
            seen.append(rows(dataset))
            return result

        monkeypatch.setattr(room, step, looks)
    compact(dataset)
    assert len(seen) == 8
    assert all(found == before for found in seen)
    assert Path(dataset).is_dir()
