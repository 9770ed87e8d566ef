"""Labels of the study of Track Attention, and what they are worth beside the masks.

Masks measure here, and train in no row but the one that says so.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from gazetrack.maps.store import read_maps
from gazetrack.maps.track import build_tracks, clean
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import read_table
from gradtrack_model.data.image_files import find_images, read_ids, read_image, read_mask
from gradtrack_model.data.sample import Sample

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor

    from gazetrack.maps.track import Track

    Maps = npt.NDArray[np.float32]
    Mask = npt.NDArray[np.bool_]

# How sure a label has to be of a pixel for each level, the core first.
CONFIDENCE = (0.95, 0.85, 0.7, 0.5)
# A level below this precision teaches a deep stage nothing surer than the label itself.
NEEDED_PRECISION = 0.85
# A scan of which less than this share is off the target teaches that targets are background.
NEEDED_OFF_TARGET = 0.75
# Of the image's side, as of a tube's.
NEGATIVE_RADIUS = 0.05
# What is stored of every image, in this order: four levels each, then one map each.
LEVELS = 4
CHANNELS = {
    "gaze": slice(0, 4),
    "sam": slice(4, 8),
    "masks": slice(8, 9),
    "negatives": slice(9, 10),
}
_EDGE = 1e-3


def by_confidence(probability: Maps) -> Maps:
    """Return levels [L, H, W] of a label [H, W], each .5 where the label is at its threshold."""
    p = np.clip(probability, _EDGE, 1 - _EDGE)
    odds = p / (1 - p)
    thresholds = np.array(CONFIDENCE, np.float32)[:, None, None]
    relative = odds * (1 - thresholds) / thresholds
    return (relative / (1 + relative)).astype(np.float32)


# Where the eye goes before it has found its target: ways to say so without a mask. Each takes the
# track of an image, without blinks and noise, and the label at its fixations.
SCANS: dict[str, Callable[[Track, Maps], Mask]] = {
    "first fixation": lambda track, _: np.arange(len(track)) == 0,
    "first quarter": lambda track, _: np.arange(len(track)) < np.ceil(len(track) / 4),
    "before the label is first fixated": lambda _, label: np.cumsum(label >= 0.5) == 0,
    "in the first half, outside the label": lambda track, label: (
        (np.arange(len(track)) < len(track) / 2) & (label < 0.5)
    ),
    "outside the label": lambda _, label: label < 0.5,
}
SCAN = "before the label is first fixated"


def values_at(values: npt.NDArray[Any], track: Track) -> npt.NDArray[Any]:
    """Return what a map or mask [H, W] of the whole image holds at the fixations, [N]."""
    height, width = values.shape
    row = np.clip(track.y / track.height * height, 0, height - 1).astype(int)
    column = np.clip(track.x / track.width * width, 0, width - 1).astype(int)
    return values[row, column]


def scan_of(track: Track, label: Maps, way: str = SCAN) -> Track:
    """Return the fixations of a track that look for the target, as one of `SCANS` says."""
    return track.take(SCANS[way](track, values_at(label, track)))


def negatives_of(track: Track, label: Maps) -> Maps:
    """Return discs [H, W] around the fixations that look for the target, outside the label."""
    height, width = label.shape
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    nearest = np.full(label.shape, np.inf, np.float32)
    scan = scan_of(track, label).scaled(width, height)
    for at_x, at_y in zip(scan.x, scan.y, strict=True):
        nearest = np.minimum(nearest, np.hypot(x - at_x, y - at_y))
    near = nearest <= NEGATIVE_RADIUS * np.sqrt(height * width)
    return (near & (label < 0.5)).astype(np.float32)


class Sources(NamedTuple):
    """The parts of the data set, found and not yet read at a network's size."""

    images: dict[str, Any]
    masks: dict[str, Any]
    fit: list[str]
    val: list[str]
    gaze: dict[str, Maps]
    sam: dict[str, Maps]
    tracks: dict[str, Track]


def find_sources(options: argparse.Namespace) -> Sources:
    """Read labels and tracks, and find images and masks."""
    data: Path = options.data
    gaze = _levels(options.maps)
    fit, val = (sorted(read_ids(data / name)) for name in ("fit.txt", "val.txt"))
    tracks = {}
    for file in sorted(options.tables.glob("*.fixations.parquet")) if options.tables else ():
        for track in build_tracks(read_table(file)[0]):
            tracks[stem(track.stimulus)] = clean(track, drop_first=0)
    return Sources(
        images=find_images(data / "images"),
        masks=find_images(data / "masks"),
        fit=[image_id for image_id in fit if image_id in gaze],
        val=val,
        gaze=gaze,
        sam={name: levels[-1] for name, levels in _levels(options.sam).items()},
        tracks=tracks,
    )


def _levels(file: Path | None) -> dict[str, Maps]:
    if file is None:
        return {}
    return {stem(row.stimulus): row.as_float32() for row in read_maps(file).rows()}


