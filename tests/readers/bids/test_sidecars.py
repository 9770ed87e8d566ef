import gzip
import json

import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.bids.sidecars import (
    described,
    entities_in,
    expected_sidecar,
    sibling,
    sidecar,
)

NAME = "sub-01_task-look_physio"


@pytest.fixture
def table(tmp_path):
    """A table three folders below the root of its data set."""
    folder = tmp_path / "sub-01" / "ses-1" / "beh"
    folder.mkdir(parents=True)
    (tmp_path / "dataset_description.json").write_text("{}")
    path = folder / f"{NAME}.tsv.gz"
    path.write_bytes(gzip.compress(b"1\n"))
    return path


def write(path, **facts):
    path.write_text(json.dumps(facts), encoding="utf-8")


def test_the_nearest_sidecar_wins_key_by_key(table, tmp_path):
    write(tmp_path / "task-look_physio.json", a="far", b="far", c="far")
    write(tmp_path / "sub-01" / "sub-01_task-look_physio.json", a="near", b="near")
    write(table.with_name(f"{NAME}.json"), a="beside")
    assert sidecar(table) == {"a": "beside", "b": "near", "c": "far"}


def test_in_one_folder_the_sidecar_with_more_entities_wins(table):
    write(table.with_name("physio.json"), a="none", b="none")
    write(table.with_name("sub-01_physio.json"), a="one")
    assert sidecar(table) == {"a": "one", "b": "none"}


@pytest.mark.parametrize("name", ["sub-02_physio", "task-look_run-1_physio", "sub-01_events"])
def test_sidecars_of_other_entities_or_suffixes_do_not_apply(name, table):
    write(table.with_name(f"{name}.json"), a=1)
    assert sidecar(table) == {}


def test_a_sidecar_of_another_suffix_is_asked_for(table):
    write(table.with_name("sub-01_task-look_events.json"), a=1)
    assert sidecar(table, "events") == {"a": 1}


def test_above_the_root_of_the_data_set_nothing_applies(table, tmp_path):
    (tmp_path / "dataset_description.json").rename(tmp_path / "sub-01" / "dataset_description.json")
    write(tmp_path / "physio.json", a=1)
    assert sidecar(table) == {}


@pytest.mark.parametrize("text", ["", "[1]", '{"a": 1, "a": 2}', "[" * 100_000, "\xff"])
def test_what_is_no_json_object_is_an_error_of_its_own_file(text, table):
    path = table.with_name(f"{NAME}.json")
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ParseError) as caught:
        sidecar(table)
    assert caught.value.path == path


def test_a_sidecar_of_more_than_a_mebibyte_is_refused(table):
    write(table.with_name(f"{NAME}.json"), a="x" * 1024**2)
    with pytest.raises(ParseError, match="more than 1048576 bytes"):
        sidecar(table)


def test_names_of_neighbours(table):
    assert expected_sidecar(table) == f"{NAME}.json"
    assert sibling(table, "physioevents") is None
    beside = table.with_name("sub-01_task-look_physioevents.tsv")
    beside.write_text("")
    assert sibling(table, "physioevents") == beside


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"onset": {"Units": "s"}}, "s"),
        ({"onset": {"Units": "n/a"}}, ""),
        ({"onset": "seconds"}, ""),
        ({}, ""),
    ],
)
def test_what_is_said_of_a_column(facts, said):
    assert described(facts, "onset", "Units") == said


def test_a_name_tells_its_entities_after_the_subject():
    told = {"sub": "01", "ses": "b", "task": "look", "run": "2"}
    assert entities_in("sub-01_ses-b_task-look_acq-x_run-2_recording-eye1_physio") == told
    assert entities_in("task-look_physio") == entities_in("sub-_x") == entities_in("") == {}
