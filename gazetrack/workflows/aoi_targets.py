"""Tracks of what gaze fell on: the label of an area of interest is the target.

A trial in which people look for several things has a track of each: its fixations within the areas
of one label. A line joins those that follow each other there, and breaks where gaze was elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, DataError, quote
from gazetrack.maps.render import left_out, prepare
from gazetrack.maps.targets import area_rule, is_of_areas
from gazetrack.measures.aoi_files.masks import DEFAULT_NAME
from gazetrack.measures.hits import plane_of, refuse_strangers
from gazetrack.workflows.aoi_tables import some

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from gazetrack.maps.parameters import MapParams
    from gazetrack.maps.track import Track
    from gazetrack.measures.aois import AoiSet, StimulusAois
    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.table_tracks import TableTracks

    Flags = npt.NDArray[np.bool_]

NO_AREAS = "no areas of interest"
IN_NONE = "in no area of interest"


@dataclass(frozen=True, kw_only=True)
class AreaTargets:
    """The areas whose labels are targets.

    Parameters
    ----------
    aois : AoiSet
        The areas of the stimuli, in pixels of the image, there all the time.
    target : callable
        The target of an area by its label; empty for an area that is of none.
    """

    aois: AoiSet
    target: Callable[[str], str]

    def on(self, stimulus: str) -> StimulusAois | None:
        """Return the areas of a stimulus that are of a target; None where there are none."""
        own = self.aois.of(stimulus)
        if own is None:
            return None
        of_target = tuple(aoi for aoi in own.aois if self.target(aoi.name))
        return replace(own, aois=of_target) if of_target else None


def area_targets(rule: str | None, aois: AoiSet | None) -> AreaTargets | None:
    """Return the areas that a rule makes targets of, where it is one of areas.

    Parameters
    ----------
    rule : str or None
        As for `gazetrack.maps.targets.area_rule`; any other rule is none of areas.
    aois : AoiSet or None
        The areas of interest that were given.

    Returns
    -------
    AreaTargets or None

    Raises
    ------
    ConfigError
        A rule of areas without areas, or areas without such a rule; areas in pixels of the screen;
        masks whose labels have no names; a pattern that is no regular expression.
    DataError
        The rule makes a target of no area; or an area moves, or is there for a time only.
    """
    if rule is None or not is_of_areas(rule):
        if aois is not None:
            what = "areas of interest, and a target that is not the area"
            raise ConfigError(what, hint="give --target aoi or --target aoi=REGEX")
        return None
    if aois is None:
        what = f"target {quote(rule)!r} needs the areas of interest"
        raise ConfigError(what, hint="give --aois FILE, such as aois.json, or a folder of them")
    found = AreaTargets(aois=aois, target=area_rule(rule))
    if aois.space != "image":
        what = "areas of interest in pixels of the screen have no place on an image"
        raise ConfigError(what, hint="give the areas in pixels of the images")
    labels = list(dict.fromkeys(aoi.name for one in aois.stimuli for aoi in one.aois))
    if labels == [DEFAULT_NAME]:
        what = f"areas of interest without labels: all are called {DEFAULT_NAME!r}"
        raise ConfigError(what, hint="say which value is what: --labels 1=polyp,2=ulcer")
    if not any(map(found.target, labels)):
        what = f"the rule of --target says nothing of area {quote(labels[0], 40)!r}"
        raise DataError(f"{what}, nor of any other", hint="see --target")
    _refuse_dynamic(found)
    return found


def within_areas(
    found: TableTracks, areas: AreaTargets, params: MapParams, outcome: Outcome
) -> TableTracks:
    """Return the tracks of each target on each image, in place of those of whole trials.

    Tracks are cleaned as a whole before, so that noise neither counts nor ends a visit. Which
    fixations are rendered, and why others are not, is counted here, each once: a fixation in areas
    of two targets is one of either's track.

    Parameters
    ----------
    found : TableTracks
        The tracks of a table, on the pixels of the images.
    areas : AreaTargets
        The areas of the images, and what they are of.
    params : MapParams
        Says which fixations are noise.
    outcome : Outcome
        Of the table, in which is noted what is left out.

    Returns
    -------
    TableTracks
        A track for each trial, image, and target that gaze fell on, in the order in which the areas
        of the image have their targets.

    Raises
    ------
    DataError
        No image has areas of a target, or no fixation lies in one; an area lies outside its image,
        or was drawn on an image of another shape.
    """
    split = _Split(areas, params)
    try:
        for track in found.tracks:
            split.add(track)
        if found.tracks and not split.n_with_areas:
            refuse_strangers(areas.aois, split.without)
    except DataError as error:
        raise DataError(error.what, path=outcome.file, hint=error.hint) from error
    if found.tracks and not split.tracks:
        what = f"no fixation lies in an area of interest, of {split.n_with_areas} tracks"
        hint = "are the areas in pixels of these images?"
        raise DataError(what, path=outcome.file, hint=hint)
    outcome.rows_out += split.n_used
    outcome.notes += split.notes()
    dropped = Counter(found.dropped) + split.dropped
    return replace(found, tracks=tuple(split.tracks), dropped=dict(dropped))


@dataclass
class _Split:
    """Tracks that are split by target, and what is to be told of that."""

    areas: AreaTargets
    params: MapParams
    tracks: list[Track] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    without: dict[str, None] = field(default_factory=dict)
    beyond: dict[str, None] = field(default_factory=dict)
    scaled: dict[str, None] = field(default_factory=dict)
    n_used: int = 0
    n_with_areas: int = 0
    n_unseen: int = 0
    # Every target of the areas of an image; of images of labels, some are in no pixel of any.
    asked: dict[str, None] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def add(self, track: Track) -> None:
        """Split one track."""
        own = self.areas.on(track.stimulus)
        if own is None:
            self.without[track.stimulus] = None
            self.dropped[NO_AREAS] += len(track)
            return
        self.n_with_areas += 1
        self.dropped.update(left_out(track, self.params))
        kept = prepare(track, self.params)
        in_any = np.zeros(len(kept), np.bool_)
        for target, inside in self._inside(kept, own).items():
            in_any |= inside
            self.asked[target] = None
            if inside.any():
                self.tracks.append(kept.within(inside, target))
            elif self._is_in_image(own, target):
                self.n_unseen += 1
            else:
                continue
            self.held.add(target)
        self.n_used += int(in_any.sum())
        self.dropped[IN_NONE] += int((~in_any).sum())

    def _is_in_image(self, own: StimulusAois, target: str) -> bool:
        """Tell whether an area of a target has any pixel: a label that an image lacks has none."""
        return any(
            part.shape.area_px2 > 0
            for aoi in own.aois
            if self.areas.target(aoi.name) == target
            for part in aoi.parts
        )

    def _inside(self, track: Track, own: StimulusAois) -> dict[str, Flags]:
        """Return which fixations lie in an area of each target of the image."""
        plane = plane_of(np.array([[track.width, track.height]]), own, None)
        self.beyond.update(dict.fromkeys(plane.beyond))
        self.scaled.update(dict.fromkeys(plane.scaled))
        x = track.x * plane.scale_x
        y = track.y * plane.scale_y
        found: dict[str, Flags] = {}
        for aoi in own.aois:
            target = self.areas.target(aoi.name)
            before = found.get(target, np.zeros(len(track), np.bool_))
            for inside in aoi.inside(x, y).values():
                before = before | inside
            found[target] = before
        return found

    def notes(self) -> list[str]:
        """Say what of the images and areas the user should know."""
        notes = []
        if self.without:
            names = some(sorted(self.without))
            notes.append(f"{len(self.without)} stimuli have no areas of interest: {names}")
        if self.n_unseen:
            what = f"{self.n_unseen} times nobody looked at a target that is in the image"
            notes.append(f"{what}: there is no map of it")
        if missing := [target for target in self.asked if target not in self.held]:
            what = f"none of {self.n_with_areas} tracks is of an image that has {some(missing)}"
            notes.append(f"{what}: does --labels name the right value?")
        for told, what in (
            (self.beyond, "stimuli have areas that reach beyond the image"),
            (self.scaled, "stimuli have their gaze scaled to the image that areas were drawn on"),
        ):
            if told:
                first = next(iter(told))
                notes.append(f"{len(told)} {what}: {first}{', …' if len(told) > 1 else ''}")
        return notes


def _refuse_dynamic(areas: AreaTargets) -> None:
    """Refuse areas that are not there all the time: a map has none."""
    for one in areas.aois.stimuli:
        for aoi in one.aois:
            if aoi.is_dynamic and areas.target(aoi.name):
                called = f"area {quote(aoi.name, 40)!r} of stimulus {quote(one.stimulus, 40)!r}"
                what = f"{called} moves, or is there for a time only: maps are of whole trials"
                raise DataError(what, hint="give areas without onset and offset")
