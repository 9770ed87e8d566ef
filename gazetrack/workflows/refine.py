"""Stored maps in, stored maps refined on their images out: by a CRF, and by a prompt model."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.images.folder import find_images, image_size, is_gray, read_image
from gazetrack.maps import crf
from gazetrack.maps.parameters import CALIBRATED, CRFParams
from gazetrack.maps.store import MAP_FILE, map_writer, read_maps
from gazetrack.publish import refuse_input_folder, refuse_overwrite, sha256_of
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.outcome import Outcome, settled
from gazetrack.workflows.prompting import Prompter, PromptOptions
from gazetrack.workflows.unfinished import Kept
from gazetrack.workflows.workers import counted, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore, StoredMaps

# Of the networks in a mix, beside the CRF and beside a prompt model. The first was chosen on
# Kvasir-SEG's validation images.
SHARE = 0.45
PROMPTED_SHARE = 0.35
_SURE = 0.03  # probabilities are kept this far from 0 and 1
_NAMED = 3
_LOOKED_AT = 20  # pictures, to tell probabilities from masks


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
    prompt: PromptOptions | None = None,
    probabilities: str | Path | None = None,
    share: float | None = None,
    all_levels: bool = False,
    jobs: int = 1,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
) -> Outcome:
    """Refine stored maps on their images, as the command ``gazetrack refine`` does.

    Parameters
    ----------
    maps, images, out, prompt, share, all_levels, jobs, force, progress
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
    >>> prompt = gazetrack.PromptOptions(model="mobilesam")  # doctest: +SKIP
    >>> gazetrack.refine("maps", "images", prompt=prompt).rows_out  # doctest: +SKIP
    12
    """
    seen = None if probabilities is None else Path(probabilities)
    done = refine_maps(
        maps,
        images,
        out,
        params,
        prompt=prompt,
        seen=seen,
        share=share,
        all_levels=all_levels,
        jobs=jobs,
        force=force,
        progress=progress,
    )
    return settled([done], errors)[0]


def refine_maps(
    maps: str | Path,
    images: str | Path,
    out: str | Path,
    params: CRFParams | None = None,
    *,
    prompt: PromptOptions | None = None,
    seen: Path | None = None,
    share: float | None = None,
    all_levels: bool = False,
    jobs: int = 1,
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
    params : CRFParams, optional
        Reach, weights and steps of the CRF; its defaults without.
    prompt : PromptOptions, optional
        After the CRF, let this prompt model draw the last level anew. Maps that a CRF has refined
        before are then taken as they are; what a model has drawn before takes `seen` alone.
    seen : pathlib.Path, optional
        Folder of PNG probabilities by image id, as ``gradtrack-predict --probabilities`` writes
        them, of networks that were not trained on the image: the last level becomes the `mixed`
        one, of the prompt model's map where there is one.
    share : float, optional
        Of the networks in it, above 0 and below 1; .45 by default, beside a prompt model .35.
    all_levels : bool
        Refine every level by the CRF, not just the full track's; nested levels may then cross.
    jobs : int
        Threads to refine with; what is written does not depend on it.
    force : bool
        Also replace a file that gazetrack did not write.
    progress : callable, optional
        Called with (done, total) after each map.

    Returns
    -------
    Outcome
        ``partial`` with an error when images are missing. Its notes say which fixations the prompt
        model was not given, and how many maps gave it nothing to draw.

    Raises
    ------
    ConfigError
        The maps are of a kind that is not calibrated, unknown, or refined already; or the prompt
        model is not there.
    InputError
        There is no image for any map; and what reading maps and images raises.
    """
    if share is not None and not 0 < share < 1:
        raise ConfigError(f"share {share:g}", hint="use a number above 0 and below 1")
    if jobs < 1:
        raise ConfigError(f"{jobs} jobs", hint="use 1 or more")
    refuse_input_folder([out], [images, seen])
    store = read_maps(maps)
    files = find_images(images)
    pictures = {} if seen is None else _probabilities(seen, store, files)
    crf_of_maps = _crf_for(store, params, prompt, mixes=seen is not None)
    missing = [image_id for image_id in store.ids if image_id not in files]
    if len(missing) == len(store.ids):
        raise InputError("holds no image of these maps", path=images, hint="give --images DIR")
    target = Path(out) / MAP_FILE
    refuse_overwrite(target, [store.path, *(image.file for image in files.values())])
    kept = Kept(target)
    is_drawn = prompt is not None or bool(store.meta.get("prompted"))
    steps = _Steps(
        images=files,
        crf=crf_of_maps,
        all_levels=all_levels,
        prompter=None if prompt is None else Prompter(prompt, store, files, kept),
        pictures=pictures,
        share=share or (PROMPTED_SHARE if is_drawn else SHARE),
        kept=kept,
    )
    digest = sha256_of(store.path)
    outcome = Outcome(str(store.path), format="maps", sha256=digest, rows_in=len(store))
    n_empty = 0
    with map_writer(target, _meta(store, digest, steps), force=force) as write:
        done = in_order(steps.refined, store.rows(), jobs)
        for found in counted(done, len(store), progress):
            if found is None:
                outcome.dropped["no image"] = outcome.dropped.get("no image", 0) + 1
                continue
            row, is_empty = found
            write(row)
            outcome.rows_out += 1
            n_empty += is_empty
    # From here on the file is complete, and nothing has to be computed again.
    kept.clear()
    output = {"path": str(target), "rows": outcome.rows_out, "sha256": sha256_of(target)}
    outcome.outputs.append(output)
    if steps.prompter is not None:
        outcome.notes += steps.prompter.notes
        outcome.summary = steps.prompter.summary
    if n_empty:
        what = f"{n_empty} maps have nothing above .5 that a model could be asked for"
        outcome.notes.append(f"{what}: they are as they were before it")
    if missing:
        outcome.status = "partial"
        outcome.error = _without_image(store, missing)
    return outcome


