"""Scores of saliency maps: by hand, as pysaliency has them, and what must hold of any map."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazetrack.errors import ConfigError
from gazetrack.measures import saliency
from gazetrack.measures.saliency import SCORES, Looks, SaliencyOptions, scores
from tests.measures.saliency_inputs import SIGMA_PX, study
from tests.places import ROOT

GOLDEN = json.loads((ROOT / "tests/measures/pysaliency.json").read_text("utf-8"))
RAMP = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize("image", range(4))
@pytest.mark.parametrize("score", ["nss", "auc_judd", "auc_shuffled", "kl", "cc", "sim"])
def test_equals_pysaliency(score, image):
    maps, looked = study()
    (height, width), (x, y) = maps[image].shape, looked[image]
    empirical = saliency.fixation_density(x, y, (height, width), SIGMA_PX)
    others = [k for k in range(4) if k != image]
    elsewhere = [
        np.concatenate([looked[k][axis] * size / maps[k].shape[1 - axis] for k in others])
        for axis, size in enumerate((width, height))
    ]
    ours = {
        "nss": lambda: saliency.nss(maps[image], x, y),
        "auc_judd": lambda: saliency.auc_judd(maps[image], x, y),
        "auc_shuffled": lambda: saliency.auc(
            saliency.at(maps[image], x, y), saliency.at(maps[image], *elsewhere)
        ),
        "kl": lambda: saliency.kl(maps[image], empirical),
        "cc": lambda: saliency.cc(maps[image], empirical),
        "sim": lambda: saliency.sim(maps[image], empirical),
    }
    assert ours[score]() == pytest.approx(GOLDEN["scores"][score][image], abs=1e-12)


@pytest.mark.parametrize("image", [0, 1])
def test_information_gain_equals_pysaliency(image):
    maps, looked = study()
    baseline = saliency.centre_bias(maps[image].shape)
    gain = saliency.information_gain(maps[image] + 1, baseline, *looked[image])
    assert gain == pytest.approx(GOLDEN["scores"]["information_gain"][image], abs=1e-9)


def test_the_values_are_those_of_pixels():
    x, y = np.array([0.0, 3.999, 2.5]), np.array([0.0, 2.999, 1.0])
    assert saliency.at(RAMP, x, y).tolist() == [0, 11, 6]


def test_nss_is_standard_deviations_above_the_mean():
    x, y = np.array([3.5]), np.array([2.5])
    assert saliency.nss(RAMP, x, y) == pytest.approx((11 - 5.5) / RAMP.std())
    assert saliency.nss(np.full((3, 4), 7.0), x, y) == 0


def test_auc_is_how_often_a_fixation_is_above():
    assert saliency.auc(np.array([2.0]), np.array([1.0, 2.0, 3.0, 0.0])) == pytest.approx(0.625)
    assert saliency.auc_judd(RAMP, np.array([3.5]), np.array([2.5])) == pytest.approx(11.5 / 12)


def test_auc_borji_is_seeded_and_near_that_of_all_pixels():
    random = np.random.default_rng(0)
    values = random.random((40, 50))
    x, y = random.random(30) * 50, random.random(30) * 40
    once = saliency.auc_borji(values, x, y, seed=3)
    assert once == saliency.auc_borji(values, x, y, seed=3)
    assert once != saliency.auc_borji(values, x, y, seed=4)
    assert once == pytest.approx(saliency.auc_judd(values, x, y), abs=0.02)


maps = arrays(np.float64, (5, 7), elements=st.floats(-10, 10, allow_subnormal=False))


@given(maps, st.integers(0, 999), st.floats(0.1, 9), st.floats(-9, 9))
@settings(deadline=None, max_examples=60)
def test_what_only_ranks_minds_no_scale(values, seed, factor, shift):
    random = np.random.default_rng(seed)
    values = np.round(values, 3)
    x, y = random.random(6) * 7, random.random(6) * 5
    changed = values * factor + shift
    assert saliency.nss(changed, x, y) == pytest.approx(saliency.nss(values, x, y), abs=1e-6)
    empirical = saliency.fixation_density(x, y, (5, 7), 1.0)
    both = saliency.cc(changed, empirical), saliency.cc(values, empirical)
    assert both[0] == pytest.approx(both[1], abs=1e-6)
    turned = saliency.auc_judd(-values, x, y)
    assert saliency.auc_judd(values, x, y) == pytest.approx(1 - turned)


@given(maps)
@settings(deadline=None, max_examples=60)
def test_a_map_and_itself(values):
    values = np.round(values, 3)
    assert saliency.kl(values, values) == pytest.approx(0, abs=1e-9)
    assert saliency.sim(values, values) == pytest.approx(1)
    assert saliency.density(values).sum() == pytest.approx(1)
    assert saliency.density(values).min() >= 0
    assert saliency.cc(values, values) == (pytest.approx(1) if np.ptp(values) else 0)
    x, y = np.array([0.5]), np.array([4.5])
    assert saliency.information_gain(values, values, x, y) == 0


def test_information_gain_in_bits():
    flat = np.ones((4, 4))
    twice = np.ones((4, 4))
    twice[0, 0] = 17  # half of all
    x = y = np.array([0.5])
    assert saliency.information_gain(twice, flat, x, y) == pytest.approx(math.log2(17 / 32 * 16))
    nowhere = np.zeros((4, 4))
    nowhere[3, 3] = 1.0
    assert saliency.information_gain(nowhere, flat, x, y) < -40


def test_fixations_make_a_density_of_their_number():
    x, y = np.array([1.0, 3.9, 3.9]), np.array([0.2, 2.2, 2.9])
    found = saliency.fixation_density(x, y, (3, 4), 0.01)
    assert found.tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]]
    assert saliency.fixation_density(x, y, (3, 4), 1.0).sum() == pytest.approx(3)


def test_the_centre_bias_is_symmetric_and_highest_in_the_middle():
    bias = saliency.centre_bias((20, 31))
    assert bias.sum() == pytest.approx(1)
    assert np.allclose(bias, bias[::-1, ::-1])
    assert np.unravel_index(bias.argmax(), bias.shape)[1] == 15
    assert bias[0, 0] < bias[10, 0] < bias[10, 15]


def test_all_scores_of_a_map():
    maps, looked = study()
    nowhere = np.zeros(0), np.zeros(0)
    found = scores(maps[0], Looks.on(maps[0].shape, *looked[0], nowhere))
    assert tuple(found) == SCORES
    assert math.isnan(found.pop("auc_shuffled"))
    assert all(map(math.isfinite, found.values()))
    one = np.array([1.0]), np.array([1.0])
    flat = scores(maps[3], Looks.on(maps[3].shape, *looked[3], one))
    assert flat["nss"] == flat["cc"] == flat["information_gain_uniform"] == 0
    assert flat["auc_judd"] == flat["auc_borji"] == flat["auc_shuffled"] == 0.5
    assert flat["information_gain"] < 0


@pytest.mark.parametrize("wrong", [{"sigma_share": 0.0}, {"centre_share": math.nan}, {"splits": 0}])
def test_options_that_make_no_sense(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SaliencyOptions(**wrong)
