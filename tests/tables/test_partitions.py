"""Where the rows of a recording lie within a data set."""

from __future__ import annotations

from urllib.parse import unquote

import pyarrow as pa
import pytest

from gazetrack.tables.partitions import part_path, parts_of, split
from gazetrack.tables.schema import FIXATIONS, SAMPLES, conform


def fixations(*rows):
    columns = {
        "participant": [row[0] for row in rows],
        "recording": [row[1] for row in rows],
        "onset_ms": [float(number) for number in range(len(rows))],
    }
    return conform(pa.table(columns), FIXATIONS)


@pytest.mark.parametrize("name", ["ada", "Ada L.", "a/b=c", "é %41", "..", "001", "x" * 90])
def test_a_folder_is_the_name_as_readers_of_hive_decode_it(name):
    path = part_path("fixations", name, name, "raw")
    kind, participant, recording, file = path.split("/")
    assert kind == "fixations"
    assert unquote(participant) == f"by_participant={name}"
    assert unquote(recording) == f"by_recording={name}"
    assert file.startswith("part-raw-")


def test_the_same_recording_has_the_same_part_and_others_have_others():
    one = part_path("fixations", "ada", "r1", "raw")
    assert one == part_path("fixations", "ada", "r1", "raw")
    others = [("Ada", "r1", "raw"), ("ada", "R1", "raw"), ("adar", "1", "raw"), ("ada", "r1", "b")]
    names = {part_path("fixations", *other).lower().rpartition("/")[2] for other in others}
    assert len(names | {one.rpartition("/")[2]}) == 5


def test_no_name_of_any_length_or_script_makes_a_folder_that_cannot_be():
    for name in ("é" * 200, "x" * 300, "", "\0\n"):
        for folder in part_path("events", name, name, "é" * 200).split("/"):
            assert 0 < len(folder.encode()) <= 255
            assert folder.isprintable()


def test_a_table_of_several_recordings_is_split_in_order():
    table = fixations(("ada", "2"), ("ben", "1"), ("ada", "1"), ("ben", "1"))
    found = [(who, what, rows["onset_ms"].to_pylist()) for who, what, rows in split(table, {})]
    assert found == [("ada", "1", [2]), ("ada", "2", [0]), ("ben", "1", [1, 3])]
    assert sum(rows.num_rows for *_, rows in split(table, {})) == table.num_rows
    assert list(split(table.slice(0, 0), {})) == []


def test_samples_lie_with_whom_the_fixations_or_the_export_name():
    samples = conform(pa.table({"recording": ["1", "2", "3"]}), SAMPLES)
    tables = {".fixations.parquet": fixations(("ada", "1")), ".samples.parquet": samples}
    paths = list(parts_of(tables, {"2": "ben"}, "raw"))
    assert sorted(path.rpartition("/")[0] for path in paths) == [
        "fixations/by_participant=ada/by_recording=1",
        "samples/by_participant=ada/by_recording=1",
        "samples/by_participant=ben/by_recording=2",
        "samples/by_participant=unnamed/by_recording=3",
    ]
