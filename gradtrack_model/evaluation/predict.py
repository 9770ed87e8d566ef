"""Prediction: a folder of images becomes a folder of masks at the images' own size."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from gazetrack.errors import ConfigError, GazetrackError, InputError, quote
from gazetrack.publish import refuse_input_folder, refuse_overwrite, unique_names, write_bytes
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.image_files import find_images, middle, open_slices, resized_slices
from gradtrack_model.data.series_masks import asked_masks, maker
from gradtrack_model.evaluation.averaging import mean_of_logits, mean_of_passes
from gradtrack_model.evaluation.class_pictures import (
    class_pictures,
    classes_of,
    refuse_for_classes,
)
from gradtrack_model.evaluation.class_uncertainty import (
    class_disagreement,
    class_spread,
    entropy,
)
from gradtrack_model.evaluation.made_by import (
    begin,
    describe_network,
    record_network,
    refuse_masks_of_others,
)
from gradtrack_model.evaluation.options import PredictOptions
from gradtrack_model.evaluation.overlay import draw_overlay
from gradtrack_model.evaluation.uncertainty import (
    disagreement,
    forget_uncertainty,
    spread,
    write_uncertainty,
)
from gradtrack_model.evaluation.volume_masks import VolumeMasks
from gradtrack_model.network.model import foreground
from gradtrack_model.network.precision import autocast
from gradtrack_model.weights.ensemble import as_ensemble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    import numpy.typing as npt
    from torch import Tensor

    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.image_files import ImageRef
    from gradtrack_model.data.prompted import PromptRefiner
    from gradtrack_model.network.classes import ClassConfig
    from gradtrack_model.network.model import Network, Output
    from gradtrack_model.weights.checkpoint import Checkpoint
    from gradtrack_model.weights.ensemble import Ensemble

    Networks: TypeAlias = Checkpoint | Ensemble | Sequence[Checkpoint]
    Pixels = npt.NDArray[np.uint8]
    # A picture in the middle of the slices around it; of a network that sees none, it alone.
    Slices: TypeAlias = tuple[Image.Image, ...]

__all__ = [
    "PredictOptions",
    "Prediction",
    "ensemble_logits",
    "ensemble_passes",
    "logits_of",
    "mean_of_logits",
    "mean_of_passes",
    "predict_folder",
]

_VOLUMES = "volumes"
_DICOM_SEG = "dicom-seg"
# Test-time augmentation: the axes along which an image is flipped before, and its logits after.
_FLIPS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))


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
        Share of the image that the mask covers, in [0, 1].
    error : GazetrackError or None
        Why nothing was written; None where there is a mask.
    drawn_by : str
        The prompt model that drew the mask anew, and the masks that it learned from; empty for
        none.
    """

    image: ImageRef
    outputs: tuple[Path, ...] = ()
    share: float = 0.0
    error: GazetrackError | None = None
    drawn_by: str = ""


