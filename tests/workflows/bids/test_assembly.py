"""Names of recordings in a data set, and everything that would make two of them one."""

from __future__ import annotations

import pytest

from gazetrack.errors import DataError
from gazetrack.workflows.bids.assembly import Staged, named


def one(file, subject, participant="", *, is_given=False, **found):
    return Staged(
        file=file,
        folder=file,
        label=file,
        participant=participant,
        found={"subject": subject} | found,
        named=participant or subject,
        is_given=is_given,
    )


def prefixes(*recordings):
    return [entities.prefix for entities in named(recordings, "look")]


def test_runs_are_numbered_around_those_that_are_known():
    assert prefixes(one("a", "1"), one("b", "1", run="2"), one("c", "1"), one("d", "2")) == [
        "sub-1_task-look_run-1",
        "sub-1_task-look_run-2",
        "sub-1_task-look_run-3",
        "sub-2_task-look",
    ]


def test_sessions_and_tasks_tell_recordings_apart():
    assert prefixes(one("a", "1", session="pre"), one("b", "1", session="post", task="rest")) == [
        "sub-1_ses-pre_task-look",
        "sub-1_ses-post_task-rest",
    ]


def test_one_run_twice_is_refused():
    with pytest.raises(DataError, match="b: is the same subject, session, task and run 01 as a"):
        named([one("a", "1", run="1"), one("b", "1", run="01")], "look")


def test_one_participant_as_two_subjects_is_refused():
    with pytest.raises(DataError, match="'Anna' and would be sub-2, but a of the same"):
        named([one("a", "1", "Anna"), one("b", "2", "Anna")], "look")


def test_two_people_of_one_name_in_two_folders_are_told_apart_by_labels():
    pair = [one("a", "B1", "P1"), one("b", "L1", "P1")]
    pair[0].lies_in, pair[1].lies_in = "/berlin", "/lyon"
    with pytest.raises(DataError, match="'P1' and would be sub-L1"):
        named(pair, "look")
    pair[0].is_given = pair[1].is_given = True
    assert [entities.subject for entities in named(pair, "look")] == ["B1", "L1"]
    pair[1].lies_in = "/berlin"
    with pytest.raises(DataError, match="'P1' and would be sub-L1"):
        named(pair, "look")


def test_two_participants_as_one_subject_are_refused_unless_the_user_says_so():
    pair = [one("a", "P1", "P_1"), one("b", "P1", "P.1")]
    with pytest.raises(DataError, match="would both be sub-P1"):
        named(pair, "look")
    with pytest.raises(DataError, match="would both be"):
        named([one("a", "P1"), one("b", "p1")], "look")
    pair[0].is_given = pair[1].is_given = True
    assert len(named(pair, "look")) == 2


def test_a_subject_of_two_data_sets_is_refused_unless_the_user_says_that_it_is_one():
    pair = [one("a", "1"), one("b", "1")]
    pair[0].data_set, pair[1].data_set = "/first", "/second"
    with pytest.raises(DataError, match=r"b: sub-1 is also in another data set: a .*one person"):
        named(pair, "look")
    assert len(named([pair[0], one("c", "1")], "look")) == 2
    pair[1].data_set = "/first"
    assert len(named(pair, "look")) == 2
    pair[1].data_set = "/second"
    pair[0].is_given = pair[1].is_given = True
    assert len(named(pair, "look")) == 2


def test_tasks_that_differ_in_case_alone_are_refused():
    with pytest.raises(DataError, match="rest and Rest differ in case alone"):
        named([one("a", "1", task="rest"), one("b", "2", task="Rest")], "look")
