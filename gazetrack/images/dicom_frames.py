"""Where the frames of a DICOM file lie in space.

Geometry: DICOM PS3.3 C.7.6.2 (image plane), C.7.6.16.2 (functional groups of multi-frame images);
NM Reconstruction module (frames of one position: a positive Spacing Between Slices stacks them
along the normal, the cross product of the directions of a row and a column; a negative one against
it).
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
# A header may call for any number; what has more is no volume, and has one place at most.
MOST_FRAMES = 100_000
_PLACES, _PLACE = "PlanePositionSequence", "ImagePositionPatient"


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
    """Return an attribute of a frame: its own, that of the file, or that of all frames.

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
    frames = found.get("PerFrameFunctionalGroupsSequence") or ()
    shared = found.get("SharedFunctionalGroupsSequence") or [{}]
    own = frames[number] if number < len(frames) else {}
    for places in (own.get(group) or (), (found,), shared[0].get(group) or ()):
        for place in places:
            if place.get(name):
                return place[name].value
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
        None where the file does not tell it of each frame, or tells what cannot be. Frames of
        which the file tells one position for all are stacked by ``SpacingBetweenSlices``, without
        which their places are not known.
    """
    if n > MOST_FRAMES:
        return None
    n_own = min(n, len(data.get("PerFrameFunctionalGroupsSequence") or ()))
    try:
        planes = [_plane(data, number) for number in range(n_own)]
        if n > n_own:
            # All others have what the file tells of all.
            planes += [_plane(data, n_own)] * (n - n_own)
        told = np.array([plane for plane in planes if plane is not None], np.float64)
        step = _step_of_one_position(data) if n > 1 else None
    except (ValueError, TypeError, IndexError, AttributeError):
        return None  # numbers that are none: whoever needs them says it
    if told.shape != (n, 11) or not np.isfinite(told).all() or (told[:, 9:] <= 0).any():
        return None
    corners, along, down = told[:, :3], told[:, 3:6], told[:, 6:9]
    lengths = np.linalg.norm([along, down], axis=2)
    if not np.allclose(lengths, 1, atol=_TOLERANCE_DIRECTION):
        return None
    if step is not None:
        if step == 0 or not np.isfinite(step):
            return None
        corners = corners + step * np.arange(n)[:, None] * np.cross(along, down)
    # The first value of the spacing is the distance between rows (PS3.3 10.7.1.3).
    return Frames(corners=corners, rows=down * told[:, 9:10], columns=along * told[:, 10:])


def _step_of_one_position(data: Any) -> float | None:
    """Return how far apart along their normal frames are of which the file tells one position.

    NaN where it does not tell, below 0 against the normal; None where frames tell their own places.
    """
    frames = data.get("PerFrameFunctionalGroupsSequence") or ()
    places = [plane for groups in frames for plane in groups.get(_PLACES) or ()]
    is_of_the_file = bool(data.get(_PLACE))
    if not is_of_the_file or any(plane.get(_PLACE) for plane in places):
        return None
    between = of_frame(data, 0, "PixelMeasuresSequence", "SpacingBetweenSlices")
    return np.nan if between is None else float(between)


def _plane(data: Any, number: int) -> list[float] | None:
    """Return position, orientation and pixel spacing of a frame, one behind the other."""
    asked = (
        (_PLACES, _PLACE),
        ("PlaneOrientationSequence", "ImageOrientationPatient"),
        ("PixelMeasuresSequence", "PixelSpacing"),
    )
    found = [of_frame(data, number, group, name) for group, name in asked]
    if any(values is None for values in found):
        return None
    return [float(value) for values in found for value in values]
