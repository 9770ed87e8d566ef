"""Tracks: the fixations of one observer on one image, in temporal order.

Here are also the choices of which fixations are noise, and which of them each level keeps.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.cards import card, discs_svg
from gazetrack.errors import SchemaError, quote
from gazetrack.maps.parameters import check_levels
from gazetrack.publish import unique_names
from gazetrack.tables.plausible import valid_fixations
from gazetrack.tables.selection import one_eye
from gazetrack.tables.stimulus import MAX_IMAGE_PX, stem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]

MIN_FIXATIONS_TO_DROP = 4
_KEYS = ["recording", "participant", "trial", "stimulus", "showing"]
_NUMBERS = ("x_px", "y_px", "duration_ms", "image_width_px", "image_height_px")


# Two are equal where they are the same: arrays have no one answer to whether they are equal.
@dataclass(frozen=True, eq=False)
class Track:
    """The fixations of one observer on one image, in temporal order.

    Parameters
    ----------
    recording, trial, stimulus : str
        Names of what it comes from, as in the fixation table.
    x, y : ndarray of float64, shape (N,)
        Positions in image pixels; the centre of the first pixel is (0.5, 0.5).
    duration_ms : ndarray of float64, shape (N,)
        How long each fixation lasts.
    width, height : float
        Size of the image in pixels.
    participant : str
        Who looked; empty when the export does not say.
    eye : str
        ``left`` or ``right`` where each eye has a track of its own; else empty.
    target : str
        What was looked for, see `gazetrack.maps.targets`; empty where nobody said so.
    visit : ndarray of int64, shape (N,), optional
        Of what a longer track has within an area, see `within`: which visit each fixation belongs
        to, from 1. No line goes from one visit to the next. None where gaze went from each fixation
        to the next one.
    """

    recording: str
    trial: str
    stimulus: str
    x: Floats
    y: Floats
    duration_ms: Floats
    width: float
    height: float
    participant: str = ""
    eye: str = ""
    target: str = ""
    visit: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        who = f" by {self.participant!r}" if self.participant else ""
        size = f"{self.width:g} x {self.height:g} px"
        return f"<Track on {self.stimulus!r} ({size}){who}: {len(self)} fixations>"

    def _repr_html_(self) -> str:
        facts = {
            "recording": self.recording,
            "participant": self.participant,
            "trial": self.trial,
            "eye": self.eye,
            "image": f"{self.width:g} x {self.height:g} px",
            "fixations": f"{len(self):,}",
            "dwell": f"{np.nansum(self.duration_ms) / 1000:.3g} s",
        }
        picture = discs_svg(self.x, self.y, self.duration_ms, self.width, self.height)
        return card(f"Track on {self.stimulus}", facts, picture)

    def take(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Track:
        """Return the track with only the fixations that `keep` selects."""
        visit = None if self.visit is None else self.visit[keep]
        return replace(
            self, x=self.x[keep], y=self.y[keep], duration_ms=self.duration_ms[keep], visit=visit
        )

    def within(self, inside: npt.NDArray[np.bool_], target: str) -> Track:
        """Return what of the track lies in an area, as the track of that target.

        Parameters
        ----------
        inside : ndarray of bool, shape (N,)
            Which fixations lie in the area. Those that follow each other are one visit: what is
            noise has to be cleaned out before, or a stray fixation would end a visit.
        target : str
            What the area is of.
        """
        begins = inside.copy()
        begins[1:] &= ~inside[:-1]
        return replace(self, visit=np.cumsum(begins), target=target).take(inside)

    def scaled(self, width: float, height: float) -> Track:
        """Return the same track on the image resized to this width and height."""
        return replace(
            self,
            x=self.x * (width / self.width),
            y=self.y * (height / self.height),
            width=width,
            height=height,
        )


def build_tracks(fixations: pa.Table, eye: str = "auto") -> list[Track]:
    """Build one track per recording, participant, trial and stimulus from a fixation table.

    An image that comes back within a trial, after another one, gives a track per showing: the
    second one's trial is called ``TRIAL#2``. Fixations without position, onset or duration are left
    out, see `gazetrack.tables.plausible.valid_fixations`.

    Parameters
    ----------
    fixations : pyarrow.Table
        Schema `FIXATIONS`, positions in image pixels.
    eye : {"auto", "left", "right", "both"}
        Which eye's fixations to use where a trial has those of each, see `selection.one_eye`. With
        ``both``, either eye has a track of its own: none ever holds the fixations of two eyes in
        turn.

    Returns
    -------
    list of Track
        In order of first appearance; within each, fixations by onset, then by index.

    Raises
    ------
    SchemaError
        The image size of some fixations is not known, absurd, or another one for the same image.
    """
    possible, _ = valid_fixations(fixations)
    chosen, _ = one_eye(possible, eye)
    frame = chosen.to_pandas()
    unknown = ~(np.isfinite(frame["image_width_px"]) & np.isfinite(frame["image_height_px"]))
    if unknown.any():
        stimulus = quote(frame.loc[unknown, "stimulus"].iloc[0])
        what = f"the image size is not known for {int(unknown.sum())} fixations"
        hint = "give --images DIR, and --placement fit, centre, stretch or X,Y,WIDTH,HEIGHT"
        raise SchemaError(f"{what}, first on stimulus {stimulus!r}", hint=hint)
    width = frame["image_width_px"]
    height = frame["image_height_px"]
    absurd = (width < 1) | (height < 1) | (width.astype(float) * height > MAX_IMAGE_PX)
    if absurd.any():
        size = f"{width[absurd].iloc[0]:g} x {height[absurd].iloc[0]:g} px"
        hint = f"sizes are at least 1 and at most {MAX_IMAGE_PX:,} pixels in all"
        raise SchemaError(f"an image of {size}", hint=hint)
    frame["showing"] = showings(frame)
    keys = [*_KEYS, "eye"] if eye == "both" else _KEYS
    group = frame.groupby(keys, sort=False, observed=True).ngroup().to_numpy()
    order = np.lexsort((frame["index"], frame["onset_ms"], group))
    columns = {name: frame[name].to_numpy(np.float64)[order] for name in _NUMBERS}
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    bounds = [*starts.tolist(), len(order)]
    # The names of a track are those of its first row.
    names = frame[keys].iloc[order[starts]].itertuples(index=False, name=None)
    return [
        _build_track(key, {name: values[first:end] for name, values in columns.items()})
        for key, (first, end) in zip(names, pairwise(bounds), strict=True)
    ]


def showings(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return which showing of its image within its trial each fixation belongs to, from 1.

    Only where one clock runs through the trial, so that the order of its rows is that of time.

    Parameters
    ----------
    frame : pandas.DataFrame
        Fixations with the columns of `FIXATIONS`, whose names of stimuli are categories.
    """
    trial = [frame[name] for name in ("recording", "participant", "trial", "eye")]
    back = frame["onset_ms"].groupby(trial, observed=True).diff() < 0
    one_clock = ~back.groupby(trial, observed=True).transform("any")
    stimulus = frame["stimulus"].cat.codes
    is_another = stimulus.groupby(trial, observed=True).diff() != 0
    runs = is_another.groupby(trial, observed=True).cumsum()
    # Runs of the same image within a trial are numbered: they are its showings.
    showings = runs.groupby([*trial, frame["stimulus"]], observed=True).rank("dense").astype(int)
    return np.asarray(showings.where(one_clock, 1), np.int64)


