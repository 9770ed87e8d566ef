"""What the page is told: names as text, gaze on the image's own pixels, and layers of its size."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from gazetrack.maps.store import read_maps
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.viewer.layers import GAZE
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import H, W


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_list_says_what_there_is(viewer):
    listing = viewer.content.listing()
    assert [image["name"] for image in listing["images"]][:4] == ["im0", "im1", "im2", "im3"]
    assert [image["gaze"] for image in listing["images"]] == [True] * 4 + [False] * 2
    assert listing["network"] == "gradtrack"
    json.dumps(listing, allow_nan=False)


def test_an_image_has_its_tracks_and_levels(viewer):
    facts = viewer.content.facts(1)
    assert (facts["width"], facts["height"]) == (W, H)
    assert [track["n"] for track in facts["tracks"]] == [11, 11]
    assert facts["tracks"][0]["fixations"][0] == [2.0, 2.0, 250]
    assert facts["levels"][-1] == "all"
    assert len(facts["levels"]) == 3
    nobody = viewer.content.facts(4)
    assert (nobody["levels"], nobody["tracks"], nobody["reference"]) == ([], [], False)
    with pytest.raises(KeyError):
        viewer.content.picture(4, "level-1")


def test_a_level_is_the_stored_map(viewer, looked_at):
    layer = opened(viewer.content.picture(2, "level-2"))
    maps = read_maps(looked_at / "maps").load("im2")
    np.testing.assert_array_equal(layer[..., 3], maps[1])
    assert tuple(layer[0, 0, :3]) == GAZE


def test_what_is_seen_is_what_predict_writes(viewer, looked_at, run_folder, tmp_path):
    network = load_model(run_folder / "runs" / "gradtrack")
    options = PredictOptions(tta=True, uncertainty=True, probabilities=True, ids=("im3",))
    list(predict_folder(looked_at / "images", network, tmp_path, options))
    written = opened((tmp_path / "im3.png").read_bytes())
    seen = viewer.content.seen(3)
    assert seen["share"] == pytest.approx((written > 127).mean())
    line = (tmp_path / "uncertainty.csv").read_text().splitlines()[1]
    assert f"im3,{seen['uncertainty']:.6f}" == line
    outline = opened(viewer.content.picture(3, "mask"))[..., 3] > 0
    assert not (outline & (written <= 127)).any()
    probability = opened(viewer.content.picture(3, "probability"))[..., 3].astype(int)
    other = opened((tmp_path / "probabilities" / "im3.png").read_bytes()).astype(int)
    # Logits are resized there, and probabilities here.
    assert np.abs(probability - other).mean() < 4
    with pytest.raises(KeyError):
        viewer.content.picture(3, "reference-1")
