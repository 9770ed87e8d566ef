"""Saliency maps against the fixations of many recordings, and bad maps."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError, InputError, SchemaError
from gazetrack.measures.saliency import SCORES, auc, nss
from tests.fixation_tables import write_fixations
from tests.measures.paths import track

WIDTH, HEIGHT = 80, 60


def looked(stimulus, seed, recording="a", n=12):
    random = np.random.default_rng(seed)
    places = random.random((n, 2)) * [WIDTH, HEIGHT]
    size = {"width": float(WIDTH), "height": float(HEIGHT)}
    return track(places, recording=recording, stimulus=stimulus, **size)


@pytest.fixture
def paths():
    return [looked("cat.png", 0), looked("cat.png", 1, "b"), looked("dog.png", 2)]


@pytest.fixture
def maps():
    random = np.random.default_rng(9)
    return {name: random.random((HEIGHT, WIDTH)) for name in ("cat.png", "dog.png")}


def test_all_observers_together_beside_a_centre_bias(paths, maps):
    found = gazetrack.score_saliency(maps, paths)
    assert found["stimulus"].tolist() == ["cat", "cat", "dog", "dog"]
    assert found["scored"].tolist() == ["map", "centre_bias"] * 2
    assert found["n_fixations"].tolist() == [24, 24, 12, 12]
    assert (found["width_px"].iloc[0], found["height_px"].iloc[0]) == (WIDTH, HEIGHT)
    x = np.concatenate([paths[0].x, paths[1].x])
    y = np.concatenate([paths[0].y, paths[1].y])
    assert found["nss"].iloc[0] == pytest.approx(nss(maps["cat.png"], x, y))
    at_cat = maps["cat.png"][y.astype(int), x.astype(int)]
    at_dog = maps["cat.png"][paths[2].y.astype(int), paths[2].x.astype(int)]
    assert found["auc_shuffled"].iloc[0] == pytest.approx(auc(at_cat, at_dog))
    assert found["information_gain"].iloc[1] == 0
    assert (found["reason"] == "").all()


def test_each_recording_alone(paths, maps):
    found = gazetrack.score_saliency(maps, paths, by="recording")
    assert found["recording"].tolist() == ["a", "a", "b", "b", "a", "a"]
    assert found["n_fixations"].tolist() == [12] * 6
    assert found["nss"].iloc[2] == pytest.approx(nss(maps["cat.png"], paths[1].x, paths[1].y))


def test_smaller_maps_of_the_same_shape_are_scored_on_their_own_pixels(paths, maps):
    small = {name: values[::2, ::2] for name, values in maps.items()}
    found = gazetrack.score_saliency(small, paths)
    assert found["width_px"].tolist() == [40] * 4
    expected = nss(small["dog.png"], paths[2].x / 2, paths[2].y / 2)
    assert found["nss"].iloc[2] == pytest.approx(expected)


def test_fixations_beside_the_image_are_counted(maps):
    size = {"width": float(WIDTH), "height": float(HEIGHT)}
    path = track([[5, 5], [-1, 5], [80, 5], [5, 60], [math.nan, 5]], **size)
    found = gazetrack.score_saliency(maps, [path]).iloc[0]
    assert (found["n_fixations"], found["n_outside"]) == (1, 4)


def test_rows_and_not_silence(paths, maps):
    maps = {"cat.png": maps["cat.png"], "bird.png": maps["dog.png"]}
    found = gazetrack.score_saliency(maps, paths).set_index(["stimulus", "scored"])
    assert found.loc[("dog", "map"), "reason"] == "no map"
    assert found.loc[("bird", "map"), "reason"] == "no fixations"
    assert found.loc[["dog", "bird"], list(SCORES)].isna().all(axis=None)
    # Nobody looked at another image whose map is there, but at the dog.
    assert np.isfinite(found.loc[("cat", "map"), "auc_shuffled"])


def test_one_image_alone_has_no_shuffled_auc(paths, maps):
    found = gazetrack.score_saliency(maps, paths[:2])
    assert found["auc_shuffled"].isna().all()
    assert np.isfinite(found["auc_judd"].iloc[0])


@pytest.mark.parametrize("by", ["stimulus", "recording"])
def test_the_order_of_tables_does_not_matter(paths, maps, by):
    one, other = (gazetrack.score_saliency(maps, given, by=by) for given in (paths, paths[::-1]))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.slow
def test_several_processes_give_the_same(paths, maps):
    here = gazetrack.score_saliency(maps, paths)
    pd.testing.assert_frame_equal(here, gazetrack.score_saliency(maps, paths, jobs=2))


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.full((HEIGHT, WIDTH), np.nan), InputError, "'cat' has 4,800 pixels that are no numb"),
        (np.full((HEIGHT, WIDTH), np.inf), InputError, "4,800 pixels that are no numbers"),
        (np.ones((HEIGHT, WIDTH, 3)), SchemaError, r"shape \(60, 80, 3\)"),
        (np.ones((0, 4)), SchemaError, r"shape \(0, 4\)"),
        (np.array([["a"]]), SchemaError, "holds no numbers"),
        (np.ones((60, 60)), SchemaError, "'cat' is 60 x 60 px - its image has 80 x 60 px"),
    ],
)
def test_bad_maps(paths, bad, error, message):
    with pytest.raises(error, match=message):
        gazetrack.score_saliency({"cat.png": bad}, paths)


def test_maps_of_other_images(paths, maps):
    with pytest.raises(InputError, match="no map of 'cat', nor of any other stimulus"):
        gazetrack.score_saliency({"bird.png": maps["cat.png"]}, paths)
    with pytest.raises(ConfigError, match="by 'trial'"):
        gazetrack.score_saliency(maps, paths, by="trial")


def test_tables_know_their_images_or_are_placed(tmp_path, maps):
    random = np.random.default_rng(0)
    places = {"x_px": random.random(8) * 80, "y_px": random.random(8) * 60, "index": np.arange(8)}
    table = write_fixations(tmp_path / "a.fixations.parquet", ["cat.png"] * 8, **places)
    found = gazetrack.score_saliency(maps, table)
    assert found["n_fixations"].tolist() == [8, 8, 0, 0]
    lost = {"image_width_px": math.nan, "image_height_px": math.nan}
    screen = write_fixations(tmp_path / "s.fixations.parquet", ["cat.png"] * 8, **places, **lost)
    with pytest.raises(SchemaError, match=r"image size is not known.*--placement"):
        gazetrack.score_saliency(maps, screen)
    # The screen is 100 x 60: the image is in its middle.
    placed = gazetrack.score_saliency(maps, screen, placement="centre")
    x = places["x_px"].astype(np.float32).astype(float) - 10
    inside = x >= 0
    assert placed["n_fixations"].iloc[0] == inside.sum()
