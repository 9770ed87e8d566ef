"""Gaze track maps: a track rendered at several levels.

Each level is a soft map in [0, 1]; of calibrated kinds, its .5 contour is the border. Levels follow
GradTrack's reverse truncation: the first level is the core (the last fixations), the last the full
track. They are nested as sets of fixations, whatever the truncation. As maps, each at least as high
as the one before it everywhere, those of discs and hulls are nested, and those of tubes and
``gaussian`` but for the truncation ``random``, whose line takes other ways when fixations are put
into its middle. Kinds that each level scales by its own extremes are not nested as maps: density,
heatmap, gazemedseg, linear.

The formulas are our reading of the method (Wang et al., MICCAI 2025, arXiv 2505.22230), which
publishes none.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.cards import card, levels_png
from gazetrack.errors import ConfigError, refuse_other_type
from gazetrack.maps import kinds
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.points import Points, widening
from gazetrack.maps.track import Track, clean, cleaned_out, level_members
from gazetrack.tables.stimulus import MAX_IMAGE_PX

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Maps = npt.NDArray[np.float32]

# Of all levels together: four of the largest image, one gigabyte as float32.
MAX_PYRAMID_PX = 4 * MAX_IMAGE_PX
_ROWS = 256


# Two are equal where they are the same: arrays have no one answer to whether they are equal.
@dataclass(frozen=True, eq=False)
class TrackMaps:
    """The maps of one track.

    Parameters
    ----------
    track : Track
        The cleaned track, on the image size of the maps.
    params : MapParams
        Kind, levels and lengths that it was rendered with.
    values : ndarray of float32, shape (L, H, W)
        In [0, 1]; the first level is the core, the last the full track.
    """

    track: Track
    params: MapParams
    values: Maps

    def as_uint8(self) -> npt.NDArray[np.uint8]:
        """Return the maps as 0..255, the form they are stored in."""
        return as_uint8(self.values)

    def __repr__(self) -> str:
        levels, height, width = self.values.shape
        of = f"of {self.track.stimulus!r} from {len(self.track)} fixations"
        return f"<TrackMaps {of}: {levels} {self.params.kind} levels, {height} x {width}>"

    def _repr_html_(self) -> str:
        levels, height, width = self.values.shape
        facts = {
            "kind": self.params.kind,
            "levels": f"{levels}: {', '.join(level_titles(self.params))}",
            "size": f"{height} x {width} px (height x width)",
            "fixations": f"{len(self.track):,}",
            "above .5": f"{100 * float(np.mean(self.values[-1] >= 0.5)):.1f} % of the last level",
        }
        title = f"Track maps of {self.track.stimulus}"
        return card(title, facts, levels_png(self.as_uint8()))


def as_uint8(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return values in [0, 1], shape (L, H, W), as 0..255."""
    # A few rows at a time: of large images, a second copy as float would fill the memory.
    out = np.empty(values.shape, np.uint8)
    for level, whole in zip(out, values, strict=True):
        for first in range(0, len(whole), _ROWS):
            rows = slice(first, first + _ROWS)
            level[rows] = np.rint(whole[rows] * 255)
    return out


def pool(observers: Sequence[TrackMaps]) -> TrackMaps:
    """Return the mean of several observers' maps of one image.

    Each observer's maps are rendered from their own track, in its own order.

    Parameters
    ----------
    observers : sequence of TrackMaps
        Of one size and with the same parameters, at least one.

    Returns
    -------
    TrackMaps
        Its track holds the fixations of all, one observer after the other.

    Raises
    ------
    ConfigError
        They differ in size.
    """
    if len({maps.values.shape for maps in observers}) > 1:
        what = f"maps of several sizes for {observers[0].track.stimulus!r} cannot be pooled"
        raise ConfigError(what, hint="give --images DIR or --size")
    tracks = [maps.track for maps in observers]

    def names(key: str) -> str:
        """Return the tracks' names of one kind, each once."""
        held = [getattr(track, key) for track in tracks]
        return ", ".join(name for name in dict.fromkeys(held) if name)

    track = replace(
        tracks[0],
        recording=names("recording"),
        trial=names("trial"),
        participant=names("participant"),
        x=np.concatenate([track.x for track in tracks]),
        y=np.concatenate([track.y for track in tracks]),
        duration_ms=np.concatenate([track.duration_ms for track in tracks]),
        visit=None,
    )
    values = np.asarray(np.mean([maps.values for maps in observers], axis=0), np.float32)
    return TrackMaps(track, observers[0].params, values)