def _build_track(key: tuple[object, ...], rows: Mapping[str, Floats]) -> Track:
    """Return the track of these rows, in the order of time, of the `key` in the columns `_KEYS`.

    Behind them an eye may follow.
    """
    recording, participant, trial, stimulus = (str(part) for part in key[:4])
    showing = key[4]
    eye = str(key[5]) if len(key) > 5 else ""
    widths = rows["image_width_px"]
    heights = rows["image_height_px"]
    if (widths != widths[0]).any() or (heights != heights[0]).any():
        sizes = list(dict.fromkeys(zip(widths.tolist(), heights.tolist(), strict=True)))
        shown = " and ".join(f"{width:g} x {height:g} px" for width, height in sizes[:2])
        what = f"stimulus {quote(stimulus)!r} has {len(sizes)} sizes in one trial: {shown}"
        raise SchemaError(what, hint="an image has one size; correct the table")
    return Track(
        recording=recording,
        trial=trial if showing == 1 else f"{trial}#{showing}",
        stimulus=stimulus,
        # Copies: a track that is kept alone must not keep those of all others.
        x=rows["x_px"].copy(),
        y=rows["y_px"].copy(),
        duration_ms=rows["duration_ms"].copy(),
        width=float(widths[0]),
        height=float(heights[0]),
        participant=participant,
        eye=eye,
    )


def track_names(tracks: Sequence[Track]) -> list[str]:
    """Return a file name without suffix for each track.

    No two are alike, whatever the tracks are called.
    """
    seen: dict[str, int] = {}
    texts = []
    for track in tracks:
        image = stem(track.stimulus)
        # A trial has tracks of several targets where these are what lies within areas.
        of_area = "" if track.visit is None else track.target
        parts = (image, track.recording, track.participant, track.trial, track.eye, of_area)
        text = ".".join(part for part in parts if part)
        seen[text] = seen.get(text, 0) + 1
        texts.append(text if seen[text] == 1 else f"{text}.{seen[text]}")
    names = unique_names(texts)
    return [names[text] for text in texts]


