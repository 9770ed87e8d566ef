"""What networks see in one image: mask, probability and uncertainty, kept for the last few."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from gradtrack_model.data.image_files import middle
from gradtrack_model.evaluation.averaging import mean_of_passes
from gradtrack_model.evaluation.predict import ensemble_passes
from gradtrack_model.evaluation.uncertainty import disagreement, spread
from gradtrack_model.network.classes import refuse_classes
from gradtrack_model.network.model import foreground

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image
    from torch import Tensor

    from gradtrack_model.evaluation.predict import PredictOptions
    from gradtrack_model.weights.ensemble import Ensemble

    Pixels = npt.NDArray[np.uint8]

_KEPT = 12


@dataclass(frozen=True)
class Seen:
    """What networks see in an image.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        The foreground, at the image's own size.
    probability : ndarray of uint8, shape (h, w)
        How likely each pixel is foreground, 255 for certainty, at the network's size.
    deviation : ndarray of uint8, shape (h, w)
        Where networks and flips disagree: the standard deviation of their probabilities, 255 for
        .5, as much as is possible.
    uncertainty : float
        1 - the mean Dice of all pairs of masks, from 0 to 1.
    """

    mask: npt.NDArray[np.bool_]
    probability: Pixels
    deviation: Pixels
    uncertainty: float


class Looker:
    """Networks that look at one image at a time, over its four flips.

    Parameters
    ----------
    ensemble : Ensemble
        The network, or the networks whose probabilities are averaged.
    options : PredictOptions
        How they are computed; their threshold, image size and device.
    """

    def __init__(self, ensemble: Ensemble, options: PredictOptions) -> None:
        config = ensemble.first.config
        refuse_classes(config.classes, "the page")
        self.ensemble = ensemble
        self.threshold = ensemble.threshold(options.threshold)
        self.size = options.image_size or config.predicting_size
        self.window = config.window
        self.context = config.context
        self._options = options
        self._kept: OrderedDict[int, Seen] = OrderedDict()
        # A page asks for several pictures at once, and all are of one pass.
        self._lock = Lock()

    def look(self, number: int, *slices: Image.Image) -> Seen:
        """Return what is seen in an image.

        Parameters
        ----------
        number : int
            Which image it is: what was seen in it is kept under this number.
        *slices : PIL.Image.Image
            The image in RGB, at its own size; in the middle of the slices that the networks see
            around it, if they see any.
        """
        with self._lock:
            if number not in self._kept:
                self._kept[number] = self._seen(slices)
            self._kept.move_to_end(number)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[number]

    def _seen(self, slices: tuple[Image.Image, ...]) -> Seen:
        (passes,) = ensemble_passes(self.ensemble, [slices], self.size, self._options)
        image = middle(slices)
        every = passes[:, :, 0].flatten(0, 1)
        logits = mean_of_passes(passes)[:1]
        shape = (image.height, image.width)
        full = functional.interpolate(logits[None], size=shape, mode="bilinear")[0, 0]
        several = len(every) > 1
        return Seen(
            mask=foreground(full, self.threshold).numpy(),
            probability=_grey(torch.sigmoid(logits[0])),
            deviation=_grey(2 * spread(every)),
            uncertainty=disagreement(every, self.threshold) if several else 0.0,
        )


def _grey(values: Tensor) -> Pixels:
    """Return values in [0, 1] as 0..255."""
    grey: Pixels = (values * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    return grey
