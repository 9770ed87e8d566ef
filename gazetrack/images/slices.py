"""DICOM, NRRD and NIfTI as gray 8-bit slices.

Slices are counted from 1; the image id of slice 7 of ``case.nii.gz`` is ``case_7``. A file of a
single slice is an image like any other: its id is its stem. How slices are turned:
`gazetrack.images.volume_files`.

Gray values: 8 bits stay as they are. Deeper ones, after the header's rescale slope and intercept,
are mapped from their 0.5th to 99.5th percentile over the whole file to 0..255, or from a window
where one is given (DICOM PS3.3 C.11.2.1.3.2, LINEAR_EXACT). The windows of DICOM headers are not
used: they often differ from slice to slice.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import GazetrackError, InputError
from gazetrack.images.reference import ImageRef
from gazetrack.images.spacing import UNKNOWN
from gazetrack.images.volume_files import encode_like, read_header, read_volume
from gazetrack.publish import write_bytes
from gazetrack.tables.stimulus import MAX_IMAGE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.spacing import Spacing
    from gazetrack.images.volume_files import Header, Volume

MAX_VOLUME_BYTES = 2**30
# By how much a label may differ from a whole number after its header's scale, which is stored in 32
# bits, and by how much more because it was packed.
_ROUNDED = 1e-3
_MOST_PACKED = 0.05
# Data sets of one file a slice have thousands, which are gone through several times in one order:
# were fewer kept than there are, each pass would read all of them again.
_KEPT_HEADERS = 2**14
# One file at a time: the libraries' warnings are silenced by a filter that threads would share.
_LOCK = threading.RLock()


def slices_of(path: Path) -> list[ImageRef]:
    """Return the images in a DICOM, NRRD or NIfTI file: its slices, or itself if it has one.

    Raises
    ------
    InputError, ConfigError
        See `read_slice`.
    """
    n = header(path).n
    if n == 1:
        return [ImageRef(path)]
    return [ImageRef(path, number) for number in range(1, n + 1)]


def slice_size(image: ImageRef) -> tuple[int, int]:
    """Return (width, height) of a slice from the header alone; errors as in `read_slice`."""
    found = header(image.file)
    _index(image, found.n)
    return found.width, found.height


def spacing_of(image: ImageRef) -> Spacing:
    """Return how far apart voxels are, in mm: between slices, between rows and between columns.

    Parameters
    ----------
    image : ImageRef
        A picture, which tells nothing, or a slice of a volume file.

    Returns
    -------
    tuple of float
        NaN for each distance that the header does not tell.

    Raises
    ------
    InputError, ConfigError
        See `read_slice`.
    """
    return UNKNOWN if image.is_picture else header(image.file).spacing


def read_slice(image: ImageRef, window: tuple[float, ...] = ()) -> npt.NDArray[np.uint8]:
    """Read a slice as 8-bit gray or colour.

    Parameters
    ----------
    image : ImageRef
        A file of one slice, or a slice of a file of several.
    window : (center, width), optional
        In the file's own units, such as Hounsfield units; see the module for what is done without.

    Returns
    -------
    ndarray of uint8, shape (H, W) or (H, W, 3)

    Raises
    ------
    InputError
        The file is missing, damaged, too large, has four axes, no pixels, or pixels of a kind that
        is not read.
    ConfigError
        The package that reads it is not installed.
    """
    volume, values = _values(image)
    if values.ndim == 3:
        return np.ascontiguousarray(values)
    plain = values.dtype == np.uint8 and (volume.slope, volume.intercept) == (1, 0)
    low, high = (window[0] - window[1] / 2, window[0] + window[1] / 2) if window else volume.limits
    if plain and not window:
        gray = values
    else:
        real = values.astype(np.float64) * volume.slope + volume.intercept
        share = (
            np.nan_to_num((real - low) / (high - low), posinf=1.0, neginf=0.0)
            if high > low
            else np.zeros_like(real)
        )
        gray = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(255 - gray if volume.inverted else gray)


def read_labels(mask: ImageRef) -> npt.NDArray[np.bool_]:
    """Read a slice of a label volume as booleans [H, W]: every value above 0 is foreground.

    Errors are those of `label_values`.
    """
    values = label_values(mask)
    highest = values.max(-1) if values.ndim == 3 else values
    return np.ascontiguousarray(highest > 0)


def label_values(mask: ImageRef) -> npt.NDArray[Any]:
    """Return the values of a slice of a label volume as its file means them: [H, W], of any type.

    Raises
    ------
    InputError
        As in `read_slice`; or the header scales the stored values to what is no whole number, or
        below 0.
    ConfigError
        The package that reads it is not installed.
    """
    volume, values = _values(mask)
    if (volume.slope, volume.intercept) == (1, 0):
        return np.ascontiguousarray(values)
    real = values * volume.slope + volume.intercept
    whole = np.rint(real)
    # A writer that packs numbers into few bits rounds each by up to half a step of the scale.
    allowed = _ROUNDED + min(abs(volume.slope) / 2, _MOST_PACKED)
    known = (np.abs(real - whole) <= allowed) & (whole >= 0)
    if not known.all():
        stranger = real[~known].flat[0]
        scale = f"slope {volume.slope:g}, intercept {volume.intercept:g}"
        what = f"has the value {stranger:g} by the scale of its header ({scale})"
        hint = "save labels as whole numbers from 0, unscaled"
        raise InputError(what, path=mask.path, hint=hint)
    return np.ascontiguousarray(whole.astype(np.int64))


def write_like(path: Path, labels: npt.NDArray[np.uint8], out: Path) -> None:
    """Write labels as a volume of the same format and geometry as another file.

    Parameters
    ----------
    path : pathlib.Path
        The NRRD or NIfTI file whose slices were labelled.
    labels : ndarray of uint8, shape (N, H, W)
        One label image for each of its slices.
    out : pathlib.Path
        File to be written; a name that ends in ``.gz`` is compressed.

    Raises
    ------
    OutputError
        `out` cannot be written.
    """
    packed = out.name.lower().endswith(".gz")
    write_bytes(out, encode_like(path, header(path), labels, packed))


def header(path: Path) -> Header:
    """Read a file's header, and refuse what is too large before anything is allocated.

    Errors are those of `read_slice`.
    """
    with reading(path):
        status = path.stat()
        return _header(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=_KEPT_HEADERS)
def _header(path: Path, _changed: int, _size: int) -> Header:
    found, itemsize = read_header(path)
    if min(found.n, found.height, found.width) < 1:
        raise InputError(
            f"has no pixels: {found.width} x {found.height} x {found.n}",
            path=path,
            hint="remove it",
        )
    pixels = found.height * found.width
    if pixels > MAX_IMAGE_PX or pixels * found.n * itemsize > MAX_VOLUME_BYTES:
        what = f"has {found.width} x {found.height} x {found.n} voxels"
        limit = (
            f"at most {MAX_IMAGE_PX:,} pixels a slice and {MAX_VOLUME_BYTES // 2**20:,} MB are read"
        )
        raise InputError(what, path=path, hint=limit)
    return found


def _values(image: ImageRef) -> tuple[Volume, npt.NDArray[Any]]:
    found = header(image.file)
    with reading(image.file):
        status = image.file.stat()
        volume = _volume(image.file, status.st_mtime_ns, status.st_size)
    return volume, volume.values[_index(image, found.n)]


@functools.lru_cache(maxsize=2)
def _volume(path: Path, _changed: int, _size: int) -> Volume:
    return read_volume(path, header(path))


def _index(image: ImageRef, n: int) -> int:
    """Return the place of an image, from 0, among the `n` slices of its file."""
    if image.slice is None:
        if n > 1:
            hint = f"name one, such as {image.file.name}/1"
            raise InputError(f"is a volume of {n} slices", path=image.file, hint=hint)
        return 0
    if not 1 <= image.slice <= n:
        what = f"has no slice {image.slice}, but 1 to {n}"
        raise InputError(what, path=image.file, hint="check the ids")
    return image.slice - 1


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a library raises over a damaged file into one line, and keep it quiet."""
    with _LOCK, warnings.catch_warnings(), _unlogged():
        warnings.simplefilter("ignore")
        try:
            yield
        except GazetrackError:
            raise
        except FileNotFoundError:
            raise InputError("no such file", path=path, hint="check the name") from None
        except Exception as error:  # hostile bytes raise anything
            raise InputError(
                "cannot be read as an image", path=path, hint="replace or remove it"
            ) from error


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Let nibabel write no line of its own to the terminal, which would name no file."""
    logger = logging.getLogger("nibabel.global")
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was_disabled
