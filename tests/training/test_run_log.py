"""The logs of a run: rows, notes, and what happens when nothing can be written."""

from __future__ import annotations

import csv

import pytest

from gazetrack.errors import OutputError
from gradtrack_model.training import run_log
from gradtrack_model.training.run_log import COLUMNS, RunLog


def test_rows_have_all_columns_and_what_was_not_measured_is_empty(tmp_path):
    log = RunLog(tmp_path, writes=True)
    log.add(1, {"loss": 0.123456789, "seconds": 2.0})
    log.add(2, {"loss": 0.1, "val_dice": 0.5, "seconds": 3.0})
    assert not (tmp_path / "metrics.csv").exists()
    log.write()
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert (rows[0]["step"], rows[0]["loss"], rows[0]["val_dice"]) == ("1", "0.123457", "")
    assert rows[1]["val_dice"] == "0.5"


def test_notes_are_told_once_and_stay_in_the_log(tmp_path):
    log = RunLog(tmp_path, writes=True)
    log.begin(["5 images"])
    assert log.take_notes() == ()  # the console shows these by itself
    log.note("a full disk")
    assert log.take_notes() == ("a full disk",)
    assert log.take_notes() == ()
    resumed = RunLog(tmp_path, writes=True)
    resumed.resume()
    resumed.note("resumed after step 2")
    text = "5 images\na full disk\nresumed after step 2\n"
    assert (tmp_path / "log.txt").read_text() == text


def test_of_several_processes_one_writes(tmp_path):
    log = RunLog(tmp_path, writes=False)
    log.begin(["5 images"])
    log.add(1, {"loss": 0.1})
    log.write()
    assert list(tmp_path.iterdir()) == []
    assert log.rows == [{"step": 1, "loss": 0.1}]


def test_a_log_that_cannot_be_written_is_said_once(tmp_path, monkeypatch):
    def write_text(path, text):
        raise OutputError("cannot be written: No space left on device", path=path)

    monkeypatch.setattr(run_log, "write_text", write_text)
    log = RunLog(tmp_path, writes=True)
    log.begin(["5 images"])
    log.write()
    log.note("resumed after step 2")
    first, *others = log.take_notes()
    assert first.startswith("logs cannot be written (cannot be written: No space left")
    assert others == ["resumed after step 2"]


def test_a_board_that_fails_is_a_note(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    log = RunLog(tmp_path, writes=True)
    log.open_board()
    monkeypatch.setattr(log._boards[0], "_write", lambda event: 1 / 0)
    log.add(1, {"loss": 0.1})
    (note,) = log.take_notes()
    assert "ZeroDivisionError" in note
    log.add(2, {"loss": 0.1})
    assert log.take_notes() == ()
    log.close()
