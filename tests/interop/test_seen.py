"""Which eyes have gaze of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from gazetrack.interop.seen import is_one_gaze, seen_eyes
from tests.interop.recordings import recording


@pytest.mark.parametrize(
    ("eyes", "one"),
    [((), True), (("left",), True), (("right",), True), (("left", "right"), False)],
)
def test_eyes_are_seen_by_their_gaze(eyes, one):
    found = recording(eyes=eyes)
    assert seen_eyes(found) == eyes
    assert is_one_gaze(found) is one


def test_a_single_eye_beside_another_combined_gaze_is_not_all():
    found = recording(eyes=("left",))
    samples = found.sample_table
    moved = pa.array(samples["x_px"].to_numpy() + np.float32(1))
    at = samples.schema.get_field_index("x_px")
    other = replace(found, sample_table=samples.set_column(at, samples.schema.field(at), moved))
    assert seen_eyes(other) == ("left",)
    assert not is_one_gaze(other)


def test_without_samples_no_eye_is_seen():
    assert seen_eyes(replace(recording(), sample_table=None)) == ()
