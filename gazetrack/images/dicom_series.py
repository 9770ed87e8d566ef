"""DICOM files that belong together, in the order in which their images lie in space.

What is read of them is an allow-list: which images they are, where they lie, and the attributes of
patient and study that DICOM asks of every object derived from them, no more.

Geometry: DICOM PS3.3 C.7.6.2 (image plane), C.7.6.16.2 (functional groups of multi-frame images).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError, InputError, quote
from gazetrack.images.dicom_frames import of_frame
from gazetrack.images.slices import header, reading
from gazetrack.images.spacing import UNKNOWN, Spacing
from gazetrack.images.volume_files import suffix_of
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

    Vector = npt.NDArray[np.float64]

# By how much places may differ from even ones, in millimetres and as a share of the distance:
# scanners round them, and a slice of which half is missing is far beyond.
TOLERANCE_MM = 0.01
TOLERANCE_SHARE = 0.02
_TOLERANCE_DIRECTION = 1e-3  # of the components of a unit vector
_IDENTITY = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
# Attributes that every object must carry, empty where they are not known (type 2).
PATIENT_AND_STUDY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_DEIDENTIFIED = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
)
_ABOUT_IMAGES = (
    "SpecificCharacterSet",
    "Modality",
    "SeriesNumber",
    "InstanceNumber",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
READ = (*_IDENTITY, *PATIENT_AND_STUDY, *_DEIDENTIFIED, *_ABOUT_IMAGES)


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """Images that one object can be about.

    Parameters
    ----------
    name : str
        What to call it: the stem of its file, or of several the name of their folder.
    images : tuple of ImageRef
        In the order in which they lie in space, or as the frames of their one file.
    headers : tuple of pydicom.Dataset
        Of each file what `READ` names, in the same order; one of a multi-frame file.
    spacing : tuple of float
        Between slices, rows and columns, in mm; NaN where it is not known.
    """

    name: str
    images: tuple[ImageRef, ...]
    headers: tuple[Any, ...]
    spacing: Spacing = UNKNOWN


@dataclass(frozen=True)
class _Plane:
    """Where an image lies: its corner and pixel spacing in mm, directions of rows and columns."""

    corner: Vector
    directions: Vector
    spacing: Vector

    @property
    def normal(self) -> Vector:
        return np.cross(self.directions[:3], self.directions[3:])


def read_series(images: Sequence[ImageRef]) -> list[DicomSeries]:
    """Return what objects can be about: one series, or single images that lie nowhere in space.

    Parameters
    ----------
    images : sequence of ImageRef
        The slices of one series of DICOM files, all frames of a multi-frame file, or images that
        tell no place in space, such as those of an endoscope, of which each stands alone.

    Returns
    -------
    list of DicomSeries

    Raises
    ------
    InputError
        A file is no DICOM, cannot be read, or lacks the identifiers of study, series or image.
    DataError
        Files of several series or frames of reference, of different sizes or directions, two at one
        place, slices that are missing or unevenly spaced, or frames of a file that are missing or
        lie nowhere in space.
    ConfigError
        pydicom is not installed.
    """
    files = list(dict.fromkeys(image.file for image in images))
    for file in files:
        if suffix_of(file) != ".dcm":
            hint = "give a folder of one DICOM series, or a multi-frame file"
            raise InputError("is no DICOM file (.dcm)", path=file, hint=hint)
    headers = {file: _read(file) for file in files}
    first = files[0]
    for file in files[1:]:
        _refuse_other_series(first, headers[first], file, headers[file])
    if images[0].slice is not None:
        return [_of_frames(list(images), headers)]
    planes = {image: _plane(image, headers[image.file], 0) for image in images}
    if all(plane is None for plane in planes.values()):
        return [DicomSeries(stem(i.file.name), (i,), (headers[i.file],)) for i in images]
    placed = {image: _known(image, plane) for image, plane in planes.items()}
    order = _in_space(placed)
    name = stem(first.name) if len(files) == 1 else first.resolve().parent.name
    ordered_headers = tuple(headers[image.file] for image in order)
    spacing = _spacing([placed[image] for image in order])
    return [DicomSeries(name, tuple(order), ordered_headers, spacing)]


def _read(file: Path) -> Any:
    """Read what is allowed of a file, and refuse one that nothing could refer to."""
    header(file)  # refuses what is damaged, without pixels or too large
    with reading(file):
        found = import_module("pydicom").dcmread(
            file, stop_before_pixels=True, specific_tags=list(READ)
        )
        lacking = [name for name in _IDENTITY if not found.get(name)]
    if lacking:
        hint = "export it again from the archive that it comes from"
        raise InputError(f"has no {' nor '.join(lacking)}", path=file, hint=hint)
    for name in PATIENT_AND_STUDY:
        if name not in found:
            setattr(found, name, None)  # not known, which is written as empty
    return found


def _refuse_other_series(first: Path, one: Any, file: Path, other: Any) -> None:
    """Refuse a file that is not of the same series, frame of reference and size as the first."""
    shared = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Rows", "Columns")
    for name in shared:
        mine, theirs = other.get(name), one.get(name)
        if mine != theirs:
            what = f"is of another {name} than {quote(first.name)}: {quote(mine)}"
            hint = "give one series at a time, in a folder of its own"
            raise DataError(what, path=file, hint=hint)
    if one.SOPInstanceUID == other.SOPInstanceUID:
        what = f"is the same image as {quote(first.name)}"
        raise DataError(what, path=file, hint="remove one of them")


def _of_frames(images: list[ImageRef], headers: dict[Path, Any]) -> DicomSeries:
    """Return the frames of one multi-frame file as a series."""
    file = images[0].file
    if len(headers) > 1:
        what = f"is one of {len(headers)} files, and has several frames"
        raise DataError(what, path=file, hint="give one multi-frame file at a time")
    found = headers[file]
    n = int(found.NumberOfFrames)
    ordered = sorted(images, key=lambda image: image.slice or 0)
    if [image.slice for image in ordered] != list(range(1, n + 1)):
        what = f"has {n} frames, of which {len(images)} are asked for"
        raise DataError(what, path=file, hint="segment all of them")
    placed = {
        image: _known(image, _plane(image, found, number)) for number, image in enumerate(ordered)
    }
    _in_space(placed)  # the frames keep their order, and have to make up a volume all the same
    spacing = _spacing(list(placed.values()))
    return DicomSeries(stem(file.name), tuple(ordered), (found,), spacing)


def _known(image: ImageRef, plane: _Plane | None) -> _Plane:
    if plane is None:
        what = "tells no place in space (ImagePositionPatient, ImageOrientationPatient, ...)"
        hint = "of such images only single ones can be referred to: give them as files of one frame"
        raise DataError(what, path=image.path, hint=hint)
    return plane


def _plane(image: ImageRef, found: Any, number: int) -> _Plane | None:
    """Return where frame `number` of a file lies; None where the file does not tell."""
    with reading(image.file):
        corner = of_frame(found, number, "PlanePositionSequence", "ImagePositionPatient")
        directions = of_frame(found, number, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = of_frame(found, number, "PixelMeasuresSequence", "PixelSpacing")
        told = corner is not None and directions is not None and spacing is not None
        if not told or "FrameOfReferenceUID" not in found:
            return None
        plane = _Plane(*(np.array(value, float) for value in (corner, directions, spacing)))
        shapes = (plane.corner.shape, plane.directions.shape, plane.spacing.shape)
        numbers = np.concatenate([plane.corner, plane.directions, plane.spacing])
    lengths = np.linalg.norm(plane.directions.reshape(-1, 3), axis=1) if shapes[1] == (6,) else 0
    is_plane = (
        shapes == ((3,), (6,), (2,))
        and np.isfinite(numbers).all()
        and np.allclose(lengths, 1, atol=_TOLERANCE_DIRECTION)
        and abs(plane.directions[:3] @ plane.directions[3:]) < _TOLERANCE_DIRECTION
        and (plane.spacing > 0).all()
    )
    if not is_plane:
        what = "has a place, directions or pixel spacing that cannot be"
        raise DataError(what, path=image.path, hint="export it again from its archive")
    return plane


def _spacing(ordered: list[_Plane]) -> Spacing:
    """Return how far apart slices, rows and columns of planes in their order are, in mm."""
    first, last = ordered[0], ordered[-1]
    rows, columns = (float(value) for value in first.spacing)
    # Over the whole length: what scanners round of single places does not add up.
    n_steps = len(ordered) - 1
    length = abs(float((last.corner - first.corner) @ first.normal))
    return (length / n_steps if n_steps else math.nan), rows, columns


def _in_space(planes: dict[ImageRef, _Plane]) -> list[ImageRef]:
    """Return images by where they lie along their normal; refuse what is no volume."""
    (first_image, first), *others = planes.items()
    for image, plane in others:
        for what in ("directions", "spacing"):
            if not np.allclose(getattr(plane, what), getattr(first, what), atol=1e-3):
                named = "directions" if what == "directions" else "pixel spacing"
                message = f"has another {named} than {quote(first_image.path.name)}"
                hint = "give one stack of parallel slices"
                raise DataError(message, path=image.path, hint=hint)
    order = sorted(planes, key=lambda image: float(planes[image].corner @ first.normal))
    steps = [planes[b].corner - planes[a].corner for a, b in pairwise(order)]
    if not steps:
        return order
    distances = np.array([float(step @ first.normal) for step in steps])
    usual = float(np.median(distances))
    allowed = max(TOLERANCE_MM, TOLERANCE_SHARE * abs(usual))
    for k, step in enumerate(steps):
        names = f"{quote(order[k].path.name)} and {quote(order[k + 1].path.name)}"
        file = order[k].file
        if distances[k] <= TOLERANCE_MM:
            what = f"two images at one place: {names}"
            raise DataError(what, path=file, hint="give one time point, echo or phase at a time")
        if abs(distances[k] - usual) > allowed:
            lie = f"lie {distances[k]:.3g} mm apart, others {usual:.3g} mm"
            what = f"slices are missing or unevenly spaced: {names} {lie}"
            raise DataError(what, path=file, hint="give the whole series")
        if float(np.linalg.norm(step - distances[k] * first.normal)) > allowed:
            what = f"slices lie askew: {names} are shifted against each other (tilted gantry)"
            raise DataError(what, path=file, hint="resample the series to a box first")
    return order
