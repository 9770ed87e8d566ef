"""How far gaze lies from what was to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NAN = float("nan")


def offset(
    azimuth: Floats, elevation: Floats, to_azimuth: float, to_elevation: float
) -> tuple[float, float, float]:
    """Return the angle between the mean direction of gaze and a target, and its two parts.

    Parameters
    ----------
    azimuth, elevation : ndarray of float64, shape (N,)
        Fick angles of the gaze in degrees, NaN where it is missing.
    to_azimuth, to_elevation : float
        Fick angles of the target in degrees.

    Returns
    -------
    (float, float, float)
        The angle, its horizontal part (positive to the right) and its vertical part (positive
        down), in degrees; NaN without gaze.
    """
    known = np.isfinite(azimuth)
    if not known.any():
        return _NAN, _NAN, _NAN
    x, y, z = _direction(azimuth[known], elevation[known]).mean(axis=1)
    # The mean direction is turned by the target's azimuth …
    cos_a = np.cos(np.radians(to_azimuth))
    sin_a = np.sin(np.radians(to_azimuth))
    across = cos_a * x - sin_a * z
    along = sin_a * x + cos_a * z
    # … and by its elevation, so that the target lies straight ahead.
    cos_e = np.cos(np.radians(to_elevation))
    sin_e = np.sin(np.radians(to_elevation))
    up = cos_e * y - sin_e * along
    ahead = sin_e * y + cos_e * along
    angle = np.arctan2(np.hypot(across, up), ahead)
    horizontal = np.arctan2(across, ahead)
    vertical = np.arctan2(up, np.hypot(across, ahead))
    return float(np.degrees(angle)), float(np.degrees(horizontal)), float(np.degrees(vertical))


def _direction(azimuth: Floats, elevation: Floats) -> Floats:
    """Return unit vectors [3, N] of Fick angles [N] in degrees: across, down, ahead."""
    a = np.radians(azimuth)
    e = np.radians(elevation)
    return np.stack([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])
