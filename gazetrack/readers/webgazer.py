"""Gaze of a webcam: WebGazer in jsPsych experiments (JSON), and WebGazer logs with a preamble (CSV).

Sources: "webgazer extension", jsPsych (a list of trials, each with ``webgazer_data``: x and y in pixels of the browser
window, t in ms from the start of the trial); "WebGazer.js", Brown University. The CSV has ``# key,value`` lines first
and may have a summary of its own after the samples.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers._tables import header_of, needed_header, read_columns
from gazetrack.readers._utf8 import Utf8Lines, by_line, rewritten
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording, Screen
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = Format(
    name="webgazer",
    title="WebGazer: jsPsych data (JSON), WebGazer logs (CSV)",
    suffixes=(".json", ".csv"),
    provides="samples",
    units="ms, px of the browser window",
    lost="answers and targets of the trials, calibration and validation, the log's own errors and summary",
    source="https://www.jspsych.org/latest/extensions/webgazer/",
)
_COLUMNS = {"t": "timestamp_ms", "x": "gaze_x", "y": "gaze_y"}
_IMAGE = re.compile(r"[^\s<>\"']+\.(?:jpe?g|png|bmp|gif|tiff?)", re.IGNORECASE)
_TABLE_ENDS = b"# ---"


class _Log:
    """Takes the preamble and all after the first table out of a log, and leaves blank lines in their place."""

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self._in_table = self._ended = False
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        if line.startswith(b"#"):
            self._ended |= self._in_table and line.startswith(_TABLE_ENDS)
            return b""
        self._in_table = True
        return b"" if self._ended else line


def sniff(head: Head) -> Verdict:
    """Judge the file by the key ``webgazer_data``, or by the columns below a preamble."""
    if head.text.lstrip("\ufeff \t\r\n").startswith(("[", "{")):
        if '"webgazer_data"' in head.text:
            return Verdict(Level.CERTAIN, "jsPsych trials with webgazer_data")
        if '"trial_type"' in head.text and '"webgazer' in head.text:
            return Verdict(Level.LIKELY, "jsPsych trials that use WebGazer")
        return NO
    header = header_of(rewritten(head, _Log().start))
    if header is not None and set(_COLUMNS.values()) <= set(header.names):
        return Verdict(Level.CERTAIN, "columns timestamp_ms, gaze_x and gaze_y")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read either kind.

    Returns
    -------
    Recording
        In jsPsych data times count from the start of each trial.

    Raises
    ------
    ParseError
        No JSON, no trials with gaze, or a damaged row or cell.
    """
    is_json = head.text.lstrip("\ufeff \t\r\n").startswith(("[", "{"))
    return _read_trials(head) if is_json else _read_log(head)


def _read_log(head: Head) -> Recording:
    table_head = rewritten(head, _Log().start)
    header = needed_header(table_head)
    wanted = {key: (header.index(name, head.path), "float64") for key, name in _COLUMNS.items()}
    table = read_columns(table_head, header, wanted)  # type: ignore[arg-type]
    time = table.number("t")
    timed = np.isfinite(time)
    origin = float(time[timed][0]) if timed.any() else 0.0
    columns = {"t_ms": time[timed] - origin, "x_px": table.number("x")[timed], "y_px": table.number("y")[timed]}
    facts = {key.strip(): value.strip() for key, _, value in _preamble(head)}
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform({"recording": head.stem, **columns}, SAMPLES),
        events=conform({}, EVENTS),
        screen=_screen(facts.get("screen_width"), facts.get("screen_height")),
        origin_ms=origin,
        tracker="webcam",
        software="WebGazer",
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
    )


def _preamble(head: Head) -> list[tuple[str, str, str]]:
    return [line.lstrip("# ").partition(",") for line in head.lines if line.startswith("#")]


def _screen(width: Any, height: Any) -> Screen | None:
    try:
        return Screen(int(float(width)), int(float(height)))
    except (TypeError, ValueError, OverflowError, ConfigError):
        return None


def _read_trials(head: Head) -> Recording:
    with Utf8Lines(head) as file:
        text = file.read()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise ParseError(
            "is no whole JSON", path=head.path, line=line, hint="save the data of jsPsych again"
        ) from error
    trials = [t for t in (data if isinstance(data, list) else data.get("trials", [data])) if isinstance(t, dict)]
    parts, dropped = [], 0
    for number, trial in enumerate(trials):
        points = trial.get("webgazer_data")
        points = points if isinstance(points, list) else []
        usable = [p for p in points if isinstance(p, dict) and _is_number(p.get("t"))]
        dropped += len(points) - len(usable)
        parts.append((str(trial.get("trial_index", number)), _stimulus(trial), usable))
    n = sum(len(points) for _, _, points in parts)
    if not n:
        hint = "add the webgazer extension to the trials, and save the data again"
        raise ParseError("no trial has webgazer_data", path=head.path, hint=hint)
    columns = {
        "recording": head.stem,
        "trial": np.array([trial for trial, _, points in parts for _ in points], object),
        "stimulus": np.array([stimulus for _, stimulus, points in parts for _ in points], object),
        "t_ms": np.array([float(p["t"]) for _, _, points in parts for p in points]),
    }
    for axis in "xy":
        columns[f"{axis}_px"] = np.array([_number(p.get(axis)) for _, _, points in parts for p in points])
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform(columns, SAMPLES),
        events=conform({}, EVENTS),
        screen=_trials_screen(trials),
        time_origin="trial",
        tracker="webcam",
        software="jsPsych, WebGazer",
        rows_in=n + dropped,
        dropped={"no time": dropped} if dropped else {},
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else float("nan")


def _stimulus(trial: dict[str, Any]) -> str:
    """Return the image a trial shows, which may stand within HTML; no other text of it."""
    match = _IMAGE.search(str(trial.get("stimulus") or trial.get("image") or ""))
    return match[0] if match else ""


def _trials_screen(trials: list[dict[str, Any]]) -> Screen | None:
    for trial in trials:
        for width, height in (("windowWidth", "windowHeight"), ("screen_width", "screen_height"), ("width", "height")):
            if _is_number(trial.get(width)) and (screen := _screen(trial[width], trial.get(height))):
                return screen
    return None
