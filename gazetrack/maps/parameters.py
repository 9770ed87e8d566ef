"""How a track becomes maps: kinds, parameters and presets, for whoever only has to name them.

Nothing heavy is imported here, so that a command's help and a configuration file can use these
classes as they are; `gazetrack.maps.render` computes what they say.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("tube", "density", "disc", "hull", "gaussian", "heatmap", "gazemedseg", "linear")
# They count dwell time wherever it was: nothing is dropped from their start unless asked for.
HEATMAPS = ("heatmap", "gazemedseg")
# Their .5 contour is meant as the border of an object.
CALIBRATED = ("tube", "density", "disc", "hull")
TRUNCATIONS = ("tail", "head", "random", "shuffled", "none")
SHARES_OF = ("count", "time")
MAX_LEVELS = 64


@dataclass(frozen=True, kw_only=True)
class MapParams:
    """How a track becomes maps. Lengths are shares of s = sqrt(height x width) of the image.

    Parameters
    ----------
    kind : {"tube", "density", "disc", "hull", "gaussian", "heatmap", "gazemedseg", "linear"}
        ``tube``: logistic of the distance to the polyline through the fixations. ``density``: dwell
        time spread along that line, blurred. ``disc``: a tube around the fixations alone, without
        order. ``hull``: a logistic of the signed distance to their convex hull. Of these, .5 is the
        border. ``gaussian``: exp(-D^2 / 2 blur^2) of the distance D to the line. ``linear``: 1 - D
        / D_max. ``heatmap``: Gaussians at the fixations weighted by duration, scaled to 0 .. 1.
        ``gazemedseg``: the same as GazeMedSeg releases it, on a canvas of 768 x 768, `blur` being a
        share of that (70 / 768; 50 / 768 for prostates).
    levels : int
        Number of levels; level l of L keeps the share l/L of the track unless `ratios` says
        otherwise.
    ratios : tuple of float
        Shares of the track, increasing up to 1.
    truncation : {"tail", "head", "random", "shuffled", "none"}
        Which part of the track a level keeps.
    by : {"count", "time"}
        Whether a share counts fixations or accumulated duration.
    drop_first : int
        Fixations dropped from the start of tracks with at least four.
    min_duration_ms : float
        Fixations shorter than this are dropped.
    radius : float
        Of tube, disc and hull: distance of the border from the line, points or hull.
    softness : float
        Of tube, disc and hull: width of the logistic at the border.
    duration_exponent : float
        Exponent with which fixations longer than the track's median widen the tube; 0 for none.
    max_saccade : float
        Longer segments are left out; infinity for none. For images with several objects.
    blur : float
        Gaussian sigma of the density, gaussian and heatmap.
    threshold : float
        Of the density: border as a share of the maximum.
    width : float
        Of the density: width of the logistic at the border.
    seed : int
        Seed of the truncations ``random`` and ``shuffled``.

    Raises
    ------
    ConfigError
        A kind, truncation or unit that does not exist, or a number out of its range.
    """

    kind: str = "density"
    levels: int = 4
    ratios: tuple[float, ...] = ()
    truncation: str = "tail"
    by: str = "count"
    drop_first: int = 1
    min_duration_ms: float = 50.0
    radius: float = 0.05
    softness: float = 0.015
    duration_exponent: float = 0.0
    max_saccade: float = math.inf
    blur: float = 0.05
    threshold: float = 0.2
    width: float = 0.06
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"map kind {self.kind!r}", hint=f"use one of {', '.join(KINDS)}")
        if self.truncation not in TRUNCATIONS:
            choices = ", ".join(TRUNCATIONS)
            raise ConfigError(f"truncation {self.truncation!r}", hint=f"use one of {choices}")
        if not 1 <= self.levels <= MAX_LEVELS:
            raise ConfigError(f"{self.levels} levels", hint=f"use 1 to {MAX_LEVELS}")
        if self.drop_first < 0:
            raise ConfigError(f"drop-first {self.drop_first}", hint="use 0 or more")
        for name in ("radius", "softness", "blur", "width"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                hint = "use a positive share of the image size, such as 0.05"
                raise ConfigError(f"{name} {value}", hint=hint)
        for name in ("duration_exponent", "threshold", "max_saccade", "min_duration_ms"):
            value = getattr(self, name)
            if not value >= 0:
                raise ConfigError(f"{name} {value}", hint="use 0 or more")
        if not self.ratios:
            equal_steps = tuple((level + 1) / self.levels for level in range(self.levels))
            object.__setattr__(self, "ratios", equal_steps)
        if len(self.ratios) != self.levels:
            what = f"{len(self.ratios)} ratios for {self.levels} levels"
            raise ConfigError(what, hint="give one ratio per level")
        check_levels(self.ratios, self.truncation, self.by)

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values; infinity, which JSON lacks, as ``"inf"``."""
        return {name: _as_json(value) for name, value in asdict(self).items()}


