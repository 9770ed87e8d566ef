"""The gaze that measures are taken of: one eye's in one period."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

PAUSE_STEPS = 1.5  # where a step is longer than this many usual ones, samples are missing


@dataclass(frozen=True)
class Gaze:
    """Gaze of one eye in one period, in pieces within which time runs on.

    Parameters
    ----------
    t_ms : ndarray of float64, shape (N,)
        Times, which do not decrease within a piece.
    x, y : ndarray of float64, shape (N,)
        Position in pixels or degrees; both are NaN where gaze is missing.
    piece : ndarray of int64, shape (N,)
        Number of the piece a sample is in; pauses between pieces are nobody's loss.
    """

    t_ms: Floats
    x: Floats
    y: Floats
    piece: npt.NDArray[np.int64]

    @cached_property
    def all_steps_ms(self) -> Floats:
        """Steps in time within the pieces, those of 0 as well."""
        return np.asarray(np.diff(self.t_ms)[np.diff(self.piece) == 0])

    @cached_property
    def steps_ms(self) -> Floats:
        """Steps forward in time within the pieces."""
        return np.asarray(self.all_steps_ms[self.all_steps_ms > 0])

    @cached_property
    def usual_step_ms(self) -> float:
        """The median of the steps forward; 0 without any."""
        steps = self.steps_ms
        return float(np.median(steps)) if steps.size else 0.0

    @cached_property
    def piece_starts(self) -> npt.NDArray[np.int64]:
        """Index of the first sample of each piece."""
        return np.flatnonzero(np.diff(self.piece, prepend=-1))
