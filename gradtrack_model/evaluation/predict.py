"""Prediction: a folder of images becomes a folder of masks at the images' own size."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from gazetrack.errors import ConfigError, GazetrackError, InputError, quote
from gazetrack.images.slices import slices_of, write_like
from gazetrack.images.volume_files import is_writable
from gazetrack.publish import refuse_input_folder, refuse_overwrite, unique_names, write_bytes
from gradtrack_model.data.sources import find_images, normalise, open_image, resized
from gradtrack_model.network.model import foreground

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.images.reference import ImageRef
    from gradtrack_model.network.model import Output, TrackUNet
    from gradtrack_model.weights.checkpoint import Checkpoint

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
    tracks : bool
        Also write the predicted track maps, ``tracks/<k>/<name>.png``, 0..255: of decoder stage 1,
        the deepest (the core of the gaze), to the last (all of it).
    image_size : int, optional
        Images are resized to a square of this many pixels; by default what the network was
        validated at.
    threshold : float, optional
        Probability above which a pixel is foreground; by default that of the validation.
    """

    probabilities: bool = False
    overlay: bool = False
    tta: bool = False
    batch_size: int = 8
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    ids: tuple[str, ...] = ()
    tracks: bool = False
    image_size: int | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Prediction:
    """What became of one image.

    Parameters
    ----------
    image : ImageRef
        The image that was segmented, a file or a slice of one.
    outputs : tuple of pathlib.Path
        What was written: the mask first; with the last slice of a volume, the volume of its masks.
    share : float
        Share of the image that the mask covers.
    error : GazetrackError or None
        Why nothing was written.
    """

    image: ImageRef
    outputs: tuple[Path, ...] = ()
    share: float = 0.0
    error: GazetrackError | None = None


def predict_folder(
    folder: Path, checkpoint: Checkpoint, out: Path, options: PredictOptions
) -> Iterator[Prediction]:
    """Segment every image of a folder; one that cannot be read does not touch its neighbours.

    Parameters
    ----------
    folder : pathlib.Path
        Images, and volumes whose slices are images, see `gazetrack.images.folder.find_images`.
    checkpoint : Checkpoint
        Of `gradtrack_model.weights.checkpoint.load_model`.
    out : pathlib.Path
        Masks go to ``<out>/<name>.png``, 0 and 255. Those of all slices of an NRRD or NIfTI file
        also go to ``<out>/volumes``, 0 and 1, in a file of the same name, format and geometry.
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
        `out` cannot be written, or is the folder of the images; or an output would replace an
        image.
    ConfigError
        `tracks` of a network that learned none.
    """
    if options.tracks and checkpoint.config.loss.track_weight == 0:
        raise ConfigError("the network was trained without track maps", hint="leave --tracks out")
    images = find_images(folder)
    if not images:
        raise InputError(
            "holds no image",
            path=folder,
            hint="PNG, JPEG, TIFF, BMP, DICOM, NRRD and NIfTI are read",
        )
    if unknown := [i for i in options.ids if i not in images]:
        what = f"has no image {quote(unknown[0])!r}, nor {len(unknown) - 1} others of --ids"
        raise InputError(
            what if len(unknown) > 1 else what.partition(",")[0], path=folder, hint="check the ids"
        )
    within = folder if folder.is_dir() else folder.parent
    wanted = {i: images[i] for i in dict.fromkeys(options.ids)} or images
    names, paths = unique_names(images), list(wanted.items())
    levels = len(checkpoint.model.stages) if options.tracks else 0
    for name in names.values():
        for relative in _outputs(name, options, levels):
            refuse_overwrite(out / relative, [image.file for image in images.values()])
    refuse_input_folder(
        {(out / relative).parent for relative in _outputs("any", options, levels)}, [within]
    )
    masks = VolumeMasks(wanted.values(), out / "volumes")
    model, config = checkpoint.model.to(options.device), checkpoint.config
    size = options.image_size or config.predicting_size
    options = replace(options, threshold=options.threshold or config.predict_threshold)
    for start in range(0, len(paths), options.batch_size):
        opened = [
            (i, ref, _open(ref, config.window))
            for i, ref in paths[start : start + options.batch_size]
        ]
        whole = [image for _, _, image in opened if isinstance(image, Image.Image)]
        logits = iter(_predict(model, whole, size, options))
        for image_id, ref, image in opened:
            if isinstance(image, GazetrackError):
                yield Prediction(ref, error=image)
            else:
                yield _write(ref, image, next(logits), out, names[image_id], options, masks)


