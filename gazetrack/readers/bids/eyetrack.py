"""BIDS eye tracking: a table of samples of one eye, with a JSON sidecar.

Specification: "Brain Imaging Data Structure" 1.11, "Physiological recordings: eye tracking"
(BEP020): compressed ``*_physio.tsv.gz`` without a header, whose columns the sidecar of the same
name, or of a folder above, lists; and its drafts: ``*_eyetrack.tsv`` with a header such as
``eye1_x_coordinate``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.bids.events import UNITS_MS, GazeRows, events_beside, stated_unit
from gazetrack.readers.bids.screen import screen_of, screen_without, stated_screen
from gazetrack.readers.bids.shown import with_shown
from gazetrack.readers.bids.sidecars import described, entities_in, expected_sidecar, sidecar
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.gaze import gaze_columns, pupils_of, without_marks
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.steps import median_of_positive, steps_within
from gazetrack.readers.text.header import Header, Kind, header_of
from gazetrack.readers.text.stored import StoredTable, stored_table
from gazetrack.tables.recording import Recording
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.readers.text.table import Columns

FORMAT = Format(
    name="bids",
    title="BIDS eye tracking (1.11 and drafts)",
    suffixes=(".tsv", ".tsv.gz"),
    provides="samples (all eyes as one from a folder), and the events of physioevents beside them",
    units="times and positions by the sidecar, ms and px without one; pupil as exported",
    lost="columns that are no time, position or pupil; blink flags; events.tsv but trial, stimulus",
    source="https://bids-specification.readthedocs.io, BEP020",
)
_NOMINAL = Screen(1920, 1080)
_TIMES = ("timestamp", "eye_timestamp", "time")
_COLUMN = re.compile(r"(?:eye([12])_)?(x_coordinate|y_coordinate|pupil_size)")
_KEYS = {"x_coordinate": "x", "y_coordinate": "y", "pupil_size": "pupil"}
_NAME = re.compile(r"(?:sub|task|ses|run|recording|acq)-[A-Za-z0-9]+")
_EYE = re.compile(r"_recording-eye[0-9]+_physio\.")
_PIXELS = {"", "pixel", "pixels", "px"}
_FRACTIONS = {"normalized", "normalised", "fraction", "1"}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?|n/a")


@dataclass(frozen=True)
class _Gaze:
    """Gaze by ``left_x``, …, in pixels or fractions, and whose eyes it is."""

    values: dict[str, npt.NDArray[np.floating]]
    eyes: str


def sniff(head: Head) -> Verdict:
    """Judge the file by its header, or, without one, by the columns of its sidecar."""
    header = header_of(head)
    if header is None:
        return NO
    if _is_gaze(header.names):
        columns = ", ".join(name for name in header.names if _COLUMN.fullmatch(name))
        return Verdict(Level.CERTAIN, f"columns {columns}")
    if not _NUMBER.fullmatch(header.names[0]):
        return NO
    return _sniff_without_header(head, len(header.names))


def _sniff_without_header(head: Head, n_cells: int) -> Verdict:
    """Judge a table that begins with a row of numbers, by its sidecar and its name."""
    named = _NAME.match(head.path.name) is not None
    if named and "_physioevents." in head.path.name:
        what = "the events of a BIDS recording"
        return Verdict(Level.NO, what, "give the *_physio.tsv.gz beside it, which reads them")
    try:
        columns = sidecar(head.path).get("Columns")
    except ParseError as error:
        damage = quote(error.what)
        what = f"a BIDS table without header, whose sidecar cannot be read: {damage}"
        return Verdict(Level.NO, what)
    if isinstance(columns, list) and _is_gaze(columns) and len(columns) == n_cells:
        what = "a table without header, whose BIDS sidecar lists columns of gaze"
        return Verdict(Level.CERTAIN, what)
    if not named or "_physio." not in head.path.name:
        return NO
    if columns is None:
        missing = quote(expected_sidecar(head.path), 110)
        what = f"a BIDS table without its sidecar {missing}"
        if _EYE.search(head.path.name):
            # Gaze by its name: in a folder it must not be passed over as a file of something else.
            return Verdict(Level.LIKELY, what)
        return Verdict(Level.NO, what, hint="put the sidecar beside it")
    return Verdict(Level.NO, f"a BIDS table; {_missing(head.path, columns, n_cells)}")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the samples, and the tracker's events from the ``*_physioevents.tsv.gz`` beside them.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        No columns of gaze in the header or the sidecar, a unit of positions that cannot be read, a
        damaged sidecar, row or cell.
    """
    facts = sidecar(head.path)
    header = _header(head, facts)
    table = stored_table(head, header, _wanted(header, head.path))
    notes: list[str] = []
    name = next(name for name in _TIMES if name in header.names)
    unit_ms = _time_unit(name, table, facts, head.path, notes)
    timed = TimedParts(head, header)
    for part in table.parts():
        timed.take(part.number("t") * unit_ms)
    timed.check()
    shown = stated_screen(facts) or stated_screen(sidecar(head.path, "events"))
    screen = screen_of(shown, notes)
    camera = ""
    if screen is None:
        screen, camera = screen_without(facts)
    facts["ScreenOrigin"] = shown.get("ScreenOrigin")
    gaze = _Rows(head.path, facts, screen)
    for part in table.parts():
        gaze.take(part, unit_ms, timed.origin_ms)
    eyes = gaze.eyes
    notes += gaze.notes()
    samples = gaze.samples.table({"recording": [head.stem]})
    samples = with_shown(head, facts, samples, notes)
    subject = entities_in(head.stem).get("sub", "")
    rows = GazeRows(
        beside=head.path,
        name=head.stem,
        eye=eyes if eyes in ("left", "right") else "both",
        time_column=name,
        unit_ms=unit_ms,
        origin_ms=timed.origin_ms,
        samples=samples,
        participant=subject,
    )
    rate = facts.get("SamplingFrequency")
    maker = str(facts.get("Manufacturer", ""))
    model = str(facts.get("ManufacturersModelName", ""))
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=events_beside(head, rows, notes),
        participants={head.stem: subject} if subject else {},
        screen=screen,
        world_camera=camera,
        marks_known=gaze.marks_known,
        directions=isinstance(facts.get("DirectionPlane"), dict),
        rate_hz=float(rate) if isinstance(rate, int | float) and rate > 0 else None,
        eyes=eyes,
        origin_ms=timed.origin_ms,
        tracker=f"{maker} {model}".strip(),
        rows_in=table.n_rows,
        dropped=timed.dropped,
        notes=tuple(notes),
    )
    if gaze.fractions and screen is None:
        return recording.on_nominal_screen(_NOMINAL, "screen")
    return recording


