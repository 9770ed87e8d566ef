"""Damaged exports of every format, from a seed: nothing fails hard, nothing is taken in silence.

`benchmarks/robustness.py` does the same for longer, with any seed and with real exports.
"""

import sys
from collections import Counter
from dataclasses import replace

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _mutant_bytes
import _mutant_rows
from _mutant_verdicts import judge, mutant

SEED = 20
N, N_OF_FEW = 400, 60


@pytest.fixture(scope="module")
def verdicts(exports, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutants")
    return [judge(mutant(SEED, number, exports), folder) for number in range(N)]


KINDS = ("hard", "silent", "changed", "unclear")


def faults(verdicts, kind):
    return [
        f"{one.number} {one.case}, {one.what}: {one.detail}"
        for one in verdicts
        if one.verdict == kind
    ]


def test_no_mutant_of_a_few_formats_is_a_fault_of_ours(few, tmp_path):
    found = [judge(mutant(SEED, number, few), tmp_path) for number in range(N_OF_FEW)]
    assert not [fault for kind in KINDS for fault in faults(found, kind)]
    assert Counter(one.verdict for one in found)["refused"] > N_OF_FEW // 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_is_a_fault_of_ours(verdicts, kind):
    assert not faults(verdicts, kind)


@pytest.mark.slow
def test_most_messages_name_a_place(verdicts):
    parsing = [one for one in verdicts if one.verdict == "refused" and one.parsing]
    assert len(parsing) > N // 10
    assert sum(one.placed for one in parsing) >= 0.8 * len(parsing)


@pytest.mark.slow
def test_there_are_mutants_of_each_class_and_many_are_refused(verdicts):
    assert min(Counter(one.kind for one in verdicts).values()) > N // 20
    assert Counter(one.verdict for one in verdicts)["refused"] > N // 4


def test_a_seed_makes_the_same_mutants(few):
    first, again, other = (mutant(seed, 5, few) for seed in (SEED, SEED, SEED + 1))
    assert first.data == again.data
    assert first.data != other.data


@pytest.mark.slow
def test_every_format_is_damaged(exports):
    from gazetrack.readers import registry

    # EDF is binary and SR Research's own: no file of it is ours to commit.
    assert {case.format for case in exports} == set(registry.BUILTIN) - {"eyelink_edf"}
    some = next(case for case in exports if case.name == "bids/draft")
    assert some.export is not None


def test_what_is_silent_is_found(few, tmp_path, monkeypatch):
    # A damage that changes numbers and that no reader can see: the harness has to see it.
    def other_numbers(_rng, export):
        return replace(export, rows=tuple(row.replace("5", "6") for row in export.rows))

    monkeypatch.setattr(_mutant_rows, "ERRORS", {"other numbers": other_numbers})
    found = []
    number = 0
    while len(found) < 10:
        one = mutant(SEED, number, few)
        number += 1
        if one.kind == "error":
            found.append(judge(one, tmp_path).verdict)
    assert "silent" in found


def test_what_fails_hard_is_found(few, tmp_path, monkeypatch):
    import gazetrack

    def fails(*_args, **_more):
        raise StopIteration

    monkeypatch.setattr(gazetrack, "read", fails)
    assert judge(mutant(SEED, 0, few), tmp_path).verdict == "hard"


def test_byte_changes_take_any_bytes():
    import numpy as np

    rng = np.random.default_rng(SEED)
    for change in _mutant_bytes.CHANGES.values():
        for data in (b"", b"\n", b"1", b"a,b\n1,2\n"):
            assert isinstance(change(rng, data, b"x"), bytes)
