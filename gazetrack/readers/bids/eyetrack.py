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

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.bids.events import UNITS_MS, GazeRows, events_beside, stated_unit
from gazetrack.readers.bids.sidecars import described, expected_sidecar, sidecar
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.gaze import gaze_columns, pupils_of, without_marks
from gazetrack.readers.text.header import Header, Kind, header_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

FORMAT = Format(
    name="bids",
    title="BIDS eye tracking (1.11 and drafts)",
    suffixes=(".tsv", ".tsv.gz"),
    provides="samples, and the events of the physioevents file beside them",
    units="times and positions by the sidecar, ms and px without one; pupil as exported",
    lost="columns that are no time, position or pupil; blink flags; what was shown (events.tsv)",
    source="https://bids-specification.readthedocs.io, BEP020",
)
_NOMINAL = Screen(1920, 1080)
_TIMES = ("timestamp", "eye_timestamp", "time")
_COLUMN = re.compile(r"(?:eye([12])_)?(x_coordinate|y_coordinate|pupil_size)")
_KEYS = {"x_coordinate": "x", "y_coordinate": "y", "pupil_size": "pupil"}
_MOST_METRES = 5.0
_LEAST_CM, _MOST_CM, _LEAST_MM = 10.0, 150.0, 300.0
_NAME = re.compile(r"(?:sub|task|ses|run|recording|acq)-[A-Za-z0-9]+")
_PIXELS = {"", "pixel", "pixels", "px"}
_FRACTIONS = {"normalized", "normalised", "fraction", "1"}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?|n/a")


@dataclass(frozen=True)
class _Gaze:
    """Gaze by ``left_x``, …, in pixels or fractions, and whose eyes it is of."""

    values: dict[str, npt.NDArray[np.floating]]
    eyes: str


def sniff(head: Head) -> Verdict:
    """Judge the file by its header, or, without one, by the columns of its sidecar."""
    header = header_of(head)
    if header is None:
        return NO
    if _is_gaze(header.names):
        return Verdict(
            Level.CERTAIN,
            f"columns {', '.join(name for name in header.names if _COLUMN.fullmatch(name))}",
        )
    if not _NUMBER.fullmatch(header.names[0]):
        return NO
    named = _NAME.match(head.path.name) is not None
    if named and "_physioevents." in head.path.name:
        return Verdict(
            Level.NO,
            "the events of a BIDS recording",
            "give the *_physio.tsv.gz beside it, which reads them",
        )
    try:
        columns = sidecar(head.path).get("Columns")
    except ParseError as error:
        return Verdict(
            Level.NO,
            f"a BIDS table without header, whose sidecar cannot be read: {quote(error.what)}",
        )
    if isinstance(columns, list) and _is_gaze(columns) and len(columns) == len(header.names):
        return Verdict(
            Level.CERTAIN, "a table without header, whose BIDS sidecar lists columns of gaze"
        )
    if named and "_physio." in head.path.name:
        if columns is None:
            missing = quote(expected_sidecar(head.path), 110)
            return Verdict(
                Level.NO,
                f"a BIDS table without its sidecar {missing}",
                hint="put the sidecar beside it",
            )
        return Verdict(Level.NO, f"a BIDS table; {_missing(head.path, columns, len(header.names))}")
    return NO


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
    table = read_columns(head, header, _wanted(header, head.path))
    notes: list[str] = []
    name = next(name for name in _TIMES if name in header.names)
    unit = _time_unit(name, table.number("t"), facts, head.path, notes)
    time = table.number("t") * unit
    timed = np.isfinite(time)
    t, origin = time[timed], float(time[timed][0]) if timed.any() else 0.0
    check_clock(head, header, t, timed)
    shown = _shown(facts) or _shown(sidecar(head.path, "events"))
    screen = _screen(shown, notes)
    gaze = _gaze(table, facts, notes)
    _take_out_marks(gaze.values, notes)
    fractions = _in_pixels(
        gaze.values, facts | {"ScreenOrigin": shown.get("ScreenOrigin")}, screen, head.path, notes
    )
    columns = gaze_columns({key: values[timed] for key, values in gaze.values.items()})
    samples = conform({"recording": head.stem, "t_ms": t - origin, **columns}, SAMPLES)
    x, y = (samples[f"{axis}_px"].to_numpy() for axis in "xy")
    eye = gaze.eyes if gaze.eyes in ("left", "right") else "both"
    rows = GazeRows(head.path, head.stem, eye, name, unit, origin, t - origin, x, y)
    rate = facts.get("SamplingFrequency")
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=events_beside(head, rows, notes),
        screen=screen,
        rate_hz=float(rate) if isinstance(rate, int | float) and rate > 0 else None,
        eyes=gaze.eyes,
        origin_ms=origin,
        tracker=" ".join(
            str(facts.get(key, "")) for key in ("Manufacturer", "ManufacturersModelName")
        ).strip(),
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
        notes=tuple(notes),
    )
    return (
        recording.on_nominal_screen(_NOMINAL, "screen")
        if fractions and screen is None
        else recording
    )


