"""What maps, probabilities and steps have to be so that they can be refined together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.images.folder import find_images, is_gray, read_image
from gazetrack.maps.parameters import CRFParams
from gazetrack.workflows.refining import check_calibrated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gazetrack.images.reference import ImageRef
    from gazetrack.maps.store import MapStore
    from gazetrack.workflows.prompting import PromptOptions

_NAMED = 3  # of images that are missing
_LOOKED_AT = 20  # pictures, to tell probabilities from masks


def probabilities_of(
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


def crf_for(
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


def without_image(store: MapStore, missing: Sequence[str]) -> InputError:
    """Return the error about maps that have no image, a few of which it names."""
    shown = ", ".join(quote(name, 30) for name in missing[:_NAMED])
    if len(missing) > _NAMED:
        shown += ", …"
    what = f"no image for {len(missing)} of {len(store.ids)} maps: {shown}"
    return InputError(what, path=store.path, hint="add the images")
