"""Calibration: the temperature of networks, fitted on images that neither taught nor test them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from torch.nn import functional

from gazetrack.errors import ConfigError, DataError, GazetrackError, InputError, quote
from gradtrack_model.data.image_files import (
    find_images,
    middle,
    open_slices,
    read_ids,
    read_label_image,
    read_mask,
    volume_of,
)
from gradtrack_model.data.splits import SPLITS_FILE, digests_of, read_manifest
from gradtrack_model.evaluation.class_temperature import ClassLogits
from gradtrack_model.evaluation.predict import ensemble_logits
from gradtrack_model.evaluation.temperature import C, LogitCounts, Temperature, fit, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    import numpy as np
    import numpy.typing as npt

    from gradtrack_model.data.image_files import ImageRef
    from gradtrack_model.data.splits import Manifest
    from gradtrack_model.evaluation.predict import PredictOptions
    from gradtrack_model.network.classes import ClassConfig
    from gradtrack_model.weights.ensemble import Ensemble

    Halves: TypeAlias = tuple[LogitCounts, LogitCounts] | tuple[ClassLogits, ClassLogits]


def calibrate_folder(
    images: Path,
    masks: Path,
    ensemble: Ensemble,
    options: PredictOptions,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Temperature:
    """Fit the temperature of networks on a folder of images and a folder of masks.

    Parameters
    ----------
    images, masks : pathlib.Path
        Folders of images and of reference masks, matched by their stems.
    ensemble : Ensemble
        The network, or the networks whose probabilities are averaged.
    options : PredictOptions
        How predictions are computed; ``ids`` says which images are taken. By default those of
        validation, where the run of a network says which these are, else all that have a mask.
    progress : callable, optional
        Called with the number of images done and of all, after each batch.

    Returns
    -------
    Temperature
        Also says what it is good for: measured on either half of the images with what was fitted
        on the other half.

    Raises
    ------
    DataError
        One of the images was trained on, or is to test; an image has no mask of its size; or no
        temperature can be fitted.
    ConfigError
        Predictions are drawn by a prompt model, or have a temperature already.
    InputError
        A folder is missing, or an image cannot be read.
    """
    if options.refine_with is not None or options.temperature is not None:
        what = "a temperature is fitted on the network's own logits"
        raise ConfigError(what, hint="leave the prompt model and other temperatures out")
    manifests = _manifests(ensemble)
    found, reference = find_images(images), find_images(masks)
    wanted = _wanted(found, reference, options.ids, manifests)
    digests = digests_of({image_id: found[image_id] for image_id in wanted})
    _refuse_others(digests, manifests)

    size = options.image_size or ensemble.first.config.predicting_size
    config = ensemble.first.config
    halves_of = _halves([found[image_id] for image_id in wanted])
    halves = _empty_halves(config.classes, ensemble.exclusive, len(wanted))
    for start in range(0, len(wanted), options.batch_size):
        batch = wanted[start : start + options.batch_size]
        opened = [open_slices(found[image_id], config.window, config.context) for image_id in batch]
        logits = ensemble_logits(ensemble, opened, size, options)
        for place, (image_id, own) in enumerate(zip(batch, logits, strict=True), start):
            ref = reference[image_id]
            mask = _reference(ref, config.classes)
            image = middle(opened[place - start])
            height, width = image.height, image.width
            if mask.shape != (height, width):
                what = f"is {mask.shape[1]} x {mask.shape[0]} pixels, its image {width} x {height}"
                raise DataError(what, path=ref.path, hint="give the mask of this image")
            full = functional.interpolate(own[None], size=mask.shape, mode="bilinear")[0]
            _add(halves[halves_of[place]], full.numpy(), mask)
        if progress is not None:
            progress(start + len(batch), len(wanted))
    return Temperature(
        value=_fitted(halves),
        weights_sha256=tuple(ensemble.digests()),
        flips=options.tta,
        image_size=size,
        images=digests,
        measured=_measured(halves),
    )


def _empty_halves(classes: ClassConfig, exclusive: bool, n_images: int) -> Halves:
    """Return what the pixels of either half of the images are added to.

    Classes of their own heads are counted together, as if each were the one class.
    """
    if not exclusive:
        return LogitCounts(), LogitCounts()
    return ClassLogits.of(classes.names, n_images), ClassLogits.of(classes.names, n_images)


def _reference(ref: ImageRef, classes: ClassConfig) -> npt.NDArray[Any]:
    """Return a mask, or a label image of several classes."""
    return read_label_image(ref, classes.n) if classes.names else read_mask(ref)


def _add(half: LogitCounts | ClassLogits, logits: npt.NDArray[np.float32], mask: Any) -> None:
    """Add the pixels of an image: logits [K, H, W], and its mask or label image [H, W]."""
    if isinstance(half, ClassLogits):
        half.add(logits, mask)
        return
    if len(logits) == 1:
        half.add(logits[0], mask > 0)
        return
    for number, own in enumerate(logits, 1):
        half.add(own, mask == number)


def _halves(images: Sequence[ImageRef]) -> list[int]:
    """Return which half each image is in: slices of a volume are in one, of several volumes."""
    volumes = [_group(image) for image in images]
    sizes = Counter(volumes)
    if len(sizes) == 1:
        return [int(2 * place >= len(images)) for place in range(len(images))]
    half_of = {}
    before = 0
    for volume, size in sizes.items():
        # By where the middle of a volume is: neither half is ever empty.
        half_of[volume] = int(2 * before + size - 1 >= len(images))
        before += size
    return [half_of[volume] for volume in volumes]


def _group(image: ImageRef) -> Hashable:
    """Return what an image is a slice of: a file, or a series; else itself."""
    try:
        volume = volume_of(image)
    except GazetrackError:  # a series that is no volume
        return image.file.parent
    return image.file if volume is None else volume.file


def validation_ids(path: Path | None) -> tuple[str, ...]:
    """Return the ids of a file, one a line; none without a file, which leaves it to the runs."""
    return () if path is None else tuple(read_ids(path))


def _fitted(halves: tuple[C, C]) -> float:
    """Return the temperature of all images."""
    return fit(halves[0] + halves[1])


def _measured(halves: Halves) -> dict[str, float]:
    """Return what a temperature is good for; nothing where a half of the images does not do."""
    if not halves[0].n:
        return {}
    try:
        return measure(halves)
    except DataError:  # a half without any foreground, say
        return {}


def _manifests(ensemble: Ensemble) -> list[Manifest]:
    """Return which images taught, chose and test the networks, as far as their runs say."""
    paths = [one.path.with_name(SPLITS_FILE) for one in ensemble.members]
    return [read_manifest(path) for path in paths if path.exists()]


def _wanted(
    images: Mapping[str, ImageRef],
    masks: Mapping[str, ImageRef],
    ids: tuple[str, ...],
    manifests: list[Manifest],
) -> list[str]:
    """Return the ids of the images that a temperature is fitted on, in their order."""
    if not ids and manifests:
        ids = tuple(
            name
            for name, facts in manifests[0].items()
            if facts["split"] == "val" and name in masks
        )
    wanted = sorted(set(ids)) if ids else [name for name in images if name in masks]
    if not wanted:
        raise DataError("no image has a mask of its name", hint="file stems must match")
    for name in wanted:
        for known, what in ((images, "image"), (masks, "mask")):
            if name not in known:
                raise InputError(f"there is no {what} {quote(name)!r}", hint="check the ids")
    return wanted


def _refuse_others(digests: Mapping[str, str], manifests: list[Manifest]) -> None:
    """Refuse images that taught a network, or are kept to test it."""
    uses = {"train": "was trained on", "test": "is kept to test the network"}
    for manifest in manifests:
        split_of = {facts["image"]: facts["split"] for facts in manifest.values()}
        for image_id, digest in digests.items():
            split = split_of.get(digest, "")
            if split in uses:
                what = f"image {quote(image_id)!r} {uses[split]}: no temperature is fitted on it"
                raise DataError(what, hint="give the validation images with --ids")
