"""Rules that nothing fits, and labels that several share: the user is told of both."""

from __future__ import annotations

import re

from gazetrack.workflows.bids.assembly import Staged
from gazetrack.workflows.bids.rules import Rules
from gazetrack.workflows.bids.unused import notes_on


def one(fits=(), **looked_up):
    return Staged(
        file="a",
        folder="a",
        label="a",
        participant="",
        found={"subject": "1"},
        named="1",
        fits=frozenset(fits),
        looked_up=looked_up,
    )


def test_rules_that_are_used_are_not_spoken_of():
    rules = Rules(
        match={"file": (re.compile("(?P<subject>x)"),)},
        labels={"subject": {"Anna": "01"}},
        tasks={"look": {}},
    )
    assert notes_on(rules, [one(["file"], subject="Anna"), one(subject="Bert")], {"look"}) == []
    assert notes_on(Rules(), [one()], {"gaze"}) == []


def test_what_nothing_fits_is_named_with_what_is_most_like_it():
    rules = Rules(
        match={"file": (re.compile("(?P<subject>x)"),)},
        labels={"subject": {"Ana Meyer": "01"}, "run": dict.fromkeys("abcde", "1")},
        tasks={"lok": {}},
    )
    assert notes_on(rules, [one(subject="Anna Meyer")], {"look"}) == [
        "file in [match] of the rules fits the path of no export",
        "'Ana Meyer' in [labels.subject] of the rules fits no name: did you mean 'Anna Meyer'?",
        "'a', 'b', 'c' and 2 more in [labels.run] of the rules fit no name",
        "'lok' in [task] of the rules fits no task: did you mean 'look'?",
    ]


def test_names_that_share_a_label_are_told():
    rules = Rules(labels={"subject": {"Anna": "01", "Bert": "01", "Cleo": "03"}})
    recordings = [one(subject=name) for name in ("Anna", "Bert", "Anna", "Cleo")]
    assert notes_on(rules, recordings, set()) == [
        "[labels.subject] gives 'Anna' and 'Bert' one label: they are one participant"
    ]
