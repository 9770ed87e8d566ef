"""What whole milliseconds make of even steps: told from what is lost, or there twice."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.tables.whole_ms import (
    evened,
    evened_steps,
    evenness,
    is_whole,
    jittery_step,
    nearly_whole,
    unsteadiness,
)


def test_a_short_step_and_the_long_one_that_makes_up_for_it_become_usual_ones():
    steps = np.array([2.0, 1.0, 2.0, 3.0, 2.0, 3.0, 1.0, 2.0])
    assert evened_steps(steps).tolist() == [2.0] * 8
    assert evened(steps, 2.0).sum() == steps.sum()


def test_no_step_is_made_up_for_twice_or_from_afar():
    assert evened(np.array([3.0, 1.0, 3.0]), 2.0).tolist() == [2.0, 2.0, 3.0]
    far = np.array([3.0, *[2.0] * 8, 1.0])
    assert evened(far, 2.0).tolist() == far.tolist()


def test_longer_steps_alone_are_left_and_so_are_those_of_other_clocks():
    lost = np.array([1.0, 2.0, 1.0, 1.0, 2.0])
    assert evened_steps(lost).tolist() == lost.tolist()
    slow = np.array([4.0, 3.0, 5.0, 4.0])
    assert evened_steps(slow).tolist() == slow.tolist()
    fine = np.array([2.0, 1.5, 2.5])
    assert evened_steps(fine).tolist() == fine.tolist()


def test_jitter_matters_up_to_three_whole_milliseconds():
    assert jittery_step(np.array([2.0, 3.0])) == 2.0
    assert jittery_step(np.array([3.0])) == 3.0
    assert jittery_step(np.array([4.0])) == 0.0
    assert jittery_step(np.array([2.5])) == 0.0


def test_whole_is_whole_but_for_last_digits():
    assert is_whole(np.array([1.0000002, 3.0]))
    assert nearly_whole(np.array([1.0000002, 3.0])).tolist() == [1.0, 3.0]
    assert nearly_whole(np.array([1.1, 3.0])).tolist() == [1.1, 3.0]


def test_the_clocks_own_steps_are_even_and_steady_those_of_chance_are_not():
    clocks = np.diff(np.floor(np.arange(5000) * 1000 / 870)) == 2.0
    chance = np.random.default_rng(2).random(5000) < clocks.mean()
    assert evenness(clocks) == 1.0
    assert unsteadiness(clocks) < 0.05
    assert evenness(chance) < 0.4
    assert unsteadiness(chance) == pytest.approx(1.0, abs=0.4)


def test_of_few_steps_nothing_is_known():
    assert evenness(np.array([True, False])) == 0.0
    assert unsteadiness(np.array([True, False] * 20)) == 1.0
