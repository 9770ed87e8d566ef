"""Stored maps in, stored maps refined by a dense CRF on their images out."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.images.folder import find_images, image_size, is_gray, read_image
from gazetrack.maps import crf
from gazetrack.maps.parameters import CALIBRATED, CRFParams
from gazetrack.maps.store import MAP_FILE, map_writer, read_maps
from gazetrack.publish import refuse_input_folder, refuse_overwrite, sha256_of
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.outcome import Outcome, settled
from gazetrack.workflows.unfinished import Kept
from gazetrack.workflows.workers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore

SHARE = 0.45  # of the networks in a mix, chosen on Kvasir-SEG's validation images
_SURE = 0.03  # probabilities are kept this far from 0 and 1
_NAMED = 3


def check_calibrated(kind: str) -> None:
    """Refuse kinds of map that a CRF only makes worse.

    Raises
    ------
    ConfigError
        The .5 of the kind is not meant as the border: the CRF reads it as one all the same, and
        where little of the map is above .5 the object vanishes (on Kvasir-SEG, Dice .33 to .55).
    """
    if kind not in CALIBRATED:
        what = f"a CRF needs maps whose .5 is the border, and kind {kind!r} has none there"
        raise ConfigError(what, hint=f"use --kind {' or '.join(CALIBRATED)}")


def refine_on(
    values: npt.NDArray[np.float32],
    image: ImageRef,
    params: CRFParams,
    kept: Kept | None = None,
) -> npt.NDArray[np.float32]:
    """Refine maps on an image; on resized maps, lengths in pixels shrink with the image.

    Parameters
    ----------
    values : ndarray of float32, shape (L, H, W)
        Calibrated maps, in [0, 1], of the whole image.
    image : ImageRef
        The image that they are maps of, of any size.
    params : CRFParams
        In pixels of the image.
    kept : Kept, optional
        Where the result is looked for, and kept.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        Multiples of 1/255, as maps are stored.

    Raises
    ------
    InputError
        The image cannot be read.
    """
    key = ""
    if kept is not None:
        key = kept.key(values, sha256_of(image.file), image.slice, params)
    found = None if kept is None else kept.get(key)
    if found is None or found.shape != values.shape:
        found = np.rint(_refined(values, image, params) * 255).astype(np.uint8)
        if kept is not None:
            kept.put(key, found)
    return (found / 255).astype(np.float32)


def _refined(
    values: npt.NDArray[np.float32], image: ImageRef, params: CRFParams
) -> npt.NDArray[np.float32]:
    _, height, width = values.shape
    own_width, own_height = image_size(image)
    scale = math.sqrt(height * width / (own_height * own_width))
    pixels = read_image(image, "RGB", (height, width))
    return crf.refine(values, pixels, params.resized(scale))


def mixed(
    map_: npt.NDArray[np.uint8],
    refined: npt.NDArray[np.uint8],
    seen: npt.NDArray[np.uint8],
    share: float = SHARE,
) -> npt.NDArray[np.uint8]:
    """Mix a map, what a CRF made of it, and what a network saw: all 0..255 for 0..1.

    It is sigma((1 - share)/2 (logit(map) + logit(refined)) + share logit(seen)). Probabilities are
    kept within .03 of 0 and 1. On Kvasir-SEG, with networks that never saw the image, the label's
    Dice rises from .834 to .862; the share was chosen on its validation images.

    Parameters
    ----------
    map_, refined, seen : ndarray of uint8, shape (H, W)
        A map, what the CRF made of it, and what a network saw in the image.
    share : float
        Of the network, 0 to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W)
    """
    a, b, c = (np.clip(values / 255, _SURE, 1 - _SURE) for values in (map_, refined, seen))
    logit = (1 - share) / 2 * (_logit(a) + _logit(b)) + share * _logit(c)
    return np.asarray(np.rint(255 / (1 + np.exp(-logit))), np.uint8)


def _logit(p: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    odds: npt.NDArray[np.floating] = np.log(p / (1 - p))
    return odds


def refine(
    maps: str | Path = "maps",
    images: str | Path = "images",
    out: str | Path = "refined",
    params: CRFParams | None = None,
    *,
    probabilities: str | Path | None = None,
    share: float = SHARE,
    all_levels: bool = False,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
) -> Outcome:
    """Refine stored maps by a dense CRF, as the command ``gazetrack refine`` does.

    Parameters
    ----------
    maps, images, out, share, all_levels, force, progress
        The same as those of `refine_maps`.
    params : CRFParams, optional
        Of the CRF; its defaults without.
    probabilities : path-like, optional
        Folder of what networks saw that were not trained on the image; see `refine_maps`.
    errors : {"raise", "report"}
        ``raise``: maps without an image are an error when the others are written. ``report``: the
        error is in the outcome alone.

    Returns
    -------
    Outcome
        How many maps were refined, and where they are.

    Raises
    ------
    GazetrackError
        What `refine_maps` raises; and images are missing, and `errors` is ``raise``.

    Examples
    --------
    >>> gazetrack.refine("maps", "images").rows_out  # doctest: +SKIP
    12
    """
    seen = None if probabilities is None else Path(probabilities)
    done = refine_maps(
        maps,
        images,
        out,
        params or CRFParams(),
        seen=seen,
        share=share,
        all_levels=all_levels,
        force=force,
        progress=progress,
    )
    return settled([done], errors)[0]


def refine_maps(
    maps: str | Path,
    images: str | Path,
    out: str | Path,
    params: CRFParams,
    *,
    seen: Path | None = None,
    share: float = SHARE,
    all_levels: bool = False,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Refine the maps of a file on their images.

    After an interruption, the next call goes on where this one was.

    Parameters
    ----------
    maps : path-like
        ``maps.parquet``, or the folder it lies in.
    images : path-like
        Folder of the images. Maps without one are left out and named.
    out : path-like
        Folder for the new ``maps.parquet``.
    params : CRFParams
        Reach, weights and steps of the CRF.
    seen : pathlib.Path, optional
        Folder of PNG probabilities by image id, as ``gradtrack-predict --probabilities`` writes
        them, of networks that were not trained on the image: the last level becomes the `mixed`
        one.
    share : float
        Of the networks in it, above 0 and below 1.
    all_levels : bool
        Refine every level, not just the full track's; nested levels may then cross.
    force : bool
        Also replace a file that gazetrack did not write.
    progress : callable, optional
        Called with (done, total) after each map.

    Returns
    -------
    Outcome
        ``partial`` with an error when images are missing.

    Raises
    ------
    ConfigError
        The maps are of a kind that is not calibrated, unknown, or refined already.
    InputError
        There is no image for any map; and what reading maps and images raises.
    """
    if not 0 < share < 1:
        raise ConfigError(f"share {share:g}", hint="use a number above 0 and below 1")
    refuse_input_folder([out], [images, seen])
    store = read_maps(maps)
    files = find_images(images)
    pictures = {} if seen is None else _probabilities(seen, store, files)
    _check_unrefined(store)
    missing = [image_id for image_id in store.ids if image_id not in files]
    if len(missing) == len(store.ids):
        raise InputError("holds no image of these maps", path=images, hint="give --images DIR")
    target = Path(out) / MAP_FILE
    digest = sha256_of(store.path)
    refuse_overwrite(target, [store.path, *(image.file for image in files.values())])
    outcome = Outcome(str(store.path), format="maps", sha256=digest, rows_in=len(store))
    meta = {
        **store.meta,
        "maps": {"file": store.path.name, "sha256": digest},
        "crf": asdict(params),
        "crf_levels": "all" if all_levels else "last",
    }
    if seen is not None:
        meta["probabilities_share"] = share
    kept = Kept(target)
    with map_writer(target, meta, force=force) as write:
        for row in counted(store.rows(), len(store), progress):
            image_id = stem(row.stimulus)
            image = files.get(image_id)
            if image is None:
                outcome.dropped["no image"] = outcome.dropped.get("no image", 0) + 1
                continue
            first = 0 if all_levels else len(row.values) - 1
            own = row.as_uint8()
            refined = refine_on(row.as_float32()[first:], image, params, kept)
            new = np.rint(refined * 255).astype(np.uint8)
            if seen is not None:
                probability = read_image(pictures[image_id], "L", row.values.shape[1:])
                new[-1] = mixed(own[-1], new[-1], probability, share)
            write(replace(row, values=np.concatenate([own[:first], new])))
            outcome.rows_out += 1
    # From here on the file is complete, and nothing has to be computed again.
    kept.clear()
    output = {"path": str(target), "rows": outcome.rows_out, "sha256": sha256_of(target)}
    outcome.outputs.append(output)
    if missing:
        outcome.status = "partial"
        outcome.error = _without_image(store, missing)
    return outcome