def _is_gaze(names: Any) -> bool:
    found = {match[2] for name in names if (match := _COLUMN.fullmatch(str(name)))}
    return {"x_coordinate", "y_coordinate"} <= found and any(name in names for name in _TIMES)


def _missing(path: Path, columns: Any, n_cells: int) -> str:
    if not isinstance(columns, list):
        return f"put its sidecar {quote(expected_sidecar(path), 100)} beside it, or task-…_physio.json above"
    if not _is_gaze(columns):
        return "its sidecar lists no columns timestamp, x_coordinate and y_coordinate: another recording than gaze"
    return f"its sidecar lists {len(columns)} columns, the table has {n_cells}"


def _header(head: Head, facts: dict[str, Any]) -> Header:
    header = header_of(head)
    if header is not None and _is_gaze(header.names):
        return header
    columns = facts.get("Columns")
    n_cells = len(header.names) if header is not None else 1
    if (
        header is None
        or not isinstance(columns, list)
        or not _is_gaze(columns)
        or len(columns) != n_cells
    ):
        hint = _missing(head.path, columns, n_cells)
        raise ParseError("no header, and no sidecar that fits", path=head.path, line=1, hint=hint)
    return replace(header, names=tuple(map(str, columns)), lines=0)


def _wanted(header: Header, path: Path) -> dict[str, tuple[int, Kind]]:
    time = next(name for name in _TIMES if name in header.names)
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(time, path), "float64")}
    for name in header.names:
        match = _COLUMN.fullmatch(name)
        # A draft's tool calls the flags of the samples eye2_x_coordinate: an eye has both
        # coordinates or none.
        if match and {f"{name[: match.start(2)]}{axis}_coordinate" for axis in "xy"} <= set(
            header.names
        ):
            wanted[f"{match[1] or ''}{_KEYS[match[2]]}"] = header.index(name, path), "float64"
    return wanted


def _time_unit(
    name: str, time: npt.NDArray[np.floating], facts: dict[str, Any], path: Path, notes: list[str]
) -> float:
    """Return the milliseconds in a unit of the time column: as stated, else by the sampling rate, else 1."""
    stated = stated_unit(facts, name, path)
    if stated is not None:
        return stated
    rate, steps = facts.get("SamplingFrequency"), np.diff(time[np.isfinite(time)])
    steps = steps[steps > 0]
    if isinstance(rate, int | float) and rate > 0 and steps.size:
        found = {
            key: float(np.median(steps)) * ms * rate / 1e3
            for key, ms in (("s", 1e3), ("ms", 1.0), ("us", 1e-3))
        }
        close = next((key for key, ratio in found.items() if 0.5 < ratio < 2), None)
        if close is not None:
            notes.append(f"time unit inferred from the sampling rate: {close}")
            return UNITS_MS[close]
    notes.append("time taken as ms: no sidecar gives its unit")
    return 1.0


def _gaze(table: Columns, facts: dict[str, Any], notes: list[str]) -> _Gaze:
    """Return the gaze by eye; a draft's eye 1 is the left one where both are there, and nothing says otherwise."""
    recorded = str(facts.get("RecordedEye", "")).lower()
    if {"2x", "2y"} <= set(table.found):
        sides = {"1": "left", "2": "right"}
        notes.append("eye1 taken as the left eye, eye2 as the right: the table does not say")
        keys = {
            f"{side}_{key}": f"{n}{key}" for n, side in sides.items() for key in ("x", "y", "pupil")
        }
        return _Gaze({key: table.number(name) for key, name in keys.items()}, "binocular")
    n = "1" if "1x" in table.found else ""
    x, y, pupil = (table.number(f"{n}{key}") for key in ("x", "y", "pupil"))
    if recorded in ("left", "right"):
        other = "right" if recorded == "left" else "left"
        lost = {f"{other}_{axis}": np.full(table.n_rows, np.nan) for axis in "xy"}
        return _Gaze(
            {f"{recorded}_x": x, f"{recorded}_y": y, f"{recorded}_pupil": pupil, **lost}, recorded
        )
    if recorded == "cyclopean":
        if np.isfinite(pupil).any():
            notes.append("the pupil size of the cyclopean eye is no eye's own: left out")
        pupil = np.full(table.n_rows, np.nan)
    return _Gaze({"x": x, "y": y, "left_pupil": pupil, "right_pupil": pupil}, "combined")


