"""A data set as nnU-Net v2 wants it, with the splits of `gradtrack-train`, to compare the two.

Layout: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
(``nnUNet_raw/DatasetXXX_Name`` with ``dataset.json``, ``imagesTr/CASE_0000.png``,
``labelsTr/CASE.png``, ``imagesTs``; an RGB picture is one file of three channels) and
manual_data_splits.md there (``nnUNet_preprocessed/DatasetXXX_Name/splits_final.json``). nnU-Net
2.8.1 verifies, plans and preprocesses it, and takes its split (tried in November 2026).

nnU-Net's labels are whole numbers. A soft label travels with its image instead, as the last
channel, so that nnU-Net crops, resamples, turns and mirrors both alike; the trainer in
`gradtrack_model.nnunet` takes it off again and learns it.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gazetrack.errors import ConfigError, DataError, OutputError, quote
from gazetrack.maps.render import as_uint8
from gazetrack.publish import unique_names, write_bytes, write_json
from gradtrack_model.data.image_files import is_gray, open_image
from gradtrack_model.data.labels import STORED_BORDER, full_map, refined_maps
from gradtrack_model.data.loading import mask_of, split_items
from gradtrack_model.data.splits import SPLITS, refuse_overlaps
from gradtrack_model.network.classes import refuse_classes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.maps.store import MapStore
    from gazetrack.workflows.dataset import Item
    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.sources import Sources

    Map = npt.NDArray[np.uint8]

_NONE, _FULL = np.uint8(0), np.uint8(255)
# nnU-Net leaves channels of this name as they are.
SOFT_CHANNEL = "noNorm"
_NAME = re.compile(r"Dataset\d{3}_[A-Za-z0-9_-]{1,60}", re.ASCII)


def write_nnunet(
    sources: Sources,
    config: DataConfig,
    out: Path,
    name: str,
    *,
    force: bool = False,
    soft: bool = False,
) -> dict[str, Any]:
    """Write a data set in nnU-Net's layout: pictures of all images, and one label.

    Slices of volumes are pictures of their own, cases of two dimensions.

    Parameters
    ----------
    sources : Sources
        Where the parts of the data set are.
    config : DataConfig
        Labels of training images are their masks for the method ``full``, else where the gaze's
        full-track map reaches one half. Those of validation images are their masks where there are
        any.
    out : pathlib.Path
        Gets ``nnUNet_raw`` and ``nnUNet_preprocessed``, whose variables nnU-Net wants set to them.
    name : str
        The data set's name there, such as ``Dataset511_Polyps``.
    force : bool
        Replace a data set of that name.
    soft : bool
        Give each image that trains or validates one more channel, its soft label as 0..255: of
        pictures in colour it is their opacity, of gray ones a file of its own.

    Returns
    -------
    dict
        ``folder``, number of ``train``, ``val`` and ``test`` images, and ``unlabelled``: ids left
        out.

    Raises
    ------
    ConfigError
        A name that nnU-Net would not take.
    OutputError
        There is such a data set, or it cannot be written.
    DataError, InputError
        As in `gradtrack_model.data.loading.load_data`.
    """
    if not _NAME.fullmatch(name):
        hint = "write it as Dataset511_Polyps: three digits, then a name"
        raise ConfigError(f"name {quote(name)!r}", hint=hint)
    raw, preprocessed = out / "nnUNet_raw" / name, out / "nnUNet_preprocessed" / name
    if raw.exists() and not force:
        hint = "give another name or --out, or --force to replace it"
        raise OutputError("is already there", path=raw, hint=hint)
    refuse_classes(config.classes, "the export for nnU-Net")
    data = split_items(sources, config)
    if not sources.allow_overlap:
        refuse_overlaps(data.manifest, sources.images)
    items = [item for item in data.found.items if item.image_id in data.manifest]
    # Channels are those of the whole data set: one picture in colour makes all of them RGB.
    mode = "L" if all(is_gray(item.image) for item in items) else "RGB"
    names = unique_names(data.manifest)
    store = data.gaze.store()
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    unlabelled = []
    for item in items:
        split, case = data.manifest[item.image_id]["split"], names[item.image_id]
        picture = open_image(item.image, config.window).convert(mode)
        if split == "test":
            write_bytes(raw / "imagesTs" / f"{case}_0000.png", _png(picture))
        else:
            label = soft_label_of(item, split, config, store)
            if label is None:
                unlabelled.append(item.image_id)
                continue
            hard = Image.fromarray((label >= STORED_BORDER).astype(np.uint8))
            write_bytes(raw / "labelsTr" / f"{case}.png", _png(hard))
            beside = Image.fromarray(label) if soft else None
            _write_image(raw / "imagesTr", case, picture, beside)
        splits[split].append(case)
    if not splits["train"]:
        hint = "see gradtrack-train check"
        raise DataError("no training image has a label", path=sources.images, hint=hint)
    folds = [{"train": splits["train"], "val": splits["val"]}]
    write_json(preprocessed / "splits_final.json", folds)
    # Written last: a folder without it is no data set to nnU-Net.
    channels = ["gray"] if mode == "L" else ["R", "G", "B"]
    if soft:
        channels.append(SOFT_CHANNEL)
    description = {
        "channel_names": {str(number): channel for number, channel in enumerate(channels)},
        "labels": {"background": 0, "target": 1},
        "numTraining": len(splits["train"]) + len(splits["val"]),
        "file_ending": ".png",
        "description": f"labels of training images: {data.gaze.recorded}",
    }
    write_json(raw / "dataset.json", description)
    counts = {split: len(cases) for split, cases in splits.items()}
    return {"folder": str(raw), **counts, "unlabelled": unlabelled}


def soft_label_of(item: Item, split: str, config: DataConfig, store: MapStore | None) -> Map | None:
    """Return the soft label [H, W], 0..255, of an image at its own size; None where it has none.

    It is a label from `STORED_BORDER`; see `write_nnunet`.
    """
    if config.method == "full" or (split == "val" and item.mask is not None):
        return None if item.mask is None else np.where(mask_of(item, item.mask), _FULL, _NONE)
    if store is not None:
        if item.image_id not in store.ids:
            return None
        stored = Image.fromarray(store.load(item.image_id)[-1])
        return np.asarray(stored.resize((item.width, item.height), Image.Resampling.BILINEAR))
    full = full_map(item.tracks, config.maps, (item.height, item.width))
    if full is None:
        return None
    if config.crf_weight:
        pixels = np.asarray(open_image(item.image, config.window))
        full = refined_maps(full[None], pixels, config.crf_weight)[0]
    label: Map = as_uint8(full[None])[0]
    return label


def _write_image(folder: Path, case: str, picture: Image.Image, soft: Image.Image | None) -> None:
    """Write a picture, and its soft label as one more channel."""
    if soft is not None and picture.mode == "RGB":
        # nnU-Net refuses files of three channels and of one beside each other, and takes RGBA.
        picture.putalpha(soft)
    elif soft is not None:
        write_bytes(folder / f"{case}_0001.png", _png(soft))
    write_bytes(folder / f"{case}_0000.png", _png(picture))


def _png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()
