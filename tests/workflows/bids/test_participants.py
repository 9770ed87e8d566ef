"""The table of participants: what a user gives, and what is written of it."""

from __future__ import annotations

import json

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.workflows.bids.participants import People, read_participants, write_participants


def people_of(folder, text, name="people.tsv", label=lambda found: ""):
    path = folder / name
    path.write_text(text, "utf-8")
    return read_participants(path, label)


def test_columns_are_taken_over_for_those_who_were_recorded(tmp_path):
    people = people_of(tmp_path, "age\tparticipant_id\tnote\n30\tsub-01\ta\n\t02\t\n\n")
    notes = write_participants(tmp_path, ["03", "01"], people)
    assert (tmp_path / "participants.tsv").read_text() == (
        "participant_id\tage\tnote\nsub-01\t30\ta\nsub-03\tn/a\tn/a\n"
    )
    about = json.loads((tmp_path / "participants.json").read_text())
    assert about["age"] == {"Description": "age in years"}
    assert any("sub-03" in note for note in notes)
    assert any("sub-02" in note for note in notes)


def test_a_description_beside_the_table_is_taken_over(tmp_path):
    (tmp_path / "people.json").write_text('{"age": {"Description": "in years", "Units": "year"}}')
    people = people_of(tmp_path, "participant_id,age\n01,30\n", "people.csv")
    write_participants(tmp_path, ["01"], people)
    about = json.loads((tmp_path / "participants.json").read_text())
    assert about["age"]["Units"] == "year"


def test_names_become_the_labels_of_the_recordings(tmp_path):
    people = people_of(tmp_path, "participant_id\nanna\n", label=lambda found: found.upper())
    assert list(people.rows) == ["ANNA"]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("id\n1\n", InputError, "no column participant_id"),
        ("", InputError, "no column participant_id"),
        ("participant_id\tage\n01\n", InputError, "row of 1 cells"),
        ("participant_id\n01\nsub-01\n", ConfigError, "there twice"),
        ("participant_id\na_b\n", ConfigError, "people.tsv:2: BIDS forbids 'a_b'"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(text, error, words, tmp_path):
    with pytest.raises(error, match=words):
        people_of(tmp_path, text)


def test_no_table_and_no_file(tmp_path):
    assert read_participants(None, str) == People()
    with pytest.raises(InputError, match="no such file"):
        read_participants(tmp_path / "no.tsv", str)


def test_a_description_that_is_no_json_is_named(tmp_path):
    (tmp_path / "people.json").write_text("{")
    with pytest.raises(InputError, match="no JSON") as caught:
        people_of(tmp_path, "participant_id\n01\n")
    assert caught.value.path.name == "people.json"
