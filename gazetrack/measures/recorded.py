"""Looks at areas that a vendor's software has recorded: which fixations, and not which places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError, DataError, did_you_mean, quote
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.hits import AllHits, Hits
from gazetrack.measures.shapes import Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import numpy.typing as npt

    from gazetrack.measures.trials import Trials

    Places = npt.NDArray[np.intp]
    FixationKey = int | tuple[str, int, str]
    HitsOfRecording = Mapping[Any, frozenset[str]]  # by keys of one of these kinds


@dataclass(frozen=True, kw_only=True, repr=False)
class RecordedAois(AoiSet):
    """Areas whose shapes nobody tells, and the tracker's own fixations that lay in them.

    Parameters
    ----------
    hits : mapping of str to mapping of int or (str, int, str) to frozenset of str
        By recording, the names of the areas that a fixation of this number lay in; a recording of
        which the export names nothing is called by an empty text.
    by_trial : bool
        Whether numbers begin again with each trial and eye: a fixation is then known by its trial,
        its number and its eye.
    """

    hits: Mapping[str, HitsOfRecording] = field(default_factory=dict)
    by_trial: bool = False

    def __post_init__(self) -> None:
        """Leave out the checks of shapes: there are none."""

    def of_recording(self, recording: str, all_of_table: Sequence[str]) -> HitsOfRecording:
        """Return the hits of a recording of a fixation table.

        Parameters
        ----------
        recording : str
            The recording as the table calls it.
        all_of_table : sequence of str
            All recordings of the table: where it has one and the export as well, these are the same
            whatever they are called.

        Raises
        ------
        DataError
            The export does not say which of its recordings it is.
        """
        if recording in self.hits:
            return self.hits[recording]
        if len(all_of_table) == 1 and len(self.hits) == 1:
            return next(iter(self.hits.values()))
        # Names that software gives to everybody have that of the file in front.
        named = [name for name in self.hits if name and recording.endswith(f"_{name}")]
        if len(named) == 1:
            return self.hits[named[0]]
        what = f"recording {quote(recording, 40)!r} is not among those of the AOI hits"
        hint = f"{did_you_mean(recording, self.hits)}give the export that the table was made of"
        raise DataError(what, hint=hint)


def recorded_aois(
    names: Mapping[str, Sequence[str]],
    hits: Mapping[str, HitsOfRecording],
    source: Mapping[str, str],
    *,
    by_trial: bool = False,
    notes: Sequence[str] = (),
) -> RecordedAois:
    """Return areas that are known by their hits alone.

    Parameters
    ----------
    names : mapping of str to sequence of str
        The areas of each stimulus, by its name.
    hits : mapping
        Which fixations lay in which areas, see `RecordedAois`.
    source : mapping of str to str
        Where they come from, for the metadata of what is made of them.
    by_trial : bool
        Whether numbers of fixations begin again with each trial, see `RecordedAois`.
    notes : sequence of str
        What was inferred when they were read, in words for the user.
    """
    part = Part(shape=Unseen())
    stimuli = tuple(
        StimulusAois(stimulus=name, aois=tuple(Aoi(name=area, parts=(part,)) for area in own))
        for name, own in names.items()
    )
    return RecordedAois(
        stimuli=stimuli,
        space="screen",
        source=source,
        notes=tuple(notes),
        hits=hits,
        by_trial=by_trial,
    )


def recorded_hits(trials: Trials, aois: RecordedAois, meta: Mapping[str, Any]) -> AllHits:
    """Say of every fixation which areas it lay in, as the export has recorded it.

    Parameters
    ----------
    trials : Trials
        The trials of a table of the export's own fixations.
    aois : RecordedAois
        The areas, and the fixations in them.
    meta : mapping
        The table's metadata, which say whether the fixations are the export's own.

    Returns
    -------
    AllHits
        Areas have no size: those that overlap are in the order of the export.

    Raises
    ------
    ConfigError
        The fixations were detected: they are not those that the hits are of.
    DataError
        A recording, or a fixation of a trial, is not among those of the hits; or none of the
        stimuli has areas.
    """
    if isinstance(meta.get("detector"), dict):
        what = "holds detected fixations, and AOI hits are of the export's own"
        raise ConfigError(what, hint="give the table of: gazetrack convert EXPORT")
    recordings = list(dict.fromkeys(trials.frame["recording"]))
    by_row = trials.fixations.groupby("row", sort=True).indices
    found = []
    without: dict[str, int] = {}
    for stimulus, rows in trials.frame.groupby("stimulus", sort=False).indices.items():
        own = aois.of(str(stimulus))
        fixations = [np.asarray(by_row.get(row, ()), np.intp) for row in rows]
        if own is None:
            without[str(stimulus)] = sum(map(len, fixations))
            continue
        names = [str(trials.frame["recording"].iloc[row]) for row in rows]
        known = [aois.of_recording(name, recordings) for name in names]
        places = [_keys(trials, at, by_trial=aois.by_trial) for at in fixations]
        each = [(of_one, key) for of_one, keys in zip(known, places, strict=True) for key in keys]
        _refuse_others(each)
        areas = [of_one.get(key, frozenset()) for of_one, key in each]
        found.append(_on_stimulus(trials, own, np.asarray(rows, np.intp), fixations, areas))
    if not found and without:
        first = next((name for name in without if name), "")
        what = f"none of its stimuli has AOI hits: {quote(first, 40)!r} is not among them"
        raise DataError(what, hint="give the export that the table was made of")
    return AllHits(tuple(found), without, ())


def _keys(trials: Trials, places: Places, *, by_trial: bool) -> Sequence[FixationKey]:
    """Return what the hits of a recording know fixations by."""
    mine = trials.fixations.iloc[places]
    numbers: list[int] = mine["index"].astype(int).tolist()
    if not by_trial:
        return numbers
    return list(zip(mine["table_trial"].tolist(), numbers, mine["eye"].tolist(), strict=True))


def _refuse_others(each: Sequence[tuple[HitsOfRecording, FixationKey]]) -> None:
    """Refuse fixations that are none of the report's, rather than find them in no area."""
    for of_one, key in each:
        if isinstance(key, tuple) and key not in of_one:
            what = f"fixation {key[1]} of trial {quote(key[0], 30)!r} is not in the report"
            raise DataError(what, hint="give the report that the table was made of")


def _on_stimulus(
    trials: Trials,
    own: StimulusAois,
    rows: Places,
    fixations: Sequence[Places],
    areas: Sequence[frozenset[str]],
) -> Hits:
    places = np.concatenate([np.empty(0, np.intp), *fixations])
    trial = np.repeat(np.arange(len(rows)), [len(one) for one in fixations])
    mine = trials.fixations.iloc[places]
    begin = mine["begin_ms"].to_numpy()
    end = mine["end_ms"].to_numpy()
    inside = np.zeros((len(own.aois), len(places)), np.bool_)
    for at, names in enumerate(areas):
        inside[:, at] = [aoi.name in names for aoi in own.aois]
    return Hits(
        aois=own,
        rows=rows,
        area_px2=np.full(len(own.aois), np.nan),
        reach=np.full((len(own.aois), len(rows)), np.nan),
        trial=trial,
        places=places,
        begin_ms=begin,
        end_ms=end,
        in_aoi_ms=np.where(inside, end - begin, 0.0),
    )
