"""Images of a folder, by id: pictures, and slices of DICOM, NRRD and NIfTI files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gazetrack.errors import DataError, InputError, quote
from gazetrack.images.slices import file_of, read_labels, read_slice, slice_size, slices_of
from gazetrack.images.volume_files import suffix_of
from gazetrack.tables.stimulus import IMAGE_SUFFIXES, MAX_IMAGE_PX, VOLUME_SUFFIXES, stem

MASK_THRESHOLD = 127
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L")
_MAX_LABEL = 3

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt


def find_images(folder: str | Path) -> dict[str, Path]:
    """Return the images of a folder by id.

    Parameters
    ----------
    folder : path-like
        Looked through for PNG, JPEG, TIFF, BMP, and for DICOM, NRRD and NIfTI, whose slices are
        images of their own; or one such file.

    Returns
    -------
    dict of str to pathlib.Path
        The id is the file's stem, of slice 7 of ``case.nrrd`` ``case_7``, whose path is
        ``case.nrrd/7``. A volume that cannot be read stands under its stem, so that whoever reads
        it learns why and its neighbours are found.

    Raises
    ------
    InputError
        There is no such folder.
    DataError
        Two images have the same id.
    ConfigError
        There are volumes, and the package that reads them is not installed.
    """
    folder = Path(folder)
    if not folder.exists():
        raise InputError("no such folder", path=folder, hint="check the name")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else [folder]:
        if path.name.lower().endswith((*IMAGE_SUFFIXES, *VOLUME_SUFFIXES)) and path.is_file():
            for image_id, image in _images_in(path):
                other = found.setdefault(image_id, image)
                if other != image:
                    names = (quote(each.relative_to(folder)) for each in (other, image))
                    raise DataError(
                        f"two images of one name: {' and '.join(names)}",
                        path=folder,
                        hint="rename one",
                    )
    return found


def _images_in(path: Path) -> Iterator[tuple[str, Path]]:
    name = stem(path.name)
    if not suffix_of(path):
        yield name, path
        return
    try:
        slices = slices_of(path)
    except InputError:
        slices = [path]
    for image in slices:
        yield (name if image == path else f"{name}_{image.name}"), image


def volume_of(path: Path) -> Path | None:
    """Return the file of several slices that an image is a slice of, or None."""
    file = file_of(path)
    return None if file == path else file


def image_size(path: Path) -> tuple[int, int]:
    """Return (width, height) of an image file without decoding it.

    Raises
    ------
    InputError
        The file is no image, damaged, or has more than 64 million pixels.
    """
    if suffix_of(path):
        return slice_size(path)
    try:
        with Image.open(path) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            "cannot be read as an image", path=path, hint="replace or remove it"
        ) from error
    if width * height > MAX_IMAGE_PX:
        raise InputError(
            f"has {width} x {height} pixels",
            path=path,
            hint=f"at most {MAX_IMAGE_PX:,} are read; shrink it",
        )
    return width, height


def is_gray(path: Path) -> bool:
    """Whether a picture has one channel of 8 bits; errors as in `image_size`."""
    image_size(path)
    if suffix_of(path):
        return False
    with Image.open(path) as image:
        return image.mode == "L"


def read_image(path: Path, mode: str, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Read an image as 8-bit grey (``L``) or colour (``RGB``).

    Parameters
    ----------
    path : pathlib.Path
        The file.
    mode : {"L", "RGB"}
        What to return.
    size : (height, width), optional
        Resize to this, bilinear with antialiasing.

    Returns
    -------
    ndarray of uint8, shape (H, W) or (H, W, 3)

    Raises
    ------
    InputError
        See `image_size`; and a picture of more than 8 bits a channel, which says nothing of how to
        map them to 8.
    """
    if suffix_of(path):
        return _as_asked(Image.fromarray(read_slice(path)), mode, size)
    image_size(path)
    try:
        with Image.open(path) as opened:
            if opened.mode in DEEP_MODES:
                hint = "window it to 8 bits first, as you would to look at it"
                raise InputError(
                    f"has more than 8 bits a channel (mode {opened.mode})", path=path, hint=hint
                )
            return _as_asked(opened, mode, size)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError("is a damaged image", path=path, hint="replace or remove it") from error


def _as_asked(image: Image.Image, mode: str, size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    converted = image.convert(mode)
    if size is not None:
        converted = converted.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(converted)


def read_mask(path: Path) -> npt.NDArray[np.bool_]:
    """Read a mask: above a gray value of 127 is foreground; in DICOM, NRRD and NIfTI, whose values are labels, above 0.

    Raises
    ------
    DataError
        It holds labels 0, 1, … instead of gray values, which would silently read as empty.
    InputError
        It is damaged, no image, or too large.
    ConfigError
        The package that reads its format is not installed.
    """
    if suffix_of(path):
        return read_labels(path)
    image = decode(path)
    if image.mode == "1":
        return np.array(image, np.bool_)
    gray = np.array(image if image.mode in DEEP_MODES else image.convert("L"))
    if 0 < gray.max() <= _MAX_LABEL and path.suffix.lower() not in (".jpg", ".jpeg"):
        what = f"has values up to {int(gray.max())}; foreground is what is above {MASK_THRESHOLD}"
        raise DataError(what, path=path, hint="store masks as 0 and 255")
    return np.asarray(gray > MASK_THRESHOLD)


def decode(path: Path) -> Image.Image:
    """Read a picture as it is; InputError where it is damaged, no image, or too large."""
    image_size(path)  # refuses what is too large before anything is decoded
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            "cannot be read as an image", path=path, hint="replace or remove it"
        ) from error