def level_titles(params: MapParams) -> list[str]:
    """Return in words what each level keeps, such as ``last 25 %``."""
    words = {
        "tail": "last {}",
        "head": "first {}",
        "random": "random {}",
        "shuffled": "shuffled {}",
        "none": "all",
    }
    titles = []
    for ratio in params.ratios:
        share = f"{100 * ratio:.3g} %"
        titles.append("all" if ratio == 1 else words[params.truncation].format(share))
    return titles


def prepare(track: Track, params: MapParams) -> Track:
    """Return the track without the fixations that `params` leaves out of every level."""
    return clean(track, min_duration_ms=params.min_duration_ms, drop_first=params.drop_first)


def left_out(track: Track, params: MapParams) -> dict[str, int]:
    """Return how many fixations of the track `prepare` drops, by reason.

    Reasons that hold for none of them are not listed.
    """
    found = cleaned_out(track, min_duration_ms=params.min_duration_ms, drop_first=params.drop_first)
    return {reason: int(which.sum()) for reason, which in found.items() if which.any()}


def render_maps(
    track: Track, params: MapParams | None = None, size: tuple[int, int] | None = None
) -> TrackMaps:
    """Render one track at every level.

    Parameters
    ----------
    track : Track
        As built from a fixation table; it is cleaned here.
    params : MapParams, optional
        How a track becomes maps; by default four levels of `density`.
    size : (height, width), optional
        Size of the maps; the image's own by default.

    Returns
    -------
    TrackMaps
        Maps of zeros when no fixation is left.

    Raises
    ------
    ConfigError
        A size that is not positive or above 64 million pixels.

    Examples
    --------
    >>> track = gazetrack.tracks("raw.fixations.parquet")[0]  # doctest: +SKIP
    >>> params = gazetrack.MapParams(kind="hull", levels=2)  # doctest: +SKIP
    >>> gazetrack.render_maps(track, params).values.shape  # doctest: +SKIP
    (2, 480, 640)
    """
    hint = "give one of those that gazetrack.tracks(fixations) returns"
    refuse_other_type(track, Track, "the track", hint)
    params = params or MapParams()
    hint = 'give gazetrack.MapParams(kind="hull", levels=4), or leave them out'
    refuse_other_type(params, MapParams, "params", hint)
    height, width = size or (round(track.height), round(track.width))
    kept = prepare(track, params).scaled(width, height)
    size = (height, width)
    values = render_points(kept.x, kept.y, kept.duration_ms, size, params, visit=kept.visit)
    return TrackMaps(kept, params, values)


def render_batch(
    tracks: Sequence[Track],
    size: tuple[int, int],
    params: MapParams | None = None,
    *,
    jobs: int = 1,
) -> Maps:
    """Render many tracks at one size, for a trainer: no storage, and no result but the arrays.

    Parameters
    ----------
    tracks : sequence of Track
        Tracks as built from fixation tables; they are cleaned here.
    size : (height, width)
        Size of all maps in pixels.
    params : MapParams, optional
        How a track becomes maps; by default four levels of `density`.
    jobs : int
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (B, L, H, W)
    """
    params = params or MapParams()
    check_size(*size, params.levels)
    out = np.empty((len(tracks), params.levels, *size), np.float32)

    def render(i: int) -> None:
        out[i] = render_maps(tracks[i], params, size).values

    if jobs <= 1:
        for i in range(len(tracks)):
            render(i)
        return out
    # Threads are enough: the kernels release the interpreter's lock, and each writes its own part.
    with ThreadPoolExecutor(jobs) as threads:
        for rendered in [threads.submit(render, i) for i in range(len(tracks))]:
            rendered.result()
    return out