def at_size(maps: Maps, shape: tuple[int, ...], mode: str = "bilinear") -> Maps:
    """Resize maps [L, h, w] to [L, H, W]."""
    smooth = {"align_corners": False} if mode == "bilinear" else {}
    return functional.interpolate(torch.from_numpy(maps)[None], shape, mode=mode, **smooth)[
        0
    ].numpy()


def channels_of(image_id: str, sources: Sources, size: int) -> Tensor:
    """Return all labels of an image, uint8 [10, size, size] in the order of `CHANNELS`."""
    gaze = sources.gaze[image_id]
    nothing = np.zeros((1, size, size), np.float32)
    sam = np.repeat(nothing, LEVELS, 0)
    if image_id in sources.sam:
        sam = at_size(by_confidence(sources.sam[image_id]), (size, size), "area")
    mask = nothing
    if image_id in sources.masks:
        full = read_mask(sources.masks[image_id]).astype(np.float32)[None]
        mask = at_size(full, (size, size), "area")
    negatives = nothing
    if image_id in sources.tracks:
        found = negatives_of(sources.tracks[image_id], gaze[-1])[None]
        negatives = at_size(found, (size, size), "area")
    stacked = np.concatenate([at_size(gaze, (size, size), "area"), sam, mask, negatives])
    return torch.from_numpy(np.rint(stacked * 255).astype(np.uint8))


def samples_at(sources: Sources, size: int, threads: int) -> tuple[list[Sample], list[Sample]]:
    """Return training images with their labels, and validation images with their masks."""

    def to_learn(image_id: str) -> Sample:
        pixels = read_image(sources.images[image_id], size)
        return Sample(image_id, pixels, maps=channels_of(image_id, sources, size))

    def to_validate(image_id: str) -> Sample:
        pixels = read_image(sources.images[image_id], size)
        return Sample(image_id, pixels, mask=read_mask(sources.masks[image_id]))

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(to_learn, sources.fit)), list(pool.map(to_validate, sources.val))


def measure(sources: Sources, threads: int) -> dict[str, Any]:
    """Measure on the training images, with their masks, what needs no training."""
    ids = [image_id for image_id in sources.fit if image_id in sources.masks]
    with ThreadPoolExecutor(threads) as pool:
        masks = dict(zip(ids, pool.map(lambda i: read_mask(sources.masks[i]), ids), strict=True))

        def of_levels(labels: dict[str, Maps], levels_of: Callable[[Maps], Maps]) -> dict[str, Any]:
            known = [image_id for image_id in ids if image_id in labels]
            rows = pool.map(lambda i: _of_levels(levels_of(labels[i]), masks[i]), known)
            return _over_images(np.array(list(rows)))

        found: dict[str, Any] = {
            "gaze, levels by share": of_levels(sources.gaze, lambda levels: levels),
            "gaze, levels by confidence": of_levels(
                sources.gaze, lambda levels: by_confidence(levels[-1])
            ),
        }
        if sources.sam:
            found["sam, levels by confidence"] = of_levels(sources.sam, by_confidence)
    if sources.tracks:
        found["scan"] = {way: _of_scan(sources, masks, way) for way in SCANS}
    return found


def _of_levels(levels: Maps, mask: Mask) -> npt.NDArray[np.float64]:
    """Precision, recall and Dice of each level >= .5 against the mask: [3, L].

    Of an empty level, precision is not a number.
    """
    found = at_size(levels, mask.shape) >= 0.5
    both = (found & mask).sum((1, 2))
    of_level = found.sum((1, 2))
    precision = np.divide(both, of_level, out=np.full(len(levels), np.nan), where=of_level > 0)
    return np.stack([precision, both / mask.sum(), 2 * both / (of_level + mask.sum())])


def _over_images(rows: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Return the means over images of what `_of_levels` says of each; images with a level count."""
    precision, recall, dice = rows.transpose(1, 2, 0)  # [L, N] each
    return {
        "images": len(rows),
        "precision": _rounded(np.nanmean(precision, 1)),
        "recall": _rounded(recall.mean(1)),
        "dice": _rounded(dice.mean(1)),
        "empty": np.isnan(precision).sum(1).tolist(),
    }


def _of_scan(sources: Sources, masks: dict[str, Mask], way: str) -> dict[str, Any]:
    """How many fixations one of `SCANS` names, and which share of them is off the mask."""
    on = []
    images = 0
    for image_id, mask in masks.items():
        if image_id not in sources.tracks:
            continue
        scan = scan_of(sources.tracks[image_id], sources.gaze[image_id][-1], way)
        on += values_at(mask, scan).tolist()
        images += len(scan) > 0
    off = 1 - float(np.mean(on)) if on else float("nan")
    return {"fixations": len(on), "images": images, "off_target": round(off, 4)}


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 4) for value in values]