class _Rows:
    """What the parts of a table add up to."""

    def __init__(self, path: Path, facts: dict[str, Any], screen: Screen | None) -> None:
        self.samples = SampleSink()
        self.eyes = "combined"
        self.fractions = False
        # As `gazetrack bids` writes it: no number stands for lost gaze.
        self.marks_known = facts.get("MissingGaze") == "n/a"
        self._path = path
        self._facts = facts
        self._screen = screen
        self._n_marks = 0
        # What is noted of the eyes, and of the unit of positions: the same of each part.
        self._of_eyes: list[str] = []
        self._of_positions: list[str] = []

    def take(self, table: Columns, unit_ms: float, origin_ms: float) -> None:
        """Take a part of some ten thousand rows.

        Parameters
        ----------
        table : Columns
            The columns of the part, by our names.
        unit_ms : float
            The milliseconds in a unit of the column of times.
        origin_ms : float
            The time of the first sample, ms.
        """
        time = table.number("t") * unit_ms
        rows = np.isfinite(time)
        gaze = _gaze(table, self._facts, self._of_eyes)
        self.eyes = gaze.eyes
        if not self.marks_known:
            self._n_marks += _take_out_marks(gaze.values)
        self.fractions = _in_pixels(
            gaze.values, self._facts, self._screen, self._path, self._of_positions
        )
        own = gaze_columns({key: values[rows] for key, values in gaze.values.items()})
        columns: dict[str, Any] = {**own, "t_ms": time[rows] - origin_ms}
        self.samples.append(columns)

    def notes(self) -> list[str]:
        """Return what had to be inferred, each once."""
        marks = []
        if self._n_marks:
            marks = [f"{self._n_marks} positions at (-1, -1): taken as missing"]
        return list(dict.fromkeys([*self._of_eyes, *marks, *self._of_positions]))


