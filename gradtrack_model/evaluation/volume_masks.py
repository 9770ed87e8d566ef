"""Masks of a volume's slices, put together to a volume of the same geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.publish import refuse_overwrite
from gradtrack_model.data.image_files import is_writable, slices_of, write_like

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from gradtrack_model.data.image_files import ImageRef
    from gradtrack_model.data.series_masks import SeriesMasks

    Mask = npt.NDArray[np.bool_]
    Probability = npt.NDArray[np.float32]


class VolumeMasks:
    """The masks of volumes' slices, written when the last slice of a volume is there.

    Parameters
    ----------
    images : iterable of ImageRef
        All images to be segmented. A volume of which a slice is not among them is not written.
    out : pathlib.Path
        The folder that receives the volumes.
    dicom : SeriesMasks, optional
        Takes the masks of a DICOM series, too.
    """

    def __init__(
        self, images: Iterable[ImageRef], out: Path, dicom: SeriesMasks | None = None
    ) -> None:
        self.out = out
        self.dicom = dicom
        # By volume: the slices that are still to come, and the masks of those that came.
        self._left: dict[Path, set[ImageRef]] = {}
        self._masks: dict[Path, dict[ImageRef, Mask]] = {}
        wanted = set(images)
        for file in {image.volume for image in wanted}:
            if file is None:  # an image that is no slice
                continue
            slices = slices_of(file)
            if wanted.issuperset(slices) and is_writable(file):
                self._left[file] = set(slices)
                refuse_overwrite(self.out / file.name, [file])

    def parts(self) -> dict[Path, set[ImageRef]]:
        """Return the images of each file that is going to be written."""
        if self.dicom is not None:
            return self.dicom.parts()
        return {self.out / file.name: set(slices) for file, slices in self._left.items()}

    def add(self, image: ImageRef, mask: Mask, probability: Probability) -> list[Path]:
        """Take an image's mask and probabilities, and return what they completed, if anything."""
        if self.dicom is not None:
            return self.dicom.add(image, mask, probability)
        file = image.volume
        if file is None or file not in self._left:
            return []
        self._masks.setdefault(file, {})[image] = mask
        self._left[file].discard(image)
        if self._left[file]:
            return []
        masks = self._masks.pop(file)  # a volume's masks are kept no longer than needed
        volume = np.stack([masks[one] for one in slices_of(file)])
        written = self.out / file.name
        write_like(file, volume.astype(np.uint8), written)
        return [written]
