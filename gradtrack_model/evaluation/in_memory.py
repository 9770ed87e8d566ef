"""Prediction without files: images at hand become masks and probabilities at their own size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from gazetrack.cards import card, levels_png
from gazetrack.errors import ConfigError, InputError
from gradtrack_model.data.image_files import find_images, middle, open_slices
from gradtrack_model.evaluation.class_pictures import classes_of, refuse_for_classes
from gradtrack_model.evaluation.predict import PredictOptions, ensemble_logits
from gradtrack_model.network.model import foreground
from gradtrack_model.weights.ensemble import as_ensemble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    import numpy.typing as npt
    from torch import Tensor

    from gradtrack_model.config import DataConfig
    from gradtrack_model.evaluation.predict import Networks, Slices

    # A picture as an array of uint8 [H, W] or [H, W, 3], or the path of one.
    AnyImage: TypeAlias = npt.NDArray[np.uint8] | Image.Image | str | Path


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a network sees in one image.

    Parameters
    ----------
    name : str
        The image's id where it comes from a file, else its number.
    mask : ndarray of bool, shape (H, W)
        Which pixels of the image are foreground; of several classes, a label image of uint8: 0 for
        background, 1 to K for the classes.
    probability : ndarray of float32, shape (H, W)
        How likely each pixel is foreground, in [0, 1]; of several classes, of each, [K, H, W].
    classes : tuple of str
        Names of the classes that are told apart; empty where that is one.
    """

    name: str
    mask: npt.NDArray[Any]
    probability: npt.NDArray[np.float32]
    classes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the image that the mask covers, in [0, 1]."""
        return float((self.mask > 0).mean())

    def __repr__(self) -> str:
        height, width = self.mask.shape
        return f"<Segmentation of {self.name!r}, {height} x {width}: {self.share:.1%} foreground>"

    def _repr_html_(self) -> str:
        height, width = self.mask.shape
        facts = {"size": f"{height} x {width} px", "foreground": f"{self.share:.1%}"}
        each = self.probability if self.classes else self.probability[None]
        grey = np.rint(each * 255).astype(np.uint8)
        levels = np.concatenate([grey, (self.mask > 0).astype(np.uint8)[None] * 255])
        return card(f"Segmentation of {self.name}", facts, levels_png(levels))


def segment(
    checkpoint: Networks, images: AnyImage | Sequence[AnyImage], options: PredictOptions
) -> list[Segmentation]:
    """Segment images at hand.

    Parameters
    ----------
    checkpoint : Checkpoint, Ensemble or sequence of Checkpoint
        The network, as `gradtrack_model.weights.checkpoint.load_model` reads it, or several, whose
        probabilities are averaged.
    images : image or sequence of images
        Arrays of uint8 [H, W] or [H, W, 3], pictures of Pillow, files, or folders of images.
    options : PredictOptions
        How to compute; what it says of files to write does not matter here.

    Returns
    -------
    list of Segmentation
        In the order of the images; of a folder, in that of the names.

    Raises
    ------
    ConfigError
        An array is no picture, or the network sees slices beside a slice, which no array has.
    InputError
        A file cannot be read, or a folder holds no image.
    GazetrackError
        The prompt model of `options` is not there, or its temperature is of other logits.
    """
    ensemble = as_ensemble(checkpoint)
    config = ensemble.first.config
    size = options.image_size or config.predicting_size
    threshold = ensemble.threshold(options.threshold)
    options.check_temperature(ensemble, size, {})
    every = [one.config.classes for one in ensemble.members]
    refuse_for_classes(every, options.for_one_class)
    refiner = options.refiner()
    found: list[Segmentation] = []
    pictures = _opened(images, config)
    while batch := list(islice(pictures, options.batch_size)):
        logits = ensemble_logits(ensemble, [slices for _, slices in batch], size, options)
        for (name, slices), own in zip(batch, logits, strict=True):
            image = middle(slices)
            if refiner is not None:
                own = refiner.refine(image, own, threshold)
            if config.classes.names:
                shape = (image.height, image.width)
                two = classes_of(own, shape, threshold, config.classes, divisor=options.divisor)
                found.append(Segmentation(name, *two, config.classes.names))
                continue
            found.append(_segmented(name, image, own, threshold, options.divisor))
    return found


def _segmented(
    name: str, image: Image.Image, logits: Tensor, threshold: float, divisor: float
) -> Segmentation:
    """Return the mask of an image at its own size, from the logits [1, h, w] at the network's."""
    shape = (image.height, image.width)
    # Logits are resized, not probabilities or masks: their border is a smooth line.
    full = functional.interpolate(logits[None, :1], size=shape, mode="bilinear")[0, 0]
    mask = foreground(full, threshold).numpy()
    return Segmentation(name, mask, torch.sigmoid(full / divisor).numpy())


def _opened(
    images: AnyImage | Sequence[AnyImage], config: DataConfig
) -> Iterator[tuple[str, Slices]]:
    """Yield pictures, each amid its slices, and what they are called, read when asked for."""
    # Whatever numpy can look at is one image, such as a tensor: it is no list of its rows.
    is_one = isinstance(images, str | Path | Image.Image) or hasattr(images, "__array__")
    is_many = isinstance(images, Iterable) and not isinstance(images, Mapping)
    if not (is_one or is_many):
        what = f"images of type {type(images).__name__}"
        raise ConfigError(what, hint="give a folder, files, or arrays of uint8")
    listed: Any = [images] if is_one else images
    for number, image in enumerate(listed):
        if isinstance(image, str | Path):
            refs = find_images(Path(image))
            if not refs:
                hint = "PNG, JPEG, TIFF, BMP, DICOM, NRRD and NIfTI are read"
                raise InputError("holds no image", path=image, hint=hint)
            for image_id, ref in refs.items():
                yield image_id, open_slices(ref, config.window, config.context)
        elif config.context:
            what = f"an array, of a network that sees {config.context} slices before and after"
            raise ConfigError(what, hint="give files of volumes: NRRD, NIfTI, multi-frame DICOM")
        else:
            yield str(number), (_as_picture(image),)


def _as_picture(image: npt.NDArray[np.uint8] | Image.Image) -> Image.Image:
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    array = np.asarray(image)
    is_grey = array.ndim == 2
    is_colour = array.ndim == 3 and array.shape[2] == 3
    if array.dtype != np.uint8 or not (is_grey or is_colour) or 0 in array.shape:
        what = f"an image of {array.dtype} and shape {array.shape}"
        raise ConfigError(what, hint="give uint8 of shape (H, W) or (H, W, 3)")
    return Image.fromarray(array).convert("RGB")
