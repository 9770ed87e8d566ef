"""The recordings in one export, each by itself: its samples by the block, its eyes, its trials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import DataError, quote
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.tables.eyes import EYES, GAZE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.tables.recording import Recording


CYCLOPEAN = "cyclopean"
_MOST_UPTIME_MS = 1e11  # three years: from there on it is the time since 1970, or before
_BLOCK_ROWS = 1 << 16


@dataclass(frozen=True)
class Part:
    """One of the recordings of an export.

    Parameters
    ----------
    recording : Recording
        The whole export, as a reader gave it.
    label : str
        The name of this recording in it.
    participant : str
        Who was recorded; empty where the export does not say it.
    """

    recording: Recording
    label: str
    participant: str

    @property
    def origin_ms(self) -> float:
        """What is added to the times of the export when they are written, ms.

        That is the tracker's clock, unless it tells the date, which is nobody's business, and of
        which 64-bit numbers would not hold every microsecond.
        """
        origin_ms = self.recording.origin_ms
        return origin_ms if abs(origin_ms) < _MOST_UPTIME_MS else 0.0

    def blocks(self) -> Iterator[pa.RecordBatch]:
        """Yield the samples of this recording, some ten thousand rows at a time."""
        table = self.recording.sample_table
        if table is None:
            return
        for batch in table.to_batches(max_chunksize=_BLOCK_ROWS):
            codes = batch.column(batch.schema.get_field_index("recording"))
            names = codes.dictionary.to_pylist()
            if names == [self.label]:
                yield batch
            elif self.label in names:
                own = batch.filter(pc.equal(codes.indices, names.index(self.label)))
                if own.num_rows:
                    yield own


@dataclass
class Run:
    """Samples one after the other that belong to one trial and show one stimulus.

    Parameters
    ----------
    trial, stimulus : str
        As named by the export; empty where it names none.
    first_ms, last_ms : float
        The times of the first and the last sample, ms from the start of the export.
    """

    trial: str
    stimulus: str
    first_ms: float
    last_ms: float


@dataclass
class Survey:
    """What is to be known of the samples of a recording before they are written.

    Parameters
    ----------
    n_samples : int
        How many samples there are in all.
    first_ms, last_ms : float
        The times of the first and the last one, ms from the start of the export.
    whole : bool
        Whether all times on the tracker's clock are whole milliseconds.
    filled : set of str
        The columns that have any value.
    own_combined : bool
        Whether the combined gaze is the tracker's own, not the mean of the eyes.
    steps_back : int
        How many times are before the one above them.
    runs : list of Run
        The trials and stimuli in their order.
    """

    n_samples: int = 0
    first_ms: float = 0.0
    last_ms: float = 0.0
    whole: bool = True
    filled: set[str] = field(default_factory=set)
    own_combined: bool = False
    steps_back: int = 0
    runs: list[Run] = field(default_factory=list)

    @property
    def eyes(self) -> list[str]:
        """The eyes that get a table of their own: left, right, cyclopean."""
        eyes = [eye for eye in EYES if any(name.startswith(eye) for name in self.filled)]
        if self.own_combined or not eyes:
            eyes.append(CYCLOPEAN)
        return eyes


def parts_of(recording: Recording) -> list[Part]:
    """Return the recordings of an export that have samples, in their order.

    Raises
    ------
    DataError
        The export has no samples, or a recording has several participants.
    """
    table = recording.sample_table
    if table is None or not table.num_rows:
        what = "has no samples, only fixations: BIDS stores the samples of each eye"
        raise DataError(what, hint="export the raw gaze")
    labels = [str(name) for name in table["recording"].unify_dictionaries().unique().to_pylist()]
    owners = _owners(recording)
    parts = []
    for label in labels:
        people = owners.get(label, [])
        if len(people) > 1:
            what = f"recording {quote(label, 40)!r} is of {len(people)} participants"
            raise DataError(what, hint="export each participant to a file of their own")
        parts.append(Part(recording, label, people[0] if people else ""))
    return parts


def _owners(recording: Recording) -> dict[str, list[str]]:
    """Return the participants of each recording, as far as any table names them."""
    owners = {label: [who] for label, who in recording.participants.items() if who}
    for table in (recording.event_table, recording.fixation_table):
        if table is None or not table.num_rows:
            continue
        pairs = table.select(["recording", "participant"]).to_pandas().drop_duplicates()
        for label, who in pairs.itertuples(index=False, name=None):
            known = owners.setdefault(str(label), [])
            if who and who not in known:
                known.append(str(who))
    return owners


def survey(part: Part) -> Survey:
    """Look through the samples of a recording once."""
    found = Survey()
    origin_ms = part.origin_ms
    for block in part.blocks():
        times = _numbers(block, "t_ms")
        if not found.n_samples:
            found.first_ms = float(times[0])
        else:
            found.steps_back += int(times[0] < found.last_ms)
        found.steps_back += int((np.diff(times) < 0).sum())
        found.last_ms = float(times[-1])
        found.n_samples += len(times)
        # The clock that is written: times on it are rounded to a thousandth of a millisecond.
        clock = np.round(times + origin_ms, 3)
        found.whole = found.whole and bool((clock == np.rint(clock)).all())
        _look_at_eyes(block, found)
        _add_runs(block, times, found.runs)
    return found


def _numbers(block: pa.RecordBatch, name: str) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = block.column(block.schema.get_field_index(name)).to_numpy()
    return values


def _look_at_eyes(block: pa.RecordBatch, found: Survey) -> None:
    for eye in EYES:
        for name in (*GAZE_COLUMNS[eye], f"{eye}_pupil"):
            if name not in found.filled and np.isfinite(_numbers(block, name)).any():
                found.filled.add(name)
    if found.own_combined:
        return
    for axis, column in enumerate(GAZE_COLUMNS["both"]):
        of_eyes = [_numbers(block, GAZE_COLUMNS[eye][axis]) for eye in EYES]
        mean = mean_of_eyes(*of_eyes)
        if not np.array_equal(mean, _numbers(block, column), equal_nan=True):
            found.own_combined = True


def _add_runs(block: pa.RecordBatch, times: npt.NDArray[Any], runs: list[Run]) -> None:
    """Add the runs of a block, of which the first may go on from the block before."""
    pair = []
    for name in ("trial", "stimulus"):
        coded = block.column(block.schema.get_field_index(name))
        pair.append((coded.indices.to_numpy(), coded.dictionary.to_pylist()))
    (trials, trial_names), (stimuli, stimulus_names) = pair
    changes = np.flatnonzero((np.diff(trials) != 0) | (np.diff(stimuli) != 0)) + 1
    starts = np.r_[0, changes]
    ends = np.r_[changes, len(times)]
    for start, end in zip(starts, ends, strict=True):
        trial = str(trial_names[trials[start]])
        stimulus = str(stimulus_names[stimuli[start]])
        last_ms = float(times[end - 1])
        if runs and (runs[-1].trial, runs[-1].stimulus) == (trial, stimulus):
            runs[-1].last_ms = last_ms
        else:
            runs.append(Run(trial, stimulus, float(times[start]), last_ms))


def events_of(part: Part) -> list[dict[str, Any]]:
    """Return the export's events of a recording, in the order of their onsets."""
    table = part.recording.event_table
    if not table.num_rows:
        return []
    own = table.filter(pc.equal(pc.cast(table["recording"], pa.string()), part.label))
    usable = own.filter(pc.is_finite(own["onset_ms"]))
    in_order = pc.sort_indices(usable, sort_keys=[("onset_ms", "ascending")])
    rows: list[dict[str, Any]] = usable.take(in_order).to_pylist()
    return rows
