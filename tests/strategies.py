"""Hypothesis strategies for tracks, placements, and names that come from data."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazetrack.maps.track import Track
from gazetrack.tables.placement import Placement

HOSTILE = (
    "",
    ".",
    "..",
    "../../x",
    "/etc/passwd",
    "..\\x",
    "-rf",
    ".hidden",
    "~",
    "con",
    "NUL.txt",
    "LPT1",
    "a\0b",
    "a\nb",
    "\u202etxt.exe",
    "%s{0}",
    "ends.",
    "x" * 300,
    "é",
    "e\u0301",
    "\ud800",
)
ordinary = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True)


def names():
    """Names of participants and stimuli.

    They are ordinary, hostile, any text, and such that differ in case alone.
    """
    some = st.one_of(ordinary, st.sampled_from(HOSTILE), st.text(max_size=150))
    return st.one_of(some, some.map(str.swapcase))


@st.composite
def tracks(draw, min_size=0, max_size=20):
    """Tracks on images of 8 to 400 px.

    Fixations may lie on the border, on one another, and beside the image.
    """
    width, height = draw(st.integers(8, 400)), draw(st.integers(8, 400))
    n = draw(st.integers(min_size, max_size))
    x, y = (
        draw(arrays(np.float64, n, elements=st.floats(-0.1 * size, 1.1 * size)))
        for size in (float(width), float(height))
    )
    duration = draw(arrays(np.float64, n, elements=st.floats(1, 5000)))
    return Track("r", "1", "a.png", x, y, duration, float(width), float(height))


@st.composite
def placements(draw):
    """Images of any size, shown at any size, partly beside the screen or not."""
    corner, shown, image = st.floats(-500, 2000), st.floats(1, 4000), st.integers(1, 4000)
    return Placement(draw(corner), draw(corner), draw(shown), draw(shown), draw(image), draw(image))
