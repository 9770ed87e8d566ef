"""Which image is meant: a picture, a volume file of one slice, or a slice of a volume file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.tables.stimulus import VOLUME_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ImageRef:
    """One image of a folder; `gazetrack.images.folder.find_images` makes them.

    Parameters
    ----------
    file : pathlib.Path
        The file on disk that holds the image.
    slice : int, optional
        Number of the slice in a DICOM, NRRD or NIfTI file of several, counted from 1. None where
        the file is one image: a picture, or a file of a single slice.
    """

    file: Path
    slice: int | None = None

    @property
    def is_picture(self) -> bool:
        """Whether the file is a PNG, JPEG, TIFF or BMP, and no DICOM, NRRD or NIfTI."""
        return not self.file.name.lower().endswith(VOLUME_SUFFIXES)

    @property
    def volume(self) -> Path | None:
        """The file of several slices that this image is one of, or None."""
        return None if self.slice is None else self.file

    @property
    def path(self) -> Path:
        """How messages and reports name the image: the file, or ``case.nrrd/7`` for its slice 7."""
        return self.file if self.slice is None else self.file / str(self.slice)

    def __str__(self) -> str:
        return str(self.path)
