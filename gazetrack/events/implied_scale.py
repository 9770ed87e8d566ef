"""The size of a degree that the tracker's own saccades imply, where nobody states it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from gazetrack.events.base import scale_of

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording

# Amplitudes are told with two digits or fewer, and positions to a pixel: small ones say little.
_LEAST_DEG = 1.0
_LEAST_SACCADES = 10
_DIFFERENCE = 0.1


def implied_px_per_deg(recording: Recording) -> float | None:
    """Return the median distance of the tracker's saccades in pixels, over that in degrees.

    Parameters
    ----------
    recording : Recording
        A recording whose tracker may tell of saccades.

    Returns
    -------
    float or None
        Pixels a degree; None where fewer than ten saccades of a degree or more have an amplitude
        in degrees as well as a start and an end.
    """
    events = recording.event_table
    saccades = events.filter(pc.equal(events["kind"].cast("string"), "saccade"))
    columns = ("x_px", "y_px", "end_x_px", "end_y_px", "amplitude_deg")
    x, y, end_x, end_y, degrees = (saccades[name].to_numpy().astype(float) for name in columns)
    pixels = np.hypot(end_x - x, end_y - y)
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(pixels) & (pixels > 0) & (degrees >= _LEAST_DEG)
    if usable.sum() < _LEAST_SACCADES:
        return None
    return float(np.median(pixels[usable] / degrees[usable]))


def scale_note(recording: Recording) -> str | None:
    """Return a note on the scale that the tracker's own amplitudes imply, where it is another.

    Parameters
    ----------
    recording : Recording
        A recording with a screen, whose size or distance may be unknown.

    Returns
    -------
    str or None
        Both scales and the width of the view to give, where the assumed scale is more than 10 % off
        the implied one; None also where nothing is assumed.
    """
    assumed, is_assumed = scale_of(recording.screen)
    if not is_assumed or recording.screen is None:
        return None
    implied = implied_px_per_deg(recording)
    if implied is None or abs(assumed / implied - 1) <= _DIFFERENCE:
        return None
    # A flat screen, as `Screen.px_per_deg` has it: a degree at its middle.
    half_angle_tan = math.tan(math.radians(1.0)) * recording.screen.width_px / 2 / implied
    fov_deg = 2 * math.degrees(math.atan(half_angle_tan))
    return (
        f"the tracker's own amplitudes imply {implied:.1f} px per degree, not the {assumed:.1f} "
        f"assumed: give --fov {fov_deg:.1f}, or size and distance with --screen"
    )