def _as_json(value: Any) -> Any:
    if value == math.inf:
        return "inf"
    return list(value) if isinstance(value, tuple) else value


def check_levels(ratios: Sequence[float], truncation: str, by: str) -> None:
    """Check what says which fixations each level keeps.

    Parameters
    ----------
    ratios : sequence of float
        Share of the track that each level keeps.
    truncation : str
        Which part of the track that is, one of `TRUNCATIONS`.
    by : str
        What a share counts, one of `SHARES_OF`.

    Raises
    ------
    ConfigError
        An unknown truncation or unit, or ratios that do not increase within (0, 1].
    """
    if truncation not in TRUNCATIONS or by not in SHARES_OF:
        raise ConfigError(
            f"truncation {truncation!r} by {by!r}",
            hint=f"use {'|'.join(TRUNCATIONS)} by {'|'.join(SHARES_OF)}",
        )
    within = all(0 < ratio <= 1 for ratio in ratios)
    if not ratios or not within or list(ratios) != sorted(ratios):
        hint = "give increasing numbers above 0 and up to 1"
        raise ConfigError(f"level ratios {tuple(ratios)}", hint=hint)


# Chosen on validation images, see benchmarks/map_quality.py: Kvasir-SEG's val.txt, some of
# NCI-ISBI's cases.
PRESETS = {
    "polyp": MapParams(kind="density", threshold=0.17),
    "prostate": MapParams(kind="hull", radius=0.024),
    "gazemedseg": MapParams(
        kind="gazemedseg", levels=1, drop_first=0, min_duration_ms=0, blur=70 / 768
    ),
}


def map_params(preset: str | None = None, **changes: Any) -> MapParams:
    """Return the parameters of a preset, or the defaults, with those changes that are not None.

    Parameters
    ----------
    preset : {"polyp", "prostate", "gazemedseg"}, optional
        A key of `PRESETS`; without it, the defaults of `MapParams`.
    **changes
        Fields of `MapParams`; `ratios` alone also sets the number of levels, and a `kind` of
        heatmap alone keeps the first fixation too.

    Returns
    -------
    MapParams

    Raises
    ------
    ConfigError
        An unknown preset; and what `MapParams` raises.

    Examples
    --------
    >>> map_params("prostate", levels=2).ratios
    (0.5, 1.0)
    """
    if preset is not None and preset not in PRESETS:
        raise ConfigError(f"preset {preset!r}", hint=f"use one of {', '.join(PRESETS)}")
    given = {name: value for name, value in changes.items() if value is not None}
    if given.get("ratios"):
        given.setdefault("levels", len(given["ratios"]))
    if given.get("kind") in HEATMAPS:
        given.setdefault("drop_first", 0)
    # A preset's ratios fit its own number of levels alone.
    given.setdefault("ratios", ())
    return replace(PRESETS[preset] if preset else MapParams(), **given)


@dataclass(frozen=True, kw_only=True)
class CRFParams:
    """Parameters of the dense CRF.

    Parameters
    ----------
    position_px : float
        Standard deviation in position, pixels of the image.
    colour : float
        Standard deviation in colour, 0 to 255.
    weight : float
        Weight of the bilateral term; 3 to 5 for calibrated maps.
    iterations : int
        Number of steps of mean field.
    smooth_weight : float
        Weight of the smoothing term; 0 for none.
    smooth_px : float
        Standard deviation in position of the smoothing term, pixels of the image.
    """

    position_px: float = 80.0
    colour: float = 13.0
    weight: float = 3.0
    iterations: int = 10
    smooth_weight: float = 0.0
    smooth_px: float = 3.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name == "smooth_weight" and value == 0:
                continue
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"CRF {name} = {value}", hint="use a positive number")

    def resized(self, scale: float) -> CRFParams:
        """Return the parameters for an image of `scale` times the size.

        Lengths in pixels grow with it.
        """
        return replace(self, position_px=self.position_px * scale, smooth_px=self.smooth_px * scale)


# Chosen on the 90 images of Kvasir-SEG's val.txt. There is none for MRI, where a CRF makes maps
# worse.
CRF_PRESETS = {"polyp": CRFParams(position_px=50, weight=5)}


def crf_params(preset: str | None = None, **changes: float | None) -> CRFParams:
    """Return the parameters of a preset, with those changes that are not None.

    Where there is no such preset for the CRF, they are the defaults.

    Parameters
    ----------
    preset : str, optional
        Name of a kind of image, a key of `CRF_PRESETS`.
    **changes
        Fields of `CRFParams` that differ from the preset; None leaves one as it is.

    Returns
    -------
    CRFParams

    Examples
    --------
    >>> crf_params("polyp").position_px
    50
    """
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(CRF_PRESETS.get(preset or "", CRFParams()), **given)
