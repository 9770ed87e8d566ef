"""The main sequence: larger saccades are faster, along one curve.

Bahill, Clark & Stark (1975), The main sequence, a tool for studying human eye movements,
Mathematical Biosciences 24. Detection that is wrong shows there: blinks and noise lie off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MODELS = ("exponential", "power")
LEAST = 10  # saccades that a curve is fitted to
_OUTLIER = 3.0  # standard deviations, taken from medians
_LEAST_R2 = 0.05  # with less, peak velocities have nothing to do with amplitudes
_NOTHING = {"first": np.nan, "second": np.nan, "r2": np.nan, "outliers": np.nan}
_TO_DEVIATION = 1.4826  # of the median absolute deviation of normal values


@dataclass(frozen=True)
class MainSequence:
    """A curve of peak velocities by amplitudes, and how well saccades keep to it.

    Parameters
    ----------
    model : {"exponential", "power"}
        Peak velocity = v_max (1 - exp(-amplitude / c)), or = k amplitude ^ e.
    first, second : float
        ``v_max`` in deg/s and ``c`` in degrees; or ``k`` in deg/s at one degree and ``e``. NaN
        with fewer than ten saccades, and where peak velocities do not rise with amplitudes.
    n : int
        Saccades that the curve was fitted to.
    r2 : float
        Share of the variance of the logarithm of the peak velocity that the curve explains.
    outliers : float
        Share of the saccades whose peak velocity, as a logarithm, is more than three standard
        deviations (taken from medians) off the curve.
    """

    model: str
    first: float
    second: float
    n: int
    r2: float
    outliers: float

    def peak_velocity(self, amplitude_deg: Floats) -> Floats:
        """Return the peak velocity in deg/s that the curve gives to amplitudes in degrees."""
        return _curve(self.model, np.asarray(amplitude_deg, np.float64), self.first, self.second)

    def __str__(self) -> str:
        if not np.isfinite(self.first):
            if self.n < LEAST:
                return f"too few saccades ({self.n}) for a main sequence"
            return f"no main sequence: peak velocities do not rise with amplitudes, n {self.n}"
        curve = (
            f"peak = {self.first:.0f} (1 - exp(-amplitude / {self.second:.2f}))"
            if self.model == "exponential"
            else f"peak = {self.first:.0f} amplitude^{self.second:.2f}"
        )
        return f"{curve} deg/s, n {self.n}, R2 {self.r2:.2f}, {100 * self.outliers:.1f} % outliers"


def main_sequence(
    amplitude_deg: npt.ArrayLike, peak_velocity_deg_s: npt.ArrayLike, model: str = "exponential"
) -> MainSequence:
    """Fit the main sequence of saccades, by logarithms, so that small ones count as large ones do.

    Parameters
    ----------
    amplitude_deg, peak_velocity_deg_s : array-like, shape (n,)
        Of each saccade; those that are not positive and finite are left out.
    model : {"exponential", "power"}
        Which of the two curves is fitted, see `MainSequence`.

    Returns
    -------
    MainSequence
        The curve and how well the saccades keep to it.

    Raises
    ------
    ConfigError
        There is no such model.

    Examples
    --------
    >>> amplitude = np.linspace(1, 20, 40)
    >>> found = main_sequence(amplitude, 500 * (1 - np.exp(-amplitude / 8)))
    >>> round(found.first), round(found.second, 3)
    (500, 8.0)
    """
    if model not in MODELS:
        raise ConfigError(f"model = {model!r}", hint=f"use one of {', '.join(MODELS)}")
    amplitude = np.asarray(amplitude_deg, np.float64)
    peak = np.asarray(peak_velocity_deg_s, np.float64)
    is_usable = np.isfinite(amplitude) & np.isfinite(peak) & (amplitude > 0) & (peak > 0)
    amplitude = amplitude[is_usable]
    peak = peak[is_usable]
    if amplitude.size < LEAST or np.ptp(amplitude) == 0:
        return MainSequence(model, n=amplitude.size, **_NOTHING)
    first, second = _fitted(model, amplitude, peak)
    off = np.log(peak / _curve(model, amplitude, first, second))
    spread = float(np.sum((np.log(peak) - np.log(peak).mean()) ** 2))
    r2 = 1 - float(np.sum(off**2)) / spread if spread else 0.0
    if r2 < _LEAST_R2:
        return MainSequence(model, n=amplitude.size, **_NOTHING)
    middle = np.median(off)
    deviation = _TO_DEVIATION * np.median(np.abs(off - middle))
    # On a curve without any noise, rounding is no outlier.
    limit = max(_OUTLIER * deviation, 1e-6)
    outliers = float(np.mean(np.abs(off - middle) > limit))
    return MainSequence(model, first, second, n=amplitude.size, r2=r2, outliers=outliers)


def _curve(model: str, amplitude: Floats, first: float, second: float) -> Floats:
    if model == "power":
        return np.asarray(first * amplitude**second)
    return np.asarray(-first * np.expm1(-amplitude / second))


def _fitted(model: str, amplitude: Floats, peak: Floats) -> tuple[float, float]:
    """Return both parameters: their logarithms are fitted, so that neither is negative."""
    from scipy.optimize import least_squares

    log_peak = np.log(peak)
    start = (
        [np.log(np.median(peak / np.sqrt(amplitude))), np.log(0.5)]
        if model == "power"
        else [np.log(np.quantile(peak, 0.9)), np.log(np.median(amplitude))]
    )

    def off(logs: Floats) -> Floats:
        first, second = np.exp(logs)
        return np.log(np.maximum(_curve(model, amplitude, first, second), 1e-12)) - log_peak

    # Linear beyond 0.3 (a third off the curve), so that outliers do not bend it.
    bounds = ([-20.0, -7.0], [20.0, 7.0])
    found = least_squares(off, start, loss="soft_l1", f_scale=0.3, bounds=bounds)
    first, second = np.exp(found.x)
    return float(first), float(second)
