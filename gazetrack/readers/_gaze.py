"""The gaze of two eyes as columns of the table of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


def mean_of_eyes(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the mean of both eyes, or the one that is there."""
    both = (left + right) / left.dtype.type(2)
    return np.where(np.isnan(both), np.where(np.isnan(left), right, left), both)


def gaze_columns(gaze: Mapping[str, npt.NDArray[np.floating]]) -> dict[str, object]:
    """Return the columns of `schema.SAMPLES` for positions and pupils.

    Parameters
    ----------
    gaze : mapping of str to ndarray
        ``left_x``, ``left_y``, ``left_pupil``, the same of the right eye, and ``x``, ``y`` for the combined gaze.
        Without these two, they are the mean of the eyes.
    """
    columns: dict[str, object] = {name if name.endswith("pupil") else f"{name}_px": v for name, v in gaze.items()}
    for axis in "xy":
        if axis not in gaze:
            columns[f"{axis}_px"] = mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
    return columns
