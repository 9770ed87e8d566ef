"""A data set in memory: its samples, and what is to be said about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.maps.track import Track
    from gradtrack_model.data.gaze import Gaze
    from gradtrack_model.data.splits import Manifest


def middle_slice(pixels: Tensor) -> Tensor:
    """Return the image [3, S, S] that is to be segmented, of the slices [3 * n, S, S] around it."""
    first = (len(pixels) - 3) // 2
    return pixels[first : first + 3]


@dataclass(frozen=True)
class Sample:
    """One image in memory, with the gaze on it.

    Parameters
    ----------
    image_id : str
        The id of the image: its file name without folder and suffix.
    pixels : Tensor of uint8, shape (3, S, S) or (3 * n, S, S)
        The image, resized to a square of S pixels; with neighbouring slices, the n slices in their
        order, the image in the middle.
    tracks : tuple of Track
        The cleaned track of each observer, in pixels of the resized image.
    maps : Tensor of uint8, shape (L, S, S), or None
        Stored maps, 0 to 255, where these are trained on in place of tracks; of several classes,
        see `gradtrack_model.data.class_maps`.
    mask : ndarray of bool or uint8, shape (H, W), or None
        The mask at the size of the original image, for validation only; of several classes, a label
        image.
    """

    image_id: str
    pixels: Tensor
    tracks: tuple[Track, ...] = ()
    maps: Tensor | None = None
    mask: npt.NDArray[Any] | None = None

    @property
    def has_gaze(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.tracks) or self.maps is not None

    def arrays(self) -> Iterator[npt.NDArray[np.generic]]:
        """Yield all values of the sample, in an order that never changes."""
        yield self.pixels.numpy()
        for track in self.tracks:
            yield from (track.x, track.y, track.duration_ms)
        if self.maps is not None:
            yield self.maps.numpy()
        if self.mask is not None:
            yield self.mask


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """A data set in memory, and what is to be said about it.

    Parameters
    ----------
    train, val : tuple of Sample
        The samples to learn from, which all have gaze, and those to validate on.
    notes : tuple of str
        What was left out or assumed, each in one line for the user.
    gaze : Gaze
        Which gaze, or which masks, the samples learn from, and why.
    splits : dict
        The split manifest, see `gradtrack_model.data.splits.manifest_of`.
    """

    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    notes: tuple[str, ...]
    gaze: Gaze
    splits: Manifest = field(default_factory=dict)

    def sha256(self) -> str:
        """Return a digest of all that training depends on."""
        digest = hashlib.sha256()
        for sample in (*self.train, *self.val):
            digest.update(sample.image_id.encode() + b"\0")
            for track in sample.tracks:
                digest.update(track.target.encode())
            for array in sample.arrays():
                # Without type and shape, two data sets of the same bytes could be confused.
                digest.update(f"{array.dtype}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return f"{len(self.train)}+{len(self.val)}:{digest.hexdigest()}"
