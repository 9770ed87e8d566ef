"""A data set as nnU-Net v2 wants it, with the splits that `gradtrack-train` uses, so that both can be compared.

Layout: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
(``nnUNet_raw/DatasetXXX_Name`` with ``dataset.json``, ``imagesTr/CASE_0000.png``,
``labelsTr/CASE.png``, ``imagesTs``; an RGB picture is one file of three channels) and
manual_data_splits.md there (``nnUNet_preprocessed/DatasetXXX_Name/splits_final.json``). nnU-Net
2.8.1 verifies, plans and preprocesses it, and takes its split (tried in November 2026).
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gazetrack.errors import ConfigError, DataError, OutputError, quote
from gazetrack.images.folder import decode
from gazetrack.maps.render import prepare, render_points
from gazetrack.maps.store import MapStore, read_maps
from gazetrack.publish import unique_names, write_bytes, write_json
from gradtrack_model.data.sources import mask_of, open_image, split_items
from gradtrack_model.data.splits import refuse_overlaps

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.workflows.dataset import Item
    from gradtrack_model.config import DataConfig
    from gradtrack_model.data.sources import Sources

    Mask = npt.NDArray[np.bool_]

_NAME = re.compile(r"Dataset\d{3}_[A-Za-z0-9_-]{1,60}", re.ASCII)


def write_nnunet(
    sources: Sources, config: DataConfig, out: Path, name: str, force: bool = False
) -> dict[str, Any]:
    """Write a data set in nnU-Net's layout: pictures of all images (slices of volumes are 2-D cases), one label.

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
        Such as ``Dataset511_Polyps``.
    force : bool
        Replace a data set of that name.

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
        As in `gradtrack_model.data.sources.load_data`.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"name {quote(name)!r}", hint="write it as Dataset511_Polyps: three digits, then a name"
        )
    raw, preprocessed = out / "nnUNet_raw" / name, out / "nnUNet_preprocessed" / name
    if raw.exists() and not force:
        raise OutputError(
            "is already there",
            path=raw,
            hint="give another name or --out, or --force to replace it",
        )
    found, manifest, _ = split_items(sources, config)
    if not sources.allow_overlap:
        refuse_overlaps(manifest, sources.images)
    store = read_maps(sources.maps) if sources.maps is not None else None
    items = [item for item in found.items if item.image_id in manifest]
    splits: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    unlabelled, names, mode = (
        [],
        unique_names(manifest),
        "L" if all(map(_is_gray, items)) else "RGB",
    )
    for item in items:
        split, case = manifest[item.image_id]["split"], names[item.image_id]
        if split != "test":
            label = label_of(item, split, config, store)
            if label is None:
                unlabelled.append(item.image_id)
                continue
            write_bytes(
                raw / "labelsTr" / f"{case}.png", _png(Image.fromarray(label.astype(np.uint8)))
            )
        picture = open_image(item.image, config.window).convert(mode)
        write_bytes(
            raw / ("imagesTs" if split == "test" else "imagesTr") / f"{case}_0000.png",
            _png(picture),
        )
        splits[split].append(case)
    if not splits["train"]:
        raise DataError(
            "no training image has a label", path=sources.images, hint="see gradtrack-train check"
        )
    channels = ["gray"] if mode == "L" else ["R", "G", "B"]
    facts = {
        "channel_names": {str(k): channel for k, channel in enumerate(channels)},
        "labels": {"background": 0, "target": 1},
        "numTraining": len(splits["train"]) + len(splits["val"]),
        "file_ending": ".png",
        "description": f"labels of training images: {'masks' if config.method == 'full' else 'gaze'}",
    }
    write_json(
        preprocessed / "splits_final.json", [{"train": splits["train"], "val": splits["val"]}]
    )
    write_json(raw / "dataset.json", facts)
    return {
        "folder": str(raw),
        **{split: len(cases) for split, cases in splits.items()},
        "unlabelled": unlabelled,
    }


def label_of(item: Item, split: str, config: DataConfig, store: MapStore | None) -> Mask | None:
    """Return the label [H, W] of an image at its own size, or None; see `write_nnunet`."""
    if config.method == "full" or (split == "val" and item.mask is not None):
        return None if item.mask is None else mask_of(item, item.mask)
    if store is not None:
        if item.image_id not in store.ids:
            return None
        stored = Image.fromarray(store.load(item.image_id)[-1])
        return (
            np.asarray(stored.resize((item.width, item.height), Image.Resampling.BILINEAR)) >= 128
        )
    params = config.maps
    tracks = [track for track in (prepare(track, params) for track in item.tracks) if len(track)]
    maps = [
        render_points(t.x, t.y, t.duration_ms, item.height, item.width, params)[-1] for t in tracks
    ]
    return np.asarray(np.mean(maps, 0) >= 0.5) if maps else None


def _is_gray(item: Item) -> bool:
    return decode(item.image).mode in ("L", "1")


def _png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()
