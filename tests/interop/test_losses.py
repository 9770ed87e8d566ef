"""Losses are warned of where the user stands."""

from __future__ import annotations

import warnings

import pytest

from gazetrack.interop.losses import ConversionWarning, say


def convert(losses):
    say(losses)


def test_each_loss_is_warned_of_at_the_callers_line():
    with pytest.warns(ConversionWarning) as caught:
        convert(["the field of view", "two samples"])
    assert [str(one.message) for one in caught] == ["the field of view", "two samples"]
    assert {one.filename for one in caught} == {__file__}


def test_without_a_loss_nothing_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convert([])
