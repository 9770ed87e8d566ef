"""Gaze in ARFF, the attribute-relation format, as sp_tool and the GazeCom data set write it.

Source: "sp_tool", M. Startsev et al., https://github.com/MikhailStartsev/sp_tool: time in µs, positions in pixels,
confidence 0 to 1; the screen stands in comments ``%@METADATA``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.readers._tables import needed_header, read_columns
from gazetrack.readers._utf8 import by_line, rewritten
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = Format(
    name="arff",
    title="ARFF gaze recording (sp_tool, GazeCom)",
    suffixes=(".arff",),
    provides="samples",
    units="µs, converted to ms; px",
    lost="confidence (0 is missing gaze), labels of other tools",
    source="https://github.com/MikhailStartsev/sp_tool",
)
_ATTRIBUTE = re.compile(rb"@attribute\s+(?:'([^']+)'|\"([^\"]+)\"|(\S+))\s+\S", re.IGNORECASE)
_METADATA = re.compile(r"%@METADATA\s+(\w+)\s+([0-9]{1,7}(?:\.[0-9]+)?)\s*", re.IGNORECASE)
_LEAST_CONFIDENCE = 0.5


class _Arff:
    """Makes a file with a header line of it: the attributes, in the line of ``@data``."""

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self._names: list[bytes] = []
        self._in_data = False
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        line = line.strip()
        if self._in_data:
            return b"" if line.startswith(b"%") else line
        if match := _ATTRIBUTE.match(line):
            self._names.append(match[1] or match[2] or match[3])
        elif line.lower() == b"@data":
            self._in_data = True
            return b",".join(self._names)
        return b""


def sniff(head: Head) -> Verdict:
    """Judge the file by its declarations."""
    lines = [line.strip().lower() for line in head.lines]
    if not any(line.startswith("@relation") for line in lines):
        return NO
    names = {match[3].decode().lower() for line in lines if (match := _ATTRIBUTE.match(line.encode())) and match[3]}
    if not {"time", "x", "y"} <= names:
        return Verdict(Level.NO, "an ARFF file without the attributes time, x and y")
    return Verdict(Level.CERTAIN, "@RELATION with the attributes time, x and y")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a recording.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing attribute, or a damaged row or cell.
    """
    table_head = rewritten(head, _Arff().start)
    header = needed_header(table_head)
    spelt = {name.lower(): name for name in header.names}
    wanted = {key: header.index(spelt.get(key, key), head.path) for key in ("time", "x", "y")}
    if "confidence" in spelt:
        wanted["confidence"] = header.index(spelt["confidence"], head.path)
    table = read_columns(table_head, header, {key: (at, "float64") for key, at in wanted.items()})
    time = table.number("time") / 1000
    timed = np.isfinite(time)
    origin = float(time[timed][0]) if timed.any() else 0.0
    lost = ~(table.number("confidence", 1.0) >= _LEAST_CONFIDENCE)
    x, y = (np.where(lost, np.nan, table.number(axis))[timed] for axis in "xy")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform({"recording": head.stem, "t_ms": time[timed] - origin, "x_px": x, "y_px": y}, SAMPLES),
        events=conform({}, EVENTS),
        screen=_screen(head),
        origin_ms=origin,
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
        notes=("time taken as µs, as this format defines it",),
    )


def _screen(head: Head) -> Screen | None:
    facts = {m[1].lower(): float(m[2]) for line in head.lines if (m := _METADATA.fullmatch(line.strip()))}
    if not {"width_px", "height_px"} <= set(facts):
        return None
    millimetres = (facts.get(name) or None for name in ("width_mm", "height_mm", "distance_mm"))
    try:
        return Screen(int(facts["width_px"]), int(facts["height_px"]), *millimetres)
    except ConfigError:
        return None
