"""Every way to compare two scanpaths, by name: what it measures, in which unit, of whom.

A method has one measure or more. A similarity is 1 for a path and itself (100 where it is in
percent), a distance 0. Fixations without a position are left out, and where a path has too few of
them, the values are NaN, for a reason that is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, SchemaError, did_you_mean, quote, refuse_no_count
from gazetrack.measures import distances, multimatch, recurrence, regions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from gazetrack.maps.track import Track
    from gazetrack.measures.aois import AoiSet

    Floats = npt.NDArray[np.float64]
    Values = tuple[float, ...]

# Sizes of one image went through float32, or were rounded to whole pixels.
SAME_SIZE = 1e-3


@dataclass(frozen=True, kw_only=True)
class ScanpathOptions:
    """What the methods need to know beside the fixations.

    Parameters
    ----------
    grid : (int, int)
        Columns and rows of cells that an image is cut into, for ScanMatch and Levenshtein.
    aois : AoiSet, optional
        Areas of interest, as `gazetrack.read_aois` gives them, in place of the cells for
        Levenshtein.
    bin_ms : float
        Length of a letter of ScanMatch's words in milliseconds; 0 is a letter a fixation.
    threshold_cells : float
        Of ScanMatch: how many cells apart two fixations are still alike.
    gap : float
        Of ScanMatch: what a fixation that faces none adds to the score, 0 or less.
    amplitude_px, direction_deg, duration_ms : float
        MultiMatch's simplification: shortest saccade, least turn and shortest fixation; 0 is none.
    radius_px : float
        Of recurrence: how far apart two fixations are still at the same place, in pixels.
    line : int
        Of recurrence: how many recurrences in a row are a line.
    stretch : int
        Of time-delay embedding: how many fixations in a row are compared.
    seed : int
        Of the random paths that Mannan's similarity takes for chance.
    """

    grid: tuple[int, int] = (12, 8)
    aois: AoiSet | None = None
    bin_ms: float = 50.0
    threshold_cells: float = 3.5
    gap: float = 0.0
    amplitude_px: float = 0.0
    direction_deg: float = 0.0
    duration_ms: float = 0.0
    radius_px: float = recurrence.RADIUS_PX
    line: int = recurrence.LINE
    stretch: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        positive = {"radius_px": self.radius_px, "bin_ms": self.bin_ms}
        positive |= {"amplitude_px": self.amplitude_px, "duration_ms": self.duration_ms}
        positive |= {"direction_deg": self.direction_deg}
        for name, value in positive.items():
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name}={value:g}", hint="use 0 or more")
        if not (math.isfinite(self.threshold_cells) and self.threshold_cells > 0):
            raise ConfigError(f"threshold_cells={self.threshold_cells:g}", hint="use more than 0")
        if not (math.isfinite(self.gap) and self.gap <= 0):
            raise ConfigError(f"gap={self.gap:g}", hint="use 0 or less")
        refuse_no_count(self.line, "line", 1)
        refuse_no_count(self.stretch, "stretch", 1)
        refuse_no_count(self.seed, "seed")
        for side, n_cells in zip(("columns", "rows"), self.grid, strict=True):
            refuse_no_count(n_cells, f"grid {side}", 1)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number that a method gives.

    Parameters
    ----------
    name : str
        What it is called beside its method.
    unit : str
        ``px``, ``%``, or empty for a share or a count.
    equal : float
        Its value for a path and itself; NaN where that depends on the path.
    """

    name: str
    unit: str = ""
    equal: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to compare two scanpaths.

    Parameters
    ----------
    compare : callable
        Gives its values from two tracks and the options, in the order of the measures.
    measures : tuple of Measure
        What each value is called, and its unit.
    least : int
        Fewest fixations of each path.
    """

    compare: Callable[[Track, Track, ScanpathOptions], Values]
    measures: tuple[Measure, ...]
    least: int = 1


def _places(track: Track) -> Floats:
    return np.column_stack([track.x, track.y])


def _of_places(distance: Callable[[Floats, Floats], float]) -> Callable[..., Values]:
    """Return a method's function of one that compares positions alone."""

    def compare(a: Track, b: Track, options: ScanpathOptions) -> Values:  # noqa: ARG001
        return (distance(_places(a), _places(b)),)

    return compare


def _multimatch(a: Track, b: Track, options: ScanpathOptions) -> Values:
    return multimatch.multimatch(
        a,
        b,
        amplitude_px=options.amplitude_px,
        direction_deg=options.direction_deg,
        duration_ms=options.duration_ms,
    )


def _scanmatch(a: Track, b: Track, options: ScanpathOptions) -> Values:
    grid = options.grid
    word_a = regions.grid_word(a, grid, options.bin_ms)
    word_b = regions.grid_word(b, grid, options.bin_ms)
    threshold = options.threshold_cells
    return (regions.scanmatch(word_a, word_b, grid, threshold=threshold, gap=options.gap),)


def _levenshtein(a: Track, b: Track, options: ScanpathOptions) -> Values:
    if options.aois is None:
        word_a = regions.grid_word(a, options.grid)
        return regions.levenshtein(word_a, regions.grid_word(b, options.grid))
    of_areas = regions.aoi_word(a, options.aois), regions.aoi_word(b, options.aois)
    if of_areas[0] is None or of_areas[1] is None:
        return math.nan, math.nan
    return regions.levenshtein(of_areas[0], of_areas[1])


def _dtw(a: Track, b: Track, options: ScanpathOptions) -> Values:  # noqa: ARG001
    return distances.dtw(_places(a), _places(b))


def _mannan(a: Track, b: Track, options: ScanpathOptions) -> Values:
    distance = distances.mannan(_places(a), _places(b), a.width, a.height)
    lengths = (len(a), len(b))
    return distance, distances.mannan_similarity(distance, lengths, a.width, a.height, options.seed)


