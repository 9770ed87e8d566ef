"""A run that is cut short within a save, or whose newest state is damaged, comes to the same."""

from __future__ import annotations

import errno

import pytest

from gradtrack_model.training.resume import States
from tests.faults import Calls, Fault, spread, tree
from tests.training_faults import Training, damages, try_damage, two_states


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    return Training(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def whole(training):
    return two_states(training)


@pytest.mark.parametrize(("name", "ending"), list(damages()))
def test_a_damaged_newest_state_is_told_and_the_one_before_is_used(training, whole, name, ending):
    assert try_damage(training, whole, name, ending) == []


def test_a_crash_at_any_call_of_a_save_changes_nothing(training):
    crashes = list(training.crashes())
    assert len(crashes) > 40
    wrong = {(call, when): training.try_crash(found) for call, when, found in spread(crashes, 5)}
    assert {where: what for where, what in wrong.items() if what} == {}


def test_a_network_can_be_loaded_after_a_crash_at_any_call_of_a_save(training):
    from gradtrack_model.weights.checkpoint import load_model

    for _, _, found in spread(training.crashes(), 12):
        training.clear(found)
        assert load_model(training.run).step in (2, 4)


def test_a_full_disk_at_any_call_is_told_and_what_is_there_goes_on(training):
    training.clear()
    with Calls(training.run) as calls:
        training.train()
    for n in spread(range(len(calls.made)), 4):
        wrong, hit = training.try_fault(Fault(n, errno.ENOSPC, lasting=True))
        assert (wrong, hit) == ([], True)


def test_what_an_old_state_leaves_when_its_removal_is_cut_short_is_removed(training, whole):
    training.clear(whole)
    old, newest = States(training.run).paths[-2:]
    old.unlink()
    States(training.run).keep(1)
    names = set(tree(training.run / "states"))
    assert names == {newest.name, newest.with_suffix(".safetensors").name}
