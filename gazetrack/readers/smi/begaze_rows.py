"""SMI BeGaze's raw data: what its rows say, part by part.

Specification: "BeGaze Manual", SensoMotoric Instruments, "Metrics Export, Raw Data".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gazetrack.errors import NoGaze, quote
from gazetrack.readers.shared.clock import in_no_order
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.runs import RunParts, usual_step
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.readers.text.numbers import line_of
from gazetrack.tables.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header, Kind
    from gazetrack.readers.text.stored import StoredTable
    from gazetrack.readers.text.table import Columns

    Codes = npt.NDArray[np.int32]
    Mask = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.floating]

TIME = "RecordingTime [ms]"
EYES = {"left": "Left", "right": "Right", "both": "Binocular"}
POSITION = "Point of Regard {eye} {axis} [px]"
# By preference, as in the other exports of BeGaze.
_PUPILS = ("Pupil Diameter {eye} [mm]", "Pupil Size {eye} X [px]")
_TEXTS = {
    "participant": "Participant",
    "trial": "Trial",
    "stimulus": "Stimulus",
    "group": "Category Group",
}
_KINDS = {
    "Visual Intake": "fixation",
    "Fixation": "fixation",
    "Saccade": "saccade",
    "Blink": "blink",
}
_NO_SAMPLES = {"Separator", "User Event", "Trigger", "Keyboard", "Mouse"}


def wanted_of(head: Head, header: Header, eyes: list[str]) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names: dict[str, tuple[str, Kind]] = {"t": (TIME, "float64")}
    for key, name in _TEXTS.items():
        names[key] = name, "text"
    for eye, name in EYES.items():
        names[f"{eye}_category"] = f"Category {name}", "text"
        names[f"{eye}_index"] = f"Index {name}", "text"
        for pattern in _PUPILS:
            pupil = pattern.format(eye=name)
            if pupil in header.names:
                names.setdefault(f"{eye}_pupil", (pupil, "float32"))
        if eye in eyes:
            names[f"{eye}_x"] = POSITION.format(eye=name, axis="X"), "float32"
            names[f"{eye}_y"] = POSITION.format(eye=name, axis="Y"), "float32"
    return {
        key: (header.index(name, head.path), kind)
        for key, (name, kind) in names.items()
        if name in header.names
    }


def _are_samples(table: Columns) -> npt.NDArray[np.bool_]:
    """Tell the rows of gaze from those that separate trials or tell what the user did."""
    samples = np.ones(table.n_rows, np.bool_)
    if "group" in table.found:
        codes, names = table.texts("group")
        of_eye = np.array([name in ("Eye", "", "-") for name in names], bool)
        samples &= of_eye[codes]
    for eye in EYES:
        codes, names = table.texts(f"{eye}_category")
        of_no_sample = np.array([name in _NO_SAMPLES for name in names], bool)
        samples &= ~of_no_sample[codes]
    return samples


class _Part(NamedTuple):
    """The samples of a part of the table.

    Parameters
    ----------
    table : Columns
        All rows of the part of the table.
    kept : ndarray of bool, shape (n,)
        Which of them are samples that have a time.
    first_row : int
        How many rows are before the part.
    """

    table: Columns
    kept: Mask
    first_row: int


class _Stretches:
    """Stretches of samples of one participant on one clock, in the order of the file.

    A stretch of rows whose times lie among those of the participant's rows above it is of another
    recording.
    """

    def __init__(self) -> None:
        self.people: list[str] = []
        self.firsts: list[int] = []  # the first sample of each
        self.spans: list[tuple[float, float]] = []
        self._clock = Clock()
        self._n_samples = 0
        self._n_people = 0  # times that the participant changed

    def take(self, t: Floats, people: Codes, names: list[str]) -> Clock:
        """Take the samples of the next part, and return the clock that has taken them.

        Parameters
        ----------
        t : ndarray, shape (n,)
            The times of these samples in ms.
        people : ndarray of int32, shape (n,)
            Who each is of, as places in `names`.
        names : list of str
            The names of the participants so far.
        """
        if not t.size:
            return self._clock
        new = np.r_[True, people[1:] != people[:-1]]
        new[0] = not self.people or self.people[-1] != names[people[0]]
        # Each stretch of a participant is followed by itself; how many there were before, numbers
        # them on.
        groups = self._n_people + np.cumsum(new)
        self._n_people = int(groups[-1])
        new[self._clock.take(t, groups)] = True
        bounds = np.flatnonzero(new)
        if not new[0]:
            bounds = np.r_[0, bounds]
        for at, low, high in zip(
            bounds.tolist(),
            np.minimum.reduceat(t, bounds).tolist(),
            np.maximum.reduceat(t, bounds).tolist(),
            strict=True,
        ):
            if new[at]:
                self.people.append(names[people[at]])
                self.firsts.append(self._n_samples + at)
                self.spans.append((low, high))
            else:
                before = self.spans[-1]
                self.spans[-1] = (min(before[0], low), max(before[1], high))
        self._n_samples += t.size
        return self._clock

    def recordings(self) -> tuple[list[str], dict[str, int]]:
        """Return the recording of each stretch, and the number of clocks of each participant.

        A recording is named by its participant, and numbered where one has several clocks.
        """
        names: list[str] = []
        # By participant: the spans of time that each clock has had so far.
        taken: dict[str, list[list[tuple[float, float]]]] = {}
        for person, span in zip(self.people, self.spans, strict=True):
            clocks = taken.setdefault(person, [])
            number = _clock_of(span, clocks)
            clocks[number].append(span)
            names.append(person if number == 0 else f"{person}_{number + 1}")
        return names, {person: len(clocks) for person, clocks in taken.items()}


def _clock_of(span: tuple[float, float], clocks: list[list[tuple[float, float]]]) -> int:
    """Return the first clock that a span of time is free in; where there is none, a new one."""
    low, high = span
    for number, taken in enumerate(clocks):
        if all(high < begin or low > end for begin, end in taken):
            return number
    clocks.append([])
    return len(clocks) - 1


class BegazeRows:
    """The samples of a table, and the events that their categories tell.

    Parameters
    ----------
    head, header : Head, Header
        The first look at the file, and the header of its table.
    table : StoredTable
        The columns that `wanted_of` asks for.

    Attributes
    ----------
    origin_ms : float
        The first time of the first recording, ms.
    """

    def __init__(self, head: Head, header: Header, table: StoredTable) -> None:
        self.origin_ms = 0.0
        self._head = head
        self._header = header
        self._table = table
        self._people = _without_hyphen(table, "participant", head.stem)
        self._stretches = _Stretches()
        self._recordings: list[str] = []  # of each stretch
        self._starts: dict[str, float] = {}  # of each recording
        self._sink = SampleSink()
        self._used = {name: UsedNames() for name in ("recording", "trial", "stimulus")}
        self._dropped = {"no time": 0, "no sample (separators and events of the user)": 0}
        self._n_zeros = 0

    @property
    def dropped(self) -> dict[str, int]:
        """How many rows are no samples, by the reason."""
        return counted(self._dropped)

    def _parts(self) -> Iterator[_Part]:
        first_row = 0
        for table in self._table.parts():
            kept = np.isfinite(table.number("t")) & _are_samples(table)
            yield _Part(table, kept, first_row)
            first_row += table.n_rows

    def number_clocks(self, notes: list[str]) -> None:
        """Find the recordings.

        Raises
        ------
        ParseError
            No samples, or times that are in no order.
        """
        who = UsedNames()
        back = -1  # the row of the first time before the one above it
        n_samples = 0
        for part in self._parts():
            timed = np.isfinite(part.table.number("t"))
            rows = np.flatnonzero(part.kept)
            no_time, no_sample = self._dropped
            self._dropped[no_time] += int(np.count_nonzero(~timed))
            self._dropped[no_sample] += int(np.count_nonzero(timed & ~part.kept))
            codes = part.table.texts("participant").codes[part.kept]
            people = who.coded(codes, self._people)
            t = part.table.number("t")[part.kept]
            clock = self._stretches.take(t, people, who.used)
            if back < 0 <= clock.first_back:
                back = part.first_row + int(rows[clock.first_back - n_samples])
            n_samples += rows.size
            self._n_zeros += sum(_gaze(part)[1])
        if not n_samples:
            hint = "export the gaze data as well"
            what = "holds no gaze: no samples"
            raise NoGaze(what, path=self._head.path, line=self._header.lines, hint=hint)
        if self._n_zeros:
            notes.append(
                f"{self._n_zeros} positions of eyes at (0, 0), as BeGaze writes lost gaze: "
                "taken as missing"
            )
        if clock.in_no_order:
            raise in_no_order(clock, self._head.path, line_of(self._head, self._header, back))
        self._recordings, clocks = self._stretches.recordings()
        several = [count for count in clocks.values() if count > 1]
        if several:
            notes.append(
                f"{sum(several)} clocks of {len(several)} participants: a recording for each"
            )
        for name, (low, _) in zip(self._recordings, self._stretches.spans, strict=True):
            self._starts[name] = min(low, self._starts.get(name, low))
        self.origin_ms = next(iter(self._starts.values()))

    def samples(self) -> pa.Table:
        """Return the samples; `events` follows their runs on the way."""
        eyes = ["both"] if "both_category" in self._table.keys else ["left", "right"]
        self._runs = {eye: RunParts() for eye in eyes if f"{eye}_category" in self._table.keys}
        self._events = EventParts()
        self._changes = {eye: _Changes() for eye in self._runs}
        self._indices = {eye: UsedNames() for eye in self._runs}
        texts = {key: _without_hyphen(self._table, key) for key in ("trial", "stimulus")}
        starts = np.array([self._starts[name] for name in self._recordings])
        n_before = 0
        for part in self._parts():
            t = part.table.number("t")[part.kept]
            at = np.arange(n_before, n_before + t.size)
            stretch = np.searchsorted(self._stretches.firsts, at, side="right") - 1
            n_before += t.size
            gaze, _ = _gaze(part)
            columns: dict[str, Any] = {
                "recording": self._used["recording"].coded(stretch, self._recordings),
                "t_ms": t - starts[stretch],
                **gaze_columns(gaze),
            }
            for key, names in texts.items():
                codes = part.table.texts(key).codes[part.kept]
                columns[key] = self._used[key].coded(codes, names)
            self._sink.append(columns)
            for rank, eye in enumerate(self._runs):
                self._follow(part, eye, rank, columns)
        return self._sink.table({name: own.used or [""] for name, own in self._used.items()})

    def _follow(self, part: _Part, eye: str, rank: int, columns: dict[str, Any]) -> None:
        """Add the events of an eye that are over in a part."""
        codes, names = part.table.texts(f"{eye}_category")
        kinds = np.array([_KINDS.get(name, "") for name in names], object)[codes[part.kept]]
        places = {name: columns[name] for name in self._used}
        index = part.table.texts(f"{eye}_index")
        texts = _without_hyphen(self._table, f"{eye}_index")
        numbers = self._indices[eye].coded(index.codes[part.kept], texts)
        begins = self._changes[eye].take([*places.values(), numbers])
        places["participant"] = part.table.texts("participant").codes[part.kept]
        prefix = "" if eye == "both" else f"{eye}_"
        xy = (columns[f"{prefix}x_px"], columns[f"{prefix}y_px"])
        self._add(eye, rank, self._runs[eye].take(kinds, columns["t_ms"], xy, begins, places))

    def _add(self, eye: str, rank: int, runs: dict[str, npt.NDArray[Any]]) -> None:
        if not runs:
            return
        names = ("kind", "index", "onset_ms", "x_px", "y_px", "end_x_px", "end_y_px")
        columns: dict[str, Any] = {name: runs[name] for name in names}
        columns |= {"eye": eye, "duration_ms": runs["span_ms"]}
        texts = {name: own.used for name, own in self._used.items()}
        texts["participant"] = _without_hyphen(self._table, "participant")
        for name, own in texts.items():
            columns[name] = np.array(own, object)[runs[f"first_{name}"]]
        self._events.append(runs["first"], columns, rank=rank)

    def events(self, samples: pa.Table, notes: list[str]) -> pa.Table:
        """Return the runs of samples of one category and index.

        They are those of both eyes together where the export has these, else of each eye.

        Parameters
        ----------
        samples : pyarrow.Table
            The table that `samples` gives.
        notes : list of str
            Receives what events are made of.
        """
        for rank, (eye, runs) in enumerate(self._runs.items()):
            self._add(eye, rank, runs.close())
        if self._events.count:
            notes.append(
                "events are runs of one category and index: durations are last - first + one sample"
            )
        indices = [text for own in self._indices.values() for text in own.used if text]
        odd = next((text for text in indices if not text.isdigit()), "")
        if odd:
            notes.append(f"an index that is no number begins an event: {quote(odd, 30)!r}")
        step = usual_step(lambda: (chunk.to_numpy() for chunk in samples["t_ms"].chunks))
        return self._events.table(lambda columns: {"duration_ms": columns["duration_ms"] + step})


def _without_hyphen(table: StoredTable, key: str, empty: str = "") -> list[str]:
    """Return the texts of a column by their codes; a hyphen is BeGaze's empty cell."""
    return [empty if name in ("-", "") else name for name in table.names(key)]


