"""Temperature scaling: the best of likelihood, no mask changed, and only where it belongs."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from gazetrack.errors import ConfigError, DataError, InputError
from gradtrack_model.evaluation.temperature import (
    LogitCounts,
    Temperature,
    crossed,
    fit,
    measure,
    read_temperature,
    write_temperature,
)

FOUND = Temperature(
    value=1.5,
    weights_sha256=("ab",),
    flips=True,
    image_size=64,
    images={"a": "1"},
    measured={"ece_before": 0.1},
)


def seen(temperature, n=40_000, seed=0):
    """Logits of a network that is too sure by a factor, and what there is."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(-1, 2, (n // 100, 100))
    mask = rng.random(honest.shape) < 1 / (1 + np.exp(-honest))
    return (honest * temperature).astype(np.float32), mask


def counted(*pairs):
    counts = LogitCounts()
    for logits, mask in pairs:
        counts.add(logits, mask)
    return counts


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_it_finds_by_how_much_a_network_is_too_sure(temperature):
    logits, mask = seen(temperature)
    found = fit(counted((logits, mask)))
    assert found == pytest.approx(temperature, rel=0.03)
    # The same as of every single logit, without bins.
    sign = np.where(mask, -1.0, 1.0)
    exact = minimize_scalar(
        lambda value: np.logaddexp(0, sign * logits.astype(np.float64) / value).mean(),
        bounds=(0.1, 10),
        method="bounded",
        options={"xatol": 1e-7},
    )
    assert found == pytest.approx(exact.x, rel=1e-3)
    assert counted((logits, mask)).nll(found) == pytest.approx(exact.fun, abs=1e-5)


def test_afterwards_probabilities_are_what_they_say():
    pairs = [seen(3.0, seed=seed) for seed in range(4)]
    halves = (counted(*pairs[:2]), counted(*pairs[2:]))
    found = measure(halves)
    assert found["ece_after"] < 0.01 < 0.05 < found["ece_before"]
    assert found["nll_after"] < found["nll_before"]
    every = halves[0] + halves[1]
    assert every.pixels.sum() == 4 * 40_000
    before = every.reliability()
    assert before["ece"] == found["ece_before"]
    assert crossed(halves, [1.0, 1.0])["ece"] == pytest.approx(before["ece"], abs=1e-12)


def test_each_half_is_measured_with_what_the_other_one_has_taught():
    halves = (counted(seen(4.0, seed=1)), counted(seen(1.0, seed=2)))
    found = measure(halves)
    # One half is too sure and the other is not: what one of them teaches does not do for the other.
    assert found["nll_after"] > (halves[0] + halves[1]).nll(fit(halves[0] + halves[1]))


def test_what_cannot_be_fitted_is_said():
    logits, mask = seen(1.0, n=400)
    for none in (np.zeros_like(mask), np.ones_like(mask)):
        with pytest.raises(DataError, match="no temperature can be fitted - give images of both"):
            fit(counted((logits, none)))
    with pytest.raises(DataError, match=r"no temperature between 0\.05 and 20"):
        fit(counted((np.where(mask, 3, -3).astype(np.float32), mask)))


def test_it_is_stored_and_read(tmp_path):
    path = tmp_path / "best.temperature.json"
    write_temperature(path, FOUND)
    assert read_temperature(path) == FOUND
    with pytest.raises(InputError, match="gradtrack-calibrate"):
        read_temperature(tmp_path / "none.json")
    whole = json.loads(path.read_text())
    for broken in ({**whole, "temperature": -1}, {**whole, "format": "x"}, [], {}):
        path.write_text(json.dumps(broken))
        with pytest.raises(InputError, match="is no temperature"):
            read_temperature(path)


def test_it_is_refused_for_logits_of_another_kind():
    networks = SimpleNamespace(digests=lambda: ["ab"])
    fitting = {"size": 64, "flips": True, "refined": False}
    FOUND.check(networks, **fitting)
    others = SimpleNamespace(digests=lambda: ["cd"])
    with pytest.raises(ConfigError, match="other weights"):
        FOUND.check(others, **fitting)
    for changed, match in (
        ({"size": 96}, "at 64 pixels, and not at 96"),
        ({"flips": False}, "with flips - give --tta"),
        ({"refined": True}, "prompt model"),
    ):
        with pytest.raises(ConfigError, match=match):
            FOUND.check(networks, **(fitting | changed))
    without = dataclasses.replace(FOUND, flips=False)
    with pytest.raises(ConfigError, match="without flips - leave out --tta"):
        without.check(networks, **fitting)


def test_the_images_it_was_fitted_on_are_refused_under_any_name():
    FOUND.refuse({"b": "2"})
    with pytest.raises(DataError, match="was fitted on 'copy of a': of these it says nothing"):
        FOUND.refuse({"b": "2", "copy of a": "1"})


def test_the_lowest_temperature_overflows_nowhere():
    counts = LogitCounts()
    counts.add(*seen(1.0, 400))
    with np.errstate(all="raise", under="ignore"):
        found = crossed((counts, counts), [0.05, 0.05])
        assert counts.reliability(0.05)["ece"] == pytest.approx(found["ece"])
