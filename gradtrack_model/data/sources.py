"""Data sets in memory: images, gaze and splits, read with the toolkit and checked on the way."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.images.folder import DEEP_MODES, decode, find_images, image_size, read_mask
from gazetrack.maps.render import prepare
from gazetrack.maps.store import MapStore, read_maps
from gazetrack.tables.finding import choose_tables
from gazetrack.tables.store import SUFFIX
from gazetrack.workflows.dataset import Item, find_items, hashed_split, read_ids
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.splits import doubles, manifest_of, recorded, refuse_overlaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.track import Track
    from gazetrack.workflows.dataset import DataSet
    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.splits import Manifest

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
    train_ids, val_ids, test_ids, manifest : pathlib.Path or None
        Splits.
    placement : str or None
        Rule for gaze in screen pixels.
    case : str or None
        Regular expression of the case in an image id, see `gazetrack.workflows.dataset.find_items`.
    split : pathlib.Path or None
        ``splits.json`` of a run, instead of all other splits and cases.
    allow_changes, allow_overlap : bool
        Take what is refused otherwise: a data set that is not that of `split`; splits that share
        cases or images.
    notes : tuple of str
        What was left out when the parts were looked for, in words for the user.
    """

    images: Path
    masks: Path | None = None
    fixations: tuple[Path, ...] = ()
    maps: Path | None = None
    train_ids: Path | None = None
    val_ids: Path | None = None
    test_ids: Path | None = None
    manifest: Path | None = None
    placement: str | None = None
    case: str | None = None
    split: Path | None = None
    allow_changes: bool = False
    allow_overlap: bool = False
    notes: tuple[str, ...] = ()


