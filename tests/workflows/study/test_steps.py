"""The steps of a study and their order."""

from __future__ import annotations

from gazetrack.workflows.study.steps import FIRST, STEPS, chosen_steps


def test_every_step_comes_after_those_that_it_needs():
    names = list(STEPS)
    for name, step in STEPS.items():
        assert all(names.index(other) < names.index(name) for other in step.after)


def test_steps_are_those_with_a_table_in_their_order_and_conversion():
    assert chosen_steps(None, []) == (FIRST,)
    assert chosen_steps(None, ["render", "study", "quality"]) == ("convert", "quality", "render")


def test_a_list_of_steps_says_which_and_not_in_which_order():
    assert chosen_steps(["quality", "convert"], ["render"]) == ("convert", "quality")
    assert chosen_steps(["quality"], []) == ("quality",)
