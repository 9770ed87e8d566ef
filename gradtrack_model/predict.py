"""Prediction: a folder of images becomes a folder of masks at the images' own size."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from gazetrack.errors import GazetrackError, InputError, quote
from gazetrack.publish import refuse_overwrite, unique_names, write_bytes
from gradtrack_model.data import find_images, normalise, open_image, resized

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    from gradtrack_model.checkpoint import Checkpoint
    from gradtrack_model.model import TrackUNet

    Pixels = npt.NDArray[np.uint8]

# Transforms of test-time augmentation: axes to flip before, and back after.
_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
_GREEN = np.array([0, 220, 80])
_TINT = 0.3


@dataclass(frozen=True)
class PredictOptions:
    """What to write, and how.

    Parameters
    ----------
    probabilities : bool
        Also write ``probabilities/<name>.png``, 0..255.
    overlay : bool
        Also write ``overlays/<name>.png``: the image with the mask tinted and outlined.
    tta : bool
        Average the logits over the four flips of the image.
    batch_size : int
        Images at once.
    device : torch.device
        Where to compute.
    ids : tuple of str
        Only these images; all by default.
    """

    probabilities: bool = False
    overlay: bool = False
    tta: bool = False
    batch_size: int = 8
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """What became of one image.

    Parameters
    ----------
    image : pathlib.Path
        The input.
    outputs : tuple of pathlib.Path
        What was written: the mask first.
    share : float
        Share of the image that the mask covers.
    error : GazetrackError or None
        Why nothing was written.
    """

    image: Path
    outputs: tuple[Path, ...] = ()
    share: float = 0.0
    error: GazetrackError | None = None


def predict_folder(folder: Path, checkpoint: Checkpoint, out: Path, options: PredictOptions) -> Iterator[Prediction]:
    """Segment every image of a folder; one that cannot be read does not touch its neighbours.

    Parameters
    ----------
    folder : pathlib.Path
        Images: PNG, JPEG, TIFF, BMP.
    checkpoint : Checkpoint
        Of `gradtrack_model.checkpoint.load_model`.
    out : pathlib.Path
        Masks go to ``<out>/<name>.png``, 0 and 255.
    options : PredictOptions
        What else to write.

    Yields
    ------
    Prediction
        In the order of the names.

    Raises
    ------
    InputError
        No such folder, no image in it, or an id that is none of its images.
    OutputError
        `out` cannot be written, or an output would replace an image.
    """
    images = find_images(folder)
    if not images:
        raise InputError("holds no image", path=folder, hint="PNG, JPEG, TIFF and BMP are read")
    if unknown := [i for i in options.ids if i not in images]:
        what = f"has no image {quote(unknown[0])!r}, nor {len(unknown) - 1} others of --ids"
        raise InputError(what if len(unknown) > 1 else what.partition(",")[0], path=folder, hint="check the ids")
    wanted = {i: images[i] for i in dict.fromkeys(options.ids)} or images
    names, paths = unique_names(images), list(wanted.items())
    for name in names.values():
        for relative in _outputs(name, options):
            refuse_overwrite(out / relative, images.values())
    model = checkpoint.model.to(options.device)
    for start in range(0, len(paths), options.batch_size):
        opened = [(i, path, _open(path)) for i, path in paths[start : start + options.batch_size]]
        whole = [image for _, _, image in opened if isinstance(image, Image.Image)]
        logits = iter(_predict(model, whole, checkpoint.config.image_size, options))
        for image_id, path, image in opened:
            if isinstance(image, GazetrackError):
                yield Prediction(path, error=image)
            else:
                yield _write(path, image, next(logits), out, names[image_id], options)


def _outputs(name: str, options: PredictOptions) -> list[str]:
    """Return what is written for an image, the mask first."""
    folders = ["", *(["probabilities/"] if options.probabilities else []), *(["overlays/"] if options.overlay else [])]
    return [f"{folder}{name}.png" for folder in folders]


def _open(path: Path) -> Image.Image | GazetrackError:
    try:
        return open_image(path)
    except GazetrackError as error:
        return error


def _predict(model: TrackUNet, images: list[Image.Image], size: int, options: PredictOptions) -> list[Tensor]:
    """Return the logits [h, w] of each image at the network's size."""
    if not images:
        return []
    batch = normalise(torch.stack([resized(image, size) for image in images]).to(options.device).float() / 255)
    flips = _FLIPS if options.tta else _FLIPS[:1]
    with torch.inference_mode():
        logits = sum((model(batch.flip(axes)).logits.flip(axes) for axes in flips), torch.zeros(())) / len(flips)
    return list(logits[:, 0].float().cpu())


def _write(path: Path, image: Image.Image, logits: Tensor, out: Path, name: str, options: PredictOptions) -> Prediction:
    shape = (image.height, image.width)
    full = functional.interpolate(logits[None, None], size=shape, mode="bilinear", align_corners=False)[0, 0]
    mask = (full > 0).numpy()
    pictures: list[Pixels] = [mask.astype(np.uint8) * 255]
    if options.probabilities:
        pictures.append((torch.sigmoid(full) * 255).round().to(torch.uint8).numpy())
    if options.overlay:
        pictures.append(draw_overlay(np.array(image), mask))
    outputs = tuple(out / relative for relative in _outputs(name, options))
    for output, picture in zip(outputs, pictures, strict=True):
        write_bytes(output, _png(picture))
    return Prediction(path, outputs, float(mask.mean()))


def draw_overlay(pixels: Pixels, mask: npt.NDArray[np.bool_]) -> Pixels:
    """Tint the mask green and outline it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        The image.
    mask : ndarray of bool, shape (H, W)
        What to show.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
    """
    width = max(1, round((mask.shape[0] * mask.shape[1]) ** 0.5 / 200))
    strength = np.where(mask, _TINT, 0.0)
    strength[mask & ~_eroded(mask, width)] = 1.0
    mixed = pixels + strength[..., None] * (_GREEN - pixels.astype(np.float64))
    return np.asarray(np.rint(mixed), np.uint8)


def _eroded(mask: npt.NDArray[np.bool_], times: int) -> npt.NDArray[np.bool_]:
    for _ in range(times):
        padded = np.pad(mask, 1, mode="edge")
        mask = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask


def _png(pixels: Pixels) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()
