"""What a stimulus is: the names of images, their suffixes, and how large they may be."""

from __future__ import annotations

from functools import lru_cache

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
VOLUME_SUFFIXES = (".dcm", ".nrrd", ".nii", ".nii.gz")
MAX_IMAGE_PX = 64_000_000  # of an image, and of one map


@lru_cache(maxsize=4096)  # the same names come again with every row
def stem(name: str) -> str:
    """Return the name of a stimulus or image without folder and image suffix.

    A dot in the name itself stays.

    >>> stem("shown/case.12.jpg"), stem("case.12")
    ('case.12', 'case.12')
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    found = [
        suffix for suffix in (*IMAGE_SUFFIXES, *VOLUME_SUFFIXES) if base.lower().endswith(suffix)
    ]
    return base[: -len(max(found, key=len))] if found else base
