"""Which network made a folder of predictions: recorded beside the masks, and told on.

An evaluation of a folder of masks can so say what is evaluated. A folder can hold masks of several
networks, or of a network and of a person: the record names the images that are of the network, and
those that a call has begun, so that what it left when it was cut short is ours to replace.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gazetrack.errors import OutputError
from gazetrack.publish import output_errors, write_json
from gradtrack_model.computed import Computed

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from pathlib import Path

    from gradtrack_model.data.image_files import ImageRef
    from gradtrack_model.weights.ensemble import Ensemble

NETWORK_FILE = "network.json"
# The folder, below that of the predictions, that whole volumes are written to.
VOLUMES = "volumes"
_IMAGES = "images"
_BEGUN = "begun"
# What is put together of several masks, a volume or a DICOM segmentation: their names, by its path.
_PARTS = "put_together"
# The id of each image whose name could not be that of a file, by the name of its mask.
_IDS = "ids"
_OF_THE_FOLDER = (_BEGUN, _PARTS, _IDS)
# Where gradtrack-predict writes more of an image than its mask.
_BESIDE = ("probabilities", "probabilities/*", "overlays", "uncertainty", "tracks/*")


def describe_network(
    ensemble: Ensemble, *, threshold: float, size: int, flips: bool
) -> dict[str, Any]:
    """Return what makes the masks: the network, what it computed in training, and how it is used.

    Parameters
    ----------
    ensemble : Ensemble
        The network, or the networks whose probabilities are averaged.
    threshold : float
        The probability above which a pixel is foreground.
    size : int
        Pixels a side that images are resized to.
    flips : bool
        Whether predictions are averaged over flips.
    """
    checkpoint = ensemble.first
    config = checkpoint.config
    computed = Computed(config)
    metrics = checkpoint.metrics
    several: dict[str, Any] = {}
    if len(ensemble.members) > 1:
        names = dict.fromkeys(Computed(one.config).name for one in ensemble.members)
        # What else is said is that of the first one.
        several = {"method": ", ".join(names), "networks": len(ensemble.members)}
        several |= {"steps": [one.step for one in ensemble.members]}
        several |= {"weights_sha256": ensemble.digests()}
    if config.classes.names:
        # In the order of the values in the masks, from 1.
        several |= {"classes": list(config.classes.names), "heads": config.classes.heads}
    return {
        "method": computed.name,
        **computed.parts,
        "precision": metrics.get("precision", computed.parts["precision"]),
        "trained_on": metrics.get("trained_on", "not recorded"),
        "encoder": config.model.encoder,
        "step": checkpoint.step,
        "threshold": f"foreground above {threshold:g}",
        "image_size": f"{size} x {size} pixels",
        "flips": flips,
        **several,
    }


def refuse_masks_of_others(
    out: Path,
    outputs: Mapping[str, Iterable[str]],
    together: Iterable[str] = (),
    *,
    force: bool = False,
) -> None:
    """Refuse to replace what no network of ours has made, such as masks that a person drew.

    Parameters
    ----------
    out : pathlib.Path
        The folder for the predictions.
    outputs : mapping of str to iterable of str
        By the name of each mask without its suffix, the paths below `out` that will be written.
    together : iterable of str
        Paths below `out` of what will be put together of several masks.
    force : bool
        Replace them all the same.

    Raises
    ------
    OutputError
        One of the files is there, and the record of the folder does not name its image.
    """
    record = None if force else _read(out)
    ours = set() if record is None else {*record[_IMAGES], *_begun(record)}
    foreign = (
        []
        if force
        else [
            path
            for name, paths in outputs.items()
            if name not in ours
            for path in paths
            if (out / path).exists()
        ]
    )
    if not force:
        known = {} if record is None else _parts(record)
        foreign += [path for path in together if path not in known and (out / path).exists()]
    if foreign:
        what = "exists and was not made by gradtrack-predict"
        if len(foreign) > 1:
            what += f", like {len(foreign) - 1} others"
        raise OutputError(what, path=out / foreign[0], hint="choose another --out, or give --force")


def begin(
    out: Path, made: Mapping[str, Iterable[str]], together: Mapping[str, Iterable[str]]
) -> None:
    """Take images out of the record, as they are about to be made anew, and note them as begun.

    What an earlier prediction wrote of them and this one does not write is removed: nobody could
    tell that it is of another network, or of other settings.

    Parameters
    ----------
    out : pathlib.Path
        The folder that holds the predictions, or will.
    made : mapping of str to iterable of str
        By the name of each mask without its suffix, the paths below `out` that will be written.
    together : mapping of str to iterable of str
        By the path of what will be put together of several masks, their names.
    """
    record = _read(out) or {_IMAGES: []}
    again = set(made)
    parts = _parts(record)
    stale = {path for path, names in parts.items() if again & set(names)} - set(together)
    ours = again & {*record[_IMAGES], *_begun(record)}
    written = {path for paths in made.values() for path in paths}
    for path in [*(out / path for path in stale), *_beside(out, ours, written)]:
        with output_errors(path):
            path.unlink(missing_ok=True)
    parts = {path: names for path, names in parts.items() if path not in stale}
    parts |= {path: sorted(names) for path, names in together.items()}
    if parts:
        record[_PARTS] = parts
    else:
        record.pop(_PARTS, None)
    record[_IMAGES] = [name for name in record[_IMAGES] if name not in again]
    write_json(out / NETWORK_FILE, {**record, _BEGUN: sorted(again | set(_begun(record)))})


def _beside(out: Path, names: set[str], written: set[str]) -> list[Path]:
    """Return what lies beside masks of these names and is not about to be written."""
    found = [file for folder in _BESIDE for file in out.glob(f"{folder}/*.png")]
    return [
        file
        for file in found
        if file.stem in names and file.relative_to(out).as_posix() not in written
    ]


def record_network(out: Path, network: dict[str, Any], made: Mapping[str, str]) -> None:
    """Write which network made which masks; those of another network are no longer told.

    Parameters
    ----------
    out : pathlib.Path
        The folder that holds the predictions.
    network : dict
        What `describe_network` says of the network.
    made : mapping of str to str
        By the name of each mask without its suffix, the id of its image.
    """
    before = _read(out) or {_IMAGES: []}
    names = set(made)
    parts = _parts(before)
    ids = {**_ids(before), **made}
    left = set(before[_IMAGES]) | set(_begun(before)) - names
    for key in _OF_THE_FOLDER:
        before.pop(key, None)
    if {**before, _IMAGES: []} == {**network, _IMAGES: []}:
        names |= set(before[_IMAGES])
    record = {**network, _IMAGES: sorted(names)}
    # Of another network, or of a call that was cut short: told of no network, and yet ours.
    if left - names:
        record[_BEGUN] = sorted(left - names)
    if parts:
        record[_PARTS] = parts
    others = {name: image_id for name, image_id in sorted(ids.items()) if name != image_id}
    if others:
        record[_IDS] = others
    write_json(out / NETWORK_FILE, record)


def network_of(predictions: Path, images: Iterable[str]) -> dict[str, Any] | None:
    """Return what is recorded of the network that made all of these masks; None of any others.

    Parameters
    ----------
    predictions : pathlib.Path
        The folder that holds the predictions, or the volumes below it.
    images : iterable of str
        Names of the masks without their suffix.
    """
    record = _read(predictions)
    if record is None and predictions.name == VOLUMES:
        # Volumes lie in a folder of their own, below the pictures and the record.
        record = _read(predictions.parent)
    if record is None or not set(images) <= set(record.pop(_IMAGES)):
        return None
    for key in _OF_THE_FOLDER:
        record.pop(key, None)
    return record


def by_ids(
    predictions: Path, found: Mapping[str, ImageRef], wanted: Container[str]
) -> dict[str, ImageRef]:
    """Return predicted masks by the ids of their images, which cannot all be names of files.

    Parameters
    ----------
    predictions : pathlib.Path
        The folder that holds the predictions.
    found : mapping of str to ImageRef
        The masks in it by the stems of their files.
    wanted : container of str
        The ids of reference masks: what has the stem of one is its prediction.
    """
    record = _read(predictions)
    ids = {} if record is None else _ids(record)
    named = {name: ref for name, ref in found.items() if name in wanted or name not in ids}
    told = {ids[name]: ref for name, ref in found.items() if name not in named}
    return {**told, **named}


def names_of(masks: Iterable[ImageRef]) -> list[str]:
    """Return the names of masks as the record of their folder has them."""
    return [ref.file.stem if ref.is_picture else str(ref) for ref in masks]


def _ids(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of images by the names of their masks; of a damaged record none."""
    ids = record.get(_IDS, {})
    is_map = isinstance(ids, dict) and all(isinstance(one, str) for one in ids.values())
    return ids if is_map else {}


def _parts(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is put together of masks, and of which; of a damaged record nothing."""
    parts = record.get(_PARTS, {})
    is_map = isinstance(parts, dict) and all(
        isinstance(names, list)
        and all(isinstance(name, str) for name in names)
        and path.startswith(("volumes/", "dicom-seg/"))
        and ".." not in path
        for path, names in parts.items()
    )
    return parts if is_map else {}


def _begun(record: Mapping[str, Any]) -> list[str]:
    """Return the images that calls have begun; of a damaged record none."""
    names = record.get(_BEGUN, [])
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else []


def _read(folder: Path) -> dict[str, Any] | None:
    """Return a folder's record; None where there is none, or it is no record of ours."""
    try:
        record = json.loads((folder / NETWORK_FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get(_IMAGES), list):
        return None
    return record if all(isinstance(name, str) for name in record[_IMAGES]) else None
