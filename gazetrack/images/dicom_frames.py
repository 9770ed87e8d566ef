"""Where the frames of a DICOM file lie in space.

Geometry: DICOM PS3.3 C.7.6.2 (image plane), C.7.6.16.2 (functional groups of multi-frame images).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Of the components of a unit vector, by how much directions may differ: headers round.
_TOLERANCE_DIRECTION = 1e-3


@dataclass(frozen=True, eq=False)
class Frames:
    """The planes of all frames of a file, in their stored order.

    Parameters
    ----------
    corners : ndarray of float64, shape (N, 3)
        The centre of each frame's first pixel: left, posterior and head in mm.
    rows, columns : ndarray of float64, shape (N, 3)
        The step from a pixel to that of the next row, and to that of the next column, in mm.
    """

    corners: Floats
    rows: Floats
    columns: Floats


def of_frame(found: Any, number: int, group: str, name: str) -> Any:
    """Return an attribute of a frame: of the file, of all frames, or of this one.

    Parameters
    ----------
    found : pydicom.Dataset
        The data set of a file, read without its pixels.
    number : int
        Which frame, counted from 0.
    group, name : str
        The functional group that holds the attribute in multi-frame files, and its own name.

    Returns
    -------
    object
        Its value; None where the file does not tell.
    """
    if found.get(name):
        return found[name].value
    shared = found.get("SharedFunctionalGroupsSequence") or [{}]
    frames = found.get("PerFrameFunctionalGroupsSequence") or ()
    own = frames[number] if number < len(frames) else {}
    for groups in (own, shared[0]):
        for item in groups.get(group) or ():
            if item.get(name):
                return item[name].value
    return None


def frames_of(data: Any, n: int) -> Frames | None:
    """Return where the frames of a file lie.

    Parameters
    ----------
    data : pydicom.Dataset
        The data set of a file, read without its pixels.
    n : int
        How many frames it has.

    Returns
    -------
    Frames or None
        None where the file does not tell it of each frame, or tells what cannot be.
    """
    try:
        planes = [_plane(data, number) for number in range(n)]
        told = np.array([plane for plane in planes if plane is not None], np.float64)
    except (ValueError, TypeError, IndexError, AttributeError):
        return None  # numbers that are none: whoever needs them says it
    if told.shape != (n, 11) or not np.isfinite(told).all() or (told[:, 9:] <= 0).any():
        return None
    corners, along, down = told[:, :3], told[:, 3:6], told[:, 6:9]
    lengths = np.linalg.norm([along, down], axis=2)
    if not np.allclose(lengths, 1, atol=_TOLERANCE_DIRECTION):
        return None
    # The first value of the spacing is the distance between rows (PS3.3 10.7.1.3).
    return Frames(corners=corners, rows=down * told[:, 9:10], columns=along * told[:, 10:])


def _plane(data: Any, number: int) -> list[float] | None:
    """Return position, orientation and pixel spacing of a frame, one behind the other."""
    asked = (
        ("PlanePositionSequence", "ImagePositionPatient"),
        ("PlaneOrientationSequence", "ImageOrientationPatient"),
        ("PixelMeasuresSequence", "PixelSpacing"),
    )
    found = [of_frame(data, number, group, name) for group, name in asked]
    if any(values is None for values in found):
        return None
    return [float(value) for values in found for value in values]
