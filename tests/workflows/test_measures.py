"""Areas of interest measured in tables at hand and in many files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gazetrack
from gazetrack.tables.store import write_table
from tests.aoi_tables import NAN, halves, own_json, rectangle, table


def write(path, fixations, **meta):
    write_table(path, fixations, meta)
    return path


def test_a_data_frame_is_measured_as_its_file_is(tmp_path):
    fixations = table([10, 60, 20], [5] * 3)
    path = write(tmp_path / "a.fixations.parquet", fixations)
    at_hand = gazetrack.measure_aois(fixations.to_pandas(), halves())
    pd.testing.assert_frame_equal(gazetrack.measure_aois(path, halves()), at_hand)
    pd.testing.assert_frame_equal(gazetrack.measure_aois(tmp_path, halves()), at_hand)
    pd.testing.assert_frame_equal(gazetrack.measure_aois(fixations, halves()), at_hand)
    assert at_hand["visits"].tolist() == [2, 1]


def test_areas_may_be_a_file(tmp_path):
    own_json(tmp_path / "aois.json", rectangle(x=0, y=0, width=50, height=100))
    found = gazetrack.measure_aois(table([10, 60], [5] * 2), tmp_path / "aois.json")
    assert found["dwell_ms"].tolist() == [100]


def test_transitions_and_entropy():
    fixations = table([10, 60, 20], [5] * 3)
    steps = gazetrack.aoi_transitions(fixations, halves())
    assert len(steps) == 4
    entropy = gazetrack.aoi_transitions(fixations, halves(), entropy=True)
    assert entropy["transition_entropy_bits"].tolist() == [0, 0]


@pytest.mark.real_data
def test_the_polyps_of_kvasir_as_a_loop_over_fixations_finds_them(data_dir, tmp_path):
    folder = data_dir / "kvasir-gaze"
    gazetrack.convert(folder / "kvasir_fixation.csv", out=tmp_path)
    frame = pd.read_parquet(tmp_path / "kvasir_fixation.fixations.parquet")
    chosen = list(frame["stimulus"].unique()[::60])  # 15 of 900
    frame = frame[frame["stimulus"].isin(chosen)]
    frame.attrs["gazetrack"] = {"time_origin": "trial"}
    found = gazetrack.measure_aois(frame, gazetrack.read_aois(folder / "masks", name="polyp"))
    assert len(found) == len(chosen) == 15
    for row in found.to_dict("records"):
        with Image.open(folder / "masks" / row["stimulus"]) as picture:
            mask = np.array(picture.convert("L")) > 127
        height, width = mask.shape
        dwell, first = 0.0, NAN
        own = frame[frame["stimulus"] == row["stimulus"]].sort_values("onset_ms")
        for one in own.to_dict("records"):
            x = int(np.floor(one["x_px"] * (width / one["image_width_px"])))
            y = int(np.floor(one["y_px"] * (height / one["image_height_px"])))
            if 0 <= x < width and 0 <= y < height and mask[y, x]:
                dwell += one["duration_ms"]
                first = one["onset_ms"] if np.isnan(first) else first
        assert row["dwell_ms"] == dwell
        assert row["time_to_first_fixation_ms"] == pytest.approx(first, nan_ok=True)
        share = dwell / own["duration_ms"].sum()
        assert row["dwell_share_of_fixation_time"] == pytest.approx(share)
