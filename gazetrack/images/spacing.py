"""How far apart the voxels of a volume are, in millimetres, as its header tells.

Distances are between the centres of neighbouring voxels: of slices, of rows and of columns, in this
order, as slices lie after they were turned (`gazetrack.images.volume_files`). What a header does
not tell is NaN: the thickness of a DICOM slice, for one, is no distance between slices.

Sources: NRRD 0005 (``space directions``, ``spacings``, ``space units``); NIfTI-1 (sform, qform,
``xyzt_units``); DICOM PS3.3 C.7.6.16.2.1 (pixel measures), 10.7.1.3 (pixel spacing), C.7.6.2.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from gazetrack.images.dicom_frames import of_frame

# (Between slices, between rows, between columns), in mm.
Spacing: TypeAlias = tuple[float, float, float]

UNKNOWN: Spacing = (math.nan, math.nan, math.nan)
_IN_MM = {"": 1.0, "mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001}
# Codes of NIfTI's `xyzt_units`; files that say nothing are in mm, as affines are by custom.
_NIFTI_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
# The cosine of the angle between two axes above which they are not at right angles: headers round.
_LEANING = 0.01
# Slices whose distances differ by more than this share lie on no grid.
_UNEVEN = 0.01


def nrrd_spacing(fields: Any, *, swapped: bool) -> Spacing:
    """Return the spacing that the header of a NRRD file tells.

    Parameters
    ----------
    fields : mapping
        The header, as pynrrd reads it.
    swapped : bool
        Whether the first stored axis is the rows of a slice, and not its columns.
    """
    directions = fields.get("space directions")
    if directions is not None:
        rows = [[math.nan] if row is None else row for row in directions]
        along = _lengths([np.asarray(row, float) for row in rows])
        units = fields.get("space units")
    else:
        along = [float(value) for value in fields.get("spacings", ())]
        units = fields.get("units")
    factors = _factors(units)
    # All axes of a space have units of their own; those of a slice that is turned are one unit.
    along = [value * factors[min(i, len(factors) - 1)] for i, value in enumerate(along)]
    return _turned(along, swapped)


def nifti_spacing(image: Any, *, swapped: bool) -> Spacing:
    """Return the spacing that the header of a NIfTI file tells.

    Parameters
    ----------
    image : nibabel.Nifti1Image
        The file, whose voxels are not read.
    swapped : bool
        Whether the first stored axis is the rows of a slice, and not its columns.
    """
    header = image.header
    unit = int(header["xyzt_units"]) & 7
    placed = nifti_is_placed(image)
    if not placed and unit == 0:
        return UNKNOWN
    factor = nifti_mm(image)
    if placed:
        along = [length * factor for length in _lengths(list(image.affine[:3, :3].T))]
    else:
        along = [float(value) * factor for value in header.get_zooms()[:3]]
    return _turned(along[: len(image.shape)], swapped)


def nifti_is_placed(image: Any) -> bool:
    """Whether a NIfTI file says by its sform or qform where it lies."""
    header = image.header
    return int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0


def nifti_mm(image: Any) -> float:
    """Return how many mm a unit of a NIfTI file's space is, NaN where it is none of length."""
    return _NIFTI_MM.get(int(image.header["xyzt_units"]) & 7, math.nan)


def nrrd_is_in_mm(fields: Any) -> bool:
    """Whether the space of a NRRD file is in mm, as it is where it tells no unit."""
    return all(factor == 1 for factor in _factors(fields.get("space units")))


def _factors(units: Any) -> list[float]:
    """Return how many mm each unit of a NRRD file is."""
    named = [str(unit).strip().strip('"').lower() for unit in units] if units is not None else []
    return [_IN_MM.get(unit, math.nan) for unit in named] or [1.0]


def _lengths(directions: list[Any]) -> list[float]:
    """Return how far apart voxels are along each axis, NaN along one that is not upright.

    Axes that are not at right angles, such as those of a tilted gantry, make no boxes of voxels:
    their lengths would give wrong distances and volumes. The first of two axes keeps its length
    where another one leans, so that slices are measured which are whole in themselves.
    """
    lengths = [float(np.linalg.norm(one)) for one in directions]
    for later in range(1, len(directions)):
        for earlier in range(later):
            both = lengths[later] * lengths[earlier]
            # What is NaN is not known already, and compares as not leaning.
            if both > 0 and abs(float(directions[later] @ directions[earlier])) > _LEANING * both:
                lengths[later] = math.nan
                break
    return lengths


def dicom_spacing(data: Any) -> Spacing:
    """Return the spacing that a DICOM file tells, its pixels not needed.

    Pixels are as far apart as ``PixelSpacing`` says, which is in the patient; what is told of a
    detector is none. Frames are as far apart as their positions, else as ``SpacingBetweenSlices``
    says.

    Parameters
    ----------
    data : pydicom.Dataset
        The data set of a file, read without its pixels.
    """
    try:
        return _dicom_spacing(data)
    except (ValueError, TypeError, IndexError, AttributeError):
        # Distances that are no numbers are no reason not to show the image.
        return UNKNOWN


def _dicom_spacing(data: Any) -> Spacing:
    shared = (data.get("SharedFunctionalGroupsSequence") or [{}])[0]
    measures = (shared.get("PixelMeasuresSequence") or [{}])[0]
    pixels = data.get("PixelSpacing") or measures.get("PixelSpacing") or (math.nan, math.nan)
    between = data.get("SpacingBetweenSlices") or measures.get("SpacingBetweenSlices") or math.nan
    positions = _frame_positions(data)
    if len(positions) > 1:
        between = _even_step(positions, data)
    # The first value is the distance between rows (PS3.3 10.7.1.3).
    return _positive([float(between), float(pixels[0]), float(pixels[1])])


def _frame_positions(data: Any) -> list[Any]:
    """Return where the frames of an enhanced multi-frame file lie, mm, if all of them tell."""
    found = []
    for group in data.get("PerFrameFunctionalGroupsSequence") or ():
        plane = (group.get("PlanePositionSequence") or [{}])[0]
        position = plane.get("ImagePositionPatient")
        if position is None:
            return []
        found.append([float(value) for value in position])
    return found


def _even_step(positions: list[Any], data: Any) -> float:
    """Return the distance from one frame to the next, NaN where they make no boxes of voxels.

    Either it is not the same for all, or frames are shifted against each other (a tilted gantry).
    """
    steps = np.diff(np.array(positions, float), axis=0)
    mean = steps.mean(axis=0)
    length = float(np.linalg.norm(mean))
    off = float(np.linalg.norm(steps - mean, axis=1).max())
    if off > _UNEVEN * length:
        return math.nan
    directions = of_frame(data, 0, "PlaneOrientationSequence", "ImageOrientationPatient")
    if directions is None:
        return length
    along = np.array([float(value) for value in directions]).reshape(2, 3)
    return _lengths([*along, mean])[2]


def _turned(along: list[float], swapped: bool) -> Spacing:
    """Return the spacing from that of the stored axes, of which the third may not be there."""
    first, second, third = (*along, *UNKNOWN)[:3]
    return _positive([third, first, second] if swapped else [third, second, first])


def _positive(values: list[float]) -> Spacing:
    """Return distances, NaN for those that are none."""
    kept = [value if math.isfinite(value) and value > 0 else math.nan for value in values]
    return kept[0], kept[1], kept[2]