def discover(
    folder: Path,
    *,
    images: Path | None = None,
    masks: Path | None = None,
    fixations: Sequence[Path] = (),
    maps: Path | None = None,
    train_ids: Path | None = None,
    val_ids: Path | None = None,
    test_ids: Path | None = None,
    split: Path | None = None,
    need_gaze: bool = True,
    **others: Any,
) -> Sources:
    """Find the parts of a data set in a folder; parts that are given are taken as given.

    Parameters
    ----------
    folder : pathlib.Path
        Looked through for ``images/``, ``masks/``, ``*.fixations.parquet``, ``maps/maps.parquet``,
        ``train.txt`` or ``fit.txt``, ``val.txt``, ``test.txt`` and ``manifest.csv``.
    images, masks, fixations, maps, train_ids, val_ids, test_ids, split
        See `Sources`.
    need_gaze : bool
        Off for full supervision, which learns from the masks.
    **others
        The rest of `Sources`, as it is.

    Returns
    -------
    Sources

    Raises
    ------
    ConfigError
        There are no images, or no gaze; or `split` and other splits.
    """
    if split is not None and (train_ids or val_ids or test_ids):
        raise ConfigError("--split and other splits", hint="give one or the other")
    if not folder.is_dir():
        raise ConfigError("no such folder", path=folder, hint="check --data")
    images = images or (folder / "images" if (folder / "images").is_dir() else folder)
    is_asked_for = bool(fixations or maps)
    found = choose_tables([] if is_asked_for else sorted(folder.glob(f"*{SUFFIX}")))
    tables = tuple(fixations) or found.paths
    maps = None if tables else maps or _if_exists(folder / "maps" / "maps.parquet")
    missing = []
    if images.is_dir() and not find_images(images):
        looked = "images/ and the folder itself" if images == folder else quote(images)
        missing.append(
            f"no images (looked in {looked} for PNG, JPEG, TIFF, BMP, DICOM, NRRD, NIfTI)"
        )
    if need_gaze and not tables and maps is None:
        missing.append("no gaze (looked for *.fixations.parquet and maps/maps.parquet)")
    if missing:
        what = f"holds {' and '.join(missing)}"
        raise ConfigError(
            what, path=folder, hint="see --help, or run gazetrack demo for an example"
        )
    masks = masks or _if_exists(folder / "masks")
    if split is not None:
        return Sources(images, masks, tables, maps, split=split, notes=found.notes, **others)
    train_ids = train_ids or _if_exists(folder / "train.txt") or _if_exists(folder / "fit.txt")
    val_ids, test_ids = (
        val_ids or _if_exists(folder / "val.txt"),
        test_ids or _if_exists(folder / "test.txt"),
    )
    manifest = None if train_ids or val_ids or test_ids else _if_exists(folder / "manifest.csv")
    return Sources(
        images, masks, tables, maps, train_ids, val_ids, test_ids, manifest, notes=found.notes, **others
    )  # fmt: skip


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
    splits : dict
        See `gradtrack_model.data.splits.manifest_of`.
    """

    train: tuple[Sample, ...]
    val: tuple[Sample, ...]
    notes: tuple[str, ...]
    splits: Manifest = field(default_factory=dict)

    def sha256(self) -> str:
        """Return a digest of all that training depends on."""
        digest = hashlib.sha256()
        for sample in (*self.train, *self.val):
            digest.update(sample.image_id.encode() + b"\0")
            arrays = [
                sample.pixels.numpy(),
                *(a for t in sample.tracks for a in (t.x, t.y, t.duration_ms)),
            ]
            arrays += [] if sample.maps is None else [sample.maps.numpy()]
            arrays += [] if sample.mask is None else [sample.mask]
            for array in arrays:
                digest.update(
                    f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
                )
        return f"{len(self.train)}+{len(self.val)}:{digest.hexdigest()}"


def load_data(sources: Sources, config: DataConfig) -> TrainingData:
    """Read a data set into memory, and check it on the way.

    Masks of training images are never opened, but by the method ``full``, which learns from them in
    place of gaze.

    Parameters
    ----------
    sources : Sources
        Where its parts are.
    config : DataConfig
        Method, image size, map parameters, held-out share.

    Returns
    -------
    TrainingData

    Raises
    ------
    DataError
        No image can be trained on, a mask has another size than its image, an image is not 8-bit,
        splits overlap, or the data set is not that of the split manifest.
    """
    full = config.method == "full"
    found, manifest, notes = split_items(sources, config)
    splits = {image_id: facts["split"] for image_id, facts in manifest.items()}
    if not sources.allow_overlap:
        refuse_overlaps(manifest, sources.images)
    notes += _named(doubles(manifest), "images are there under two names")
    store = read_maps(sources.maps) if sources.maps is not None else None
    load = functools.partial(_load_labelled if full else _load_sample, store)
    train, silent = [], []
    for item in found.items:
        if splits.get(item.image_id) != "train":
            continue
        sample = load(config, item)
        if sample is None:
            silent.append(item.image_id)
        else:
            train.append(sample)
    if not train:
        if full:
            raise DataError(
                "no training image has a mask",
                path=sources.masks or sources.images,
                hint="give --masks",
            )
        gaze = ", ".join(
            quote(path.name) for path in (*sources.fixations, sources.maps) if path is not None
        )
        what = f"none of its {len(found.items)} images is a training image with gaze in {gaze}"
        hint = "names of images and stimuli must match, and the split name them"
        raise DataError(what, path=sources.images, hint=hint)
    val = [
        _load_val(item, load, config.predicting())
        for item in found.items
        if splits.get(item.image_id) == "val"
    ]
    _check_levels([*train, *val])
    notes += _named(silent, f"training images without {'a mask' if full else 'gaze'} are left out")
    notes += _named(found.missing_images, "stimuli with gaze have no image")
    return TrainingData(tuple(train), tuple(val), tuple(notes), manifest)


def split_items(sources: Sources, config: DataConfig) -> tuple[DataSet, Manifest, list[str]]:
    """Return the data set, its split manifest, and notes on both; errors as in `load_data`, but for overlaps."""
    found = find_items(
        sources.images, masks=sources.masks, fixations=sources.fixations, maps=sources.maps,
        manifest=sources.manifest, train_ids=sources.train_ids, val_ids=sources.val_ids, test_ids=sources.test_ids,
        placement=sources.placement, case=sources.case,
    )  # fmt: skip
    if sources.split is not None:
        items, notes = recorded(found.items, sources.split, sources.allow_changes)
        found = dataclasses.replace(found, items=tuple(items))
        splits = {item.image_id: item.split for item in items}
    else:
        splits, notes = _complete_split(found.items, config.val_share)
    return (
        found,
        manifest_of(found.items, splits, config.method == "full"),
        [*sources.notes, *notes],
    )


def _complete_split(items: Sequence[Item], val_share: float) -> tuple[dict[str, str], list[str]]:
    """Hold out images for validation by the hash of their id where the split names none."""
    splits = {item.image_id: item.split for item in items}
    named = set(splits.values())
    if "train" not in named:
        splits = {i: split or "train" for i, split in splits.items()}
    if "val" in named:
        return splits, []
    cases = {item.image_id: item.case for item in items if splits[item.image_id] == "train"}
    grouped = any(i != case for i, case in cases.items())
    sides = hashed_split(cases.values(), val_share, both=grouped)
    splits.update({i: sides[case] for i, case in cases.items()})
    held_out = sum(split == "val" for split in splits.values())
    by = f"the hash of their {'case' if grouped else 'id'}"
    return splits, [f"no validation images named: {held_out} of {len(cases)} held out by {by}"]


def _named(ids: Sequence[str], what: str) -> list[str]:
    return [f"{len(ids)} {what}: {', '.join(quote(i) for i in ids)}"] if ids else []


def _load_sample(store: MapStore | None, config: DataConfig, item: Item) -> Sample | None:
    """Return the item in memory, or None when it has no gaze."""
    size = config.image_size
    if store is not None:
        if item.image_id not in store.ids:
            return None
        stored = torch.from_numpy(store.load(item.image_id).copy()).float()[None]  # [1, L, H, W]
        maps = (
            functional.interpolate(stored, size=(size, size), mode="area")[0]
            .round()
            .to(torch.uint8)
        )
        return Sample(item.image_id, read_image(item.image, size, config.window), maps=maps)
    prepared = [prepare(track, config.maps) for track in item.tracks]
    tracks = tuple(track.scaled(size, size) for track in prepared if len(track))
    return (
        Sample(item.image_id, read_image(item.image, size, config.window), tracks)
        if tracks
        else None
    )


def _load_labelled(_store: MapStore | None, config: DataConfig, item: Item) -> Sample | None:
    """Return the item with its mask as the one level of its maps, or None when it has none."""
    if item.mask is None:
        return None
    size = config.image_size
    mask = torch.from_numpy(mask_of(item, item.mask)).float()[None, None]
    label = (
        (functional.interpolate(mask, size=(size, size), mode="area")[0] * 255)
        .round()
        .to(torch.uint8)
    )
    return Sample(item.image_id, read_image(item.image, size, config.window), maps=label)


def _load_val(
    item: Item, load: Callable[[DataConfig, Item], Sample | None], config: DataConfig
) -> Sample:
    sample = load(config, item) or Sample(
        item.image_id, read_image(item.image, config.image_size, config.window)
    )
    return (
        sample if item.mask is None else dataclasses.replace(sample, mask=mask_of(item, item.mask))
    )


def mask_of(item: Item, where: ImageRef) -> npt.NDArray[np.bool_]:
    """Read an item's mask; errors as in `read_mask`, and DataError where its size is not the image's."""
    mask = read_mask(where)
    if mask.shape != (item.height, item.width):
        what = (
            f"is {mask.shape[1]} x {mask.shape[0]} pixels, its image {item.width} x {item.height}"
        )
        raise DataError(what, path=where.path, hint="a mask has the size of its image")
    return mask


def _check_levels(samples: Iterable[Sample]) -> None:
    levels = {
        sample.maps.shape[0]: sample.image_id for sample in samples if sample.maps is not None
    }
    if len(levels) > 1:
        (a, first), (b, second), *_ = levels.items()
        raise DataError(
            f"{quote(first)!r} has {a} map levels, {quote(second)!r} has {b}",
            hint="render all maps with one --levels",
        )


def read_image(image: ImageRef, size: int, window: tuple[float, ...] = ()) -> Tensor:
    """Read an image as uint8 [3, size, size].

    Raises
    ------
    DataError
        It has more than 8 bits a channel.
    InputError
        It is damaged, no image, or too large.
    """
    return resized(open_image(image, window), size)


def resized(image: Image.Image, size: int) -> Tensor:
    """Return an RGB image as uint8 [3, size, size]."""
    small = image.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def open_image(image: ImageRef, window: tuple[float, ...] = ()) -> Image.Image:
    """Read an image as RGB at its own size; errors as in `read_image`.

    Of DICOM, NRRD and NIfTI the gray values are mapped to 8 bits as
    `gazetrack.images.slices.read_slice` says.
    """
    opened = decode(image, window)
    if opened.mode in DEEP_MODES:
        what = f"has pixels of type {opened.mode}"
        raise DataError(what, path=image.path, hint="convert it to 8 bits a channel")
    return opened.convert("RGB")
