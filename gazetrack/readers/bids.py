"""BIDS eye tracking: a table of samples of one eye, with a JSON sidecar.

Specification: "Brain Imaging Data Structure" 1.11, "Physiological recordings: eye tracking" (BEP020): compressed
``*_physio.tsv.gz`` without a header, whose columns the sidecar of the same name, or of a folder above, lists; and its
drafts: ``*_eyetrack.tsv`` with a header such as ``eye1_x_coordinate``.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers._gaze import gaze_columns
from gazetrack.readers._tables import Columns, Header, Kind, header_of, read_columns
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

FORMAT = Format(
    name="bids",
    title="BIDS eye tracking (1.11 and drafts)",
    suffixes=(".tsv", ".tsv.gz"),
    provides="samples",
    units="times by the sidecar, ms without one; px; pupil as exported",
    lost="columns that are no time, position or pupil; events (their own files)",
    source="https://bids-specification.readthedocs.io, BEP020",
)
_TIMES = ("timestamp", "eye_timestamp", "time")
_COLUMN = re.compile(r"(?:eye([12])_)?(x_coordinate|y_coordinate|pupil_size)")
_KEYS = {"x_coordinate": "x", "y_coordinate": "y", "pupil_size": "pupil"}
_NAME = re.compile(r"(?:sub|task|ses|run|recording|acq)-[A-Za-z0-9]+")
_UNITS_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
_MAX_SIDECAR_BYTES = 1024**2


def sniff(head: Head) -> Verdict:
    """Judge the file by its header, or, without one, by the columns of its sidecar."""
    header = header_of(head)
    if header is None:
        return NO
    if _is_gaze(header.names):
        return Verdict(Level.CERTAIN, f"columns {', '.join(name for name in header.names if _COLUMN.fullmatch(name))}")
    columns = _sidecar(head.path).get("Columns")
    if isinstance(columns, list) and _is_gaze(columns) and len(columns) == len(header.names):
        return Verdict(Level.CERTAIN, "a table without header, whose BIDS sidecar lists columns of gaze")
    if _NAME.match(head.path.name) and "_physio" in head.path.name and _is_number(header.names[0]):
        reason = "a BIDS table without header, whose JSON sidecar is not beside it or lists no gaze: copy it there"
        return Verdict(Level.NO, reason)
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the samples.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        No columns of gaze in the header or the sidecar, or a damaged row or cell.
    """
    facts = _sidecar(head.path)
    header = header_of(head)
    if header is not None and not _is_gaze(header.names):
        listed = tuple(str(name) for name in facts.get("Columns") or ())
        header = replace(header, names=listed, lines=0) if len(listed) == len(header.names) else None
    if header is None or not _is_gaze(header.names):
        hint = "put the JSON sidecar that lists its columns beside it"
        raise ParseError("no columns timestamp, x_coordinate and y_coordinate", path=head.path, line=1, hint=hint)
    table = read_columns(head, header, _wanted(header, head.path))
    notes: list[str] = []
    time = table.number("t") * _unit(header, facts, notes)
    timed = np.isfinite(time)
    origin = float(time[timed][0]) if timed.any() else 0.0
    gaze, eyes = _gaze(table, facts)
    columns = gaze_columns({key: values[timed] for key, values in gaze.items()})
    rate = facts.get("SamplingFrequency")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform({"recording": head.stem, "t_ms": time[timed] - origin, **columns}, SAMPLES),
        events=conform({}, EVENTS),
        screen=_screen(facts),
        rate_hz=float(rate) if isinstance(rate, int | float) and rate > 0 else None,
        eyes=eyes,
        origin_ms=origin,
        tracker=" ".join(str(facts.get(key, "")) for key in ("Manufacturer", "ManufacturersModelName")).strip(),
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
        notes=tuple(notes),
    )


def _is_gaze(names: Any) -> bool:
    found = {match[2] for name in names if (match := _COLUMN.fullmatch(str(name)))}
    return {"x_coordinate", "y_coordinate"} <= found and any(name in names for name in _TIMES)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?|n/a", text) is not None


def _sidecar(path: Path) -> dict[str, Any]:
    """Return what the sidecars say, the nearest first: BIDS lets them stand in the folders above, with fewer names."""
    name = re.sub(r"\.tsv(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    *entities, suffix = name.split("_")
    facts: dict[str, Any] = {}
    folder = path.resolve().parent
    for _ in range(5):
        candidates = sorted(folder.glob(f"*{suffix}.json"), key=lambda found: -found.name.count("_"))
        for candidate in candidates if suffix and entities else ():
            if set(candidate.stem.split("_")[:-1]) <= set(entities):
                facts = _load(candidate) | facts
        folder = folder.parent
    return facts


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_SIDECAR_BYTES:
            return {}
        value = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _wanted(header: Header, path: Path) -> dict[str, tuple[int, Kind]]:
    time = next(name for name in _TIMES if name in header.names)
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index(time, path), "float64")}
    for name in header.names:
        match = _COLUMN.fullmatch(name)
        # A draft's tool calls the flags of the samples eye2_x_coordinate: an eye has both coordinates or none.
        if match and {f"{name[: match.start(2)]}{axis}_coordinate" for axis in "xy"} <= set(header.names):
            wanted[f"{match[1] or ''}{_KEYS[match[2]]}"] = header.index(name, path), "float64"
    return wanted


def _unit(header: Header, facts: dict[str, Any], notes: list[str]) -> float:
    time = next(name for name in _TIMES if name in header.names)
    described = facts.get(time)
    unit = str(described.get("Units", "")) if isinstance(described, dict) else ""
    if unit not in _UNITS_MS:
        notes.append("time taken as ms: no sidecar gives its unit")
    return _UNITS_MS.get(unit, 1.0)


def _gaze(table: Columns, facts: dict[str, Any]) -> tuple[dict[str, npt.NDArray[np.floating]], str]:
    """Return the gaze by eye; eye 1 is the left one where both are there, and nothing says otherwise."""
    both = {"2x", "2y"} <= set(table.found)
    recorded = str(facts.get("RecordedEye", "")).lower()
    if both:
        sides = {"1": "left", "2": "right"}
        keys = {f"{side}_{key}": f"{n}{key}" for n, side in sides.items() for key in ("x", "y", "pupil")}
        return {key: table.number(name) for key, name in keys.items()}, "binocular"
    n = "1" if "1x" in table.found else ""
    x, y, pupil = (table.number(f"{n}{key}") for key in ("x", "y", "pupil"))
    if recorded in ("left", "right"):
        other = "right" if recorded == "left" else "left"
        lost = np.full(table.n_rows, np.nan)
        gaze = {f"{recorded}_x": x, f"{recorded}_y": y, f"{recorded}_pupil": pupil}
        return gaze | {f"{other}_x": lost, f"{other}_y": lost}, recorded
    return {"x": x, "y": y, "left_pupil": pupil, "right_pupil": pupil}, "combined"


def _screen(facts: dict[str, Any]) -> Screen | None:
    shown = facts.get("StimulusPresentation")
    shown = shown if isinstance(shown, dict) else facts
    pixels, size = shown.get("ScreenResolution"), shown.get("ScreenSize")
    try:
        lengths = [None, None] if size is None else [1000 * float(value) for value in size]  # metres in BIDS
        distance = shown.get("ScreenDistance")
        away = None if distance is None else 1000 * float(distance)
        return Screen(int(pixels[0]), int(pixels[1]), lengths[0], lengths[1], away)  # type: ignore[index]
    except (TypeError, ValueError, IndexError, KeyError, ConfigError):
        return None