def _probabilities(
    seen: Path, store: MapStore, files: Mapping[str, ImageRef]
) -> dict[str, ImageRef]:
    """Return the pictures of what networks saw, one for each image that has maps.

    Raises
    ------
    InputError
        One is missing, or is no gray picture of 8 bits.
    """
    pictures = find_images(seen)
    hint = "predict {} with gradtrack-predict --probabilities"
    unseen = [i for i in store.ids if i in files and i not in pictures]
    if unseen:
        what = f"has no probabilities of {len(unseen)} images, first {quote(unseen[0], 60)!r}"
        raise InputError(what, path=seen, hint=hint.format("them"))
    for image_id in store.ids:
        picture = pictures.get(image_id)
        if picture is not None and not is_gray(picture):
            what = "is no probability: it is not gray with 8 bits"
            raise InputError(what, path=picture.path, hint=hint.format("probabilities"))
    return pictures


def _check_unrefined(store: MapStore) -> None:
    """Refuse maps that a CRF cannot make better.

    Raises
    ------
    ConfigError
        They are not calibrated, or a CRF has refined them before.
    """
    params = store.meta.get("params")
    kind = params.get("kind", "unknown") if isinstance(params, dict) else "unknown"
    check_calibrated(str(kind))
    if store.meta.get("crf"):
        what = f"{quote(store.path, 80)} went through a CRF already"
        raise ConfigError(what, hint="refine the maps it was made of")


def _without_image(store: MapStore, missing: Sequence[str]) -> InputError:
    shown = ", ".join(quote(name, 30) for name in missing[:_NAMED])
    if len(missing) > _NAMED:
        shown += ", …"
    what = f"no image for {len(missing)} of {len(store.ids)} maps: {shown}"
    return InputError(what, path=store.path, hint="add the images")