def _tde(a: Track, b: Track, options: ScanpathOptions) -> Values:
    return (distances.time_delay_embedding(_places(a), _places(b), options.stretch),)


def _cross_recurrence(a: Track, b: Track, options: ScanpathOptions) -> Values:
    return recurrence.cross_recurrence(_places(a), _places(b), options.radius_px, options.line)


_PX = Measure(name="distance", unit="px")
_LIKE = Measure(name="similarity", equal=1.0)

METHODS: dict[str, Method] = {
    "multimatch": Method(
        compare=_multimatch,
        measures=tuple(Measure(name=name, equal=1.0) for name in multimatch.MultiMatch._fields),
        least=multimatch.LEAST_FIXATIONS,
    ),
    "scanmatch": Method(compare=_scanmatch, measures=(_LIKE,)),
    "levenshtein": Method(compare=_levenshtein, measures=(Measure(name="distance"), _LIKE)),
    "dtw": Method(compare=_dtw, measures=(_PX, Measure(name="mean", unit="px"))),
    "frechet": Method(compare=_of_places(distances.frechet), measures=(_PX,)),
    "hausdorff": Method(compare=_of_places(distances.hausdorff), measures=(_PX,)),
    "mannan": Method(
        compare=_mannan,
        measures=(Measure(name="distance"), Measure(name="similarity", unit="%", equal=100.0)),
    ),
    "eyenalysis": Method(compare=_of_places(distances.eyenalysis), measures=(_PX,)),
    "tde": Method(compare=_tde, measures=(_PX,)),
    "cross_recurrence": Method(
        compare=_cross_recurrence,
        measures=tuple(
            Measure(name=name, unit="%", equal=math.nan) for name in recurrence.Recurrence._fields
        ),
    ),
}
DEFAULT_METHODS = tuple(METHODS)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One measure of two scanpaths.

    Parameters
    ----------
    method, measure, unit : str
        What was measured, and its unit.
    value : float
        NaN where there is none.
    reason : str
        Why there is no value; else empty.
    """

    method: str
    measure: str
    unit: str
    value: float
    reason: str = ""


def check_methods(methods: str | Sequence[str]) -> tuple[str, ...]:
    """Return the methods, each once; refuse unknown ones.

    Raises
    ------
    ConfigError
        One is unknown, or there are none.
    """
    methods = [methods] if isinstance(methods, str) else methods
    for name in methods:
        if name not in METHODS:
            hint = f"{did_you_mean(name, METHODS)}known are {', '.join(METHODS)}"
            raise ConfigError(f"unknown method {quote(name)!r}", hint=hint)
    if not methods:
        raise ConfigError("no method to compare scanpaths", hint=f"use one of {', '.join(METHODS)}")
    return tuple(dict.fromkeys(methods))


def compare_tracks(
    a: Track,
    b: Track,
    methods: str | Sequence[str] = DEFAULT_METHODS,
    options: ScanpathOptions | None = None,
) -> list[Compared]:
    """Compare two scanpaths by some methods.

    Parameters
    ----------
    a, b : Track
        Fixations on the same stimulus; those without a position are left out.
    methods : str or sequence of str
        Names of methods, as in `METHODS`.
    options : ScanpathOptions, optional
        What the methods need to know.

    Returns
    -------
    list of Compared
        A row per measure, in the order of the methods.

    Raises
    ------
    SchemaError
        The paths are on different stimuli, or on one of different sizes.
    ConfigError
        A method is unknown, or an option makes no sense.
    """
    _refuse_apart(a, b)
    options = options or ScanpathOptions()
    known_a = _known(a)
    known_b = _known(b)
    n_least = min(len(known_a), len(known_b))
    found = []
    for name in check_methods(methods):
        method = METHODS[name]
        least = max(method.least, options.stretch) if name == "tde" else method.least
        reason = ""
        if n_least < least:
            reason = "no fixations" if least == 1 else f"fewer than {least} fixations"
            values: Values = (math.nan,) * len(method.measures)
        else:
            values = method.compare(known_a, known_b, options)
        found += [
            Compared(
                method=name,
                measure=measure.name,
                unit=measure.unit,
                value=value,
                reason=reason or _why_missing(name, value),
            )
            for measure, value in zip(method.measures, values, strict=True)
        ]
    return found


# What else than too few fixations makes a method give NaN.
_REASONS = {
    "cross_recurrence": "no recurrence",
    "scanmatch": "no fixation lasts half a bin",
    "levenshtein": "no areas of interest on the stimulus",
}


def _known(track: Track) -> Track:
    return track.take(np.isfinite(track.x) & np.isfinite(track.y))


def _why_missing(method: str, value: float) -> str:
    """Return why a method gave NaN though there are fixations enough."""
    if not math.isnan(value):
        return ""
    return _REASONS.get(method, "no value")


def _refuse_apart(a: Track, b: Track) -> None:
    if a.stimulus != b.stimulus:
        both = f"{quote(a.stimulus, 40)!r} and {quote(b.stimulus, 40)!r}"
        hint = "compare those on the same one"
        raise SchemaError(f"scanpaths on different stimuli: {both}", hint=hint)
    wider = abs(a.width - b.width) > SAME_SIZE * a.width
    higher = abs(a.height - b.height) > SAME_SIZE * a.height
    if wider or higher:
        shown = f"{a.width:g} x {a.height:g} px and {b.width:g} x {b.height:g} px"
        what = f"scanpaths on {quote(a.stimulus, 40)!r} in two sizes: {shown}"
        hint = "bring them to the pixels of the image: give images, and a placement"
        raise SchemaError(what, hint=hint)