def predict_folder(
    folder: Path, checkpoint: Networks, out: Path, options: PredictOptions
) -> Iterator[Prediction]:
    """Segment every image of a folder; one that cannot be read does not touch its neighbours.

    Parameters
    ----------
    folder : pathlib.Path
        Images, and volumes whose slices are images, see `gazetrack.images.folder.find_images`.
    checkpoint : Checkpoint, Ensemble or sequence of Checkpoint
        The network, as `gradtrack_model.weights.checkpoint.load_model` reads it; of several, as
        `gradtrack_model.weights.ensemble.load_ensemble` reads them, probabilities are averaged.
    out : pathlib.Path
        Masks go to ``<out>/<name>.png``, 0 and 255, or 0 and 1 to K of several classes. Those of
        all slices of an NRRD or NIfTI file also go to ``<out>/volumes``, 0 and 1 or more, in a
        file of the same name, format and geometry; those of a DICOM series to
        ``<out>/dicom-seg``, where that is asked for.
    options : PredictOptions
        What else to write, and how to compute.

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
        image, or, without `force`, what no network of ours has made.
    ConfigError
        `tracks` of a network that learned none, several networks that do not see images alike,
        the prompt model is not there, or a temperature of other logits.
    DataError
        A temperature was fitted on one of the images.

    Examples
    --------
    >>> network = gradtrack_model.load_model("kvasir-lite")  # doctest: +SKIP
    >>> options = gradtrack_model.PredictOptions(overlay=True)  # doctest: +SKIP
    >>> for done in gradtrack_model.predict_folder(  # doctest: +SKIP
    ...     Path("images"), network, Path("predictions"), options
    ... ):
    ...     print(done.image, done.share, done.error)
    """
    ensemble = as_ensemble(checkpoint)
    config = ensemble.first.config
    levels = _levels(ensemble, options)
    images = find_images(folder)
    wanted = _wanted(images, options.ids, folder)
    names = unique_names(images)
    files = _Files(options, levels=levels, classes=config.classes.names)
    _refuse_inputs(files, names.values(), images.values(), folder, out)
    refiner = options.refiner()

    size = options.image_size or config.predicting_size
    threshold = ensemble.threshold(options.threshold)
    options.check_temperature(ensemble, size, wanted)
    network = {
        **describe_network(ensemble, threshold=threshold, size=size, flips=options.tta),
        **_also(options, refiner),
    }
    objects = asked_masks(
        options.dicom_seg,
        list(wanted.values()),
        out / _DICOM_SEG,
        made_by=lambda: maker(network, ensemble.digests()),
        classes=config.classes.names,
    )
    volumes = VolumeMasks(wanted.values(), out / _VOLUMES, objects)
    every = list(wanted.items())
    _claim(files, {ref: names[image_id] for image_id, ref in every}, volumes, out)
    made: dict[str, str] = {}
    uncertain: dict[str, tuple[float, ...]] = {}
    forget_uncertainty(out)
    for start in range(0, len(every), options.batch_size):
        batch = every[start : start + options.batch_size]
        opened = [_open(ref, config) for _, ref in batch]
        readable = [slices for slices in opened if not isinstance(slices, GazetrackError)]
        # What all networks say of each image that could be read, in their order.
        said_of = iter(ensemble_passes(ensemble, readable, size, options))
        for (image_id, ref), slices in zip(batch, opened, strict=True):
            if isinstance(slices, GazetrackError):
                yield Prediction(ref, error=slices)
                continue
            image = middle(slices)
            passes = next(said_of)
            own = mean_of_passes(passes, exclusive=ensemble.exclusive)
            if options.uncertainty:
                uncertain[image_id] = _doubt(
                    passes, own / options.divisor, threshold, config.classes
                )
            if refiner is not None:
                own = refiner.refine(image, own, threshold)
            pictures, mask, sure = _pictures(
                image, own, threshold, options, passes, classes=config.classes
            )
            written = []
            for relative, picture in zip(files.of(names[image_id]), pictures, strict=True):
                write_bytes(out / relative, _png(picture))
                written.append(out / relative)
            written += volumes.add(ref, mask, sure)
            made[names[image_id]] = image_id
            said = "" if refiner is None else refiner.said
            yield Prediction(ref, tuple(written), float((mask > 0).mean()), drawn_by=said)
    if made:
        record_network(out, network, made)
    if uncertain:
        write_uncertainty(out, *_by_image(uncertain))


def _claim(files: _Files, name_of: Mapping[ImageRef, str], volumes: VolumeMasks, out: Path) -> None:
    """Refuse to replace what is not ours, and note what is about to be made anew."""
    replaced = {name: files.of(name) for name in name_of.values()}
    together = {
        file.relative_to(out).as_posix(): [name_of[one] for one in images]
        for file, images in volumes.parts().items()
    }
    refuse_masks_of_others(out, replaced, together, force=files.options.force)
    begin(out, replaced, together)


def _also(options: PredictOptions, refiner: PromptRefiner | None) -> dict[str, Any]:
    """Return what else is recorded of predictions: who drew them anew, and their temperature."""
    facts: dict[str, Any] = {"refined_by": None if refiner is None else refiner.facts}
    if options.temperature is not None:
        facts["temperature"] = options.divisor
    return facts


def _levels(ensemble: Ensemble, options: PredictOptions) -> int:
    """Return how many track maps are written, and refuse what the networks do not give."""
    members = ensemble.members
    refuse_for_classes([one.config.classes for one in members], options.for_one_class)
    if options.uncertainty and len(members) == 1 and not options.tta:
        what = "the uncertainty of one network that sees an image once"
        raise ConfigError(what, hint="give --tta, or several --weights")
    if not options.tracks:
        return 0
    if any(one.config.loss.track_weight == 0 for one in members):
        raise ConfigError("the network was trained without track maps", hint="leave --tracks out")
    levels = {one.model.n_tracks for one in members}
    if len(levels) > 1:
        raise ConfigError("networks of different track maps", hint="leave --tracks out")
    return levels.pop()


