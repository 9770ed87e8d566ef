"""EyeLink: directions of the eye (HREF) as positions on a plane."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gazetrack.readers.shared.gaze import PLANE, PLANE_DISTANCE_MM

HREF_NOTE = (
    "positions are directions of the eye (HREF), not places on the screen: on a plane 1 m before "
    "it 1 px is 1 mm, the middle is the origin of HREF, which is arbitrary"
)
_HREF_DISTANCE = 15_000
_Href = TypeVar("_Href", float, np.ndarray)


def on_plane(href: _Href) -> _Href:
    """Return positions on the plane of directions, of EyeLink's HREF coordinates.

    These are units on a plane 15,000 units before the eye, x to the right and y down (EyeLink 1000
    Plus User Manual, "HREF"). The tracker takes the amplitude of a saccade as the angle between two
    such points.
    """
    return PLANE.width_px / 2 + href * (PLANE_DISTANCE_MM / _HREF_DISTANCE)
