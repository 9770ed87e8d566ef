"""Microsaccades: what leaves the ellipse of noise of the velocity, in both eyes at once.

Engbert & Kliegl (2003), Microsaccades uncover the orientation of covert attention, Vision Research
43; Engbert & Mergenthaler (2006), Microsaccades are triggered by low retinal image slip, PNAS 103;
and the authors' Microsaccade Toolbox 0.9 (2015), whose numbers these are where the rate is
constant. The velocity over five samples is divided by the times between them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.events.base import durations, runs_of
from gazetrack.events.saccades import direction
from gazetrack.kernels.signal import five_point_velocity

if TYPE_CHECKING:
    from gazetrack.events.base import Floats, Trial

ENOUGH_HZ = 200.0  # below it a microsaccade is a sample or two
_MAX_GAP_MS = 75.0
_COLUMNS = (
    "onset_ms",
    "duration_ms",
    "x_px",
    "y_px",
    "end_x_px",
    "end_y_px",
    "amplitude_deg",
    "peak_velocity_deg_s",
    "dx",
    "dy",
)


@dataclass(frozen=True, kw_only=True)
class Microsaccades:
    """Parameters of the detection of microsaccades.

    Parameters
    ----------
    threshold_factor : float
        A microsaccade leaves the ellipse of this many standard deviations, taken from medians, of
        the horizontal and vertical velocity; 6 (Engbert & Kliegl 2003).
    min_duration_ms : float
        Excursions that are shorter than this are noise; 6 ms are 3 samples at 500 Hz (2003).
    max_amplitude_deg : float
        What is longer than this is an ordinary saccade; 1 degree (2003).

    Raises
    ------
    ConfigError
        A number is not positive.
    """

    threshold_factor: float = 6.0
    min_duration_ms: float = 6.0
    max_amplitude_deg: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ConfigError(f"{name} = {value}", hint="use a number above 0")

    def facts(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return asdict(self)


class Excursions(NamedTuple):
    """Movements of one eye that leave the ellipse, whatever their length.

    Parameters
    ----------
    onset_ms, end_ms : ndarray of float64, shape (n,)
        When each begins and is over, half open.
    starts, ends : ndarray of int64, shape (n,)
        The same as samples, an end being the one after the last.
    peak : ndarray of float64, shape (n,)
        Peak velocity of each in deg/s.
    width, height : ndarray of float64, shape (n,)
        The way between the extremes of the position, px, with the sign of the movement: to the
        right, and down.
    """

    onset_ms: Floats
    end_ms: Floats
    starts: Any
    ends: Any
    peak: Floats
    width: Floats
    height: Floats

    def of(self, places: Any) -> Excursions:
        """Return some of them, by their places or a mask."""
        return Excursions(*(values[places] for values in self))


def excursions(trial: Trial, chosen: Microsaccades) -> Excursions:
    """Return the movements of one eye that leave the ellipse.

    Parameters
    ----------
    trial : Trial
        The gaze of one eye.
    chosen : Microsaccades
        How large the ellipse is, and what is too short.

    Returns
    -------
    Excursions
        In temporal order.
    """
    vx = _velocity(trial.t_ms, trial.x_px)
    vy = _velocity(trial.t_ms, trial.y_px)
    radius_x = chosen.threshold_factor * _deviation(vx)
    radius_y = chosen.threshold_factor * _deviation(vy)
    with np.errstate(divide="ignore", invalid="ignore"):
        outside = (vx / radius_x) ** 2 + (vy / radius_y) ** 2 > 1  # NaN is not
    starts, ends = runs_of(outside)
    lasts = durations(trial, starts, ends)
    # Times that are multiples of the step, but for rounding.
    keep = lasts >= chosen.min_duration_ms * (1 - 1e-9)
    starts, ends, lasts = starts[keep], ends[keep], lasts[keep]
    speed = np.hypot(vx, vy) * 1000 / trial.px_per_deg
    pairs = list(zip(starts.tolist(), ends.tolist(), strict=True))
    return Excursions(
        trial.t_ms[starts],
        trial.t_ms[starts] + lasts,
        starts,
        ends,
        peak=np.array([speed[start:end].max() for start, end in pairs]),
        width=np.array([_extent(trial.x_px[start:end]) for start, end in pairs]),
        height=np.array([_extent(trial.y_px[start:end]) for start, end in pairs]),
    )


def _velocity(t: Floats, v: Floats) -> Floats:
    """Return the velocity of v [N] per ms, as the toolbox does beside ends and losses.

    Over five samples; where one of these is missing over three; the first and the last of a trial
    count as still.
    """
    found = five_point_velocity(t, v, _MAX_GAP_MS)
    if v.size < 3:
        return found
    time = t[2:] - t[:-2]
    is_near = (time > 0) & (time <= 2 * _MAX_GAP_MS) & ~np.isnan(v[1:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        over_three = np.where(is_near, (v[2:] - v[:-2]) / time, np.nan)
    found[1:-1] = np.where(np.isnan(found[1:-1]), over_three, found[1:-1])
    for end in (0, -1):
        if not np.isnan(v[end]):
            found[end] = 0.0
    return found


def _deviation(velocity: Floats) -> float:
    """Return the standard deviation by medians, or by means where the medians say none."""
    known = velocity[~np.isnan(velocity)]
    if not known.size:
        return np.nan
    for middle in (np.median, np.mean):
        variance = float(middle(known**2) - middle(known) ** 2)
        if variance > np.finfo(float).tiny:
            return float(np.sqrt(variance))
    return np.nan


def _extent(position: Floats) -> float:
    """Return the largest less the smallest position, negative where the largest comes first."""
    least, largest = int(np.argmin(position)), int(np.argmax(position))
    return float(np.sign(largest - least) * (position[largest] - position[least]))


def binocular(left: Excursions, right: Excursions) -> list[tuple[Excursions, Excursions]]:
    """Return the movements that both eyes make at once.

    Where several of one eye overlap with one of the other, all of them are one, of which the
    longest way of each eye counts.

    Parameters
    ----------
    left, right : Excursions
        Those of either eye, of the same samples.

    Returns
    -------
    list of (Excursions, Excursions)
        Of each the one of the left and the one of the right eye.
    """
    onset = np.concatenate([left.starts, right.starts])
    end = np.concatenate([left.ends, right.ends])
    order = np.argsort(onset, kind="stable")
    cluster = np.zeros(onset.size, np.int64)
    if onset.size:
        # The toolbox counts samples: two that only touch have none in common, and yet are one.
        reach = np.maximum.accumulate(end[order])
        cluster[order] = np.concatenate([[0], np.cumsum(onset[order][1:] > reach[:-1])])
    of_left, of_right = cluster[: left.starts.size], cluster[left.starts.size :]
    shared = np.intersect1d(of_left, of_right)
    return list(
        zip(_longest(left, of_left, shared), _longest(right, of_right, shared), strict=True)
    )


def _longest(found: Excursions, clusters: Any, wanted: Any) -> list[Excursions]:
    """Return of each wanted cluster the movement with the longest way; clusters [n] ascend."""
    first = np.searchsorted(clusters, wanted, side="left")
    after = np.searchsorted(clusters, wanted, side="right")
    way = np.hypot(found.width, found.height)
    return [
        found.of([start + int(np.argmax(way[start:end]))])
        for start, end in zip(first.tolist(), after.tolist(), strict=True)
    ]


def microsaccades_of(eyes: list[Trial], chosen: Microsaccades) -> dict[str, Floats]:
    """Return the microsaccades of a trial.

    Parameters
    ----------
    eyes : list of Trial
        The gaze of the left and the right eye at the same times, or of one alone.
    chosen : Microsaccades
        What counts as a microsaccade, and how it is found.

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        Columns of `tables.movements.MOVEMENTS`. Of two eyes, from the first onset to the last end,
        with the means of peak velocity, amplitude, and way of both.
    """
    found = [excursions(trial, chosen) for trial in eyes]
    if len(found) == 2:
        pairs = binocular(*found)
        events = [Excursions(*map(np.concatenate, zip(*pair, strict=True))) for pair in pairs]
    else:
        events = [found[0].of([k]) for k in range(found[0].peak.size)]
    rows = [_row(eyes, event) for event in events]
    kept = [row for row in rows if row["amplitude_deg"] <= chosen.max_amplitude_deg]
    columns = {name: np.array([row[name] for row in kept], np.float64) for name in _COLUMNS}
    columns["direction_deg"] = direction(columns.pop("dx"), columns.pop("dy"))
    return columns


def _row(eyes: list[Trial], event: Excursions) -> dict[str, float]:
    """Return the columns of one microsaccade; of two eyes the means."""
    onset = float(event.onset_ms.min())
    places = list(zip(eyes, event.starts.tolist(), (event.ends - 1).tolist(), strict=True))
    return {
        "onset_ms": onset,
        "duration_ms": float(event.end_ms.max()) - onset,
        "x_px": float(np.mean([eye.x_px[first] for eye, first, _ in places])),
        "y_px": float(np.mean([eye.y_px[first] for eye, first, _ in places])),
        "end_x_px": float(np.mean([eye.x_px[last] for eye, _, last in places])),
        "end_y_px": float(np.mean([eye.y_px[last] for eye, _, last in places])),
        "amplitude_deg": float(np.hypot(event.width, event.height).mean()) / eyes[0].px_per_deg,
        "peak_velocity_deg_s": float(event.peak.mean()),
        "dx": float(event.width.mean()),
        "dy": float(event.height.mean()),
    }
