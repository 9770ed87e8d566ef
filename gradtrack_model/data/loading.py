"""Data sets are read into memory here, with the toolkit, and checked on the way."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from gazetrack.errors import DataError, quote
from gazetrack.workflows.dataset import find_items, hashed_split
from gradtrack_model.data.class_maps import (
    label_maps,
    left_out,
    maps_left_out,
    of_classes,
    refuse_unseen,
    stored_classes,
)
from gradtrack_model.data.gaze import choose_gaze
from gradtrack_model.data.image_files import (
    check_same_geometry,
    read_image,
    read_label_image,
    read_mask,
)
from gradtrack_model.data.labels import cleaned, mean_maps, refined_maps
from gradtrack_model.data.reading import read_together
from gradtrack_model.data.sample import Sample, TrainingData, middle_slice
from gradtrack_model.data.splits import doubles, manifest_of, recorded, refuse_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore
    from gazetrack.maps.track import Track
    from gazetrack.workflows.dataset import DataSet, Item
    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.gaze import Gaze
    from gradtrack_model.data.sources import Sources
    from gradtrack_model.data.splits import Manifest


class SplitData(NamedTuple):
    """A data set whose images are in splits, before anything is read into memory.

    Parameters
    ----------
    found : DataSet
        The images with their masks and tracks.
    gaze : Gaze
        Which gaze trains, tables or maps.
    manifest : dict
        The split manifest, see `gradtrack_model.data.splits.manifest_of`.
    notes : list of str
        What was left out or assumed, each in one line for the user.
    """

    found: DataSet
    gaze: Gaze
    manifest: Manifest
    notes: list[str]

    def targets(self) -> set[str]:
        """Return all that was looked for."""
        store = self.gaze.store()
        if store is not None:
            return set(store.targets)
        return {track.target for item in self.found.items for track in item.tracks}

    def items(self, split: str) -> list[Item]:
        """Return the images of one split."""
        facts = self.manifest
        return [
            item
            for item in self.found.items
            if item.image_id in facts and facts[item.image_id]["split"] == split
        ]


def load_data(sources: Sources, config: DataConfig) -> TrainingData:
    """Read a data set into memory, and check it on the way.

    Masks of training images are never opened, but by the method ``full``, which learns from them in
    place of gaze.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are.
    config : DataConfig
        Its method, image size, map parameters and held-out share are used.

    Returns
    -------
    TrainingData

    Raises
    ------
    DataError
        No image can be trained on, a mask has another size than its image, an image is not 8-bit,
        splits overlap, the data set is not that of the split manifest, or maps and tables do not
        fit each other.
    """
    data = split_items(sources, config)
    notes = data.notes
    if not sources.allow_overlap:
        refuse_overlaps(data.manifest, sources.images)
    notes += _named(doubles(data.manifest), "images are there under two names")
    loader = _Loader(config, data.gaze.store())
    train, silent = [], []
    items = data.items("train")
    for item, sample in zip(items, loader.training_samples(items), strict=True):
        if sample is None:
            silent.append(item.image_id)
        else:
            train.append(sample)
    if names := config.classes.names:
        notes += left_out([track for item in data.found.items for track in item.tracks], names)
        notes += maps_left_out(data.gaze.store(), names)
        refuse_unseen(train, names, data.targets(), data.gaze.files or "the masks")
    if not train:
        raise _nothing_to_train_on(sources, data)
    # Validation sees images at the size of prediction, which may be larger.
    validating = _Loader(config.predicting(), data.gaze.store())
    val = validating.validation_samples(data.items("val"))
    _check_levels([*train, *val])
    lacking = "a mask" if config.method == "full" else "gaze"
    notes += _named(silent, f"training images without {lacking} are left out")
    notes += _named(data.found.missing_images, "stimuli with gaze have no image")
    return TrainingData(
        train=tuple(train),
        val=tuple(val),
        notes=tuple(notes),
        gaze=data.gaze,
        splits=data.manifest,
    )


def split_items(sources: Sources, config: DataConfig) -> SplitData:
    """Return a data set and its splits; errors as in `load_data`, but for overlaps of splits."""
    gaze = choose_gaze(sources, config)
    found = find_items(
        sources.images,
        masks=sources.masks,
        fixations=gaze.fixations,
        maps=gaze.maps,
        manifest=sources.manifest,
        train_ids=sources.train_ids,
        val_ids=sources.val_ids,
        test_ids=sources.test_ids,
        placement=sources.placement,
        case=sources.case,
        target=config.classes.target if config.classes.names else None,
    )
    if sources.split is not None:
        items, notes = recorded(found.items, sources.split, sources.allow_changes)
        found = dataclasses.replace(found, items=tuple(items))
        splits = {item.image_id: item.split for item in items}
    else:
        splits, notes = _complete_split(found.items, config.val_share)
    manifest = manifest_of(found.items, splits, config.method == "full")
    return SplitData(found, gaze, manifest, [*sources.notes, *notes])


def _complete_split(items: Sequence[Item], val_share: float) -> tuple[dict[str, str], list[str]]:
    """Hold out images for validation by the hash of their case where the split names none."""
    splits = {item.image_id: item.split for item in items}
    named = set(splits.values())
    if "train" not in named:
        splits = {image_id: split or "train" for image_id, split in splits.items()}
    if "val" in named:
        return splits, []
    cases = {item.image_id: item.case for item in items if splits[item.image_id] == "train"}
    grouped = any(image_id != case for image_id, case in cases.items())
    sides = hashed_split(cases.values(), val_share, both=grouped)
    splits.update({image_id: sides[case] for image_id, case in cases.items()})
    held_out = sum(split == "val" for split in splits.values())
    by = f"the hash of their {'case' if grouped else 'id'}"
    return splits, [f"no validation images named: {held_out} of {len(cases)} held out by {by}"]


def _named(ids: Sequence[str], what: str) -> list[str]:
    """Return a note that names the images of which something is true, or none."""
    return [f"{len(ids)} {what}: {', '.join(map(quote, ids))}"] if ids else []


def _nothing_to_train_on(sources: Sources, data: SplitData) -> DataError:
    """Return the error of a data set without a single training sample."""
    if data.gaze.source == "masks":
        where = sources.masks or sources.images
        return DataError("no training image has a mask", path=where, hint="give --masks")
    n = len(data.found.items)
    what = f"none of its {n} images is a training image with gaze in {data.gaze.files}"
    hint = "names of images and stimuli must match, and the split name them"
    return DataError(what, path=sources.images, hint=hint)


class _Loader:
    """Reads items as samples, at the image size of a configuration.

    Parameters
    ----------
    config : DataConfig
        Its method, image size, window and map parameters are used.
    store : MapStore or None
        Stored maps, where these train in place of tracks.
    """

    def __init__(self, config: DataConfig, store: MapStore | None) -> None:
        self._config, self._store = config, store

    def training_samples(self, items: Sequence[Item]) -> list[Sample | None]:
        """Return items with what is learned from, None for those that have nothing of that.

        Of several processes, each reads its share of the images, and gets those of the others.
        """
        return read_together(items, self._training_sample, self._tracks)

    def validation_samples(self, items: Sequence[Item]) -> list[Sample]:
        """Return items with gaze and mask, as far as they have them, read as for training."""
        read = read_together(items, self._validation_sample, self._tracks)
        return [sample for sample in read if sample is not None]

    def _training_sample(self, item: Item) -> Sample | None:
        if self._config.method == "full":
            return self._with_mask_as_map(item)
        if self._store is not None:
            return self._with_stored_maps(item, self._store)
        scaled = self._tracks(item)
        if not scaled:
            return None
        if self._config.crf_weight:
            return self._with_refined_maps(item, scaled)
        return Sample(item.image_id, self._pixels(item), scaled)

    def _tracks(self, item: Item) -> tuple[Track, ...]:
        """Return the cleaned tracks of an item, in pixels of the resized image, if they train."""
        if self._config.method == "full" or self._store is not None:
            return ()
        size = self._config.image_size
        # Fixations are cleaned on the image itself: what lies outside it is known there.
        told = of_classes(item.tracks, self._config.classes.names)
        tracks = cleaned(told, self._config.maps)
        return tuple(track.scaled(size, size) for track in tracks)

    def _validation_sample(self, item: Item) -> Sample:
        sample = self._training_sample(item) or Sample(item.image_id, self._pixels(item))
        if item.mask is None:
            return sample
        return dataclasses.replace(sample, mask=self._mask(item, item.mask))

    def _with_mask_as_map(self, item: Item) -> Sample | None:
        """Return an item with its mask as the one level of its maps."""
        if item.mask is None:
            return None
        mask = self._mask(item, item.mask)
        if self._config.classes.names:
            whole = label_maps(mask, self._config.classes.n)
        else:
            whole = torch.from_numpy(mask)[None].float()
        label = _shrunk(whole, self._config.image_size) * 255
        return Sample(item.image_id, self._pixels(item), maps=label.round().to(torch.uint8))

    def _with_refined_maps(self, item: Item, tracks: Sequence[Track]) -> Sample:
        """Return an item with maps that a CRF refined: too slow to be done again every step."""
        size = self._config.image_size
        pixels = self._pixels(item)
        rendered = mean_maps(tracks, self._config.maps, (size, size))
        image = np.ascontiguousarray(middle_slice(pixels).permute(1, 2, 0).numpy())
        scale = size / math.sqrt(item.height * item.width)
        refined = refined_maps(rendered, image, self._config.crf_weight, scale)
        maps = torch.from_numpy(np.rint(refined * 255).astype(np.uint8))
        return Sample(item.image_id, pixels, maps=maps)

    def _mask(self, item: Item, where: ImageRef) -> npt.NDArray[Any]:
        """Return the mask of an item, bool, or uint8 where there are several classes."""
        if self._config.classes.names:
            return labels_of(item, where, self._config.classes.n)
        return mask_of(item, where)

    def _with_stored_maps(self, item: Item, store: MapStore) -> Sample | None:
        if names := self._config.classes.names:
            shrink = functools.partial(_shrunk, size=self._config.image_size)
            of_each = stored_classes(store, item.image_id, names, shrink)
            if of_each is None:
                return None
            return Sample(item.image_id, self._pixels(item), maps=of_each.round().to(torch.uint8))
        if item.image_id not in store.ids:
            return None
        # A copy, as the stored values are a view of the file's buffer, which nobody may write to.
        stored = torch.from_numpy(store.load(item.image_id).copy()).float()
        maps = _shrunk(stored, self._config.image_size)
        return Sample(item.image_id, self._pixels(item), maps=maps.round().to(torch.uint8))

    def _pixels(self, item: Item) -> Tensor:
        config = self._config
        return read_image(item.image, config.image_size, config.window, config.context)


def _shrunk(maps: Tensor, size: int) -> Tensor:
    """Resize maps [L, H, W] to [L, size, size] by the mean over each new pixel's area."""
    return functional.interpolate(maps[None], size=(size, size), mode="area")[0]


