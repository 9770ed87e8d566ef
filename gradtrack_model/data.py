"""Data sets in memory: images, gaze and splits, read with the toolkit and checked on the way."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from gazetrack.dataset import Item, find_items, hashed_split, read_ids
from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.images import DEEP_MODES, decode, find_images, image_size, read_mask
from gazetrack.maps import MapParams, prepare
from gazetrack.mapstore import MapStore, read_maps
from gazetrack.volumes import read_slice, suffix_of
from gradtrack_model.augment import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.track import Track
    from gradtrack_model.config import MapsConfig, TrainConfig

__all__ = ["find_images", "image_size", "normalise", "read_ids", "read_mask"]


@dataclass(frozen=True)
class Sources:
    """Where a data set's parts are.

    Parameters
    ----------
    images : pathlib.Path
        Folder of images.
    masks : pathlib.Path or None
        Folder of masks; used for validation only.
    fixations : tuple of pathlib.Path
        Fixation tables.
    maps : pathlib.Path or None
        Stored maps, used when there are no fixation tables.
    train_ids, val_ids, manifest : pathlib.Path or None
        Splits.
    placement : str or None
        Rule for gaze in screen pixels.
    """

    images: Path
    masks: Path | None = None
    fixations: tuple[Path, ...] = ()
    maps: Path | None = None
    train_ids: Path | None = None
    val_ids: Path | None = None
    manifest: Path | None = None
    placement: str | None = None


def discover(
    folder: Path,
    *,
    images: Path | None = None,
    masks: Path | None = None,
    fixations: Sequence[Path] = (),
    maps: Path | None = None,
    train_ids: Path | None = None,
    val_ids: Path | None = None,
    placement: str | None = None,
    need_gaze: bool = True,
) -> Sources:
    """Find the parts of a data set in a folder; parts that are given are taken as given.

    Parameters
    ----------
    folder : pathlib.Path
        Looked through for ``images/``, ``masks/``, ``*.fixations.parquet``, ``maps/maps.parquet``, ``train.txt`` or
        ``fit.txt``, ``val.txt`` and ``manifest.csv``.
    images, masks, fixations, maps, train_ids, val_ids, placement
        See `Sources`.
    need_gaze : bool
        Off for full supervision, which learns from the masks.

    Returns
    -------
    Sources

    Raises
    ------
    ConfigError
        There are no images, or no gaze.
    """
    images = images or (folder / "images" if (folder / "images").is_dir() else folder)
    tables = tuple(fixations) or (() if maps else tuple(sorted(folder.glob("*.fixations.parquet"))))
    maps = None if tables else maps or _if_exists(folder / "maps" / "maps.parquet")
    missing = []
    if images.is_dir() and not find_images(images):
        looked = "images/ and the folder itself" if images == folder else quote(images)
        missing.append(f"no images (looked in {looked} for PNG, JPEG, TIFF, BMP)")
    if need_gaze and not tables and maps is None:
        missing.append("no gaze (looked for *.fixations.parquet and maps/maps.parquet)")
    if missing:
        what = f"holds {' and '.join(missing)}"
        raise ConfigError(what, path=folder, hint="see --help, or run gazetrack demo for an example")
    train_ids = train_ids or _if_exists(folder / "train.txt") or _if_exists(folder / "fit.txt")
    val_ids = val_ids or _if_exists(folder / "val.txt")
    manifest = None if train_ids or val_ids else _if_exists(folder / "manifest.csv")
    masks = masks or _if_exists(folder / "masks")
    return Sources(images, masks, tables, maps, train_ids, val_ids, manifest, placement)


def _if_exists(path: Path) -> Path | None:
    return path if path.exists() else None


@dataclass(frozen=True)
class Sample:
    """One image in memory.

    Parameters
    ----------
    image_id : str
        The image's id.
    pixels : Tensor of uint8, shape (3, S, S)
        The image, resized.
    tracks : tuple of Track
        Cleaned, on the resized image.
    maps : Tensor of uint8, shape (L, S, S), or None
        Stored maps, where there are no tracks.
    mask : ndarray of bool or None
        At its own size. Validation only.
    """

    image_id: str
    pixels: Tensor
    tracks: tuple[Track, ...] = ()
    maps: Tensor | None = None
    mask: npt.NDArray[np.bool_] | None = None

    @property
    def has_gaze(self) -> bool:
        """Whether there is anything to learn from."""
        return bool(self.tracks) or self.maps is not None


@dataclass(frozen=True)
class TrainingData:
    """A data set in memory, and what is to be said about it.

    Parameters
    ----------
    train, val : tuple of Sample
        Training samples all have gaze.
    notes : tuple of str
        What was left out or assumed, each in one line.
    """

    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    notes: tuple[str, ...]

    def sha256(self) -> str:
        """Return a digest of all that training depends on."""
        digest = hashlib.sha256()
        for sample in (*self.train, *self.val):
            digest.update(sample.image_id.encode() + b"\0")
            arrays = [sample.pixels.numpy(), *(a for t in sample.tracks for a in (t.x, t.y, t.duration_ms))]
            arrays += [] if sample.maps is None else [sample.maps.numpy()]
            arrays += [] if sample.mask is None else [sample.mask]
            for array in arrays:
                digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return f"{len(self.train)}+{len(self.val)}:{digest.hexdigest()}"


def load_data(sources: Sources, config: TrainConfig) -> TrainingData:
    """Read a data set into memory, and check it on the way.

    Masks of training images are never opened, but by the method ``full``, which learns from them in place of gaze.

    Parameters
    ----------
    sources : Sources
        Where its parts are.
    config : TrainConfig
        Method, image size, map parameters, held-out share.

    Returns
    -------
    TrainingData

    Raises
    ------
    DataError
        No image can be trained on, a mask has another size than its image, or an image is not 8-bit.
    """
    found = find_items(
        sources.images, masks=sources.masks, fixations=sources.fixations, maps=sources.maps,
        manifest=sources.manifest, train_ids=sources.train_ids, val_ids=sources.val_ids, placement=sources.placement,
    )  # fmt: skip
    splits, notes = _complete_split(found.items, config.val_share)
    store = read_maps(sources.maps) if sources.maps is not None else None
    params = map_params(config.maps)
    full = config.method == "full"
    load = functools.partial(_load_labelled if full else _load_sample, store, params, config.image_size)
    train, silent = [], []
    for item in found.items:
        if splits[item.image_id] != "train":
            continue
        sample = load(item)
        if sample is None:
            silent.append(item.image_id)
        else:
            train.append(sample)
    if not train:
        if full:
            raise DataError("no training image has a mask", path=sources.masks or sources.images, hint="give --masks")
        gaze = ", ".join(quote(path.name) for path in (*sources.fixations, sources.maps) if path is not None)
        what = f"none of its {len(found.items)} images is a training image with gaze in {gaze}"
        hint = "names of images and stimuli must match, and the split name them"
        raise DataError(what, path=sources.images, hint=hint)
    val = [_load_val(item, load, config.image_size) for item in found.items if splits[item.image_id] == "val"]
    _check_levels([*train, *val])
    notes += _named(silent, f"training images without {'a mask' if full else 'gaze'} are left out")
    notes += _named(found.missing_images, "stimuli with gaze have no image")
    return TrainingData(tuple(train), tuple(val), tuple(notes))


def map_params(config: MapsConfig) -> MapParams:
    """Return the toolkit's parameters."""
    return MapParams(**{f.name: getattr(config, f.name) for f in dataclasses.fields(config)})


