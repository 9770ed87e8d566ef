"""Microsaccades: the toolbox's numbers, of one eye and of both."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.base import Trial
from gazetrack.events.microsaccades import (
    Excursions,
    Microsaccades,
    _deviation,
    _velocity,
    binocular,
    excursions,
    microsaccades_of,
)
from tests.eye_signals import about_six_deviations, fixational

HERE = Path(__file__).parent
SCALE = 40.0


def trials(n=3000):
    t, eyes = fixational(n)
    return [Trial(t, eye[:, 0].copy(), eye[:, 1].copy(), SCALE) for eye in eyes]


# The toolbox, as its papers and its R code describe it, one sample at a time.


def median(values):
    ordered = sorted(values)
    n = len(ordered)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


def oracle_velocity(v, hz):
    n = len(v)
    out = [0.0] * n
    for i in range(2, n - 2):
        out[i] = (v[i + 2] + v[i + 1] - v[i - 1] - v[i - 2]) * hz / 6
    out[1] = (v[2] - v[0]) * hz / 2
    out[n - 2] = (v[n - 1] - v[n - 3]) * hz / 2
    return out


def oracle_microsacc(x, y, hz, factor, least):
    """Rows (onset, end, peak, dX, dY), samples from 0, the last one included."""
    vx, vy = oracle_velocity(x, hz), oracle_velocity(y, hz)
    radius = [factor * math.sqrt(median([a * a for a in v]) - median(v) ** 2) for v in (vx, vy)]
    rows, run = [], []
    for i in range(len(x) + 1):
        outside = i < len(x) and (vx[i] / radius[0]) ** 2 + (vy[i] / radius[1]) ** 2 > 1
        if outside:
            run.append(i)
            continue
        if len(run) >= least:
            peak = max(math.hypot(vx[k], vy[k]) for k in run)
            rows.append((run[0], run[-1], peak, extent(x, run), extent(y, run)))
        run = []
    return rows


def extent(v, run):
    least = min(run, key=lambda k: v[k])
    largest = max(run, key=lambda k: v[k])
    sign = (largest > least) - (largest < least)
    return sign * (v[largest] - v[least])


def oracle_binsacc(left, right):
    marked = set()
    for first, last, *_ in (*left, *right):
        marked |= set(range(first, last + 1))
    pairs, group = [], []
    for i in sorted(marked):
        if group and i != group[-1] + 1:
            pairs += of_cluster(group, left, right)
            group = []
        group.append(i)
    return pairs + of_cluster(group, left, right)


def of_cluster(group, left, right):
    inside = [[row for row in rows if row[0] in group] for rows in (left, right)]
    if not all(inside):
        return []
    return [tuple(max(rows, key=lambda row: math.hypot(row[3], row[4])) for rows in inside)]


def rows_of(found: Excursions):
    peak = found.peak * SCALE  # px/s, as the oracle's
    columns = (found.starts, found.ends - 1, peak, found.width, found.height)
    return np.column_stack(columns)


def test_each_eye_s_are_those_of_the_toolbox():
    for trial in trials():
        expected = oracle_microsacc(trial.x_px, trial.y_px, 500.0, 6.0, 3)
        assert len(expected) > 8
        found = excursions(trial, Microsaccades())
        np.testing.assert_allclose(rows_of(found), expected, rtol=1e-9)


def test_those_of_both_eyes_are_those_of_the_toolbox():
    left, right = trials()
    rows = [oracle_microsacc(eye.x_px, eye.y_px, 500.0, 6.0, 3) for eye in (left, right)]
    expected = oracle_binsacc(*rows)
    pairs = binocular(*(excursions(eye, Microsaccades()) for eye in (left, right)))
    assert 4 < len(expected) < min(map(len, rows)), "some are of one eye alone"
    assert len(pairs) == len(expected)
    for found, (of_left, of_right) in zip(pairs, expected, strict=True):
        np.testing.assert_allclose(rows_of(found[0])[0], of_left, rtol=1e-9)
        np.testing.assert_allclose(rows_of(found[1])[0], of_right, rtol=1e-9)


def test_each_eye_s_are_those_of_pymovements():
    held = json.loads((HERE / "peers_movements.json").read_text("utf-8"))["microsaccades"]
    for name, trial in zip(("left", "right"), trials(), strict=True):
        found = excursions(trial, Microsaccades())
        times = np.column_stack([found.onset_ms, trial.t_ms[found.ends - 1]])
        np.testing.assert_allclose(times, held[name])


def test_what_overlaps_within_an_eye_is_one_with_the_longest_way():
    def eye(starts, ends, width):
        n = len(starts)
        starts, ends = np.array(starts), np.array(ends)
        still = np.zeros(n)
        return Excursions(starts * 2.0, ends * 2.0, starts, ends, still, np.array(width), still)

    left = eye([10, 16, 60], [14, 20, 64], [1.0, -3.0, 2.0])
    right = eye([12, 80], [18, 84], [2.0, 2.0])
    ((a, b),) = binocular(left, right)
    assert (a.width.tolist(), b.width.tolist()) == ([-3.0], [2.0])
    # Half open: the one ends where the other begins, which for the toolbox is the next sample.
    assert len(binocular(eye([10], [14], [1.0]), eye([14], [18], [1.0]))) == 1
    assert binocular(eye([10], [14], [1.0]), eye([15], [18], [1.0])) == []
    assert binocular(eye([], [], []), eye([15], [18], [1.0])) == []


def test_the_columns_are_means_of_both_eyes():
    left, right = trials()
    chosen = Microsaccades(max_amplitude_deg=100.0)
    found = microsaccades_of([left, right], chosen)
    pairs = binocular(excursions(left, chosen), excursions(right, chosen))
    a, b = pairs[0]
    assert found["onset_ms"][0] == min(a.onset_ms[0], b.onset_ms[0])
    end = max(a.end_ms[0], b.end_ms[0])
    assert found["onset_ms"][0] + found["duration_ms"][0] == pytest.approx(end)
    assert found["peak_velocity_deg_s"][0] == pytest.approx((a.peak[0] + b.peak[0]) / 2)
    dx, dy = (a.width[0] + b.width[0]) / 2, (a.height[0] + b.height[0]) / 2
    assert found["direction_deg"][0] == pytest.approx(math.degrees(math.atan2(-dy, dx)))
    shorter = microsaccades_of([left, right], Microsaccades(max_amplitude_deg=0.3))
    assert 0 < len(shorter["onset_ms"]) < len(pairs)
    assert (shorter["amplitude_deg"] <= 0.3).all()


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_next_to_nothing_has_none(n):
    nothing = Trial(np.arange(n) * 2.0, np.zeros(n), np.zeros(n), SCALE)
    for eyes in ([nothing], [nothing, nothing]):
        found = microsaccades_of(eyes, Microsaccades())
        assert {name: len(values) for name, values in found.items()}["onset_ms"] == 0
    lost = Trial(np.arange(n) * 2.0, np.full(n, np.nan), np.full(n, np.nan), SCALE)
    assert excursions(lost, Microsaccades()).peak.size == 0


def test_no_velocity_reaches_across_a_loss():
    (trial, _) = trials(400)
    x = trial.x_px.copy()
    x[200:] += 500.0
    x[198:202] = np.nan
    y = np.where(np.isnan(x), np.nan, trial.y_px)
    found = excursions(Trial(trial.t_ms, x, y, SCALE), Microsaccades())
    whole = excursions(trial, Microsaccades())
    assert found.peak.max() <= whole.peak.max() * 1.01


@pytest.mark.parametrize("name", ["threshold_factor", "min_duration_ms", "max_amplitude_deg"])
def test_parameters_are_positive(name):
    with pytest.raises(ConfigError, match=name):
        Microsaccades(**{name: 0.0})
    with pytest.raises(ConfigError, match=name):
        Microsaccades(**{name: math.nan})


def test_the_velocity_is_of_five_samples_or_of_three_beside_what_is_missing():
    rng = np.random.default_rng(0)
    t = np.cumsum(np.r_[0, rng.integers(2, 5, 39)]).astype(float)
    t[25:] += 200.0  # a pause
    v = rng.normal(0, 1, 40)
    v[10] = np.nan
    found = _velocity(t, v)
    for i in range(40):
        if i == 10:
            assert np.isnan(found[i])
        elif i in (0, 39):
            assert found[i] == 0
        elif i in (9, 11, 24, 25):
            assert np.isnan(found[i])
        elif i in (1, 8, 12, 23, 26, 38):
            assert found[i] == pytest.approx((v[i + 1] - v[i - 1]) / (t[i + 1] - t[i - 1]))
        else:
            over = t[i + 2] + t[i + 1] - t[i - 1] - t[i - 2]
            assert found[i] == pytest.approx((v[i + 2] + v[i + 1] - v[i - 1] - v[i - 2]) / over)
    assert _velocity(t[:3], v[:3]) == pytest.approx([0, (v[2] - v[0]) / (t[2] - t[0]), 0])
    lost = _velocity(t[:3], np.array([np.nan, 1.0, 2.0]))
    assert np.isnan(lost[:2]).all()
    assert lost[2] == 0


def test_where_medians_say_nothing_means_do():
    still = np.zeros(9)
    assert np.isnan(_deviation(still))
    assert np.isnan(_deviation(np.full(3, np.nan)))
    few = np.array([0.0, 0, 0, 0, 0, 0, 3, -3, np.nan])
    assert _deviation(few) == pytest.approx(np.sqrt(18 / 8))
    assert _deviation(np.array([1.0, 2, 3, 4, 90])) == pytest.approx(np.sqrt(8130 / 5 - 20**2))
    assert _deviation(np.array([-2.0, -1, 0, 1, 2])) == pytest.approx(1.0)


def test_an_excursion_of_exactly_the_least_duration_is_one():
    x, y = np.cumsum(np.random.default_rng(1).normal(0, 0.05, (2, 400)), axis=1)
    x[200:] += 3.0 * np.minimum(np.arange(200) + 1, 4)
    trial = Trial(np.arange(400) * 2.0, x, y, SCALE)
    found = excursions(trial, Microsaccades())
    lasts = float(found.end_ms[0] - found.onset_ms[0])
    assert found.width == pytest.approx([12.0], rel=0.1)
    assert excursions(trial, Microsaccades(min_duration_ms=lasts)).peak.size == 1
    assert excursions(trial, Microsaccades(min_duration_ms=lasts + 0.1)).peak.size == 0


def test_of_one_eye_the_columns_are_its_own():
    (left, _) = trials()
    chosen = Microsaccades(max_amplitude_deg=100.0)
    own = excursions(left, chosen)
    found = microsaccades_of([left], chosen)
    assert found["onset_ms"].tolist() == own.onset_ms.tolist()
    np.testing.assert_allclose(found["duration_ms"], own.end_ms - own.onset_ms)
    np.testing.assert_allclose(found["amplitude_deg"], np.hypot(own.width, own.height) / SCALE)
    np.testing.assert_allclose(found["peak_velocity_deg_s"], own.peak)
    for axis, values in (("x_px", left.x_px), ("y_px", left.y_px)):
        np.testing.assert_allclose(found[axis], values[own.starts])
        np.testing.assert_allclose(found[f"end_{axis}"], values[own.ends - 1])
    longest = float(found["amplitude_deg"].max())
    kept = microsaccades_of([left], Microsaccades(max_amplitude_deg=longest))
    assert len(kept["onset_ms"]) == len(own.peak)


def test_of_two_eyes_positions_are_means():
    left, right = trials()
    chosen = Microsaccades(max_amplitude_deg=100.0)
    found = microsaccades_of([left, right], chosen)
    pairs = binocular(excursions(left, chosen), excursions(right, chosen))
    for k, (a, b) in enumerate(pairs):
        for axis in ("x_px", "y_px"):
            one, two = getattr(left, axis), getattr(right, axis)
            start = (one[a.starts[0]] + two[b.starts[0]]) / 2
            end = (one[a.ends[0] - 1] + two[b.ends[0] - 1]) / 2
            assert found[axis][k] == pytest.approx(start)
            assert found[f"end_{axis}"][k] == pytest.approx(end)
        ways = [np.hypot(eye.width[0], eye.height[0]) for eye in (a, b)]
        assert found["amplitude_deg"][k] == pytest.approx(np.mean(ways) / SCALE)


def test_samples_may_follow_each_other_in_less_than_a_millisecond():
    v = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 15.0])
    assert _velocity(np.arange(6) * 0.25, v) == pytest.approx([0, 6, 10, 14, 18, 0])


@pytest.mark.parametrize(("step", "expected"), [(75.0, [0, 2 / 150, 0]), (75.1, [0, np.nan, 0])])
def test_no_velocity_is_taken_across_more_than_twice_the_longest_gap(step, expected):
    found = _velocity(np.arange(3) * step, np.array([0.0, 5.0, 2.0]))
    np.testing.assert_allclose(found, expected)


def test_samples_of_one_time_have_no_velocity():
    found = _velocity(np.zeros(3), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(found, [0, np.nan, 0])


def test_the_ellipse_itself_is_not_left(monkeypatch):
    velocity = iter(about_six_deviations())
    t = np.arange(100) * 2.0
    monkeypatch.setattr("gazetrack.events.microsaccades._velocity", lambda *_: next(velocity))
    found = excursions(Trial(t, t, t, SCALE), Microsaccades())
    assert (found.starts.tolist(), found.ends.tolist()) == ([70], [80])
