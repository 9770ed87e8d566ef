"""Which slices make up a volume: those of one file, or a DICOM series of one file a slice.

The single-frame files of one folder that share a SeriesInstanceUID and tell their places in space
are a series, in the order of `gazetrack.images.dicom_series`, whatever their names; DICOM without
places, such as pictures of an endoscope, stays single images. A folder is looked through once,
until a file comes, goes or is renamed.
"""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import DataError, GazetrackError, InputError
from gazetrack.images.dicom_series import read_series
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import header, reading, slice_size
from gazetrack.images.volume_files import suffix_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gazetrack.images.spacing import Spacing

_KEPT_VOLUMES = 1024
# Several threads that ask for one series read its headers once.
_LOCK = threading.Lock()


@dataclass(frozen=True, eq=False)
class ImageVolume:
    """Slices that lie on each other.

    Parameters
    ----------
    file : pathlib.Path
        What stands for the volume: its file, or of a series the first of its files by name.
    slices : tuple of ImageRef
        In their order, as stored in one file, or as they lie in space.
    spacing : tuple of float
        Between slices, rows and columns, in mm; NaN where the headers do not tell.
    """

    file: Path
    slices: tuple[ImageRef, ...]
    spacing: Spacing

    def number(self, image: ImageRef) -> int:
        """Return the place of one of the slices, counted from 1."""
        return self._numbers[image]

    @functools.cached_property
    def _numbers(self) -> dict[ImageRef, int]:
        return {image: number for number, image in enumerate(self.slices, 1)}


def volume_of(image: ImageRef) -> ImageVolume | None:
    """Return the volume that an image is a slice of, or None of an image that stands alone.

    Parameters
    ----------
    image : ImageRef
        A picture, a slice of a volume file, or a file of a single slice.

    Raises
    ------
    InputError, ConfigError
        The image's header cannot be read, or another one of its series cannot.
    DataError
        Its series is no volume: slices are missing or unevenly spaced, two lie at one place, or
        files differ in size, direction or frame of reference.
    """
    if image.slice is not None:
        slice_size(image)  # refuses a number that the file does not have
        found = header(image.file)
        return _of_file(image.file, found.n, found.spacing)
    files = _series_files(image)
    if len(files) < 2:
        return None
    with _LOCK:
        stacked = _stacked(files, image.file.parent.stat().st_mtime_ns)
    if isinstance(stacked, GazetrackError):
        raise stacked.with_traceback(None)
    return stacked


def volume_file(image: ImageRef) -> Path | None:
    """Return what stands for the volume of an image, even where its slices do not fit together.

    Parameters
    ----------
    image : ImageRef
        A picture, a slice of a volume file, or a file of a single slice.

    Returns
    -------
    pathlib.Path or None
        The volume's file, or the first file by name of a series of several; None of an image that
        stands alone, and of one that cannot be read.
    """
    if image.slice is not None:
        return image.file
    try:
        files = _series_files(image)
    except InputError:
        return None
    return files[0] if len(files) > 1 else None


def neighbours(image: ImageRef, context: int) -> list[ImageRef]:
    """Return a slice with those around it, in their order.

    Parameters
    ----------
    image : ImageRef
        A slice of a volume.
    context : int
        How many slices before it, and how many after it. Beyond the first and the last slice of the
        volume, that slice stands again.

    Returns
    -------
    list of ImageRef
        2 * context + 1 slices, `image` in the middle.

    Raises
    ------
    DataError
        The image is no slice of a volume, so that nothing is known of its neighbours; or see
        `volume_of`, and there for other errors.
    """
    if context == 0:
        return [image]
    volume = volume_of(image)
    if volume is None:
        what = f"has no slices before and after it, of which context = {context} needs {context}"
        hint = "give volumes (NRRD, NIfTI, a DICOM series), or use context=0"
        raise DataError(what, path=image.file, hint=hint)
    own = volume.number(image) - 1
    last = len(volume.slices) - 1
    places = range(own - context, own + context + 1)
    return [volume.slices[min(max(place, 0), last)] for place in places]


def _series_files(image: ImageRef) -> tuple[Path, ...]:
    """Return the files beside an image that are of its series, and itself, by name."""
    if suffix_of(image.file) != ".dcm":
        return ()
    folder = image.file.parent
    with reading(image.file):  # which may be gone, with its folder
        status = folder.stat()
    with _LOCK:
        found = _series_in(folder, status.st_ino, status.st_mtime_ns)
    if image.file not in found:
        header(image.file)  # says why it could not be read
        return ()
    return found[image.file]


@functools.lru_cache(maxsize=_KEPT_VOLUMES)
def _of_file(path: Path, n: int, spacing: Spacing) -> ImageVolume:
    slices = tuple(ImageRef(path, number) for number in range(1, n + 1))
    return ImageVolume(path, slices, spacing)


@functools.lru_cache(maxsize=64)
def _series_in(folder: Path, _inode: int, _changed: int) -> Mapping[Path, tuple[Path, ...]]:
    """Return of each DICOM file of a folder the files of its series, in the order of names.

    None of a file that lies nowhere in space; one that cannot be read is left out.
    """
    of_file: dict[Path, str] = {}
    members: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if suffix_of(path) != ".dcm" or not path.is_file():
            continue
        try:
            series = header(path).series
        except InputError:
            continue  # whoever asks for the file itself learns why
        of_file[path] = series
        if series:
            members[series].append(path)
    files = {series: tuple(paths) for series, paths in members.items()}
    return {path: files.get(series, ()) for path, series in of_file.items()}


@functools.lru_cache(maxsize=_KEPT_VOLUMES)
def _stacked(files: tuple[Path, ...], _changed: int) -> ImageVolume | GazetrackError | None:
    """Return a series in its order, or what is wrong with it, which is looked for once, too."""
    try:
        found = read_series([ImageRef(file) for file in files])
    except GazetrackError as error:
        return error
    if len(found) > 1:  # they do not tell all that a place takes, and each stands alone
        return None
    return ImageVolume(files[0], found[0].images, found[0].spacing)