def _is_gaze(names: Any) -> bool:
    """Tell whether there are columns of times and of both coordinates among the names."""
    found = {match[2] for name in names if (match := _COLUMN.fullmatch(str(name)))}
    return {"x_coordinate", "y_coordinate"} <= found and any(name in names for name in _TIMES)


def _missing(path: Path, columns: Any, n_cells: int) -> str:
    """Return, in words for the user, what keeps a table without a header from being read."""
    if not isinstance(columns, list):
        expected = quote(expected_sidecar(path), 100)
        return f"put its sidecar {expected} beside it, or task-…_physio.json above"
    if not _is_gaze(columns):
        return (
            "its sidecar lists no columns timestamp, x_coordinate and y_coordinate: "
            "another recording than gaze"
        )
    return f"its sidecar lists {len(columns)} columns, the table has {n_cells}"


def _header(head: Head, facts: dict[str, Any]) -> Header:
    """Return the header of a draft's table, or the columns that the sidecar lists (since 1.11)."""
    header = header_of(head)
    if header is not None and _is_gaze(header.names):
        return header
    columns = facts.get("Columns")
    n_cells = len(header.names) if header is not None else 1
    names = tuple(map(str, columns)) if isinstance(columns, list) else ()
    if header is None or not _is_gaze(names) or len(names) != n_cells:
        hint = _missing(head.path, columns, n_cells)
        what = "no header, and no sidecar that fits"
        if columns is None:
            what = f"a BIDS table without its sidecar {quote(expected_sidecar(head.path), 100)}"
            hint = "put it beside the table, or task-…_physio.json above"
        raise ParseError(what, path=head.path, line=1, hint=hint)
    return replace(header, names=names, lines=0)


def _wanted(header: Header, path: Path) -> dict[str, tuple[int, Kind]]:
    """Return the columns of times, positions and pupils; ``1x`` is x of a draft's eye 1."""
    time = next(name for name in _TIMES if name in header.names)
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(time, path), "float64")}
    for name in header.names:
        match = _COLUMN.fullmatch(name)
        if match is None:
            continue
        # A draft's tool calls the flags of the samples eye2_x_coordinate: an eye has both
        # coordinates or none.
        prefix = name[: match.start(2)]
        if {f"{prefix}x_coordinate", f"{prefix}y_coordinate"} <= set(header.names):
            number = match[1] or ""
            wanted[f"{number}{_KEYS[match[2]]}"] = header.index(name, path), "float64"
    return wanted


def _time_unit(
    name: str, table: StoredTable, facts: dict[str, Any], path: Path, notes: list[str]
) -> float:
    """Return the milliseconds in a unit of the time column.

    The sidecar states it, else the sampling rate tells, else times are taken as ms.
    """
    stated = stated_unit(facts, name, path)
    if stated is not None:
        return stated
    rate = facts.get("SamplingFrequency")
    if isinstance(rate, int | float) and rate > 0:
        # Not a number where no time goes forward: no unit fits then.
        step = median_of_positive(lambda: steps_within(_finite_times(table)))
        for unit in ("s", "ms", "us"):
            # In the right unit a step is one period of the sampling rate.
            periods = step * UNITS_MS[unit] * rate / 1e3
            if 0.5 < periods < 2:
                notes.append(f"time unit inferred from the sampling rate: {unit}")
                return UNITS_MS[unit]
    notes.append("time taken as ms: no sidecar gives its unit")
    return 1.0


def _finite_times(table: StoredTable) -> Iterator[npt.NDArray[np.floating]]:
    """Yield the times of the rows that have one, in the unit of the table."""
    for part in table.parts():
        time = part.number("t")
        yield time[np.isfinite(time)]


