"""The tables of pupil sizes."""

from __future__ import annotations

import pytest

from gazetrack.tables.pupils import PUPIL, PUPIL_TRIALS, REASONS
from gazetrack.tables.schema import conform


@pytest.mark.parametrize("schema", [PUPIL, PUPIL_TRIALS], ids=["samples", "trials"])
def test_every_column_says_its_unit_and_meaning(schema):
    for field in schema:
        assert not field.nullable
        assert field.metadata[b"meaning"]
        if field.name.endswith("_ms"):
            assert field.metadata[b"unit"] == b"ms"


def test_every_reason_is_counted_by_trial():
    counted = [name for name in PUPIL_TRIALS.names if name.removeprefix("n_") in REASONS]
    assert counted == [f"n_{reason}" for reason in REASONS]


def test_samples_of_both_eyes_stand_below_each_other():
    columns = {"eye": ["left", "right"], "t_ms": [4.0, 4.0], "is_filled": [False, True]}
    frame = conform(columns, PUPIL).to_pandas()
    assert list(frame["is_filled"]) == [False, True]
    assert frame["pupil"].isna().all()
