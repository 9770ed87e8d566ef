"""The gaze of two eyes as columns of the table of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt


# Directions have no screen: they are projected on a plane 1 m before the eyes, where a pixel is a
# millimetre. Straight ahead is its middle. Angles between positions on it are those between the
# directions.
PLANE_DISTANCE_MM = 1000.0
PLANE = Screen(4000, 4000, 4000.0, 4000.0, PLANE_DISTANCE_MM)
PLANE_NOTE = "projected on a plane 1 m before the eyes: 1 px is 1 mm, the middle is straight ahead"


def mean_of_eyes(
    left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Return the mean of both eyes, or the one that is there."""
    # The 2 has the type of the positions: so the mean of float32 is float32 with any NumPy.
    both = (left + right) / left.dtype.type(2)
    one = np.where(np.isnan(left), right, left)
    return np.where(np.isnan(both), one, both)


def without_marks(
    x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], mark: float
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating], int]:
    """Return positions without a vendor's mark of missing gaze, and how many had it.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        Positions of one eye, as the export has them.
    mark : float
        What stands in both coordinates where there is no gaze. In one coordinate alone it is a
        position.
    """
    # Few rows have the mark: only these are looked at in y.
    maybe = np.flatnonzero(x == mark)
    missing = maybe[y[maybe] == mark]
    if not len(missing):
        return x, y, 0
    # Copies, as the given ones are the table's own columns.
    x = x.copy()
    y = y.copy()
    x[missing] = np.nan
    y[missing] = np.nan
    return x, y, len(missing)


def pupils_of(sizes: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return pupil sizes without 0 and -1, which trackers write where they found no pupil."""
    return np.where((sizes == 0) | (sizes == -1), sizes.dtype.type(np.nan), sizes)


def gaze_columns(gaze: Mapping[str, npt.NDArray[np.floating]]) -> dict[str, object]:
    """Return the columns of `schema.SAMPLES` for positions and pupils.

    Parameters
    ----------
    gaze : mapping of str to ndarray
        ``left_x``, ``left_y``, ``left_pupil``, the same of the right eye, and ``x``, ``y`` for the
        combined gaze. Without these two, they are the mean of the eyes.
    """
    columns: dict[str, object] = {}
    for name, values in gaze.items():
        column = name if name.endswith("pupil") else f"{name}_px"
        columns[column] = values
    for axis in "xy":
        if axis not in gaze:
            columns[f"{axis}_px"] = mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
    return columns
