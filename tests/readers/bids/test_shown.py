"""What was shown when, from the table of events beside the gaze."""

from __future__ import annotations

import json

import pytest

from tests.readers.bids.test_eyetrack import FACTS, read, recording_in

EVENTS = "sub-01_task-look_run-01_events.tsv"


def shown(folder, rows, facts=FACTS):
    path = recording_in(folder, facts)
    path.with_name(EVENTS).write_text(rows)
    return read(path)


def test_samples_have_the_trial_and_stimulus_of_their_moment(tmp_path):
    rows = "onset\tduration\ttrial\tstimulus\n0.004\t0.008\t1\ta.png\n0.012\t0.004\t2\tn/a\n"
    found = shown(tmp_path, rows).samples
    assert found["trial"].tolist() == ["", "1", "1", "2", "", ""]
    assert found["stimulus"].tolist() == ["", "a.png", "a.png", "", "", ""]


def test_onsets_count_from_the_start_that_the_gaze_counts_from(tmp_path):
    rows = "onset\tduration\tstimulus\n10.004\t1\ta.png\n"
    found = shown(tmp_path, rows, FACTS | {"StartTime": 10})
    assert found.samples["stimulus"].tolist() == [""] + ["a.png"] * 5


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ("onset\tduration\tstimulus\n90\t1\ta.png\n", "at other times"),
        ("onset\tduration\tstimulus\nx\ty\tz\n", "cannot be read"),
        ("onset\tduration\tstimulus\nn/a\tn/a\ta.png\n", "at other times"),
        ("onset\tduration\tside\n0\t1\tleft\n", ""),
    ],
)
def test_rows_that_cannot_be_used_say_so(rows, note, tmp_path):
    found = shown(tmp_path, rows)
    assert set(found.samples["stimulus"]) == {""}
    assert any(note in own for own in found.notes) if note else found.notes == ()


def test_the_older_name_of_the_onsets_source_is_known(tmp_path):
    import gzip

    path = recording_in(tmp_path)
    table = path.with_name(path.name.replace("_physio.", "_physioevents."))
    table.write_bytes(gzip.compress(b'1004\t8\tfixation\t0\tn/a\n1010\tn/a\tn/a\tn/a\tsay "hi"\n'))
    facts = {
        "Columns": ["onset", "duration", "trial_type", "blink", "message"],
        "ForeignIndexColumn": "timestamp",
    }
    (tmp_path / "task-look_physioevents.json").write_text(json.dumps(facts))
    found = read(path)
    assert found.events["onset_ms"].tolist() == [4, 10]
    assert found.events["text"].tolist() == ["", 'say "hi"']
