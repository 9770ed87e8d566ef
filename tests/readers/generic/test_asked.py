"""What is asked of a table, and times that are refused."""

import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.generic.asked import Asked, note_lost, refuse_step_back, refuse_unit
from gazetrack.readers.shared.positions import Axes
from gazetrack.readers.text.header import needed_header


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("when,a,b,who\n1,2,3,p\n2,3,4,p\n")
    head = read_head(path)
    columns = {"t": "when", "x": "a", "y": "b", "participant": "who"}
    return Asked(
        head=head,
        header=needed_header(head),
        columns=columns,
        units={"t": "s"},
        axes=Axes(),
        screen=None,
        named=True,
    )


def test_columns_have_their_place_and_kind(asked):
    assert asked.wanted() == {
        "t": (0, "float64"),
        "x": (1, "float32"),
        "y": (2, "float32"),
        "participant": (3, "text"),
    }
    assert asked.factor("t") == 1000
    assert asked.factor("duration") == 1


def test_a_step_back_is_refused_at_its_line(asked):
    with pytest.raises(ParseError, match="steps back within one trial") as caught:
        refuse_step_back(asked, 1)
    assert caught.value.line == 3


@pytest.mark.parametrize(("usual", "unit"), [(0.004, "s"), (4000.0, "us")])
def test_steps_that_no_tracker_has_are_refused(asked, usual, unit):
    with pytest.raises(ParseError, match="usual step") as caught:
        refuse_unit(asked, "t", usual)
    assert f"[{unit}]" in caught.value.hint


@pytest.mark.parametrize("usual", [float("nan"), 0.1, 4.0, 1000.0])
def test_other_steps_are_not(asked, usual):
    refuse_unit(asked, "t", usual)


def test_marks_of_loss_are_noted():
    notes = []
    note_lost(0, notes)
    assert notes == []
    note_lost(3, notes)
    assert notes[0].startswith("3 positions at (-1, -1)")
