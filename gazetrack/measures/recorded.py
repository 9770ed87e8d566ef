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


@dataclass(frozen=True, kw_only=True, repr=False)
class RecordedAois(AoiSet):
    """Areas whose shapes nobody tells, and the tracker's own fixations that lay in them.

    Parameters
    ----------
    hits : mapping of str to mapping of int to frozenset of str
        By recording, the names of the areas that a fixation of this number lay in; a recording of
        which the export names nothing is called by an empty text.
    """

    hits: Mapping[str, Mapping[int, frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Leave out the checks of shapes: there are none."""

    def of_recording(
        self, recording: str, all_of_table: Sequence[str]
    ) -> Mapping[int, frozenset[str]]:
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
    hits: Mapping[str, Mapping[int, frozenset[str]]],
    source: Mapping[str, str],
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
    """
    part = Part(shape=Unseen())
    stimuli = tuple(
        StimulusAois(stimulus=name, aois=tuple(Aoi(name=area, parts=(part,)) for area in own))
        for name, own in names.items()
    )
    return RecordedAois(stimuli=stimuli, space="screen", source=source, hits=hits)


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
        A recording is not among those of the hits; or none of the stimuli has areas.
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
        found.append(_on_stimulus(trials, own, np.asarray(rows, np.intp), fixations, known))
    if not found and without:
        first = next((name for name in without if name), "")
        what = f"none of its stimuli has AOI hits: {quote(first, 40)!r} is not among them"
        raise DataError(what, hint="give the export that the table was made of")
    return AllHits(tuple(found), without, ())


def _on_stimulus(
    trials: Trials,
    own: StimulusAois,
    rows: Places,
    fixations: Sequence[Places],
    known: Sequence[Mapping[int, frozenset[str]]],
) -> Hits:
    places = np.concatenate([np.empty(0, np.intp), *fixations])
    trial = np.repeat(np.arange(len(rows)), [len(one) for one in fixations])
    mine = trials.fixations.iloc[places]
    begin = mine["begin_ms"].to_numpy()
    end = mine["end_ms"].to_numpy()
    numbers = mine["index"].to_numpy()
    inside = np.zeros((len(own.aois), len(places)), np.bool_)
    for at, (row, number) in enumerate(zip(trial, numbers, strict=True)):
        names = known[int(row)].get(int(number), frozenset())
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