def clean(track: Track, *, min_duration_ms: float = 50.0, drop_first: int = 1) -> Track:
    """Drop what is noise for a map: short and off-image fixations, then the first one or few.

    On an image, the eye starts where the previous stimulus left it: on real data the first fixation
    is on the target in 45 % of the images, later ones in 87 to 90 %.

    Parameters
    ----------
    track : Track
        Any track, as `build_tracks` gives it.
    min_duration_ms : float
        Shorter fixations are dropped; those of exactly this duration stay.
    drop_first : int
        How many to drop from the start, of tracks with at least four fixations left. What lies
        within an area, see `Track.within`, has no start of its own: nothing is dropped there.

    Returns
    -------
    Track
        What is left of it, possibly nothing.
    """
    left_out = cleaned_out(track, min_duration_ms=min_duration_ms, drop_first=drop_first)
    return track.take(~np.logical_or.reduce(list(left_out.values())))


def cleaned_out(
    track: Track, *, min_duration_ms: float = 50.0, drop_first: int = 1
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return which fixations `clean` drops, and why.

    Parameters
    ----------
    track, min_duration_ms, drop_first
        The same as those of `clean`.

    Returns
    -------
    dict of str to ndarray of bool, shape (N,)
        By reason, in the order in which they are asked for: a fixation counts under the first that
        holds for it.
    """
    short = ~(track.duration_ms >= min_duration_ms)
    inside = (track.x >= 0) & (track.x < track.width) & (track.y >= 0) & (track.y < track.height)
    kept = np.flatnonzero(inside & ~short)
    first = np.zeros(len(track), np.bool_)
    if len(kept) >= MIN_FIXATIONS_TO_DROP and track.visit is None:
        first[kept[:drop_first]] = True
    whole = "first of their track" if drop_first == 1 else f"first {drop_first} of their track"
    return {
        f"shorter than {min_duration_ms:g} ms": short,
        "off the image": ~inside & ~short,
        whole: first,
    }


def level_members(
    duration_ms: Floats,
    ratios: Sequence[float],
    *,
    truncation: str = "tail",
    by: str = "count",
    seed: int = 0,
) -> list[npt.NDArray[np.intp]]:
    """Choose the fixations of each level, by reverse truncation or one of its controls.

    Parameters
    ----------
    duration_ms : ndarray, shape (N,)
        Fixation durations in temporal order.
    ratios : sequence of float
        Share of the track each level keeps, increasing, in (0, 1].
    truncation : {"tail", "head", "random", "shuffled", "none"}
        ``tail`` keeps the last fixations (reverse truncation), ``head`` the first, ``random`` a
        nested random choice in temporal order, ``shuffled`` the tail of a random order, ``none``
        all at every level.
    by : {"count", "time"}
        Whether a ratio counts fixations or accumulated duration.
    seed : int
        For ``random`` and ``shuffled``; the choice depends on it and on the durations, so it
        survives a flip.

    Returns
    -------
    list of ndarray of int
        Per level, indices into the track in the order in which the polyline visits them. Each level
        holds at least one fixation, and all of the level before it.

    Raises
    ------
    ConfigError
        An unknown truncation or unit, or ratios that do not increase within (0, 1].
    """
    check_levels(ratios, truncation, by)
    n = len(duration_ms)
    order = np.arange(n)
    if truncation in ("random", "shuffled"):
        durations = np.ascontiguousarray(duration_ms, np.float64)
        order = np.random.default_rng([seed, zlib.crc32(durations.tobytes())]).permutation(n)
    if truncation == "head":
        order = order[::-1]
    members = []
    for ratio in ratios:
        share = 1.0 if truncation == "none" else ratio
        kept = order[n - _count(duration_ms[order], share, by) :]
        # Whatever was chosen, the line goes through it in temporal order, but for the control.
        members.append(kept if truncation == "shuffled" else np.sort(kept))
    return members


def _count(duration_ms: Floats, ratio: float, by: str) -> int:
    """Return how many of the last fixations make up `ratio` of the track.

    It is at least one, where the track has any.
    """
    n = len(duration_ms)
    if n == 0 or ratio == 1:
        return n
    if by == "count":
        return max(math.ceil(ratio * n - 1e-9), 1)  # .3 * 10 is 3.0000000000000004
    from_end = np.cumsum(duration_ms[::-1])
    if from_end[-1] == 0:  # instants alone: any number of them makes up any share of the time
        return _count(duration_ms, ratio, "count")
    wanted_ms = ratio * from_end[-1] * (1 - 1e-12)  # sums differ by rounding
    return min(int(np.searchsorted(from_end, wanted_ms)) + 1, n)
