"""The renderer in torch against the toolkit's, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.render import render_points
from gradtrack_model.data.torch_maps import KINDS, render_tracks
from tests import oracles

SIZE = (40, 56)
LEVELS = 4


def tracks(counts, seed=0):
    """Return padded fixations, and each track by itself."""
    rng = np.random.default_rng(seed)
    longest = max(counts)
    padded = np.full((3, len(counts), longest), np.nan)
    for b, n in enumerate(counts):
        padded[:, b, :n] = (
            rng.uniform(-5, SIZE[1] + 5, n),
            rng.uniform(-5, SIZE[0] + 5, n),
            rng.uniform(80, 900, n),
        )
    firsts = [[n - -(-n * (level + 1) // LEVELS) for level in range(LEVELS)] for n in counts]
    return (
        torch.from_numpy(padded),
        torch.tensor(firsts),
        [padded[:, b, :n] for b, n in enumerate(counts)],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{}, {"max_saccade": 0.3}, {"duration_exponent": 0.5}])
def test_equals_the_toolkit(kind, more):
    padded, firsts, alone = tracks([1, 2, 7, 12])
    params = MapParams(kind=kind, levels=LEVELS, **more)
    maps = render_tracks(*padded.float(), firsts, SIZE, params=params)
    for found, (x, y, d) in zip(maps, alone, strict=True):
        expected = render_points(x, y, d, SIZE, params)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize("blur", [0.01, 0.05, 0.2])
def test_density_is_the_exact_integral_along_the_line(blur):
    padded, firsts, alone = tracks([1, 2, 7, 12], seed=4)
    padded[:2, torch.arange(4), torch.tensor([0, 1, 6, 11])] = torch.tensor(
        [20.0, 15.0], dtype=torch.float64
    )[:, None]
    params = MapParams(kind="density", levels=LEVELS, blur=blur, max_saccade=0.8)
    s = (SIZE[0] * SIZE[1]) ** 0.5
    maps = render_tracks(*padded, firsts, SIZE, params=params).numpy()
    for found, own, (x, y, d) in zip(maps, firsts.tolist(), alone, strict=True):
        joined = np.append(np.hypot(np.diff(x), np.diff(y)) <= params.max_saccade * s, False)
        for level, first in enumerate(own):
            total = oracles.dwell(x[first:], y[first:], d[first:], joined[first:], blur * s, SIZE)
            expected = 1 / (1 + np.exp((params.threshold - total / total.max()) / params.width))
            np.testing.assert_allclose(found[level], expected, atol=2e-5)


def test_room_for_more_points_than_there_are_changes_nothing():
    padded, firsts, _ = tracks([1, 2, 7, 12])
    params = MapParams(kind="density", levels=LEVELS, max_saccade=0.8)
    asked = render_tracks(*padded, firsts, SIZE, params=params)
    told = render_tracks(*padded, firsts, SIZE, params=params, points=1000)
    np.testing.assert_allclose(told, asked, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_maps_and_durations_are_numbers(kind):
    params = MapParams(kind=kind, levels=1, duration_exponent=1.0)
    first = torch.zeros(1, 1, dtype=torch.long)
    for size in ((1, 1), (1, 6), (5, 4)):
        for durations in ([300.0], [0.0], [0.0, 0.0, 90.0]):
            d = torch.tensor([durations])
            x, y = (torch.full_like(d, n / 2) for n in size[::-1])
            found = render_tracks(x, y, d, first, size, params=params)[0].numpy()
            expected = render_points(*(v[0].double().numpy() for v in (x, y, d)), size, params)
            np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_without_fixations_are_zeros(kind):
    nothing = torch.full((2, 3), float("nan"))
    maps = render_tracks(
        nothing,
        nothing,
        nothing,
        torch.zeros(2, 4, dtype=torch.long),
        (8, 9),
        params=MapParams(kind=kind),
    )
    assert maps.shape == (2, 4, 8, 9)
    assert not maps.any()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_the_positions(kind):
    padded, firsts, _ = tracks([3, 2], seed=1)
    x, y, d = padded.nan_to_num(0.0)[0], padded.nan_to_num(0.0)[1], padded[2]
    params = MapParams(kind=kind, levels=LEVELS, blur=0.1, radius=0.1, softness=0.05)

    def rendered(x, y):
        return render_tracks(x, y, d, firsts, (6, 7), params=params)

    x.requires_grad_()
    y.requires_grad_()
    assert torch.autograd.gradcheck(rendered, (x / 8, y / 8), eps=1e-7, atol=1e-3, nondet_tol=0)
    rendered(x / 8, y / 8).sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad[d.isfinite()].any()


def test_kinds_that_stay_on_the_cpu_are_refused():
    one = torch.ones(1, 1)
    firsts = torch.zeros(1, 1, dtype=torch.long)
    with pytest.raises(ConfigError, match="hull"):
        render_tracks(one, one, one, firsts, (4, 4), params=MapParams(kind="hull"))
