"""Labels of BIDS: what may be one, and what a user is told of what may not."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError, DataError
from gazetrack.workflows.bids.labels import (
    MAX_LABEL_CHARS,
    Entities,
    checked_label,
    label_of,
    tells_of,
)


def test_names_of_files_have_their_parts_in_the_order_of_bids():
    one = Entities(subject="01", session="pre", task="look", run="2")
    assert one.prefix == "sub-01_ses-pre_task-look_run-2"
    assert one.folder == "sub-01/ses-pre/beh"
    assert Entities(subject="01", task="look").prefix == "sub-01_task-look"


@pytest.mark.parametrize(
    ("entity", "text"), [("task", "task-look"), ("run", "03"), ("task", "a+b")]
)
def test_what_bids_allows_is_taken_without_its_entity(entity, text):
    assert checked_label(entity, text, "here") == text.removeprefix("task-")


@pytest.mark.parametrize(
    ("entity", "text", "proposed"),
    [
        ("task", "free view!", "such as freeview;"),
        ("run", "two", "use digits"),
        ("run", "r2", "as 2"),
    ],
)
def test_a_typed_label_that_bids_forbids_gets_a_proposal(entity, text, proposed):
    with pytest.raises(ConfigError, match=f"--here: BIDS forbids {text!r}.*{proposed}"):
        checked_label(entity, text, "--here")


def test_what_an_export_says_loses_its_separators_and_nothing_else():
    assert label_of("subject", "sub-P_01.b c") == "P01bc"
    for found in ("Zoë", "a/b", "", "..", "x" * (MAX_LABEL_CHARS + 1)):
        with pytest.raises(DataError, match=r"\[labels.subject\] of --rules"):
            label_of("subject", found)
    assert label_of("subject", "x" * MAX_LABEL_CHARS) == "x" * MAX_LABEL_CHARS


@pytest.mark.parametrize("label", ["Meyer", "meyer2", "Anna", "nam", "ANNAMEYER", "rene"])
def test_a_label_with_a_part_of_a_name_tells_of_the_person(label):
    assert tells_of(label, ["Bert", "Anna Meyer_7", "Ren\u00e9"])


@pytest.mark.parametrize("label", ["7", "07", "day1", "M", "look", ""])
def test_a_label_of_digits_or_other_words_tells_of_nobody(label):
    assert not tells_of(label, ["Anna Meyer 07", "P 7", ""])