def mask_of(item: Item, where: ImageRef) -> npt.NDArray[np.bool_]:
    """Read the mask of an item.

    Parameters
    ----------
    item : Item
        The image that the mask belongs to.
    where : ImageRef
        The mask, a file or a slice of one.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Raises
    ------
    DataError
        The mask has another size than its image, or lies elsewhere in space.
    InputError
        As in `gazetrack.images.folder.read_mask`.
    """
    mask = read_mask(where)
    _refuse_misfit(item, where, mask.shape)
    return mask


def labels_of(item: Item, where: ImageRef, n_classes: int) -> npt.NDArray[np.uint8]:
    """Read the mask of an item as a label image of several classes.

    Parameters
    ----------
    item, where
        The image and its mask, as for `mask_of`.
    n_classes : int
        How many classes there are, K.

    Returns
    -------
    ndarray of uint8, shape (H, W)
        0 for background, 1 to K for the classes.

    Raises
    ------
    DataError
        The mask has another size than its image, lies elsewhere in space, or has a value that is
        no class.
    InputError
        As in `gazetrack.images.labels.read_label_image`.
    """
    labels = read_label_image(where, n_classes)
    _refuse_misfit(item, where, labels.shape)
    return labels


def _refuse_misfit(item: Item, where: ImageRef, shape: tuple[int, ...]) -> None:
    height, width = shape
    if (height, width) != (item.height, item.width):
        what = f"is {width} x {height} pixels, its image {item.width} x {item.height}"
        raise DataError(what, path=where.path, hint="a mask has the size of its image")
    check_same_geometry(item.image, where, "image")


def _check_levels(samples: Iterable[Sample]) -> None:
    """Refuse maps of several numbers of levels: a batch is one array."""
    examples: dict[int, str] = {}
    for sample in samples:
        if sample.maps is not None:
            examples.setdefault(len(sample.maps), sample.image_id)
    if len(examples) > 1:
        one, other, *_ = (f"{quote(name)!r} has {n}" for n, name in examples.items())
        hint = "render all maps with one --levels"
        raise DataError(f"{one} map levels, {other}", hint=hint)
