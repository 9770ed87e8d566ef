"""Where the voxels of a volume file lie in space, and whether those of two files lie alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError
from gazetrack.images.slices import header
from gazetrack.images.spacing import nifti_is_placed, nifti_mm, nrrd_is_in_mm
from gazetrack.images.volume_files import suffix_of, to_lps

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.dicom_frames import Frames
    from gazetrack.images.reference import ImageRef
    from gazetrack.images.volume_files import Header

    Affine = npt.NDArray[np.float64]

# Voxels that lie no farther apart than this share of a pixel lie at one place: headers round (a
# spacing of 3 decimals moves the last of 512 pixels by a third of one), and what is flipped, or
# moved by a pixel, lies farther apart.
_SHARE_OF_PIXEL = 0.5
# Spacing alone, of files that tell no places, differs by more than this share of itself, or not.
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
        where the header does not tell. Frames of DICOM that are not evenly spaced have none that
        fits all of them: it is that of the first and the last.
    """
    if suffix_of(image.file) == ".dcm":
        return None if found.frames is None else _of_frames(found.frames)
    readers = {".nrrd": _of_nrrd}
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


def check_same_geometry(predicted: ImageRef, mask: ImageRef, called: str = "prediction") -> None:
    """Refuse two files of one size that say that their voxels do not lie at the same places.

    Parameters
    ----------
    predicted, mask : ImageRef
        Of one size. Pictures, and files that tell no geometry, pass.
    called : str
        What the first of them is to the second: its prediction, or its image.

    Raises
    ------
    DataError
        The centre of a pixel lies more than half a pixel off; or, where one of them tells spacing
        alone, that differs by more than a twentieth.
    """
    if predicted.is_picture or mask.is_picture:
        return
    ours, theirs = header(predicted.file), header(mask.file)
    if (ours.n, ours.height, ours.width) == (theirs.n, theirs.height, theirs.width):
        one, other = affine_of(ours, predicted), affine_of(theirs, mask)
        if one is not None and other is not None:
            # Frames of DICOM may lie unevenly; an affine is told by the first and the last slice.
            is_even = ours.frames is None and theirs.frames is None
            slices = np.unique((0, ours.n - 1)) if is_even else np.arange(ours.n)
            places = [_places(ours, one, slices), _places(theirs, other, slices)]
            sizes = np.array([ours.n, ours.height, ours.width])
            told = _told((one, other), sizes, places, called)
            if told:
                _refuse(mask.file, told, called)
            return
    pairs = list(zip(ours.spacing, theirs.spacing, strict=True))
    # NaN, which is not known, is never far apart.
    if any(abs(one - other) > _SHARE * min(one, other) for one, other in pairs):
        _refuse(mask.file, [_spacing_differs(ours.spacing, theirs.spacing, called)], called)


def _of_frames(frames: Frames) -> Affine:
    """Return the affine of frames from the first to the last one."""
    n_steps = len(frames.corners) - 1
    row, column = frames.rows[0], frames.columns[0]
    normal = np.cross(column, row)
    step = (
        (frames.corners[-1] - frames.corners[0]) / n_steps
        if n_steps
        else normal / np.linalg.norm(normal)
    )
    affine = np.eye(4)
    affine[:3] = np.stack([step, row, column, frames.corners[0]], axis=1)
    return affine


def _places(found: Header, affine: Affine, slices: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Return where the four corners of some slices lie, [S, 4, 3] in mm."""
    ends = [(i, j) for i in (0, found.height - 1) for j in (0, found.width - 1)]
    if found.frames is not None:
        frames = found.frames
        corners = [frames.corners + i * frames.rows + j * frames.columns for i, j in ends]
        return np.stack(corners, axis=1)[slices]
    points = np.ones((len(slices), len(ends), 4))
    points[..., 0] = slices[:, None]
    points[..., 1:3] = ends
    placed: npt.NDArray[np.float64] = (points @ affine.T)[..., :3]
    return placed


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


def _told(
    affines: tuple[Affine, Affine],
    sizes: npt.NDArray[np.intp],
    places: list[npt.NDArray[np.float64]],
    called: str,
) -> list[str]:
    """Return in what two volumes of one size lie otherwise; nothing where they lie alike."""
    ours, theirs = affines
    is_stack = sizes[0] > 1
    # Of a single slice, how far it is to the next one means nothing.
    kept = slice(None) if is_stack else slice(1, None)
    steps = [np.linalg.norm(one[:3, :3], axis=0)[kept] for one in (ours, theirs)]
    distances = np.minimum(*steps)
    # Frames of one place, as of a film, have no distance.
    tolerance = _SHARE_OF_PIXEL * float(distances[distances > 0].min())
    apart = np.linalg.norm(places[0] - places[1], axis=-1)
    if apart.max() <= tolerance:
        return []
    told = []
    axes = [_named(one[:3, :3], kept) for one in (ours, theirs)]
    if axes[0] != axes[1]:
        told.append(f"axes run {axes[1]}, the {called}'s {axes[0]}")
    longer = np.abs(steps[0] - steps[1]) * (sizes[kept] - 1)
    if (longer > tolerance).any():
        told.append(_spacing_differs(steps[0], steps[1], called))
    if not told and (np.linalg.norm(ours[:3, 3] - theirs[:3, 3])) > tolerance:
        told.append(f"its first voxel lies at {_mm(theirs[:3, 3])}, there at {_mm(ours[:3, 3])}")
    corners = "corners of its slices lie" if is_stack else "its corners lie"
    return told or [f"{corners} up to {apart.max():.3g} mm apart"]


def _named(directions: npt.NDArray[np.float64], kept: slice) -> str:
    """Return towards what slices, rows and columns run, such as ``slices to H``."""
    shown = []
    for name, direction in zip(_AXES[kept], directions.T[kept], strict=True):
        axis = int(np.abs(direction).argmax())
        shown.append(f"{name} to {_TOWARDS[axis][int(direction[axis] < 0)]}")
    return ", ".join(shown)


def _spacing_differs(ours: Any, theirs: Any, called: str) -> str:
    what = "voxels" if len(ours) == len(_AXES) else "pixels"
    return f"its {what} are {_mm(theirs, ' x ')}, the {called}'s {_mm(ours, ' x ')}"


def _mm(values: Any, between: str = ", ") -> str:
    return f"{between.join(f'{value:.4g}' for value in values)} mm"


def _refuse(path: Path, told: list[str], called: str) -> None:
    what = f"lies elsewhere in space than its {called}: {'; '.join(told)}"
    hint = "resample one of them to the other's grid, or mend the header that is wrong"
    raise DataError(what, path=path, hint=hint)