def _outputs(name: str, options: PredictOptions, levels: int) -> list[str]:
    """Return what is written for an image, the mask first."""
    folders = [
        "",
        *(["probabilities/"] if options.probabilities else []),
        *(["overlays/"] if options.overlay else []),
    ]
    return [
        f"{folder}{name}.png"
        for folder in (*folders, *(f"tracks/{k}/" for k in range(1, levels + 1)))
    ]


def _open(image: ImageRef, window: tuple[float, ...]) -> Image.Image | GazetrackError:
    try:
        return open_image(image, window)
    except GazetrackError as error:
        return error


def _predict(
    model: TrackUNet, images: list[Image.Image], size: int, options: PredictOptions
) -> list[Tensor]:
    """Return the logits [1 + levels, h, w] of each image at the network's size: segmentation, then track maps."""
    if not images:
        return []
    pixels = torch.stack([resized(image, size) for image in images])
    batch = normalise(pixels.to(options.device).float() / 255)
    flips = _FLIPS if options.tta else _FLIPS[:1]
    with torch.inference_mode():
        logits = sum(
            (_logits(model(batch.flip(axes)), options.tracks).flip(axes) for axes in flips),
            torch.zeros(()),
        )
    return list((logits / len(flips)).float().cpu())


def _logits(output: Output, tracks: bool) -> Tensor:
    shape = output.logits.shape[-2:]
    maps = (
        [functional.interpolate(track, size=shape, mode="bilinear") for track in output.tracks]
        if tracks
        else []
    )
    return torch.cat([output.logits, *maps], 1)


def _write(
    ref: ImageRef,
    image: Image.Image,
    logits: Tensor,
    out: Path,
    name: str,
    options: PredictOptions,
    masks: VolumeMasks,
) -> Prediction:
    shape = (image.height, image.width)
    full = functional.interpolate(logits[None], size=shape, mode="bilinear", align_corners=False)[0]
    mask = foreground(full[0], options.threshold or 0.5).numpy()
    probability, *tracks = (torch.sigmoid(full) * 255).round().to(torch.uint8).numpy()
    pictures: list[Pixels] = [mask.astype(np.uint8) * 255]
    pictures += [probability] if options.probabilities else []
    pictures += [draw_overlay(np.array(image), mask)] if options.overlay else []
    outputs = [out / relative for relative in _outputs(name, options, len(tracks))]
    for output, picture in zip(outputs, [*pictures, *tracks], strict=True):
        write_bytes(output, _png(picture))
    return Prediction(ref, (*outputs, *masks.add(ref, mask)), float(mask.mean()))


class VolumeMasks:
    """The masks of volumes' slices, written when the last slice of a volume is there.

    Parameters
    ----------
    images : iterable of ImageRef
        All images to be segmented. A volume of which a slice is not among them is not written.
    out : pathlib.Path
        Folder for the volumes.
    """

    def __init__(self, images: Iterable[ImageRef], out: Path) -> None:
        self.out = out
        self._left: dict[Path, set[ImageRef]] = {}
        self._masks: dict[Path, dict[ImageRef, npt.NDArray[np.bool_]]] = {}
        wanted = set(images)
        for file in {volume for image in wanted if (volume := image.volume)}:
            slices = slices_of(file)
            if wanted.issuperset(slices) and is_writable(file):
                self._left[file] = set(slices)
                refuse_overwrite(self.out / file.name, [file])

    def add(self, image: ImageRef, mask: npt.NDArray[np.bool_]) -> list[Path]:
        """Take an image's mask, and return the volume that it completed, if any."""
        file = image.volume
        if file is None or file not in self._left:
            return []
        self._masks.setdefault(file, {})[image] = mask
        self._left[file].discard(image)
        if self._left[file]:
            return []
        masks = self._masks.pop(file)
        write_like(
            file,
            np.stack([masks[one] for one in slices_of(file)]).astype(np.uint8),
            self.out / file.name,
        )
        return [self.out / file.name]


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
