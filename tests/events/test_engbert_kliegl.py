"""Engbert & Kliegl: the ellipse of medians, and what is too short to be a saccade."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.events.base import Trial
from gazetrack.events.engbert_kliegl import EngbertKliegl
from tests import oracles
from tests.eye_signals import about_six_deviations


def noisy(n=800, seed=5):
    """Return the times, 2 ms apart, and noise of 0.3 px on both axes."""
    noise = np.random.default_rng(seed).normal(0, 0.3, (2, n))
    return np.arange(n) * 2.0, 300 + noise[0], 300 + noise[1]


def pairs(runs):
    starts, ends = runs
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@pytest.mark.parametrize("factor", [3.0, 6.0])
@pytest.mark.parametrize("drift", [0.0, 0.05])
def test_engbert_kliegl_leaves_an_ellipse_of_medians(factor, drift):
    """The threshold is that of their paper.

    For each axis it is sqrt(<v^2> - <v>^2), medians (Engbert & Kliegl 2003).
    """
    rng = np.random.default_rng(3)
    t = np.arange(800) * 2.0
    x, y = 300 + drift * t, 300 + rng.normal(0, 0.3, 800)
    x += rng.normal(0, 0.2, 800)
    for start, size in ((200, 30.0), (500, 3.0), (650, 1.2)):
        x[start:] += size * np.clip(np.arange(800 - start) / 8, 0, 1)
    vx, vy = (oracles.five_point_velocity(t, v, 75.0) for v in (x, y))
    eta = [factor * np.sqrt(np.nanmedian(v**2) - np.nanmedian(v) ** 2) for v in (vx, vy)]
    outside = (vx / eta[0]) ** 2 + (vy / eta[1]) ** 2 > 1
    detector = EngbertKliegl(threshold_factor=factor, min_saccade_ms=0.0, min_duration_ms=0.0)
    starts, ends = detector.runs(Trial(t, x, y, 40.0))
    fixating = np.zeros(800, bool)
    for a, b in zip(starts, ends, strict=True):
        fixating[a:b] = True
    known = ~np.isnan(vx)
    assert outside[known].any()
    assert (fixating[known] == ~outside[known]).all()


def test_fixations_are_what_lies_between_saccades():
    t, x, y = noisy()
    x[400:] += 200 * np.clip(np.arange(1, 401) / 10, 0, 1)  # 20 ms, from the sample 400 to 409
    (first, second) = pairs(EngbertKliegl().runs(Trial(t, x, y, 40.0)))
    assert first[0] == 2  # of which the velocity over five samples is the first to be known
    assert first[1] == pytest.approx(400, abs=2)
    assert second[0] == pytest.approx(410, abs=2)
    assert second[1] == 798


def test_an_excursion_as_long_as_the_shortest_saccade_is_one():
    t, x, y = noisy()
    x[400:] += 100.0  # at once: the velocity over five samples is high for 8 ms, four of them
    trial = Trial(t, x, y, 40.0)
    assert pairs(EngbertKliegl(min_saccade_ms=8.0).runs(trial)) == [(2, 398), (402, 798)]
    assert pairs(EngbertKliegl(min_saccade_ms=8.1).runs(trial)) == [(2, 798)]


def test_the_ellipse_has_a_radius_of_its_own_on_each_axis():
    t, x, y = noisy()
    y = 300 + 20 * (y - 300)
    # As fast on both axes, a jump is a saccade only where the noise is low.
    jump = np.where(t < 800, 0.0, 10.0)
    detector = EngbertKliegl()
    assert len(pairs(detector.runs(Trial(t, x + jump, y, 40.0)))) == 2
    assert len(pairs(detector.runs(Trial(t, x, y + jump, 40.0)))) == 1


def test_gaze_that_never_moves_is_one_fixation_and_none_is_none():
    t = np.arange(100) * 2.0
    still = np.full(100, 7.0)
    assert pairs(EngbertKliegl().runs(Trial(t, still, still, 40.0))) == [(2, 98)]
    lost = np.full(100, np.nan)
    assert pairs(EngbertKliegl().runs(Trial(t, lost, lost, 40.0))) == []


def test_a_step_longer_than_the_gap_ends_a_fixation():
    t, x, y = noisy()
    t[400:] += 50.0
    assert len(pairs(EngbertKliegl(max_gap_ms=60.0).runs(Trial(t, x, y, 40.0)))) == 1
    assert len(pairs(EngbertKliegl(max_gap_ms=40.0).runs(Trial(t, x, y, 40.0)))) == 2


def test_the_ellipse_itself_is_not_left(monkeypatch):
    velocity = iter(about_six_deviations())
    t = np.arange(100) * 2.0
    monkeypatch.setattr(
        "gazetrack.events.engbert_kliegl.five_point_velocity", lambda *_: next(velocity)
    )
    found = EngbertKliegl().movements(Trial(t, t, t, 40.0))
    assert pairs(found["saccade"]) == [(70, 80)]
    assert pairs(found["fixation"]) == [(0, 70), (80, 100)]