class _Changes:
    """Tells the samples in which any of some columns is another than in the sample before."""

    def __init__(self) -> None:
        self._last: tuple[int, ...] = ()

    def take(self, columns: list[Codes]) -> Mask:
        """Return which of the next samples are such; codes mean the same in all parts."""
        changes: Mask = np.zeros(len(columns[0]), np.bool_)
        if not len(changes):
            return changes
        for codes in columns:
            changes[1:] |= codes[1:] != codes[:-1]
        first = tuple(int(codes[0]) for codes in columns)
        changes[0] = bool(self._last) and first != self._last
        self._last = tuple(int(codes[-1]) for codes in columns)
        return changes


def _gaze(part: _Part) -> tuple[dict[str, Floats], list[int]]:
    """Return gaze and pupils of the samples; BeGaze writes a lost eye as 0, or as a hyphen.

    Beside them it gives how many positions of each eye are such zeros.
    """
    table, kept, _ = part
    gaze: dict[str, Floats] = {}
    zeros = []
    for eye in EYES:
        x = table.number(f"{eye}_x")[kept]
        y = table.number(f"{eye}_y")[kept]
        lost = (x == 0) & (y == 0)
        zeros.append(int(np.count_nonzero(lost)))
        nan = x.dtype.type(np.nan)
        if eye == "both":
            # Without a binocular gaze of its own, the export's is the mean of the eyes.
            if "both_x" in table.found:
                gaze["x"] = np.where(lost, nan, x)
                gaze["y"] = np.where(lost, nan, y)
            continue
        pupil = table.number(f"{eye}_pupil")[kept]
        gaze[f"{eye}_x"] = np.where(lost, nan, x)
        gaze[f"{eye}_y"] = np.where(lost, nan, y)
        gaze[f"{eye}_pupil"] = np.where(pupil == 0, nan, pupil)
    return gaze, zeros
