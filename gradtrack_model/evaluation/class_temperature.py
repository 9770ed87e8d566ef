"""What the temperature of several exclusive classes is fitted on: logits of pixels, as they are.

The likelihood of a softmax takes the logits of all classes of a pixel at once, which cannot be
counted in bins as those of one class are. So pixels are kept, evenly taken from each image, as many
as memory allows for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from gradtrack_model.evaluation.temperature import Said

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

# Logits that are kept of all images together: 64 MiB as float32.
MOST_VALUES = 2**24


class ClassLogits:
    """The logits of pixels, and their classes.

    Parameters
    ----------
    names : sequence of str
        The classes that exclude each other, in the order of their values in the masks, from 1.
    most : int
        How many pixels of an image are kept at most, evenly taken from it.
    """

    def __init__(self, names: Sequence[str], most: int) -> None:
        self.names = tuple(names)
        self.most = most
        self._logits: list[npt.NDArray[np.float32]] = []
        self._labels: list[npt.NDArray[np.uint8]] = []

    @staticmethod
    def of(names: Sequence[str], n_images: int) -> ClassLogits:
        """Return what takes an even share of the pixels of so many images."""
        return ClassLogits(names, max(1, MOST_VALUES // (max(n_images, 1) * len(names))))

    @property
    def n(self) -> int:
        """How many pixels are kept."""
        return sum(map(len, self._labels))

    @property
    def problem(self) -> str:
        """Why no temperature can be fitted, in words; empty where one can."""
        held = np.unique(np.concatenate(self._labels)) if self._labels else np.zeros(0, int)
        if len(held) > 1:
            return ""
        kind = ("background", *self.names)[int(held[0])] if len(held) else "of nothing"
        return f"all pixels of the masks are {kind}"

    def add(self, logits: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> None:
        """Keep pixels of an image.

        Parameters
        ----------
        logits : ndarray of float32, shape (K, H, W)
            What the network says of each class, at the size of the label image.
        labels : ndarray of uint8, shape (H, W)
            The class of each pixel, from 1; 0 is background.
        """
        kept = min(labels.size, self.most)
        # As a share, not a step, which would be columns of an image of a width it divides.
        places = np.arange(kept) * labels.size // kept
        self._logits.append(logits.reshape(len(logits), -1)[:, places])
        self._labels.append(labels.ravel()[places])

    def __add__(self, other: ClassLogits) -> ClassLogits:
        both = ClassLogits(self.names, self.most)
        both._logits = self._logits + other._logits
        both._labels = self._labels + other._labels
        return both

    def nll(self, temperature: float) -> float:
        """Return the mean negative log-likelihood of a pixel, in nats, at a temperature."""
        total = 0.0
        for log_p, labels in self._each(temperature):
            own = np.take_along_axis(log_p, labels[None].astype(np.intp), 0)
            total -= float(own.sum())
        return total / self.n

    def said(self, temperature: float) -> Said:
        """Return how likely the most likely class is, background among them, and whether it is."""
        sure, right = [], []
        for log_p, labels in self._each(temperature):
            sure.append(np.exp(log_p.max(0)))
            right.append(log_p.argmax(0) == labels)
        return Said.of_pixels(np.concatenate(sure), np.concatenate(right))

    def said_of_classes(self, temperature: float) -> list[Said]:
        """Return how likely each class is, and where it is, one class after the other."""
        each = list(self._each(temperature))
        found = []
        for number in range(1, len(self.names) + 1):
            p = np.concatenate([np.exp(log_p[number]) for log_p, _ in each])
            is_there = np.concatenate([labels == number for _, labels in each])
            found.append(Said.of_pixels(p, is_there))
        return found

    def _each(
        self, temperature: float
    ) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]]:
        """Return log-probabilities [K + 1, N] of each image, the background's first, and labels."""
        found = []
        for logits, labels in zip(self._logits, self._labels, strict=True):
            scaled = logits.astype(np.float64) / temperature
            with_background = np.concatenate([np.zeros_like(scaled[:1]), scaled])
            found.append((with_background - logsumexp(with_background, 0), labels))
        return found