def _complete_split(items: Sequence[Item], val_share: float) -> tuple[dict[str, str], list[str]]:
    """Hold out images for validation by the hash of their id where the split names none."""
    splits = {item.image_id: item.split for item in items}
    named = set(splits.values())
    if "train" not in named:
        splits = {i: split or "train" for i, split in splits.items()}
    if "val" in named:
        return splits, []
    trained_on = [i for i, split in splits.items() if split == "train"]
    splits.update(hashed_split(trained_on, val_share))
    held_out = sum(split == "val" for split in splits.values())
    return splits, [f"no validation images named: {held_out} of {len(trained_on)} held out by the hash of their id"]


def _named(ids: Sequence[str], what: str) -> list[str]:
    return [f"{len(ids)} {what}: {', '.join(quote(i) for i in ids)}"] if ids else []


def _load_sample(store: MapStore | None, params: MapParams, size: int, item: Item) -> Sample | None:
    """Return the item in memory, or None when it has no gaze."""
    if store is not None:
        if item.image_id not in store.ids:
            return None
        stored = torch.from_numpy(store.load(item.image_id).copy()).float()[None]  # [1, L, H, W]
        maps = functional.interpolate(stored, size=(size, size), mode="area")[0].round().to(torch.uint8)
        return Sample(item.image_id, read_image(item.image, size), maps=maps)
    prepared = [prepare(track, params) for track in item.tracks]
    tracks = tuple(track.scaled(size, size) for track in prepared if len(track))
    return Sample(item.image_id, read_image(item.image, size), tracks) if tracks else None


