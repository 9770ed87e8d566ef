"""Masks of several classes: label images, whose values are 0 for background and 1 to K."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import DataError
from gazetrack.images.folder import decode
from gazetrack.images.slices import label_values

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

_JPEG = (".jpg", ".jpeg")


def read_label_image(mask: ImageRef, n_classes: int) -> npt.NDArray[np.uint8]:
    """Read a label image.

    Parameters
    ----------
    mask : ImageRef
        A picture of gray values or of a palette, whose indices count, or a slice of a volume.
    n_classes : int
        The number of classes; larger values are refused.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        0 for background, 1 to `n_classes` for the classes.

    Raises
    ------
    DataError
        It holds another value, is in colour, or a JPEG, which smears its values.
    InputError
        It is damaged, no image, or too large.
    ConfigError
        The package that reads its format is not installed.
    """
    if mask.is_picture:
        if mask.file.suffix.lower() in _JPEG:
            what = "is a JPEG, which smears the values of classes"
            raise DataError(what, path=mask.path, hint="store label images as PNG")
        values = np.asarray(decode(mask))
        if values.ndim == 3 and (values == values[..., :1]).all():
            values = values[..., 0]
    else:
        values = label_values(mask)
    hint = f"a label image has 0 for background and 1 to {n_classes} for the classes"
    if values.ndim != 2:
        raise DataError("is in colour", path=mask.path, hint=hint)
    with np.errstate(invalid="ignore"):  # what is no number is refused below
        labels = values.astype(np.uint8)
    known = np.isfinite(values) & (values >= 0) & (values <= n_classes) & (values == labels)
    if not known.all():
        stranger = values[~known].max()
        raise DataError(f"has the value {stranger:g}", path=mask.path, hint=hint)
    return labels
