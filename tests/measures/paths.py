"""Scanpaths for the tests of measures."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from gazetrack.maps.track import Track

WIDTH, HEIGHT = 800.0, 600.0


def track(places, duration_ms=None, recording="a", **names):
    """A track on an image of 800 x 600 pixels."""
    places = np.array(places, float).reshape(-1, 2)
    full = {"trial": "1", "stimulus": "cat.png", "width": WIDTH, "height": HEIGHT} | names
    if duration_ms is None:
        duration_ms = np.full(len(places), 200.0)
    return Track(
        recording=recording,
        x=places[:, 0].copy(),
        y=places[:, 1].copy(),
        duration_ms=np.array(duration_ms, float),
        **full,
    )


def random_track(n, seed, **names):
    random = np.random.default_rng([n, seed])
    places = random.uniform(0, 1, (n, 2)) * [WIDTH, HEIGHT]
    return track(places, random.uniform(50, 600, n), **names)


def tracks(least=3, most=14):
    """Tracks of random fixations, which tie nowhere."""
    return st.builds(random_track, st.integers(least, most), st.integers(0, 10_000))