def _wanted(
    images: Mapping[str, ImageRef], ids: Sequence[str], folder: Path
) -> dict[str, ImageRef]:
    """Return the images to be segmented, in the order asked for."""
    if not images:
        hint = "PNG, JPEG, TIFF, BMP, DICOM, NRRD and NIfTI are read"
        raise InputError("holds no image", path=folder, hint=hint)
    unknown = [image_id for image_id in ids if image_id not in images]
    if unknown:
        what = f"has no image {quote(unknown[0])!r}"
        if len(unknown) > 1:
            what += f", nor {len(unknown) - 1} others of --ids"
        raise InputError(what, path=folder, hint="check the ids")
    return {image_id: images[image_id] for image_id in dict.fromkeys(ids)} or dict(images)


@dataclass(frozen=True)
class _Files:
    """Which files are written for an image."""

    options: PredictOptions
    levels: int
    classes: tuple[str, ...] = ()

    def of(self, name: str) -> list[str]:
        """Return their paths below the folder of the outputs, in the order of `_pictures`."""
        folders = [""]
        if self.options.probabilities:
            of_each = [f"probabilities/{name}/" for name in self.classes]
            folders += of_each or ["probabilities/"]
        if self.options.overlay:
            folders.append("overlays/")
        if self.options.uncertainty:
            folders.append("uncertainty/")
        folders += [f"tracks/{level}/" for level in range(1, self.levels + 1)]
        return [f"{folder}{name}.png" for folder in folders]


def _refuse_inputs(
    files: _Files, names: Iterable[str], images: Iterable[ImageRef], folder: Path, out: Path
) -> None:
    """Refuse outputs that would replace an image, or lie among the images and be some next time."""
    images = list(images)
    inputs = [image.file for image in images]
    for name in names:
        for relative in files.of(name):
            refuse_overwrite(out / relative, inputs)
    folders = {(out / relative).parent for relative in files.of("any")}
    if any(image.volume is not None for image in images):
        folders.add(out / _VOLUMES)
    if files.options.dicom_seg is not None:
        folders.add(out / _DICOM_SEG)
    within = folder if folder.is_dir() else folder.parent
    refuse_input_folder(folders, [within])


def _open(image: ImageRef, config: DataConfig) -> Slices | GazetrackError:
    try:
        return open_slices(image, config.window, config.context)
    except GazetrackError as error:
        return error


def ensemble_logits(
    ensemble: Ensemble, images: list[Slices], size: int, options: PredictOptions
) -> list[Tensor]:
    """Return the logits of each image: of several networks, those of their mean probability.

    Parameters
    ----------
    ensemble : Ensemble
        One network or several, whose models are moved to the device of the options.
    images : list of tuple of Image
        Pictures of Pillow, in RGB and at their own sizes, each with the slices that the networks
        see beside it, see `gradtrack_model.data.image_files.open_slices`.
    size : int
        Pixels a side that they are resized to.
    options : PredictOptions
        Whether flips are averaged, and track maps are wanted.

    Returns
    -------
    list of Tensor, shape (1 + levels, h, w) each
        As `logits_of` returns them.
    """
    passes = ensemble_passes(ensemble, images, size, options)
    return [mean_of_passes(one, exclusive=ensemble.exclusive) for one in passes]


def ensemble_passes(
    ensemble: Ensemble, images: list[Slices], size: int, options: PredictOptions
) -> list[Tensor]:
    """Return what every network says of every flip of each image.

    Parameters are those of `ensemble_logits`.

    Returns
    -------
    list of Tensor, shape (networks, flips, 1 + levels, h, w) each
        Logits as `logits_of` returns them, flipped back and not averaged.
    """
    each = [
        _passes(one.model.to(options.device), images, size, options, one.config.precision)
        for one in ensemble.members
    ]
    return [torch.stack(of_image) for of_image in zip(*each, strict=True)]


def logits_of(
    model: Network,
    images: list[Slices],
    size: int,
    options: PredictOptions,
    precision: str,
) -> list[Tensor]:
    """Return the logits of each image at the network's size.

    Parameters
    ----------
    model : Network
        The network, on the device of the options.
    images : list of tuple of Image
        Pictures in RGB, each with the slices around it, as for `ensemble_logits`.
    size : int
        Pixels a side that they are resized to.
    options : PredictOptions
        Whether flips are averaged, and track maps are wanted.
    precision : str
        That of the network's configuration: what it was validated in. ``auto`` is bfloat16 on a GPU
        and float32 on a CPU.

    Returns
    -------
    list of Tensor, shape (1 + levels, h, w) each
        The segmentation, then the track maps where they are asked for, from the deepest stage on.
    """
    passes = _passes(model, images, size, options, precision)
    return [mean_of_passes(one[None]) for one in passes]


