"""The eyes and the columns of their gaze."""

from __future__ import annotations

from gazetrack.tables.eyes import DEFAULT_EYE, EYE_CHOICES, EYES, GAZE_COLUMNS
from gazetrack.tables.schema import SAMPLES


def test_every_eye_has_gaze_in_a_table_of_samples_and_can_be_chosen():
    assert set(GAZE_COLUMNS) == {*EYES, "both"}
    assert all(name in SAMPLES.names for columns in GAZE_COLUMNS.values() for name in columns)
    assert set(GAZE_COLUMNS) < set(EYE_CHOICES)
    assert DEFAULT_EYE in EYE_CHOICES
