"""Channels are as MNE itself makes them."""

from __future__ import annotations

from dataclasses import replace

import mne
import numpy as np
import pyarrow as pa
import pytest

from gazetrack.errors import ConfigError
from gazetrack.interop.mne_channels import channels_of
from tests.interop.recordings import recording


def names(found):
    return [channel.name for channel in found]


@pytest.mark.parametrize("pupil", ["mm", "arbitrary"])
def test_units_and_places_are_those_that_mne_sets(pupil):
    found = channels_of(recording(), pupil)
    info = mne.create_info(names(found), 250.0, ["misc"] * len(found))
    raw = mne.io.RawArray(np.ones((len(found), 5)), info, verbose="error")
    said = {
        channel.name: ("eyegaze", "px", channel.eye, channel.name[0])
        if channel.kind == "eyegaze"
        else ("pupil", "mm" if pupil == "mm" else "au", channel.eye)
        for channel in found
    }
    mne.preprocessing.eyetracking.set_channel_types_eyetrack(raw, said)
    for channel, theirs in zip(found, raw.info["chs"], strict=True):
        assert channel.unit == theirs["unit"]
        np.testing.assert_array_equal(channel.loc, theirs["loc"])
        assert channel.kind == raw.get_channel_types([channel.name])[0]
    factor = next(one.factor for one in found if "pupil" in one.name)
    assert raw.get_data("pupil_left")[0, 0] == factor


@pytest.mark.parametrize(
    ("eyes", "expected"),
    [
        ((), ["xpos_both", "ypos_both"]),
        (("right",), ["xpos_right", "ypos_right", "pupil_right"]),
        (
            ("left", "right"),
            [*("xpos_left", "ypos_left", "xpos_right", "ypos_right"), "pupil_left", "pupil_right"],
        ),
    ],
)
def test_what_is_known_has_a_channel(eyes, expected):
    assert names(channels_of(recording(eyes=eyes), "auto")) == expected


def test_a_combined_gaze_that_is_no_mean_has_channels_of_its_own():
    own = recording()
    samples = own.sample_table
    at = samples.schema.get_field_index("x_px")
    moved = pa.array(samples["x_px"].to_numpy() + np.float32(1))
    other = replace(own, sample_table=samples.set_column(at, samples.schema.field(at), moved))
    assert names(channels_of(other, "auto"))[4:6] == ["xpos_both", "ypos_both"]


def test_pupils_are_millimetres_where_they_can_be():
    own = recording(eyes=("left",))
    assert channels_of(own, "auto")[-1].factor == 1.0
    samples = own.sample_table
    at = samples.schema.get_field_index("left_pupil")
    small = pa.array(samples["left_pupil"].to_numpy() / np.float32(300))
    in_mm = replace(own, sample_table=samples.set_column(at, samples.schema.field(at), small))
    assert channels_of(in_mm, "auto")[-1].factor == 1e-3
    assert channels_of(in_mm, "arbitrary")[-1].factor == 1.0


def test_nothing_known_is_refused():
    own = recording(eyes=())
    nowhere = pa.array(np.full(own.sample_table.num_rows, np.nan, np.float32))
    samples = own.sample_table
    for name in ("x_px", "y_px"):
        at = samples.schema.get_field_index(name)
        samples = samples.set_column(at, samples.schema.field(at), nowhere)
    with pytest.raises(ConfigError, match="position or a pupil"):
        channels_of(replace(own, sample_table=samples), "auto")
