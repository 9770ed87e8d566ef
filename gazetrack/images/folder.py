"""Images of a folder, by id: pictures, and slices of DICOM, NRRD and NIfTI files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gazetrack.errors import DataError, InputError, quote
from gazetrack.images.reference import ImageRef
from gazetrack.images.slices import read_labels, read_slice, slice_size, slices_of
from gazetrack.tables.stimulus import IMAGE_SUFFIXES, MAX_IMAGE_PX, VOLUME_SUFFIXES, stem

MASK_THRESHOLD = 127
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L")
_MAX_LABEL = 3
# A picture of so few values, all of them dark, is a label image or badly stored: no gray mask.
_MAX_LABEL_VALUES = 16
_MASK_HINT = "store masks as 0 and 255, or give --classes for label images of several classes"

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt


def find_images(folder: str | Path) -> dict[str, ImageRef]:
    """Return the images of a folder by id.

    Parameters
    ----------
    folder : path-like
        Looked through for PNG, JPEG, TIFF, BMP, and for DICOM, NRRD and NIfTI, whose slices are
        images of their own; or one such file.

    Returns
    -------
    dict of str to ImageRef
        The id is the file's stem; of slice 7 of ``case.nrrd`` it is ``case_7``. A volume
        that cannot be read stands under its stem, so that whoever reads it learns why and its
        neighbours are found.

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
    found: dict[str, ImageRef] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else [folder]:
        if path.name.lower().endswith((*IMAGE_SUFFIXES, *VOLUME_SUFFIXES)) and path.is_file():
            for image_id, image in _images_in(path):
                other = found.setdefault(image_id, image)
                if other != image:
                    names = (quote(each.path.relative_to(folder)) for each in (other, image))
                    raise DataError(
                        f"two images of one name: {' and '.join(names)}",
                        path=folder,
                        hint="rename one",
                    )
    return found


def _images_in(path: Path) -> Iterator[tuple[str, ImageRef]]:
    name = stem(path.name)
    whole = ImageRef(path)
    if whole.is_picture:
        yield name, whole
        return
    try:
        slices = slices_of(path)
    except InputError:
        slices = [whole]
    for image in slices:
        yield (name if image.slice is None else f"{name}_{image.slice}"), image


def image_size(image: ImageRef) -> tuple[int, int]:
    """Return (width, height) of an image file without decoding it.

    Raises
    ------
    InputError
        The file is no image, damaged, or has more than 64 million pixels.
    """
    if not image.is_picture:
        return slice_size(image)
    try:
        with Image.open(image.file) as opened:
            width, height = opened.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            "cannot be read as an image", path=image.file, hint="replace or remove it"
        ) from error
    if width * height > MAX_IMAGE_PX:
        raise InputError(
            f"has {width} x {height} pixels",
            path=image.file,
            hint=f"at most {MAX_IMAGE_PX:,} are read; shrink it",
        )
    return width, height


def is_gray(image: ImageRef) -> bool:
    """Whether an image is a picture with one channel of 8 bits; errors as in `image_size`."""
    image_size(image)
    if not image.is_picture:
        return False
    with Image.open(image.file) as opened:
        return opened.mode == "L"


def read_image(
    image: ImageRef, mode: str, size: tuple[int, int] | None = None
) -> npt.NDArray[np.uint8]:
    """Read an image as 8-bit grey (``L``) or colour (``RGB``).

    Parameters
    ----------
    image : ImageRef
        A picture, or a slice of a volume file.
    mode : {"L", "RGB"}
        Whether to return gray values or colours.
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
    if not image.is_picture:
        return _as_asked(Image.fromarray(read_slice(image)), mode, size)
    image_size(image)
    try:
        with Image.open(image.file) as opened:
            if opened.mode in DEEP_MODES:
                what = f"has more than 8 bits a channel (mode {opened.mode})"
                hint = "window it to 8 bits first, as you would to look at it"
                raise InputError(what, path=image.file, hint=hint)
            return _as_asked(opened, mode, size)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            "is a damaged image", path=image.file, hint="replace or remove it"
        ) from error


def _as_asked(image: Image.Image, mode: str, size: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    converted = image.convert(mode)
    if size is not None:
        converted = converted.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(converted)


def read_mask(mask: ImageRef) -> npt.NDArray[np.bool_]:
    """Read a mask as booleans [H, W].

    In a picture, foreground is what is above a gray value of 127; in DICOM, NRRD and NIfTI, whose
    values are labels, what is above 0.

    Raises
    ------
    DataError
        It holds labels instead of gray values, which would silently read as empty: few values and
        all of them dark, or a palette of colours.
    InputError
        It is damaged, no image, or too large.
    ConfigError
        The package that reads its format is not installed.
    """
    if not mask.is_picture:
        return read_labels(mask)
    picture = decode(mask)
    if picture.mode == "1":
        return np.array(picture, np.bool_)
    if picture.mode in ("P", "PA"):
        colours = np.array(picture.convert("RGB"))
        if (colours != colours[..., :1]).any():
            what = "has a palette of colours, whose gray does not say what is foreground"
            raise DataError(what, path=mask.file, hint=_MASK_HINT)
    gray = np.array(picture if picture.mode in DEEP_MODES else picture.convert("L"))
    # JPEG smears its values, so that a few low ones are no labels there.
    is_jpeg = mask.file.suffix.lower() in (".jpg", ".jpeg")
    if 0 < gray.max() <= MASK_THRESHOLD and not is_jpeg:
        is_few = gray.max() <= _MAX_LABEL or np.unique(gray).size <= _MAX_LABEL_VALUES
        if is_few:
            highest = int(gray.max())
            what = f"has values up to {highest}; foreground is what is above {MASK_THRESHOLD}"
            raise DataError(what, path=mask.file, hint=_MASK_HINT)
    return np.asarray(gray > MASK_THRESHOLD)


def decode(image: ImageRef, window: tuple[float, ...] = ()) -> Image.Image:
    """Read an image as it is.

    Parameters
    ----------
    image : ImageRef
        A picture, or a slice of a volume file.
    window : (center, width), optional
        Of a slice: how its values become 8 bits, see `gazetrack.images.slices.read_slice`.

    Returns
    -------
    PIL.Image.Image
        A picture in its own mode, of any depth; a slice in mode ``L`` or ``RGB``.

    Raises
    ------
    InputError
        The file is damaged, no image, or too large.
    ConfigError
        The package that reads its format is not installed.
    """
    if not image.is_picture:
        return Image.fromarray(read_slice(image, window))
    image_size(image)  # refuses what is too large before anything is decoded
    try:
        with Image.open(image.file) as opened:
            opened.load()
            return opened
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            "cannot be read as an image", path=image.file, hint="replace or remove it"
        ) from error
