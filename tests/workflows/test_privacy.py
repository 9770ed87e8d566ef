"""What is said of inputs that are not to be named: their place, and no text of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazetrack.errors import InputError, OutputError, ParseError
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.privacy import Unnamed

FILE = Path("people/Rosalind Franklin.tsv")


@pytest.fixture
def unnamed():
    return Unnamed(2, 5, (FILE,))


def test_an_input_is_its_place_in_the_order(unnamed):
    assert unnamed.label == "input 2 of 5"


def test_an_outcome_names_neither_the_input_nor_its_folder(unnamed):
    told = unnamed.outcome(
        Outcome(
            str(FILE),
            rows_in=7,
            dropped={"no time": 1},
            notes=["Rosalind Franklin.tsv has no screen", "time unit inferred: ms"],
            outputs=[{"path": "people/p0123.fixations.parquet", "rows": 3}],
            summary={"reason": "columns Rosalind, x", "loss": 0.25, "notes": ["old"]},
        )
    )
    assert told.file == "input 2 of 5"
    assert told.notes == ["… has no screen", "time unit inferred: ms"]
    assert told.outputs == [{"path": "p0123.fixations.parquet", "rows": 3}]
    assert told.summary == {"reason": "…", "loss": 0.25, "notes": told.notes}
    assert (told.rows_in, told.dropped, told.error) == (7, {"no time": 1}, None)


def test_the_folder_is_shown_where_the_user_chose_it():
    chosen = Unnamed(1, 1, (FILE,), shows_folder=True)
    outcome = Outcome(str(FILE), outputs=[{"path": "tables/p0123.fixations.parquet"}])
    told = chosen.outcome(outcome)
    assert told.outputs == [{"path": str(Path("tables/p0123.fixations.parquet"))}]
    assert told.summary == {}


def test_the_outcome_given_stays_as_it_was(unnamed):
    outcome = Outcome(str(FILE), notes=[FILE.name], outputs=[{"path": "people/a.parquet"}])
    unnamed.outcome(outcome)
    assert outcome == Outcome(str(FILE), notes=[FILE.name], outputs=[{"path": "people/a.parquet"}])


def test_of_a_skipped_file_only_its_place_is_said(unnamed):
    told = unnamed.outcome(Outcome(str(FILE), "skipped", notes=["looks like a letter to Rosalind"]))
    assert told.notes == ["input 2 of 5: no export of a known format"]


def test_an_error_about_the_input_has_its_place_in_the_file(unnamed):
    error = ParseError(
        "Rosalind Franklin.tsv: not a number",
        path=FILE,
        line=3,
        column=2,
        byte=99,
        hint="look at rosalind franklin",
    )
    told = unnamed.error(error)
    assert type(told) is ParseError
    assert told.path == Path("input 2 of 5")
    assert (told.line, told.column, told.byte) == (3, 2, 99)
    assert told.what == "…: not a number"
    assert told.hint == "look at …"
    assert "rosalind" not in str(told).lower()
    assert unnamed.error(InputError("no such file", path=FILE)).hint is None


def test_an_error_about_an_output_names_the_output_alone(unnamed):
    of_output = OutputError("is there already", path=Path("people/p0123.fixations.parquet"))
    assert unnamed.error(of_output).path == Path("p0123.fixations.parquet")
    of_input = OutputError("would be written over", path=FILE)
    assert unnamed.error(of_input).path == Path("input 2 of 5")


def test_an_outcome_s_error_is_told_in_the_same_way(unnamed):
    told = unnamed.outcome(Outcome(str(FILE), "failed", InputError("no such file", path=FILE)))
    assert told.error.path == Path("input 2 of 5")


def test_all_files_of_a_recording_are_cleaned_away():
    unnamed = Unnamed(1, 3, (Path("Ada_all_gaze.csv"), Path("Ada_fixations.csv")))
    error = ParseError("Ada_fixations.csv does not fit Ada_all_gaze", path=Path("Ada_all_gaze.csv"))
    assert unnamed.error(error).what == "… does not fit …"


def test_a_stem_that_is_a_word_of_the_messages_stays():
    unnamed = Unnamed(1, 1, (Path("s01/gaze.csv"),))
    outcome = Outcome("s01/gaze.csv", notes=["no gaze in gaze.csv"])
    assert unnamed.outcome(outcome).notes == ["no gaze in …"]
