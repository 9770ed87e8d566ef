"""Samples on a clock that ticks evenly, as programs for electrophysiology want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# So many ticks of a dozen channels fill 5 GB.
MOST_TICKS = 50_000_000
_MOST_DROPPED = 0.01  # share of the samples
_MUCH_MOVED = 0.3  # of a tick
_MUCH_MOVED_MS = 1.001  # more than a clock of whole milliseconds rounds
_PAUSE_MS = 100.0  # what is longer is no lost sample, but nothing was recorded


# Two are equal where they are the same: arrays have no one answer to whether they are equal.
@dataclass(frozen=True, eq=False)
class Grid:
    """Where samples lie on a clock of even ticks.

    Parameters
    ----------
    rate_hz : float
        Number of ticks in a second.
    first_ms : float
        Time of the first tick, which is that of the first sample.
    size : int
        Number of ticks from the first sample to the last.
    rows : ndarray of int, shape (N,)
        The samples that are taken, by their place in the table.
    ticks : ndarray of int, shape (N,)
        The tick of each of them, ascending.
    losses : tuple of str
        What was moved or left out, in words for the user.
    """

    rate_hz: float
    first_ms: float
    size: int
    rows: npt.NDArray[np.intp]
    ticks: npt.NDArray[np.int64]
    losses: tuple[str, ...] = ()

    def spread(self, values: npt.NDArray[np.floating]) -> Floats:
        """Return a column of the table at every tick: missing where no sample is."""
        found = np.full(self.size, np.nan)
        found[self.ticks] = values[self.rows]
        return found

    def pauses(self) -> list[tuple[float, float]]:
        """Return onset and length in seconds, from the first tick, of what was not recorded."""
        steps = np.diff(self.ticks)
        return self._without_sample(steps > self._longest_step())

    def lost(self) -> list[tuple[float, float]]:
        """Return the same of ticks without a sample that are no pause, but lost samples."""
        steps = np.diff(self.ticks)
        return self._without_sample((steps > 1) & (steps <= self._longest_step()))

    def _longest_step(self) -> float:
        return max(1.0, _PAUSE_MS / 1000 * self.rate_hz)

    def _without_sample(self, after: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
        """Return onset and length in seconds of the empty ticks after these samples."""
        at = np.flatnonzero(after)
        onset = (self.ticks[at] + 1) / self.rate_hz
        length = (self.ticks[at + 1] - self.ticks[at] - 1) / self.rate_hz
        return list(zip(onset.tolist(), length.tolist(), strict=True))


def on_grid(t_ms: Floats, rate_hz: float, *, is_asked: bool) -> Grid:
    """Put samples on a clock of even ticks, each at the nearest.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Times of at least one sample in milliseconds, in any order.
    rate_hz : float
        Number of ticks in a second.
    is_asked : bool
        Whether the user asks for this rate: samples for which there is no tick are then left out.

    Raises
    ------
    ConfigError
        The ticks would fill the memory, or more than a hundredth of the samples had to be left
        out and nobody asked for it.
    """
    order = np.argsort(t_ms, kind="stable")
    first_ms = float(t_ms[order[0]])
    exact = (t_ms[order] - first_ms) * rate_hz / 1000.0
    # Halves go up: rounded to the even one, every second tick would have two samples.
    ticks = np.floor(exact + 0.5).astype(np.int64)
    if ticks[-1] >= MOST_TICKS:
        what = f"{ticks[-1] + 1:,} ticks at {rate_hz:g} Hz"
        raise ConfigError(what, hint="give a lower rate_hz, or a part of the recording")
    off = np.abs(exact - ticks)
    # Of several samples at one tick the nearest stays: it is the first in this order.
    nearest = np.lexsort((off, ticks))
    is_first = np.diff(ticks[nearest], prepend=-1) > 0
    kept = nearest[is_first]
    n_dropped = len(t_ms) - len(kept)
    if not is_asked and n_dropped > _MOST_DROPPED * len(t_ms):
        what = f"{n_dropped:,} of {len(t_ms):,} samples do not come at an even {rate_hz:g} Hz"
        hint = "give a rate_hz, higher for all samples, lower to leave some out"
        raise ConfigError(what, hint=hint)
    return Grid(
        rate_hz=rate_hz,
        first_ms=first_ms,
        size=int(ticks[-1]) + 1,
        rows=order[kept],
        ticks=ticks[kept],
        losses=tuple(_losses(n_dropped, float(off[kept].max()), rate_hz)),
    )


def _losses(n_dropped: int, moved_ticks: float, rate_hz: float) -> list[str]:
    losses = []
    if n_dropped:
        losses.append(f"{n_dropped:,} samples are left out, between the ticks of {rate_hz:g} Hz")
    moved_ms = 1000.0 * moved_ticks / rate_hz
    if moved_ticks > _MUCH_MOVED or moved_ms > _MUCH_MOVED_MS:
        moved = f"samples are moved by up to {moved_ms:.3g} ms"
        losses.append(f"{moved} to the ticks of {rate_hz:g} Hz")
    return losses
