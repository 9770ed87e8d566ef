"""One row of a map file refined on its image: by a CRF, by a prompt model, and by networks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.images.folder import image_size, read_image
from gazetrack.maps import crf
from gazetrack.maps.parameters import CALIBRATED
from gazetrack.publish import sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.parameters import CRFParams
    from gazetrack.maps.store import StoredMaps
    from gazetrack.sam.prompts import Looks
    from gazetrack.workflows.drawing import Drawer
    from gazetrack.workflows.unfinished import Kept

# Of the networks in a mix, beside the CRF and beside a prompt model. The first was chosen on
# Kvasir-SEG's validation images.
SHARE = 0.45
PROMPTED_SHARE = 0.35
_SURE = 0.03  # probabilities are kept this far from 0 and 1


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


def some_of(images: Sequence[ImageRef]) -> list[Path]:
    """Return the files of the first, middle and last of some images, which stand for all."""
    chosen = {0, len(images) // 2, len(images) - 1} if images else set()
    return [images[place].file for place in sorted(chosen)]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a map file with all that it is refined on; it may be sent to another process.

    Parameters
    ----------
    maps : StoredMaps
        The row as it is stored.
    image : ImageRef or None
        Its image; without one it is not refined.
    picture : ImageRef or None
        What networks saw in the image, as gray values.
    looks : Looks or None
        The fixations that it was made from, as far as they are known.
    """

    maps: StoredMaps
    image: ImageRef | None = None
    picture: ImageRef | None = None
    looks: Looks | None = None


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What happens to each row of a map file; it may be sent to another process.

    Parameters
    ----------
    crf : CRFParams or None
        The CRF that maps go through first.
    all_levels : bool
        Whether every level goes through it, or the last one.
    drawer : Drawer or None
        The prompt model that then draws the last level anew.
    share : float
        Of the networks in the mix, where a row has a picture of what they saw.
    kept : Kept
        Where results of the CRF are looked for, and kept.
    """

    crf: CRFParams | None
    all_levels: bool
    drawer: Drawer | None
    share: float
    kept: Kept


def refined_row(row: Row, steps: Steps) -> tuple[StoredMaps, bool] | None:
    """Refine the maps of one row.

    Parameters
    ----------
    row : Row
        The maps, and what they are refined on.
    steps : Steps
        What is done to them.

    Returns
    -------
    (StoredMaps, bool) or None
        The row with new maps, and whether the old ones marked nothing for a prompt model. None
        where there is no image of it.

    Raises
    ------
    InputError
        The image cannot be read, or the prompt model fails.
    """
    if row.image is None:
        return None
    own = row.maps.as_uint8()
    new = own.copy()
    if steps.crf is not None:
        first = 0 if steps.all_levels else len(own) - 1
        refined = refine_on(row.maps.as_float32()[first:], row.image, steps.crf, steps.kept)
        new[first:] = np.rint(refined * 255)
    is_empty = False
    if steps.drawer is not None:
        drawn = steps.drawer.draw(new[-1], row.image, row.looks)
        is_empty = drawn is None
        new[-1] = new[-1] if drawn is None else drawn
    if row.picture is not None:
        probability = read_image(row.picture, "L", own.shape[1:])
        # What a prompt model drew stands alone beside the networks, without the map before it.
        before = own[-1] if steps.drawer is None else new[-1]
        new[-1] = mixed(before, new[-1], probability, steps.share)
    return replace(row.maps, values=new), is_empty
