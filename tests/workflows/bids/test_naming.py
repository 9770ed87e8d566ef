"""Labels of one recording: of its names, of a name in BIDS, and by rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from gazetrack.errors import DataError
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.workflows.bids.naming import Place, Subjects, named_part
from gazetrack.workflows.bids.parts import Part
from gazetrack.workflows.bids.rules import Rules, read_rules
from gazetrack.workflows.inputs import Source

HASH = Pseudonyms("hash", b"k" * 32)


def named(tmp_path, label, participant, text="", pseudonyms=None, format_="bids", file="raw.tsv"):
    rules = tmp_path / "rules.toml"
    rules.write_text(text)
    recording = Recording(
        name=label, format=format_, sample_table=None, event_table=conform({}, EVENTS)
    )
    old = Part(recording, label, participant)
    pseudonyms = pseudonyms or Pseudonyms()
    new = old if pseudonyms.keeps else Part(recording, "p1-2", pseudonyms.of(participant))
    path = Path(file)
    place = Place(Source(path, path.name, path), "staged/0-0", [participant])
    return named_part(old, new, place, read_rules(rules), pseudonyms)


def test_a_name_in_bids_says_all_but_what_the_rules_say_otherwise(tmp_path):
    label = "sub-01_ses-2_task-look_run-03_recording-eye1_physio"
    found = {"subject": "01", "session": "2", "task": "look", "run": "03"}
    assert named(tmp_path, label, "01").found == found
    assert named(tmp_path, label, "01", format_="eyelink_asc").found == {"subject": "01"}
    text = "[match]\nrecording = 'task-(?P<task>l)'\n[labels.session]\n2 = 'post'\n"
    one = named(tmp_path, label, "01", text)
    assert one.found == found | {"task": "l", "session": "post"}
    assert one.fits == {"recording"}
    assert one.looked_up == {"subject": "01", "session": "2", "task": "l", "run": "03"}


def test_an_export_in_bids_knows_its_data_set(tmp_path):
    label = "sub-01_task-look_physio"
    deep = tmp_path / "sub-set" / "sub-01" / "ses-1" / "beh" / "sub-01_physio.tsv.gz"
    of_deep = named(tmp_path, label, "01", file=deep)
    assert of_deep.data_set == str(tmp_path / "sub-set")
    assert named(tmp_path, label, "01").data_set == str(Path.cwd())
    assert named(tmp_path, label, "01", format_="eyelink_asc", file=deep).data_set == ""


@pytest.mark.parametrize("pseudonyms", [HASH, Pseudonyms("drop")], ids=["hash", "drop"])
def test_a_part_of_a_name_is_no_label_where_names_are_not_written(pseudonyms, tmp_path):
    text = "[match]\nparticipant = '(?P<subject>Anna) (?P<session>.*)'\n"
    with pytest.raises(DataError, match=r"the session label .* a participant's name"):
        named(tmp_path, "x", "Anna Meyer", text, pseudonyms)
    assert named(tmp_path, "x", "Anna Meyer", text).found["session"] == "Meyer"
    given = text + "[labels.session]\nMeyer = '2'\n"
    one = named(tmp_path, "x", "Anna Meyer", given, pseudonyms)
    assert one.found["session"] == "2"
    assert "Anna" not in one.found["subject"] + one.named + one.label + one.participant


def test_a_table_of_participants_has_the_subjects_of_the_recordings():
    rules = Rules(labels={"subject": {"Anna": "01"}})
    assert Subjects(rules, Pseudonyms()).label("Anna") == "01"
    assert Subjects(rules, Pseudonyms()).label("Bert") == ""
    assert Subjects(rules, HASH).label("Anna") == HASH.of("01")
