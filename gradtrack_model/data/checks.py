"""What is wrong with a data set, image by image, before anybody trains on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gazetrack.errors import GazetrackError
from gradtrack_model.data.class_maps import left_out, maps_left_out, of_classes, unseen
from gradtrack_model.data.image_files import open_slices, read_image
from gradtrack_model.data.labels import BORDER, STORED_BORDER, cleaned, full_map, refined_maps
from gradtrack_model.data.loading import labels_of, mask_of, split_items
from gradtrack_model.data.splits import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from gazetrack.maps.store import MapStore
    from gazetrack.workflows.dataset import Item
    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.labels import Maps
    from gradtrack_model.data.loading import SplitData
    from gradtrack_model.data.sources import Sources

_EMPTY = "empty label: "


@dataclass(frozen=True)
class Finding:
    """Something to look at before training.

    Parameters
    ----------
    image_id : str
        The image, the stimulus without one, or the files of gaze where all of it is meant.
    what : str
        What is wrong, in words for the user.
    fatal : bool
        Whether training would stop with an error.
    """

    image_id: str
    what: str
    fatal: bool = False


def check(sources: Sources, config: DataConfig) -> list[Finding]:
    """Name whatever of a data set cannot be trained on, or is odd.

    That is every image without gaze, gaze without image, odd mask, empty label, and image or case
    in two splits.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are.
    config : DataConfig
        Its method, map parameters and image size are used.

    Returns
    -------
    list of Finding
        Sorted by image id.

    Raises
    ------
    InputError, SchemaError, DataError
        Files that cannot be matched at all, see `gradtrack_model.data.loading.split_items`.
    """
    data = split_items(sources, config)
    findings = [Finding(name, "gaze without image") for name in data.found.missing_images]
    if config.method != "full":
        findings += [Finding(name, "image without gaze") for name in data.found.missing_gaze]
    for name, what in overlaps(data.manifest).items():
        findings.append(Finding(name, what, fatal=not sources.allow_overlap))
    store = data.gaze.store()
    findings += _of_whole(data, config, store)
    for item in data.found.items:
        findings += _of_files(item, config)
        if trouble := _of_label(item, config, store):
            findings.append(Finding(item.image_id, _EMPTY + trouble))
    return sorted(findings, key=lambda finding: finding.image_id)


def _of_whole(data: SplitData, config: DataConfig, store: MapStore | None) -> list[Finding]:
    """Return what is wrong with the gaze of all images together: which classes it is of."""
    names = config.classes.names
    if not names or config.method == "full":
        return []
    if store is not None:
        notes = maps_left_out(store, names)
        known = {n for item in data.items("train") for n in names if store.has(item.image_id, n)}
    else:
        notes = left_out([track for item in data.found.items for track in item.tracks], names)
        tracks = [track for item in data.items("train") for track in item.tracks]
        known = {track.target for track in cleaned(of_classes(tracks, names), config.maps)}
    where = data.gaze.files
    findings = [Finding(where, note) for note in notes]
    if missing := unseen(names, known, data.targets(), where):
        findings.append(Finding(where, missing, fatal=True))
    return findings


def _of_files(item: Item, config: DataConfig) -> Iterator[Finding]:
    """Yield what is wrong with the files of an image and its mask."""
    try:
        open_slices(item.image, config.window, config.context)
    except GazetrackError as error:
        yield Finding(item.image_id, error.what, fatal=True)
    if item.mask is None:
        return
    # Masks of training images are read by full supervision alone: elsewhere they can do no harm.
    used = config.method == "full" or item.split != "train"
    try:
        mask: npt.NDArray[Any] = (
            labels_of(item, item.mask, config.classes.n)
            if config.classes.names
            else mask_of(item, item.mask)
        )
    except GazetrackError as error:
        yield Finding(item.image_id, f"mask {error.what}", fatal=used)
        return
    if not mask.any():
        yield Finding(item.image_id, "mask is empty")
    elif mask.all():
        yield Finding(item.image_id, "mask covers the whole image")


def _of_label(item: Item, config: DataConfig, store: MapStore | None) -> str:
    """Return why nothing of an image would be foreground, in words; empty where something is."""
    if names := config.classes.names:
        return _of_classes(item, names, config, store)
    if store is not None:
        if item.image_id not in store.ids:
            return ""
        full = store.load(item.image_id)[-1]
        return "" if full.max() >= STORED_BORDER else "no pixel of its last map reaches one half"
    if not item.tracks:
        return ""
    size = config.image_size
    label = full_map(item.tracks, config.maps, (size, size))
    if label is None or label.max() < BORDER:
        return "no fixation is long enough and on the image"
    return _of_refined(item, config, label) if config.crf_weight else ""


def _of_classes(
    item: Item, names: Sequence[str], config: DataConfig, store: MapStore | None
) -> str:
    """Return why nothing of an image would be foreground, of whatever class."""
    if store is not None:
        own = [name for name in names if store.has(item.image_id, name)]
        peaks = [int(store.load(item.image_id, name)[-1].max()) for name in own]
        is_empty = bool(own) and max(peaks) < STORED_BORDER
        return "no pixel of its last maps reaches one half" if is_empty else ""
    told = of_classes(item.tracks, names)
    if item.tracks and not told:
        return f"its gaze is of no class: {', '.join(sorted({t.target for t in item.tracks}))!r}"
    size = config.image_size
    maps = [full_map([track], config.maps, (size, size)) for track in told]
    if told and all(one is None or one.max() < BORDER for one in maps):
        return "no fixation is long enough and on the image"
    return ""


def _of_refined(item: Item, config: DataConfig, label: Maps) -> str:
    """Return why nothing of a label [S, S] would be foreground after the CRF; empty if some is."""
    size = config.image_size
    try:
        pixels = read_image(item.image, size, config.window)
    except GazetrackError:
        # What is wrong with the image has been named.
        return ""
    colours = pixels.permute(1, 2, 0).contiguous().numpy()
    scale = size / math.sqrt(item.height * item.width)
    refined = refined_maps(label[None], colours, config.crf_weight, scale)
    return "" if refined.max() >= BORDER else "the CRF leaves no pixel that reaches one half"
