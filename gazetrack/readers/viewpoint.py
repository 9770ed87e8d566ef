"""Arrington Research ViewPoint text: lines whose first cell is a code for what they hold.

Specification: "ViewPoint EyeTracker Software User Guide", Arrington Research, chapter "Data Files": 10 a sample, 5 and
6 the samples' columns, 3 information, 2 a string, 12 a marker, 16 an asynchronous string. Positions are fractions of
the screen and may lie beside it; the screen's size is in the file in mm alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.readers._gaze import gaze_columns
from gazetrack.readers._tables import Columns, header_of, needed_header, read_columns
from gazetrack.readers._utf8 import by_line, rewritten
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="viewpoint",
    title="Arrington ViewPoint",
    suffixes=(".txt", ".wks"),
    provides="samples and messages",
    units="s, converted to ms; fractions of the screen, to px of the screen given or 1280x1024",
    lost="regions, pupil heights, quality of lost samples, torsion, the size of the screen in mm",
    source="ViewPoint EyeTracker Software User Guide, Data Files",
)
_NOMINAL = Screen(1280, 1024)
# The codes of the columns (line 6), by our names; eye B is there in binocular recordings.
_CODES = {"t": "ATT", "x": "ALX", "y": "ALY", "pupil": "APW", "quality": "AQU"}
_CODES_B = {"b_x": "BLX", "b_y": "BLY", "b_pupil": "BPW", "b_quality": "BQU"}
_TEXTS = {"marker": "MRK", "string": "STR"}
_WORST_QUALITY = 3.0  # of 0 best to 5 worst; from 4 on no pupil was found
_MESSAGES = (b"2", b"12", b"16")


class _Log:
    """Leaves the line of column codes and the samples, and keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.eye_b = False

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self.messages, self._named = [], False
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        code, _, rest = line.partition(b"\t")
        code = code.strip()
        if code == b"10":
            return rest
        if code == b"6" and not self._named:
            self._named = True
            return rest
        if code in _MESSAGES:
            time, _, text = rest.decode("utf-8", "replace").partition("\t")
            self.messages.append((time.strip(), text.strip()))
        return b""


def sniff(head: Head) -> Verdict:
    """Judge the file by its codes."""
    codes = [line.split("\t", 1)[0].strip() for line in head.lines]
    named = next((line for line, code in zip(head.lines, codes, strict=True) if code == "6"), "")
    if {"ATT", "ALX", "ALY"} <= set(named.split("\t")) and "3" in codes:
        return Verdict(Level.CERTAIN, "lines of ViewPoint codes: 3, 6 with ATT, ALX, ALY")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a log.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        No line of column codes, a damaged row or cell, or a message without a time.
    """
    log = _Log()
    table_head = rewritten(head, log.start)
    if header_of(table_head) is None:
        hint = "save the data again with the column headers"
        raise ParseError("no line of column codes (6)", path=head.path, hint=hint)
    header = needed_header(table_head)
    numbers = _CODES | {key: code for key, code in _CODES_B.items() if code in header.names}
    numbers = {key: code for key, code in numbers.items() if code in header.names or key in ("t", "x", "y")}
    wanted = {key: (header.index(code, head.path), "float64") for key, code in numbers.items()}
    wanted |= {key: (header.index(code, head.path), "text") for key, code in _TEXTS.items() if code in header.names}
    table = read_columns(table_head, header, wanted)  # type: ignore[arg-type]
    time = table.number("t") * 1e3
    timed = np.isfinite(time)
    origin = float(time[timed][0]) if timed.any() else 0.0
    binocular = "b_x" in numbers
    columns = gaze_columns({key: values[timed] for key, values in _gaze(table, binocular).items()})
    recording = Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform({"recording": head.stem, "t_ms": time[timed] - origin, **columns}, SAMPLES),
        events=_events(head, log.messages, table, time, origin),
        eyes="binocular" if binocular else "combined",
        origin_ms=origin,
        tracker="ViewPoint",
        rows_in=table.n_rows + len(log.messages),
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
        notes=("eye A taken for the right eye, eye B for the left",) if binocular else (),
    )
    return recording.on_nominal_screen(_NOMINAL, "screen")


def _gaze(table: Columns, binocular: bool) -> dict[str, npt.NDArray[np.floating]]:
    x, y, pupil = _eye(table, "")
    if not binocular:
        return {"x": x, "y": y, "left_pupil": pupil, "right_pupil": pupil}
    b_x, b_y, b_pupil = _eye(table, "b_")
    right = {"right_x": x, "right_y": y, "right_pupil": pupil}
    return {"left_x": b_x, "left_y": b_y, "left_pupil": b_pupil} | right


def _eye(table: Columns, prefix: str) -> list[npt.NDArray[np.floating]]:
    lost = table.number(f"{prefix}quality", 0.0) > _WORST_QUALITY
    scales = {"x": _NOMINAL.width_px, "y": _NOMINAL.height_px, "pupil": 1.0}
    return [np.where(lost, np.nan, table.number(prefix + name) * scale) for name, scale in scales.items()]


def _events(
    head: Head, messages: list[tuple[str, str]], table: Columns, time: npt.NDArray[np.floating], origin: float
) -> pa.Table:
    found: list[tuple[float, str]] = []
    for seconds, text in messages:
        try:
            found.append((float(seconds) * 1e3, text))
        except ValueError:
            raise ParseError(f"the message {text[:40]!r} has no time", path=head.path, hint="save it again") from None
    texts = [" ".join(filter(None, pair)) for pair in zip(table.text("marker"), table.text("string"), strict=True)]
    found += [(float(t), text) for t, text in zip(time, texts, strict=True) if text and np.isfinite(t)]
    found.sort(key=lambda message: message[0])
    columns = {
        "recording": head.stem,
        "kind": "message",
        "index": np.arange(1, len(found) + 1, dtype=np.int32),
        "onset_ms": np.array([t for t, _ in found], np.float64) - origin,
        "duration_ms": np.zeros(len(found)),
        "text": np.array([text for _, text in found], object),
    }
    return conform(columns if found else {}, EVENTS)
