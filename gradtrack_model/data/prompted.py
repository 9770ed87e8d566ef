"""Predictions drawn anew by a prompt model, which is asked by the prediction alone.

The toolkit's prompts, on a network's logits in place of a map of gaze.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gazetrack.errors import ConfigError
from gazetrack.sam.models import find_model
from gazetrack.sam.network import open_network
from gazetrack.sam.parameters import PREDICTION_SHARE, PromptParams
from gazetrack.sam.prompts import prompted

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image
    from torch import Tensor

__all__ = ["PREDICTION_SHARE", "PromptParams", "PromptRefiner"]

_SURE = 0.03  # in the mix, probabilities are kept this far from 0 and 1
# The network's own a little less: where both are certain and disagree, it has the last word.
_OWN_SURE = 0.025


class PromptRefiner:
    """A prompt model that draws what a network has found.

    `said` is the model with the masks that it learned from, in words for reports.

    Parameters
    ----------
    model : str or path-like
        A model that ``gazetrack models`` lists, or the folder of its two files.
    params : PromptParams
        How the model is asked, and at which size of the image.
    share : float
        Of the model in the logits, above 0 to 1; the rest is the network's own.

    Raises
    ------
    GazetrackError
        There is no such model, it cannot be opened, or onnxruntime is not installed; or a share
        that is none.
    """

    def __init__(
        self, model: str | Path, params: PromptParams, share: float = PREDICTION_SHARE
    ) -> None:
        if not 0 < share <= 1:
            raise ConfigError(f"share {share:g} of a prompt model", hint="use above 0 to 1")
        self._share = share
        files = find_model(model)
        self._network = open_network(files, threads=torch.get_num_threads())
        self._network.check_size(params.size)
        self._params = params
        self.said = f"{files.name} (learned from {files.learned_from})"

    @property
    def facts(self) -> dict[str, Any]:
        """What a record says of it: model and lessons, digests, share, and how it is asked."""
        asked = self._params.as_dict()
        return {**self._network.facts, "model": self.said, "share": self._share, **asked}

    def refine(self, image: Image.Image, logits: Tensor, threshold: float) -> Tensor:
        """Return logits to which the prompt model has added what it draws of the foreground.

        Parameters
        ----------
        image : PIL.Image.Image
            The image in RGB, at its own size.
        logits : Tensor, shape (C, h, w)
            Of the whole image at the network's size; the first channel is the foreground.
        threshold : float
            Probability above which a pixel is foreground; it is so before and afterwards.

        Returns
        -------
        Tensor, shape (C, h, w)
            The other channels are as they were, and all of them where nothing is foreground.

        Raises
        ------
        InputError
            The model fails.
        """
        # The border of a prompt is at .5, that of the network where its threshold is.
        border = math.log(threshold / (1 - threshold))
        soft = torch.sigmoid(logits[0].float() - border).numpy()
        embedding = self._network.encode(np.asarray(image), self._params.size)
        drawn = prompted(self._network, embedding, soft, self._params)
        if drawn is None:
            return logits
        own = torch.logit(torch.from_numpy(soft), eps=_OWN_SURE)
        its = torch.logit(torch.from_numpy(drawn), eps=_SURE)
        anew = torch.lerp(own, its, self._share) + border
        return torch.cat([anew[None].to(logits), logits[1:]])
