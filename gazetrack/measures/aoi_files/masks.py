"""Folders of masks, or of images of labels: one file a stimulus, called as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import InputError
from gazetrack.images.folder import find_images, image_size
from gazetrack.measures.aoi_files.own import by_name
from gazetrack.measures.aois import AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_NAME = "mask"


def masks_of(
    folder: str | Path, name: str = DEFAULT_NAME, labels: Mapping[int, str] | None = None
) -> AoiSet:
    """Return the areas of a folder of masks.

    Parameters
    ----------
    folder : path-like
        Masks by the names of their stimuli: pictures, or DICOM, NRRD and NIfTI.
    name : str
        What the foreground of a mask is called.
    labels : mapping of int to str, optional
        Names of labels: the pictures are then images of labels, and each named one an area of its
        own. A label that an image lacks is an area of no pixels there.

    Returns
    -------
    AoiSet
        One stimulus a file. The pictures are read when they are measured.

    Raises
    ------
    InputError
        No such folder, none of the files in it is an image, or one is damaged.
    DataError
        Two masks have the same name.
    """
    folder = Path(folder)
    found = find_images(folder)
    if not found:
        raise InputError("holds no masks", path=folder, hint="name the folder of the masks")
    stimuli = []
    for image_id, image in found.items():
        size = image_size(image)
        if labels:
            parts = [
                (own, Part(shape=Label(image=image, size=size, value=value)))
                for value, own in sorted(labels.items())
            ]
        else:
            parts = [(name, Part(shape=Label(image=image, size=size)))]
        stimuli.append(StimulusAois(stimulus=image_id, aois=by_name(parts), size=size))
    return AoiSet(stimuli=tuple(stimuli), source={"file": folder.name, "format": "masks"})
