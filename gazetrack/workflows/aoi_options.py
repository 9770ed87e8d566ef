"""How looks at areas of interest are measured: what a user may choose."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, did_you_mean
from gazetrack.images.folder import find_images, image_size
from gazetrack.measures.hits import Margin
from gazetrack.measures.stated import read_trials
from gazetrack.tables.placement import check_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class AoiOptions:
    """How looks at areas of interest are measured.

    Parameters
    ----------
    margin : Margin
        How far from an area a fixation still counts for it; not at all by default.
    max_gap_ms : float
        The longest time between two fixations of one visit, in milliseconds; any by default.
    placement : str or None
        Rule for gaze in screen pixels, see `gazetrack.tables.placing.place_by_rule`.
    sizes : mapping of str to (int, int)
        Width and height of images in pixels, by their names without suffix; for placements, where
        the file of the areas does not say how large an image is.
    stated : pandas.DataFrame or None
        The trials, as `gazetrack.measures.stated.read_trials` gives them; those of the tables
        themselves by default.
    eye : {"auto", "left", "right"}
        Whose fixations count where a table has those of each eye.
    """

    margin: Margin = field(default_factory=Margin)
    max_gap_ms: float = np.inf
    placement: str | None = None
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    stated: pd.DataFrame | None = None
    eye: str = "auto"

    def facts(self) -> dict[str, Any]:
        """Return what was asked for as JSON values."""
        return {
            "margin": asdict(self.margin),
            "max_gap_ms": None if np.isinf(self.max_gap_ms) else self.max_gap_ms,
            "placement": self.placement,
            "trials": "stated" if self.stated is not None else "of the fixation tables",
            "eye": self.eye,
        }


class AoiChoices(TypedDict, total=False):
    """What a user may choose when measuring areas, as keyword arguments."""

    margin_px: float
    margin_deg: float | None
    max_gap_ms: float
    placement: str | None
    images: str | Path | None
    trials: Sequence[str | Path] | str | Path | None
    eye: str


def aoi_options(**choices: Unpack[AoiChoices]) -> AoiOptions:
    """Return the options that a user chose.

    Parameters
    ----------
    **choices
        ``margin_px`` or ``margin_deg``, ``max_gap_ms``, ``placement``, ``images`` (a folder, for
        the sizes of its images), ``trials`` (tables of trials or samples), ``eye``.

    Raises
    ------
    TypeError
        There is no such option.
    GazetrackError
        A value cannot be, or a folder or table cannot be read.
    """
    _refuse_unknown(choices)
    images = choices.get("images")
    trials = choices.get("trials")
    max_gap_ms = choices.get("max_gap_ms", np.inf)
    if not max_gap_ms >= 0:
        raise ConfigError(f"max_gap_ms={max_gap_ms}", hint="give milliseconds, 0 or more")
    rule = choices.get("placement")
    if rule is not None:
        check_rule(rule)
    paths = [trials] if isinstance(trials, str | Path) else list(trials or ())
    return AoiOptions(
        margin=Margin(px=choices.get("margin_px", 0.0), deg=choices.get("margin_deg")),
        max_gap_ms=max_gap_ms,
        placement=rule,
        sizes={} if images is None else _sizes(images),
        stated=pd.concat(map(read_trials, paths), ignore_index=True) if paths else None,
        eye=choices.get("eye", "auto"),
    )


def _refuse_unknown(choices: Mapping[str, Any]) -> None:
    """Refuse options that there are not, as Python does, and name the nearest."""
    known = list(AoiChoices.__annotations__)
    for name in choices:
        if name in known:
            continue
        begins = next((one for one in known if one.startswith(name)), "")
        meant = f"did you mean {begins!r}? " if begins else did_you_mean(name, known)
        what = f"unexpected keyword argument {name!r}: {meant}known are {', '.join(known)}"
        raise TypeError(what)


def _sizes(images: str | Path) -> dict[str, tuple[int, int]]:
    return {image_id: image_size(image) for image_id, image in find_images(images).items()}