def _take_out_marks(values: dict[str, npt.NDArray[np.floating]], notes: list[str]) -> None:
    """Turn what vendors write for missing values into NaN: converters copy it although BIDS says n/a."""
    count = 0
    for x, y in (("x", "y"), ("left_x", "left_y"), ("right_x", "right_y")):
        if x in values:
            values[x], values[y], found = without_marks(values[x], values[y], -1.0)
            count += found
    for eye in ("left", "right"):
        if f"{eye}_pupil" in values:
            values[f"{eye}_pupil"] = pupils_of(values[f"{eye}_pupil"])
    if count:
        notes.append(f"{count} positions at (-1, -1): taken as missing")


def _in_pixels(
    values: dict[str, npt.NDArray[np.floating]],
    facts: dict[str, Any],
    screen: Screen | None,
    path: Path,
    notes: list[str],
) -> bool:
    """Turn fractions into pixels, and y down; return whether there were fractions."""
    units = {
        described(facts, f"{eye}{axis}_coordinate", "Units").lower()
        for axis in "xy"
        for eye in ("", "eye1_", "eye2_")
    } - {""}
    if units - _PIXELS and units - _FRACTIONS:
        hint = "pixels and fractions (normalized) of a screen can be read"
        raise ParseError(
            f"positions in {quote(', '.join(sorted(units)), 40)!r}", path=path, hint=hint
        )
    system = str(facts.get("SampleCoordinateSystem") or "gaze-on-screen")
    if system != "gaze-on-screen":
        notes.append(f"positions are {quote(system, 40)}, not on a screen")
    fractions = bool(units & _FRACTIONS)
    size = screen or _NOMINAL
    origin = facts.get("ScreenOrigin") or ["top", "left"]
    if origin not in (["top", "left"], ["bottom", "left"]) or (
        origin[0] == "bottom" and not (fractions or screen)
    ):
        hint = "top left can be read, and bottom left of a screen whose resolution is stated"
        raise ParseError(f"the screen's origin at {quote(origin, 40)}", path=path, hint=hint)
    for key in [key for key in values if key[-2:] in ("_x", "_y") or key in ("x", "y")]:
        extent = size.width_px if key.endswith("x") else size.height_px
        pixels = values[key] * extent if fractions else values[key]
        values[key] = extent - pixels if key.endswith("y") and origin[0] == "bottom" else pixels
    return fractions


def _in_mm(what: str, values: Sequence[Any], notes: list[str]) -> list[float | None]:
    """Return lengths that BIDS states in metres, in mm; those that were written in cm or mm are noticed.

    A screen, or the way to it, measures between 5 cm and 5 m. Written in cm it is 10 to 150 (5 to
    10 would be metres of a cinema, from 150 on mm of a telephone), in mm at least 300. Anything
    else is not used.
    """
    lengths = [float(value) for value in values]
    largest = max(lengths)
    if largest <= _MOST_METRES:
        return [1000 * length for length in lengths]
    unit = (
        "cm"
        if _LEAST_CM <= largest <= _MOST_CM
        else "mm"
        if _LEAST_MM <= largest <= 1000 * _MOST_METRES
        else ""
    )
    stated = " x ".join(f"{length:g}" for length in lengths)
    if not unit:
        notes.append(f"{what} {stated} is no length of a screen in metres: not used")
        return [None] * len(lengths)
    notes.append(f"{what} {stated} taken as {unit}: in metres, as BIDS has it, it would be absurd")
    return [length * (10 if unit == "cm" else 1) for length in lengths]


def _shown(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of the screen: with the task's events since 1.11, with the gaze in drafts."""
    shown = facts.get("StimulusPresentation", facts)
    return shown if isinstance(shown, dict) and shown.get("ScreenResolution") else {}


def _screen(shown: dict[str, Any], notes: list[str]) -> Screen | None:
    pixels, size, distance = (
        shown.get(key) for key in ("ScreenResolution", "ScreenSize", "ScreenDistance")
    )
    try:
        lengths = [None, None] if size is None else _in_mm("ScreenSize", size, notes)
        away = None if distance is None else _in_mm("ScreenDistance", [distance], notes)[0]
        return Screen(int(pixels[0]), int(pixels[1]), lengths[0], lengths[1], away)  # type: ignore[index]
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, ConfigError):
        return None
