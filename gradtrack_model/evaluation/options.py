"""How images are segmented, and what is written beside the masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from gazetrack.errors import ConfigError
from gradtrack_model.data.prompted import PREDICTION_SHARE, PromptParams, PromptRefiner
from gradtrack_model.data.splits import digests_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gradtrack_model.data.image_files import ImageRef
    from gradtrack_model.data.series_masks import SegOptions
    from gradtrack_model.evaluation.temperature import Temperature
    from gradtrack_model.weights.ensemble import Ensemble


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """What to write beside the masks, and how to compute.

    Parameters
    ----------
    probabilities : bool
        Whether to write ``probabilities/<name>.png``, too, where 255 stands for certainty; of
        several classes, ``probabilities/<class>/<name>.png``.
    overlay : bool
        Also write ``overlays/<name>.png``: the image with the mask tinted and outlined.
    uncertainty : bool
        Also write ``uncertainty.csv``, a number for each image, and ``uncertainty/<name>.png``, the
        standard deviation of the probability, where 255 stands for .5; takes `tta` or several
        networks. Of several classes see `gradtrack_model.evaluation.class_uncertainty`; the file
        then also has the mean entropy of an image's pixels.
    tta : bool
        Average the logits over the four flips of the image.
    batch_size : int
        How many images the network sees at once.
    device : torch.device
        Where the network computes; the CPU by default.
    ids : tuple of str
        Segment only these images; all by default.
    tracks : bool
        Also write the predicted track maps, ``tracks/<k>/<name>.png``, 0..255: of decoder stage 1,
        the deepest (the core of the gaze), to the last (all of it).
    image_size : int, optional
        Images are resized to a square of this many pixels; by default what the network was
        validated at.
    threshold : float, optional
        Probability above which a pixel is foreground; by default that of the validation.
    refine_with : str or path-like, optional
        A prompt model that ``gazetrack models`` lists, or the folder of one: it draws what the
        network has found, asked by the prediction alone. Prompt models learned from masks.
    prompt_params : PromptParams
        How that model is asked.
    refine_share : float
        Of that model in the logits, above 0 to 1; the rest is the network's own.
    force : bool
        Replace files that no network of ours has made, such as masks that a person drew.
    dicom_seg : SegOptions, optional
        Also write ``dicom-seg/<series>.dcm``, a DICOM segmentation of the one series that the
        images are; of images that tell no place in space, one of each.
    temperature : Temperature, optional
        What makes probabilities what they say, see `gradtrack_model.evaluation.temperature`. Masks
        stay as they are, at every threshold.
    """

    probabilities: bool = False
    overlay: bool = False
    uncertainty: bool = False
    tta: bool = False
    batch_size: int = 8
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    ids: tuple[str, ...] = ()
    tracks: bool = False
    image_size: int | None = None
    threshold: float | None = None
    refine_with: str | Path | None = None
    prompt_params: PromptParams = field(default_factory=PromptParams)
    refine_share: float = PREDICTION_SHARE
    force: bool = False
    dicom_seg: SegOptions | None = None
    temperature: Temperature | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"batch size {self.batch_size}", hint="use 1 or more")
        if self.image_size is not None and self.image_size < 1:
            raise ConfigError(f"image size {self.image_size}", hint="use 1 or more")
        if self.threshold is not None and not 0 < self.threshold < 1:
            hint = "use a probability between 0 and 1"
            raise ConfigError(f"threshold {self.threshold}", hint=hint)

    @property
    def for_one_class(self) -> dict[str, bool]:
        """What is asked for of all that is made for networks of one class, in words."""
        return {
            "track maps": self.tracks,
            "a prompt model's drawing": self.refine_with is not None,
        }

    @property
    def divisor(self) -> float:
        """What logits are divided by before they become probabilities."""
        return 1.0 if self.temperature is None else self.temperature.value

    def check_temperature(
        self, ensemble: Ensemble, size: int, images: Mapping[str, ImageRef]
    ) -> None:
        """Refuse a temperature of other logits, and images that it was fitted on.

        Parameters
        ----------
        ensemble : Ensemble
            The networks whose logits are to be divided.
        size : int
            Pixels a side that images are resized to.
        images : mapping of str to ImageRef
            The images by their ids; those that lie in no file are not looked at.

        Raises
        ------
        ConfigError, DataError
            See `Temperature.check` and `Temperature.refuse`.
        """
        if self.temperature is None:
            return
        refined = self.refine_with is not None
        self.temperature.check(ensemble, size=size, flips=self.tta, refined=refined)
        self.temperature.refuse(digests_of(images))

    def refiner(self) -> PromptRefiner | None:
        """Open the prompt model; None where there is none. Errors as in `PromptRefiner`."""
        if self.refine_with is None:
            return None
        return PromptRefiner(self.refine_with, self.prompt_params, self.refine_share)
