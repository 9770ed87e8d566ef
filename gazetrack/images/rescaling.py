"""How stored values of DICOM become real ones, such as Hounsfield units.

DICOM PS3.3 C.11.1 (of a file), C.7.6.16.2.9 (pixel value transformation, of frames).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def rescaling(path: Path, data: Any, n_frames: int) -> list[tuple[float, float]]:
    """Return slope and intercept of each frame: of the file, or its own, or of all frames.

    Parameters
    ----------
    path : pathlib.Path
        The file, to be named in errors.
    data : pydicom.Dataset
        What was read of it, classic or enhanced.
    n_frames : int
        How many frames it has.

    Raises
    ------
    InputError
        Some frames are told of, and others not.
    """
    if "RescaleSlope" in data or "RescaleIntercept" in data:
        return [_slope_and_intercept(data)] * n_frames
    shared = _transformation(data.get("SharedFunctionalGroupsSequence"), 0)
    groups = data.get("PerFrameFunctionalGroupsSequence")
    each = [_transformation(groups, number) or shared for number in range(n_frames)]
    n_without = each.count(None)
    if 0 < n_without < n_frames:
        what = f"tells how values are rescaled for {n_frames - n_without} of {n_frames} frames"
        raise InputError(what, path=path, hint="export it again from its archive")
    return [(1.0, 0.0) if one is None else _slope_and_intercept(one) for one in each]


def _transformation(groups: Any, number: int) -> Any:
    """Return where a functional group of DICOM keeps the rescaling; None where it has none."""
    if not groups or number >= len(groups):
        return None
    return next(iter(groups[number].get("PixelValueTransformationSequence") or ()), None)


def _slope_and_intercept(rescale: Any) -> tuple[float, float]:
    slope = float(rescale.get("RescaleSlope", 1) or 1)
    return slope, float(rescale.get("RescaleIntercept", 0) or 0)