def _gaze(table: Columns, facts: dict[str, Any], notes: list[str]) -> _Gaze:
    """Return the gaze by eye.

    A draft's eye 1 is the left one where both are there, and nothing says otherwise.
    """
    recorded = str(facts.get("RecordedEye", "")).lower()
    if {"2x", "2y"} <= set(table.found):
        notes.append("eye1 taken as the left eye, eye2 as the right: the table does not say")
        values = {}
        for number, side in (("1", "left"), ("2", "right")):
            for key in ("x", "y", "pupil"):
                values[f"{side}_{key}"] = table.number(f"{number}{key}")
        return _Gaze(values, "binocular")
    number = "1" if "1x" in table.found else ""
    x = table.number(f"{number}x")
    y = table.number(f"{number}y")
    pupil = table.number(f"{number}pupil")
    nothing = np.full(table.n_rows, np.nan)
    if recorded in ("left", "right"):
        other = "right" if recorded == "left" else "left"
        values = {
            f"{recorded}_x": x,
            f"{recorded}_y": y,
            f"{recorded}_pupil": pupil,
            f"{other}_x": nothing,
            f"{other}_y": nothing,
        }
        return _Gaze(values, recorded)
    if recorded == "cyclopean":
        if np.isfinite(pupil).any():
            notes.append("the pupil size of the cyclopean eye is no eye's own: left out")
        pupil = nothing
    return _Gaze({"x": x, "y": y, "left_pupil": pupil, "right_pupil": pupil}, "combined")


def _take_out_marks(values: dict[str, npt.NDArray[np.floating]]) -> int:
    """Turn what vendors write for missing values into NaN, and return how many positions were it.

    BIDS says ``n/a``, but converters copy what the tracker wrote.
    """
    count = 0
    for x, y in (("x", "y"), ("left_x", "left_y"), ("right_x", "right_y")):
        if x in values:
            values[x], values[y], found = without_marks(values[x], values[y], -1.0)
            count += found
    for eye in ("left", "right"):
        if f"{eye}_pupil" in values:
            values[f"{eye}_pupil"] = pupils_of(values[f"{eye}_pupil"])
    return count


def _in_pixels(
    values: dict[str, npt.NDArray[np.floating]],
    facts: dict[str, Any],
    screen: Screen | None,
    path: Path,
    notes: list[str],
) -> bool:
    """Turn fractions into pixels, and y down; return whether there were fractions.

    Parameters
    ----------
    values : dict of str to ndarray
        Positions by ``x``, ``left_x``, …, which are replaced, and pupils, which stay.
    facts : dict
        What the sidecar says, with ``ScreenOrigin``.
    screen : Screen or None
        The screen, as far as it is stated.
    path : pathlib.Path
        The table, which an error names.
    notes : list of str
        Receives that positions are not on a screen.

    Raises
    ------
    ParseError
        A unit that is neither pixels nor fractions, or an origin that cannot be moved.
    """
    units = set()
    for eye in ("", "eye1_", "eye2_"):
        for axis in "xy":
            units.add(described(facts, f"{eye}{axis}_coordinate", "Units").lower())
    units.discard("")
    if units - _PIXELS and units - _FRACTIONS:
        what = f"positions in {quote(', '.join(sorted(units)), 40)!r}"
        hint = "pixels and fractions (normalized) of a screen can be read"
        raise ParseError(what, path=path, hint=hint)
    system = str(facts.get("SampleCoordinateSystem") or "gaze-on-screen")
    if system != "gaze-on-screen":
        notes.append(f"positions are {quote(system, 40)}, not on a screen")

    fractions = bool(units & _FRACTIONS)
    size_known = fractions or screen is not None
    origin = facts.get("ScreenOrigin") or ["top", "left"]
    from_top = origin == ["top", "left"]
    from_bottom = origin == ["bottom", "left"]
    if not from_top and not (from_bottom and size_known):
        what = f"the screen's origin at {quote(origin, 40)}"
        hint = "top left can be read, and bottom left of a screen whose resolution is stated"
        raise ParseError(what, path=path, hint=hint)

    size = screen or _NOMINAL
    for key, exported in values.items():
        if key.endswith("pupil"):
            continue
        is_x = key.endswith("x")
        extent = size.width_px if is_x else size.height_px
        pixels = exported * extent if fractions else exported
        values[key] = extent - pixels if from_bottom and not is_x else pixels
    return fractions
