"""Any table of gaze samples: read once, kept, and then taken part by part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.readers.generic.asked import NAME, Asked, note_lost, refuse_step_back, refuse_unit
from gazetrack.readers.generic.columns import PAIRS, TEXTS
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.fixation_rows import SHARED, names_of_pairs
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.shared.positions import Frame, Reach, frame_of, to_px, without_marks_of_loss
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.steps import GroupSteps, median_of_positive
from gazetrack.readers.shared.used_names import Combinations, UsedNames
from gazetrack.readers.text.stored import StoredTable, stored_table
from gazetrack.readers.text.table import Columns
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.tables.screen import Screen

    Floats = npt.NDArray[np.floating]

_GROUP = "group"  # the rows of one trial, person and stimulus
_NAMED = ("recording", "participant")


def read_samples(asked: Asked, notes: list[str]) -> tuple[Recording, Screen | None]:
    """Return a table of samples as a recording; times count from the start of each recording.

    Parameters
    ----------
    asked : Asked
        The table and its columns.
    notes : list of str
        What was inferred so far, in words for the user.

    Returns
    -------
    recording : Recording
        The samples.
    screen : Screen or None
        The screen that its positions needed, if any.

    Raises
    ------
    ParseError
        Times that step back or cannot be in ms, positions that cannot be in pixels.
    """
    groups = Combinations()

    def changed(table: Columns) -> Columns:
        codes = [table.found[key].codes for key in sorted(TEXTS) if key in table.found]
        found = dict(table.found)
        found[_GROUP] = groups.coded(codes, table.n_rows)
        found["t"] = found["t"] * asked.factor("t")
        return Columns(table.n_rows, found)

    table = stored_table(asked.head, asked.header, asked.wanted(), changed)
    _check_times(asked, table)
    if "t" not in asked.units:
        refuse_unit(asked, "t", median_of_positive(lambda: _steps(table)))
    frame = frame_of(asked.axes, asked.screen, asked.head.path)
    _check_positions(asked, table, notes)
    samples = _Samples(asked, frame)
    for part in table.parts():
        samples.take(part)
    recording = samples.recording(table, sorted(notes))
    return recording, None if asked.axes.plain else frame.screen


def _check_times(asked: Asked, table: StoredTable) -> None:
    """Refuse times that step back within the rows of one group."""
    by_group = GroupSteps()
    n_before = 0
    for part in table.parts():
        t = part.number("t")
        rows = np.flatnonzero(np.isfinite(t))  # a row without a time hides no step back
        back = by_group.take(t[rows], part.found[_GROUP][rows]) < 0
        if back.any():
            refuse_step_back(asked, n_before + int(rows[int(back.argmax())]))
        n_before += part.n_rows


def _steps(table: StoredTable) -> Iterator[Floats]:
    """Yield the steps between the times of each group; rows without a time have none."""
    by_group = GroupSteps()
    for part in table.parts():
        yield by_group.take(part.number("t"), part.found[_GROUP])


def _check_positions(asked: Asked, table: StoredTable, notes: list[str]) -> None:
    """Refuse positions that cannot be pixels, and note how many are marks of lost gaze."""
    pairs = [pair for pair in PAIRS if set(pair) <= set(table.keys)]
    reaches = {pair: Reach() for pair in pairs}
    n_lost = 0
    for part in table.parts():
        for pair, reach in reaches.items():
            x, y, n_marks = without_marks_of_loss(asked.axes, *map(part.number, pair))
            reach.take(x, y)
            n_lost += n_marks
    for reach in reaches.values():
        if not asked.axes.stated:
            reach.refuse(asked.head.path, asked.named)
    note_lost(n_lost, notes)


class _Samples:
    """What the parts of a table add up to."""

    def __init__(self, asked: Asked, frame: Frame) -> None:
        self._asked = asked
        self._frame = frame
        self._sink = SampleSink()
        self._names = {key: UsedNames() for key in ("trial", "stimulus")}
        # A recording is what has a name and a participant of its own: all of the table without
        # either column. Its rows with a time are numbered again: only these become samples.
        self._recordings = Combinations()
        self._timed = UsedNames()
        self._starts: dict[int, float] = {}
        self._steps = GroupSteps()
        self._first: float | None = None
        self._any_back = False
        # The pupil is that of the one eye that was recorded; of combined gaze, of both.
        sides = [side for side in EYES if f"{side}_x" in asked.columns]
        self._sides_of_pupil = sides if len(sides) == 1 else list(EYES)

    def take(self, part: Columns) -> None:
        """Take a part of some ten thousand rows."""
        t = part.number("t")
        timed = np.isfinite(t)
        keys = [key for key in _NAMED if key in part.found]
        own = self._recordings.coded([part.found[key].codes for key in keys], part.n_rows)[timed]
        t = t[timed]
        if self._first is None and t.size:
            self._first = float(t[0])
        numbers = [str(number) for number in range(len(self._recordings.found))]
        columns: dict[str, npt.NDArray[Any]] = {
            "recording": self._timed.coded(own, numbers),
            "t_ms": t - self._starts_of(own, t),
        }
        # Within a trial no time steps back: where one does between trials, each has a clock.
        self._any_back |= bool((self._steps.take(t, own) < 0).any())
        for key, names in self._names.items():
            codes, texts = part.texts(key)
            columns[key] = names.coded(codes[timed], texts)
        gaze = self._placed(part)
        for axis in "xy":
            left = gaze.get(f"left_{axis}", part.number(f"left_{axis}"))[timed]
            right = gaze.get(f"right_{axis}", part.number(f"right_{axis}"))[timed]
            columns[f"left_{axis}_px"] = left
            columns[f"right_{axis}_px"] = right
            stated = gaze.get(axis, part.number(axis))[timed]
            columns[f"{axis}_px"] = stated if axis in part.found else mean_of_eyes(left, right)
        if "pupil" in part.found:
            sizes = part.number("pupil")[timed]
            columns |= {f"{side}_pupil": sizes for side in self._sides_of_pupil}
        self._sink.append(columns)

    def _placed(self, part: Columns) -> dict[str, Floats]:
        """Return the positions in pixels by key."""
        axes = self._asked.axes
        placed: dict[str, Floats] = {}
        for pair in PAIRS:
            if set(pair) <= set(part.found):
                x, y, _ = without_marks_of_loss(axes, *map(part.number, pair))
                placed |= dict(zip(pair, to_px(axes, x, y, self._frame), strict=True))
        if axes.y_up:
            # What is turned round may be a NaN of another sign.
            placed = {key: np.where(np.isnan(px), np.nan, px) for key, px in placed.items()}
        return placed

    def _starts_of(self, own: npt.NDArray[np.int32], t: Floats) -> Floats:
        """Return the first time of each sample's recording."""
        codes, first, place = np.unique(own, return_index=True, return_inverse=True)
        found = [
            self._starts.setdefault(code, float(t[at]))
            for code, at in zip(codes.tolist(), first.tolist(), strict=True)
        ]
        return np.array(found, np.float64)[place]

    def recording(self, table: StoredTable, notes: list[str]) -> Recording:
        """Return all of them; `notes` are the recording's, and more come to them."""
        names = self._names_of_recordings(table, notes)
        unused = [key for key in ("eye", "width", "height") if key in table.keys]
        notes += [f"{key} is not used for samples" for key in unused]
        if "pupil" in table.keys and len(self._sides_of_pupil) > 1:
            notes.append("one pupil column: taken for both eyes")
        used = [int(number) for number in self._timed.used]
        texts = {key: own.used or [""] for key, own in self._names.items()}
        texts["recording"] = [names[code] for code in used] or [""]
        sides = [side for side in ("left", "right") if f"{side}_x" in table.keys]
        n_without = table.n_rows - self._sink.rows
        found = Recording(
            name=self._asked.head.stem,
            format=NAME,
            sample_table=self._sink.table(texts),
            event_table=conform({}, EVENTS),
            marks_known=True,
            eyes="binocular" if len(sides) > 1 else next(iter(sides), "combined"),
            origin_ms=0.0 if self._first is None else self._first,
            time_origin="trial" if self._any_back else "recording",
            rows_in=table.n_rows,
            dropped=counted({"no time": n_without}),
            notes=tuple(notes),
        )
        return replace(found, participants=self._people(table, names, used))

    def _names_of_recordings(self, table: StoredTable, notes: list[str]) -> list[str]:
        """Return the name of each recording.

        Two participants are never in one, whatever theirs are called.
        """
        keys = [key for key in _NAMED if key in table.keys]
        if not keys:
            return [self._asked.head.stem]
        rows = [
            tuple(table.names(key)[code] for key, code in zip(keys, codes, strict=True))
            for codes in self._recordings.found
        ]
        labels = [row[0] for row in rows]
        if len(keys) == 1:
            return labels
        names = names_of_pairs([(row[0], row[1]) for row in rows])
        if names != labels:
            notes.append(SHARED)
        return names

    def _people(self, table: StoredTable, names: list[str], used: list[int]) -> dict[str, str]:
        """Return who was recorded, by the name of the recording, which holds one person's rows."""
        if "participant" not in table.keys:
            return {}
        codes = [combination[-1] for combination in self._recordings.found]
        people = table.names("participant")
        found = {names[code]: people[codes[code]] for code in used}
        return {name: found[name] for name in sorted(found) if found[name]}