def render_points(
    x: Floats,
    y: Floats,
    duration_ms: Floats,
    size: tuple[int, int],
    params: MapParams,
    *,
    visit: npt.NDArray[np.int64] | None = None,
) -> Maps:
    """Render fixations that are already cleaned, for example after an augmentation has moved them.

    Parameters
    ----------
    x, y : ndarray, shape (N,)
        Positions in pixels of the map; they may lie outside.
    duration_ms : ndarray, shape (N,)
        How long each fixation lasts, in milliseconds.
    size : (height, width)
        Size of the maps in pixels.
    params : MapParams
        How they become maps; what it says of cleaning is not asked here.
    visit : ndarray of int, shape (N,), optional
        Which visit of an area each fixation belongs to: lines stay within a visit, see
        `gazetrack.maps.track.Track.within`. Without it, lines join all fixations.

    Returns
    -------
    ndarray of float32, shape (L, H, W)
        One map in [0, 1] per level, the core first.
    """
    check_size(*size, params.levels)
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(duration_ms)
    duration_ms = duration_ms[known]
    factors = widening(duration_ms, params.duration_exponent)
    visits = np.zeros(len(x)) if visit is None else visit.astype(np.float64)
    fixations = np.stack([x[known], y[known], duration_ms, factors, visits[known]])
    members = level_members(
        duration_ms, params.ratios, truncation=params.truncation, by=params.by, seed=params.seed
    )
    if params.truncation == "tail":
        # Levels are suffixes of one track: what the longest costs is shared by all.
        firsts = [len(duration_ms) - len(kept) for kept in members]
        return _render(fixations, firsts, size, params)
    return np.concatenate([_render(fixations[:, kept], [0], size, params) for kept in members])


def check_size(height: int, width: int, levels: int = 1) -> None:
    """Refuse maps of a size that is not possible, before anything is allocated or written.

    Raises
    ------
    ConfigError
        They are empty, or have too many pixels each or together.
    """
    if not (height > 0 and width > 0 and height * width <= MAX_IMAGE_PX):
        raise ConfigError(
            f"maps of {height} x {width} px",
            hint=f"use at least 1 x 1 and at most {MAX_IMAGE_PX:,} pixels",
        )
    if height * width * levels > MAX_PYRAMID_PX:
        what = f"{levels} maps of {height} x {width} px"
        hint = f"at most {MAX_PYRAMID_PX:,} pixels in all: give a smaller --size, or fewer --levels"
        raise ConfigError(what, hint=hint)


def _render(fixations: Floats, firsts: list[int], size: tuple[int, int], p: MapParams) -> Maps:
    """Render levels that are suffixes of the same fixations.

    The parameters' shares of the image size become pixels here. Fixations [5, N] are their x, y,
    duration, widening and visit; `firsts` has each level's first fixation.
    """
    x, y, duration_ms, factors, visit = fixations
    s = math.sqrt(size[0] * size[1])
    joined = np.zeros(len(x), np.bool_)
    if p.kind != "disc":
        joined[:-1] = np.hypot(np.diff(x), np.diff(y)) <= p.max_saccade * s
        joined[:-1] &= np.diff(visit) == 0
    points = Points(
        x=x,
        y=y,
        duration_ms=duration_ms,
        widening=factors,
        joined=joined,
        firsts=np.array(firsts, np.int64),
        size=size,
    )
    if p.kind in ("tube", "disc"):
        return kinds.tube(points, p.radius * s, p.softness * s)
    if p.kind == "density":
        return kinds.density(points, p.blur * s, p.threshold, p.width)
    if p.kind == "hull":
        return kinds.hull(points, p.radius * s, p.softness * s)
    if p.kind == "gazemedseg":
        return kinds.gazemedseg(points, p.blur)
    if p.kind == "heatmap":
        return kinds.heatmap(points, p.blur * s)
    if p.kind == "gaussian":
        return kinds.gaussian(points, p.blur * s)
    return kinds.linear(points)