def _passes(
    model: Network,
    images: list[Slices],
    size: int,
    options: PredictOptions,
    precision: str,
) -> list[Tensor]:
    """Return the logits of all flips of each image, flipped back: [F, C, h, w] each."""
    if not images:
        return []
    pixels = torch.stack([resized_slices(slices, size) for slices in images])
    batch = normalise(pixels.to(options.device).float() / 255)
    flips = _FLIPS if options.tta else _FLIPS[:1]
    found = []
    with torch.inference_mode():
        for axes in flips:
            with autocast(precision, options.device):
                output = model(batch.flip(axes))
            found.append(_logits(output, options.tracks).flip(axes).cpu())
    return list(torch.stack(found, 1))


def _logits(output: Output, tracks: bool) -> Tensor:
    """Return segmentation and, if wanted, track maps as the channels of one tensor."""
    channels = [output.logits.float()]
    if tracks:
        shape = output.logits.shape[-2:]
        channels += [
            functional.interpolate(track.float(), size=shape, mode="bilinear")
            for track in output.tracks
        ]
    return torch.cat(channels, 1)


def _pictures(
    image: Image.Image,
    logits: Tensor,
    threshold: float,
    options: PredictOptions,
    passes: Tensor,
    *,
    classes: ClassConfig,
) -> tuple[list[Pixels], npt.NDArray[Any], npt.NDArray[np.float32]]:
    """Return the pictures to write for an image, in the order of `_Files`.

    Its mask and the probability of foreground [H, W] follow; of several classes, its label image
    and the probability of each [K, H, W].
    """
    shape = (image.height, image.width)
    if classes.names:
        found = classes_of(logits, shape, threshold, classes, divisor=options.divisor)
        wanted = {"shares": options.probabilities, "overlay": options.overlay}
        drawn = class_pictures(image, found, **wanted)
        if options.uncertainty:
            of_all = passes.flatten(0, 1)
            drawn.append(_uncertainty(class_spread(of_all, exclusive=classes.exclusive), shape))
        return drawn, *found
    # Logits are resized, not probabilities or masks: their border is a smooth line.
    full = functional.interpolate(logits[None], size=shape, mode="bilinear", align_corners=False)[0]
    mask = foreground(full[0], threshold).numpy()
    # A mask is what it was at the threshold that the network was validated at.
    full[0] /= options.divisor
    sure = torch.sigmoid(full)
    grey = (sure * 255).round().to(torch.uint8).numpy()
    pictures: list[Pixels] = [mask.astype(np.uint8) * 255]
    if options.probabilities:
        pictures.append(grey[0])
    if options.overlay:
        pictures.append(draw_overlay(np.array(image), mask))
    if options.uncertainty:
        pictures.append(_uncertainty(spread(_all_of(passes)), shape))
    pictures += list(grey[1:])
    return pictures, mask, sure[0].numpy()


def _all_of(passes: Tensor) -> Tensor:
    """Return the segmentations of all networks and flips as [P, h, w]."""
    return passes[:, :, 0].flatten(0, 1)


def _doubt(
    passes: Tensor, mean: Tensor, threshold: float, classes: ClassConfig
) -> tuple[float, ...]:
    """Return how far networks and flips disagree on an image; of several classes the entropy, too.

    That is of the mean of all, and of the probabilities that are written, with the temperature:
    networks can be unsure, and agree in that.
    """
    if not classes.names:
        return (disagreement(_all_of(passes), threshold),)
    exclusive = classes.exclusive
    doubt = class_disagreement(passes.flatten(0, 1), threshold, exclusive=exclusive)
    return doubt, entropy(mean, exclusive=exclusive)


def _by_image(found: Mapping[str, tuple[float, ...]]) -> list[dict[str, float]]:
    """Return each of the numbers of `_doubt` by image."""
    n_told = len(next(iter(found.values())))
    return [{name: told[place] for name, told in found.items()} for place in range(n_told)]


def _uncertainty(deviation: Tensor, shape: tuple[int, int]) -> Pixels:
    """Return a spread of probabilities [h, w] as a picture, 255 for one of .5 and more."""
    deviation = deviation[None, None]
    full = functional.interpolate(deviation, size=shape, mode="bilinear", align_corners=False)
    pixels: Pixels = (full[0, 0] * 2 * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    return pixels


def _png(pixels: Pixels) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()
