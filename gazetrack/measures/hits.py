"""Which fixations lie in which areas of interest, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, DataError, SchemaError, did_you_mean, quote
from gazetrack.measures.aois import EVERY, checked_on
from gazetrack.measures.reach import reach_share
from gazetrack.tables.stimulus import stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

    from gazetrack.measures.aois import AoiSet, StimulusAois
    from gazetrack.measures.trials import Trials

# Images are often shown at a size that was rounded to whole pixels, or cropped by a few.
MAX_ASPECT_ERROR = 0.02


@dataclass(frozen=True, kw_only=True)
class Margin:
    """How far from an area a fixation still counts for it.

    Parameters
    ----------
    px : float
        In pixels of the plane that the areas are given in; 0 or more.
    deg : float, optional
        In degrees of visual angle, in place of pixels.
    """

    px: float = 0.0
    deg: float | None = None

    def __post_init__(self) -> None:
        for value, unit in ((self.px, "px"), (self.deg or 0.0, "deg")):
            if not 0 <= value < np.inf:
                hint = "give 0 or more: areas grow by it"
                raise ConfigError(f"a margin of {value:g} {unit}", hint=hint)
        if self.deg is not None and self.px:
            raise ConfigError("a margin in px and in degrees", hint="give one of the two")


@dataclass(frozen=True)
class Hits:
    """The fixations of all trials on one stimulus, and the areas that they lie in.

    Parameters
    ----------
    aois : StimulusAois
        The areas of the stimulus; A of them.
    rows : ndarray of int, shape (T,)
        The trials on it: their rows in the frame of the trials.
    area_px2 : ndarray of float64, shape (A,)
        How large each area is, in square pixels.
    reach : ndarray of float64, shape (A, T)
        The share of the image of each trial in which a fixation counts for each area, margin
        included; NaN where the size of the one or the other is not known.
    trial : ndarray of int, shape (N,)
        Which of `rows` each fixation belongs to, 0 to T - 1, in increasing order.
    places : ndarray of int, shape (N,)
        Row of each fixation in the frame of the fixations.
    begin_ms, end_ms : ndarray of float64, shape (N,)
        When each fixation begins and ends, in milliseconds from the start of its trial.
    in_aoi_ms : ndarray of float64, shape (A, N)
        How long each fixation lay in each area while the area was there; 0 where it did not.
    """

    aois: StimulusAois
    rows: Places
    area_px2: Floats
    reach: Floats
    trial: Places
    places: Places
    begin_ms: Floats
    end_ms: Floats
    in_aoi_ms: Floats


@dataclass(frozen=True)
class AllHits:
    """The hits on all stimuli of a table.

    Parameters
    ----------
    by_stimulus : tuple of Hits
        One for each stimulus that has areas and is the stimulus of a trial.
    without : dict of str to int
        Stimuli of trials that have no areas, and the number of fixations on them.
    notes : tuple of str
        What is to be said to the user.
    """

    by_stimulus: tuple[Hits, ...]
    without: dict[str, int]
    notes: tuple[str, ...]


def find_hits(
    trials: Trials,
    aois: AoiSet,
    margin: Margin | None = None,
    *,
    px_per_deg: Mapping[str, float] | None = None,
    screen_px: tuple[float, float] | None = None,
) -> AllHits:
    """Say of every fixation which areas it lies in.

    Parameters
    ----------
    trials : Trials
        The trials of a table and their fixations.
    aois : AoiSet
        The areas of the stimuli, which are found by their names.
    margin : Margin, optional
        How far from an area a fixation still counts; not at all by default.
    px_per_deg : mapping of str to float, optional
        Pixels per degree of visual angle where the fixations on a stimulus lie, by stimulus; for a
        margin in degrees.
    screen_px : (float, float), optional
        Width and height of the screen in pixels, for areas in its pixels.

    Returns
    -------
    AllHits
        Where an image has another size than the one that areas were drawn on, and the same shape,
        positions are brought to the pixels of the areas.

    Raises
    ------
    SchemaError
        The fixations are in screen pixels and the areas in image pixels, or the other way round.
    DataError
        None of the stimuli has areas; an area lies outside its image; an image has another shape
        than the one the areas were drawn on.
    ConfigError
        A margin in degrees where nobody knows what a degree is.
    """
    by_row = trials.fixations.groupby("row", sort=True).indices
    found: list[Hits] = []
    beyond: list[str] = []
    scaled: list[str] = []
    empty: list[str] = []
    shared: list[str] = []
    first_of: dict[str, str] = {}
    whole = screen_px if aois.space == "screen" else None
    # Between images people look at nothing; where no stimulus is named, all gaze is on the one.
    some_named = any(trials.frame["stimulus"] != "")
    without: dict[str, int] = {}
    for stimulus, rows in trials.frame.groupby("stimulus", sort=False).indices.items():
        name = str(stimulus)
        rows = np.asarray(rows, np.intp)
        own = None if some_named and not name else aois.of(name)
        fixations = [np.asarray(by_row.get(row, ()), np.intp) for row in rows]
        if own is None:
            without[name] = sum(map(len, fixations))
            continue
        first = first_of.setdefault(stem(name), name)
        if first != name and own.stimulus != EVERY:
            shared.append(f"{quote(first, 40)} and {quote(name, 40)}")
        sizes = trials.frame.iloc[rows][["image_width_px", "image_height_px"]].to_numpy(np.float64)
        _refuse_other_plane(sizes[[len(places) > 0 for places in fixations]], own, aois.space)
        plane = plane_of(sizes, own, whole)
        beyond += plane.beyond
        scaled += plane.scaled
        margin_px = _margin_px(margin or Margin(), name, px_per_deg or {}, plane)
        found.append(_on_stimulus(trials.fixations, own, (rows, fixations), plane, margin_px))
        sized = zip(own.names, found[-1].area_px2, strict=True)
        empty += [f"{quote(area, 30)} of {quote(name, 40)}" for area, px2 in sized if px2 == 0]
    if not found and without:
        refuse_strangers(aois, without)
    notes = [
        f"{len(told)} {what}: {told[0]}{', …' if len(told) > 1 else ''}"
        for told, what in (
            (beyond, "stimuli have areas that reach beyond the image"),
            (scaled, "stimuli have their gaze scaled to the image that areas were drawn on"),
            (shared, "stimuli share their areas with another one of the same name"),
            (empty, "areas of labels or masks have no pixel"),
        )
        if told
    ]
    return AllHits(tuple(found), without, tuple(notes))


@dataclass(frozen=True)
class Plane:
    """What brings the fixations of each trial to the pixels of the areas.

    Parameters
    ----------
    scale_x, scale_y : ndarray of float64, shape (T,)
        Factors of the positions of each trial.
    sizes : ndarray of float64, shape (T, 2)
        Width and height in pixels of what the areas lie on.
    beyond : list of str
        Areas that reach beyond the image, in words for the user.
    scaled : list of str
        Images of another size than the one drawn on, in words for the user.
    """

    scale_x: Floats
    scale_y: Floats
    sizes: Floats
    beyond: list[str]
    scaled: list[str]


def _refuse_other_plane(sizes: Floats, own: StimulusAois, space: str) -> None:
    """Refuse fixations on the screen for areas on the image, and the other way round."""
    on_image = np.isfinite(sizes).all(axis=1)
    stimulus = quote(own.stimulus, 40)
    if space == "image" and not on_image.all():
        what = f"fixations on {stimulus!r} are in screen pixels, its areas in image pixels"
        hint = (
            "say where the image lay: --placement fit, centre, stretch or X,Y,WIDTH,HEIGHT, and "
            "--images DIR for its size; or give the areas in screen pixels"
        )
        raise SchemaError(what, hint=hint)
    if space == "screen" and on_image.any():
        what = f"fixations on {stimulus!r} are in image pixels, its areas in screen pixels"
        raise SchemaError(what, hint="give the areas in pixels of the image")


def plane_of(sizes: Floats, own: StimulusAois, screen_px: tuple[float, float] | None) -> Plane:
    """Return how positions get to the pixels of the areas of one stimulus.

    Parameters
    ----------
    sizes : ndarray of float64, shape (T, 2)
        Width and height in pixels of the image of each trial; NaN where they are not known.
    own : StimulusAois
        The areas, and the size of the image that they were drawn on.
    screen_px : (float, float) or None
        Width and height of the screen in pixels, for areas in its pixels.

    Returns
    -------
    Plane

    Raises
    ------
    DataError
        An area lies outside its image, or the image has another shape than the one drawn on.
    """
    if own.size is None:
        planes = sizes if screen_px is None else np.broadcast_to(screen_px, sizes.shape)
        beyond = [note for size in _distinct(planes) if (note := checked_on(own, size))]
        ones = np.ones(len(sizes))
        return Plane(ones, ones, planes, beyond, [])
    widths, heights = sizes.T
    width, height = own.size
    beyond = [note for note in [checked_on(own, (width, height))] if note]
    scaled = []
    for shown_width, shown_height in _distinct(sizes):
        stretch = shown_width * height / (shown_height * width)
        both = f"{shown_width:g} x {shown_height:g} px in the table, {width} x {height} drawn on"
        called = quote(own.stimulus, 40)
        if abs(stretch - 1) > MAX_ASPECT_ERROR:
            what = f"the image of stimulus {called!r} has another shape than its areas: {both}"
            raise DataError(what, hint="give areas, or masks, of the image that was shown")
        if (shown_width, shown_height) != (width, height):
            scaled.append(f"{called}, {both}")
    scale_x = np.where(np.isfinite(widths), width / widths, 1.0)
    scale_y = np.where(np.isfinite(heights), height / heights, 1.0)
    drawn_on = np.broadcast_to([float(width), float(height)], sizes.shape)
    return Plane(scale_x, scale_y, drawn_on, beyond, scaled)


def _distinct(sizes: Floats) -> list[tuple[float, float]]:
    known = sizes[np.isfinite(sizes).all(axis=1)]
    return list(dict.fromkeys((float(width), float(height)) for width, height in known))


def _margin_px(
    margin: Margin, stimulus: str, px_per_deg: Mapping[str, float], plane: Plane
) -> float:
    """Return a margin in pixels of the areas."""
    if margin.deg is None or margin.deg == 0:
        return margin.px
    known = px_per_deg.get(stimulus)
    if known is None:
        what = f"a margin in degrees: nobody knows how large a degree is on {quote(stimulus, 40)!r}"
        hint = "convert with --screen WxH,WIDTHxHEIGHTmm,DISTANCEmm, or give the margin in px"
        raise ConfigError(what, hint=hint)
    return margin.deg * known * float(plane.scale_x[0])


def _on_stimulus(
    fixations: pd.DataFrame,
    own: StimulusAois,
    trials: tuple[Places, Sequence[Places]],
    plane: Plane,
    margin_px: float,
) -> Hits:
    """Return the hits on one stimulus; `trials` are their rows, and those of their fixations."""
    rows, by_trial = trials
    places = np.concatenate([np.empty(0, np.intp), *by_trial])
    trial = np.repeat(np.arange(len(rows)), [len(one) for one in by_trial])
    mine = fixations.iloc[places]
    x = mine["x_px"].to_numpy() * plane.scale_x[trial]
    y = mine["y_px"].to_numpy() * plane.scale_y[trial]
    begin = mine["begin_ms"].to_numpy()
    end = mine["end_ms"].to_numpy()
    in_aoi_ms = np.zeros((len(own.aois), len(places)))
    reach = np.full((len(own.aois), len(rows)), np.nan)
    planes, of_trial = np.unique(plane.sizes, axis=0, return_inverse=True)
    for number, aoi in enumerate(own.aois):
        shares = [reach_share(aoi, (width, height), margin_px) for width, height in planes]
        reach[number] = np.array(shares)[of_trial.ravel()]
        for (onset, offset), inside in aoi.inside(x, y, margin_px).items():
            shared = np.minimum(end, offset) - np.maximum(begin, onset)
            in_aoi_ms[number] += np.where(inside, np.maximum(shared, 0.0), 0.0)
    return Hits(
        aois=own,
        rows=rows,
        # Now, while an image of labels is at hand.
        area_px2=np.array([aoi.area_px2 for aoi in own.aois]),
        reach=reach,
        trial=trial,
        places=places,
        begin_ms=begin,
        end_ms=end,
        in_aoi_ms=in_aoi_ms,
    )


def refuse_strangers(aois: AoiSet, stimuli: Iterable[str]) -> None:
    """Refuse areas of other stimuli than all of a table's.

    Parameters
    ----------
    aois : AoiSet
        The areas, none of which is of these stimuli.
    stimuli : iterable of str
        The stimuli of the table, by their names in it.

    Raises
    ------
    DataError
        Always; it names the stimulus that may be meant.
    """
    known = [name for name in aois.known if name != EVERY]
    first = next((name for name in stimuli if name), "")
    meant = did_you_mean(stem(first), known)
    what = f"none of its stimuli has areas of interest: {quote(first, 40)!r} is not among them"
    hint = f"{meant}areas are found by the stimulus' name, without folder and image suffix"
    raise DataError(what, hint=hint)