def _load_labelled(_store: MapStore | None, _params: MapParams, size: int, item: Item) -> Sample | None:
    """Return the item with its mask as the one level of its maps, or None when it has none."""
    if item.mask is None:
        return None
    mask = torch.from_numpy(mask_of(item, item.mask)).float()[None, None]
    label = (functional.interpolate(mask, size=(size, size), mode="area")[0] * 255).round().to(torch.uint8)
    return Sample(item.image_id, read_image(item.image, size), maps=label)


def _load_val(item: Item, load: Callable[[Item], Sample | None], size: int) -> Sample:
    sample = load(item) or Sample(item.image_id, read_image(item.image, size))
    return sample if item.mask is None else dataclasses.replace(sample, mask=mask_of(item, item.mask))


def mask_of(item: Item, path: Path) -> npt.NDArray[np.bool_]:
    """Read an item's mask; errors as in `read_mask`, and DataError where its size is not the image's."""
    mask = read_mask(path)
    if mask.shape != (item.height, item.width):
        what = f"is {mask.shape[1]} x {mask.shape[0]} pixels, its image {item.width} x {item.height}"
        raise DataError(what, path=path, hint="a mask has the size of its image")
    return mask


def _check_levels(samples: Iterable[Sample]) -> None:
    levels = {sample.maps.shape[0]: sample.image_id for sample in samples if sample.maps is not None}
    if len(levels) > 1:
        (a, first), (b, second), *_ = levels.items()
        raise DataError(
            f"{quote(first)!r} has {a} map levels, {quote(second)!r} has {b}", hint="render all maps with one --levels"
        )


def read_image(path: Path, size: int) -> Tensor:
    """Read an image as uint8 [3, size, size].

    Raises
    ------
    DataError
        It has more than 8 bits a channel.
    InputError
        It is damaged, no image, or too large.
    """
    return resized(open_image(path), size)


def resized(image: Image.Image, size: int) -> Tensor:
    """Return an RGB image as uint8 [3, size, size]."""
    small = image.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def open_image(path: Path, window: tuple[float, ...] = ()) -> Image.Image:
    """Read an image as RGB at its own size; errors as in `read_image`.

    Of DICOM, NRRD and NIfTI the gray values are mapped to 8 bits as `gazetrack.volumes.read_slice` says.
    """
    if suffix_of(path):
        return Image.fromarray(read_slice(path, window)).convert("RGB")
    image = decode(path)
    if image.mode in DEEP_MODES:
        raise DataError(f"has pixels of type {image.mode}", path=path, hint="convert it to 8 bits a channel")
    return image.convert("RGB")
