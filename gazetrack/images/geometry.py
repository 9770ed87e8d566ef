"""Where the voxels of a volume file lie in space, and whether those of two files lie alike."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError
from gazetrack.images.slices import header
from gazetrack.images.spacing import nifti_is_placed, nifti_mm, nrrd_is_in_mm
from gazetrack.images.volume_files import suffix_of, to_lps

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.images.volume_files import Header

    Affine = npt.NDArray[np.float64]

# Voxels that lie no farther apart than this share of their distance lie at one place: headers
# round.
_SHARE = 0.05
_AXES = ("slices", "rows", "columns")
_TOWARDS = ("LR", "PA", "HF")


def affine_of(found: Header, image: ImageRef) -> Affine | None:
    """Return where slices lie, as they are shown.

    Parameters
    ----------
    found : Header
        Of a file of three axes.
    image : ImageRef
        A slice of that file, whose name tells the format.

    Returns
    -------
    ndarray of float64, shape (4, 4), or None
        Takes (slice, row, column, 1), each counted from 0, to left, posterior and head in mm. None
        where the header does not tell, and of DICOM.
    """
    readers = {".nrrd": _of_nrrd, ".dcm": _of_dicom}
    stored = readers.get(suffix_of(image.file), _of_nifti)(found.raw)
    if stored is None or not np.isfinite(stored).all():
        return None
    layout = found.layout
    row, column = (0, 1) if layout.swap else (1, 0)
    # In the order of `Layout.slices`: slices, rows, columns.
    affine = stored[:, [2, row, column, 3]]
    flips = ((1, found.height, layout.flip_rows), (2, found.width, layout.flip_columns))
    for axis, size, is_flipped in flips:
        if is_flipped:
            affine[:, 3] += affine[:, axis] * (size - 1)
            affine[:, axis] *= -1
    return affine


def check_same_geometry(predicted: ImageRef, mask: ImageRef) -> None:
    """Refuse two masks whose files say that their voxels do not lie at the same places.

    Parameters
    ----------
    predicted, mask : ImageRef
        Of one size. Pictures, and files that tell no geometry, pass.

    Raises
    ------
    DataError
        Axes, spacing or origin differ by more than a twentieth of a voxel.
    """
    if predicted.is_picture or mask.is_picture:
        return
    ours, theirs = header(predicted.file), header(mask.file)
    if (ours.n, ours.height, ours.width) == (theirs.n, theirs.height, theirs.width):
        affines = [affine_of(*each) for each in ((ours, predicted), (theirs, mask))]
        if affines[0] is not None and affines[1] is not None:
            _check_affines(affines[0], affines[1], (ours.n, ours.height, ours.width), mask.file)
            return
    pairs = list(zip(ours.spacing, theirs.spacing, strict=True))
    # NaN, which is not known, is never far apart.
    if any(abs(one - other) > _SHARE * min(one, other) for one, other in pairs):
        _refuse(mask.file, [_spacing_differs(ours.spacing, theirs.spacing)])


def _of_dicom(_: Any) -> None:
    """Nothing: of DICOM the spacing alone is compared."""


def _of_nifti(image: Any) -> Affine | None:
    if len(image.shape) < 3 or not nifti_is_placed(image):
        return None
    affine = np.array(image.affine, np.float64)
    affine[:3] *= nifti_mm(image)
    affine[:2] *= -1  # from right-anterior-superior
    return affine


def _of_nrrd(fields: Any) -> Affine | None:
    directions, origin = fields.get("space directions"), fields.get("space origin")
    signs = to_lps(fields)
    known = directions is not None and origin is not None and signs is not None
    if not known or len(directions) != 3 or not nrrd_is_in_mm(fields):
        return None
    affine = np.eye(4)
    rows = [[np.nan] * 3 if row is None else row for row in directions]
    affine[:3, :3] = np.array(rows, np.float64).T
    affine[:3, 3] = np.asarray(origin, np.float64)
    affine[:3] *= np.array(signs, np.float64)[:, None]
    return affine


def _check_affines(ours: Affine, theirs: Affine, size: tuple[int, ...], path: Path) -> None:
    """Compare where the corners of two volumes lie."""
    corners = np.array(
        [(*corner, 1) for corner in itertools.product(*((0, n - 1) for n in size))], np.float64
    )
    steps = [np.linalg.norm(one[:3, :3], axis=0) for one in (ours, theirs)]
    tolerance = _SHARE * float(np.minimum(*steps).min())
    apart = np.linalg.norm((corners @ (ours - theirs).T)[:, :3], axis=1)
    if apart.max() <= tolerance:
        return
    told = []
    axes = [_named(one[:3, :3]) for one in (ours, theirs)]
    if axes[0] != axes[1]:
        told.append(f"axes run {axes[1]}, the prediction's {axes[0]}")
    if (np.abs(steps[0] - steps[1]) > _SHARE * np.minimum(*steps)).any():
        told.append(_spacing_differs(steps[0], steps[1]))
    if not told and (np.linalg.norm(ours[:3, 3] - theirs[:3, 3])) > tolerance:
        told.append(f"its first voxel lies at {_mm(theirs[:3, 3])}, there at {_mm(ours[:3, 3])}")
    _refuse(path, told or [f"its corners lie up to {apart.max():.3g} mm apart"])


def _named(directions: npt.NDArray[np.float64]) -> str:
    """Return towards what slices, rows and columns run, such as ``slices to H``."""
    shown = []
    for name, direction in zip(_AXES, directions.T, strict=True):
        axis = int(np.abs(direction).argmax())
        shown.append(f"{name} to {_TOWARDS[axis][int(direction[axis] < 0)]}")
    return ", ".join(shown)


def _spacing_differs(ours: Any, theirs: Any) -> str:
    return f"its voxels are {_mm(theirs, ' x ')}, the prediction's {_mm(ours, ' x ')}"


def _mm(values: Any, between: str = ", ") -> str:
    return f"{between.join(f'{value:.4g}' for value in values)} mm"


def _refuse(path: Path, told: list[str]) -> None:
    what = f"lies elsewhere in space than its prediction: {'; '.join(told)}"
    hint = "resample one of them to the other's grid, or mend the header that is wrong"
    raise DataError(what, path=path, hint=hint)
