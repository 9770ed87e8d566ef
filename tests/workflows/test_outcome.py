"""What became of each input: errors that are raised or told, and the report that is written."""

from __future__ import annotations

import json

import pytest

from gazetrack.errors import ConfigError, InputError, OutputError, ParseError
from gazetrack.version import __version__
from gazetrack.workflows.outcome import Outcome, check_report, settled, write_report


def failed(name):
    return Outcome(name, "failed", error=InputError("no such file", path=name))


def test_an_outcome_as_json_has_the_rows_used_and_the_whole_message():
    hint = "look at it " * 60
    error = ParseError("not a number", path="a.csv", line=3, column=2, hint=hint)
    outcome = Outcome("a.csv", "partial", error, rows_in=10, dropped={"no time": 3, "no x": 2})
    outcome.summary = {"loss": 0.25, "tracker": "one"}
    told = outcome.as_json()
    assert told["rows_used"] == 10 - 3 - 2
    assert told["loss"] == 0.25
    assert (told["line"], told["column"], told["byte"]) == (3, 2, None)
    assert told["code"] == error.code
    assert hint.strip() in told["message"]
    assert told["version"] == __version__
    assert not {"error", "summary"} & set(told)
    json.dumps(told)


def test_an_outcome_without_error_has_no_message():
    told = Outcome("a.csv").as_json()
    assert (told["status"], told["code"], told["message"], told["loss"]) == ("ok", None, "", None)


def test_all_are_waited_for_before_the_first_error_is_raised():
    taken = []

    def still_to_come():
        for outcome in (failed("a"), Outcome("b"), failed("c"), failed("d")):
            taken.append(outcome.file)
            yield outcome

    with pytest.raises(InputError) as caught:
        settled(still_to_come())
    assert taken == ["a", "b", "c", "d"]
    assert str(caught.value.path) == "a"
    first, *others = caught.value.__notes__
    assert first == "3 of 4 inputs have errors; the others:"
    assert [note.split(":")[0] for note in others] == ["c", "d"]


def test_one_error_alone_has_no_notes():
    with pytest.raises(InputError) as caught:
        settled([Outcome("b"), failed("a")])
    assert not hasattr(caught.value, "__notes__")


def test_errors_are_left_in_the_outcomes_when_that_is_asked_for():
    outcomes = [failed("a"), Outcome("b")]
    assert settled(iter(outcomes), "report") == outcomes
    assert settled([Outcome("b")]) == [Outcome("b")]
    with pytest.raises(ConfigError, match="errors='ignore'"):
        settled([], "ignore")


def test_a_report_is_a_line_an_input_and_replaces_an_earlier_one(tmp_path):
    path = tmp_path / "r.jsonl"
    write_report(path, [Outcome("ä.csv", rows_in=4), failed("b")])
    first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert (first["file"], first["rows_in"], second["status"]) == ("ä.csv", 4, "failed")
    assert "no such file" in second["message"]
    check_report(path, [])
    write_report(path, [])
    assert path.read_text() == ""
    check_report(path, [])


@pytest.mark.parametrize(
    "content", [b"x,y\n1,2\n", b"[1]\n", b'{"file": "a"}\n', b"\xff\xfe", b"[" * 100_000]
)
def test_no_other_file_is_taken_for_a_report(tmp_path, content):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    for write in (lambda: check_report(path, []), lambda: write_report(path, [Outcome("a")])):
        with pytest.raises(OutputError, match="no earlier report"):
            write()
    assert path.read_bytes() == content


def test_a_report_is_never_written_over_an_input(tmp_path):
    path = tmp_path / "a.jsonl"
    write_report(path, [Outcome("a")])
    with pytest.raises(OutputError):
        check_report(path, [path])
    check_report(path, [tmp_path / "b.csv"])
    check_report(tmp_path / "new.jsonl", [path])