@dataclass(frozen=True, kw_only=True)
class _Steps:
    """What happens to each row of a map file."""

    images: Mapping[str, ImageRef]
    crf: CRFParams | None
    all_levels: bool
    prompter: Prompter | None
    pictures: Mapping[str, ImageRef]
    share: float
    kept: Kept

    def refined(self, row: StoredMaps) -> tuple[StoredMaps, bool] | None:
        """Return a row with its maps refined, and whether they marked nothing for a prompt model.

        None where there is no image of it.
        """
        image_id = stem(row.stimulus)
        image = self.images.get(image_id)
        if image is None:
            return None
        own = row.as_uint8()
        new = own.copy()
        if self.crf is not None:
            first = 0 if self.all_levels else len(own) - 1
            refined = refine_on(row.as_float32()[first:], image, self.crf, self.kept)
            new[first:] = np.rint(refined * 255)
        is_empty = False
        if self.prompter is not None:
            drawn = self.prompter.refine(row, new[-1])
            is_empty = drawn is None
            new[-1] = new[-1] if drawn is None else drawn
        if self.pictures:
            probability = read_image(self.pictures[image_id], "L", own.shape[1:])
            # What a prompt model drew stands alone beside the networks, without the map before it.
            before = own[-1] if self.prompter is None else new[-1]
            new[-1] = mixed(before, new[-1], probability, self.share)
        return replace(row, values=new), is_empty


def _meta(store: MapStore, digest: str, steps: _Steps) -> dict[str, Any]:
    """Return how the new maps were made."""
    own = {"file": store.path.name, "sha256": digest}
    meta = {**store.meta, "maps": own}
    if steps.crf is not None:
        meta["crf"] = asdict(steps.crf)
        meta["crf_levels"] = "all" if steps.all_levels else "last"
    elif isinstance(store.meta.get("maps"), dict):
        # The maps that all began with stay named.
        meta |= {"maps": store.meta["maps"], "refined_from": own}
    if steps.prompter is not None:
        meta["prompted"] = steps.prompter.meta
    if steps.pictures:
        meta["probabilities_share"] = steps.share
        # That the networks never saw the image, nobody but the user can know.
        digests = sorted(sha256_of(picture.file) for picture in steps.pictures.values())
        joined = hashlib.sha256("".join(digests).encode()).hexdigest()
        meta["probabilities"] = {"images": len(digests), "sha256": joined}
    return meta


def _probabilities(
    seen: Path, store: MapStore, files: Mapping[str, ImageRef]
) -> dict[str, ImageRef]:
    """Return the pictures of what networks saw, one for each image that has maps.

    Raises
    ------
    InputError
        One is missing, or is no gray picture of 8 bits.
    """
    # gradtrack-predict writes masks to the folder that it is given, and probabilities below it.
    if (seen / "probabilities").is_dir():
        seen = seen / "probabilities"
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
    used = [pictures[image_id] for image_id in store.ids if image_id in pictures]
    if used and all(_is_a_mask(picture) for picture in used[:_LOOKED_AT]):
        what = "holds masks and no probabilities: all is 0 or 255"
        raise InputError(what, path=seen, hint=hint.format("them"))
    return pictures


def _is_a_mask(picture: ImageRef) -> bool:
    return bool(np.isin(read_image(picture, "L"), (0, 255)).all())


def _crf_for(
    store: MapStore, params: CRFParams | None, prompt: PromptOptions | None, *, mixes: bool
) -> CRFParams | None:
    """Return the CRF that maps go through: none where they are to be prompted as they are.

    Raises
    ------
    ConfigError
        They are not calibrated, or have been refined before in the same way.
    """
    recorded = store.meta.get("params")
    kind = recorded.get("kind", "unknown") if isinstance(recorded, dict) else "unknown"
    check_calibrated(str(kind))
    shown = quote(store.path, 80)
    if store.meta.get("prompted"):
        # Networks that learned from what a model drew may be mixed into it, once.
        is_asked_more = prompt is not None or params is not None
        if is_asked_more or not mixes or store.meta.get("probabilities_share"):
            what = f"{shown} was drawn by a prompt model already"
            raise ConfigError(what, hint="refine the maps it was made of")
        return None
    if store.meta.get("crf"):
        if prompt is None:
            what = f"{shown} went through a CRF already"
            raise ConfigError(what, hint="refine the maps it was made of")
        if params is not None:
            what = f"{shown} went through a CRF already: a prompt model takes it as it is"
            raise ConfigError(what, hint="leave the settings of the CRF out")
        return None
    if prompt is not None and not prompt.crf:
        if params is not None:
            raise ConfigError("settings of a CRF, and no CRF", hint="leave one of the two out")
        return None
    return params or CRFParams()


def _without_image(store: MapStore, missing: Sequence[str]) -> InputError:
    shown = ", ".join(quote(name, 30) for name in missing[:_NAMED])
    if len(missing) > _NAMED:
        shown += ", …"
    what = f"no image for {len(missing)} of {len(store.ids)} maps: {shown}"
    return InputError(what, path=store.path, hint="add the images")
