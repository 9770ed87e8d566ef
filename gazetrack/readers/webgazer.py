"""Gaze of a webcam: WebGazer in jsPsych experiments, and WebGazer logs with a preamble.

Sources: "webgazer extension", jsPsych (a list of trials, each with ``webgazer_data``: x and y in
pixels of the browser window, t in ms from the start of the trial; as CSV a row per trial, with that
list as JSON in its cell); "WebGazer.js", Brown University. The log has ``# key,value`` lines first
and may have a summary of its own after the samples.
"""

from __future__ import annotations

import io
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.opening import BLOCK_BYTES
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.text.header import header_of, needed_header
from gazetrack.readers.text.table import no_rows, read_parts
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

FORMAT = Format(
    name="webgazer",
    title="WebGazer: jsPsych data (JSON, CSV), WebGazer logs (CSV)",
    suffixes=(".json", ".csv"),
    provides="samples",
    units="ms, px of the browser window",
    lost="answers and targets of the trials, calibration and validation, "
    "the log's own errors and summary",
    source="https://www.jspsych.org/latest/extensions/webgazer/",
)
_COLUMNS = {"t": "timestamp_ms", "x": "gaze_x", "y": "gaze_y"}
# Words of HTML, and in them the name of an image. Both at once would look at a picture that stands
# in the text itself (data:image/png;base64,…) anew from each of its letters.
_BETWEEN_WORDS = re.compile(r"[\s<>\"']+")
_IMAGE = re.compile(r"(?s).+\.(?:jpe?g|png|bmp|gif|tiff?)", re.IGNORECASE)
_TABLE_ENDS = b"# ---"
_TRIAL_COLUMNS = {"webgazer_data", "trial_index", "trial_type"}
_LARGEST = 1e19
_MAX_BYTES = 1024**3  # trials are read whole
_AGAIN = "save the data of jsPsych again"


class _Log:
    """Takes the preamble and the summary after the first table out of a log.

    Blank lines are left in their place, so that lines keep their numbers. The header of samples
    stays where it comes again: another log begins there, which the parser refuses at its line.
    """

    def start(self) -> Callable[[bytes], bytes]:
        """Return the function that rewrites lines from the start of the file on."""
        self._header = b""
        self._ended = False
        return by_line(self._line)

    def _line(self, line: bytes) -> bytes:
        if line.startswith(b"#"):
            if self._header and line.startswith(_TABLE_ENDS):
                self._ended = True
            return b""
        text = line.strip()
        if not self._header:
            self._header = text
        if self._ended and text != self._header:
            return b""
        return line


def sniff(head: Head) -> Verdict:
    """Judge the file by the key ``webgazer_data``, or by the columns below a preamble."""
    if _is_json(head):
        if '"webgazer_data"' in head.text:
            return Verdict(Level.CERTAIN, "jsPsych trials with webgazer_data")
        if '"trial_type"' in head.text and '"webgazer' in head.text:
            return Verdict(Level.LIKELY, "jsPsych trials that use WebGazer")
        return NO
    if _is_trial_table(head):
        return Verdict(Level.CERTAIN, "jsPsych columns trial_type, trial_index and webgazer_data")
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
    if _is_json(head):
        return _trials(head, _json_trials(head))
    if _is_trial_table(head):
        return _trials(head, _table_trials(head))
    return _read_log(head)


def _is_json(head: Head) -> bool:
    """Tell whether the text begins as a list or an object of JSON does."""
    return head.text.lstrip("\ufeff \t\r\n").startswith(("[", "{"))


def _is_trial_table(head: Head) -> bool:
    """Tell whether the table has a row per trial, with its gaze in one cell."""
    header = header_of(head)
    return header is not None and set(header.names) >= _TRIAL_COLUMNS


def _read_log(head: Head) -> Recording:
    """Read a WebGazer log with a preamble, which has a row per sample."""
    table_head = rewritten(head, _Log().start)
    header = needed_header(table_head)
    wanted = header.needed(_COLUMNS, "float64", head.path)
    timed = TimedParts(table_head, header)
    samples = SampleSink()
    n_rows = 0
    for part in read_parts(table_head, header, wanted):
        n_rows += part.n_rows
        rows, t_ms = timed.take(part.number("t"))
        x = part.number("x")[rows]
        y = part.number("y")[rows]
        samples.append({"t_ms": t_ms, "x_px": x, "y_px": y})
    if not n_rows:
        raise no_rows(table_head, header)
    timed.check()
    facts = {key.strip(): value.strip() for key, _, value in _preamble(head)}
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples.table({"recording": [head.stem]}),
        event_table=conform({}, EVENTS),
        screen=_screen(facts.get("screen_width"), facts.get("screen_height")),
        origin_ms=timed.origin_ms,
        tracker="webcam",
        software="WebGazer",
        rows_in=n_rows,
        dropped=timed.dropped,
    )


def _preamble(head: Head) -> list[tuple[str, str, str]]:
    """Return the lines ``# key,value``, cut at their first comma."""
    return [line.lstrip("# ").partition(",") for line in head.lines if line.startswith("#")]


def _screen(width: Any, height: Any) -> Screen | None:
    """Return a screen of a stated size, None where anything else is stated than two numbers."""
    try:
        return Screen(int(float(width)), int(float(height)))
    except (TypeError, ValueError, OverflowError, ConfigError):
        return None


def _text(head: Head) -> str:
    """Return the whole file.

    jsPsych writes all trials into one line, which the limits of other tables do not fit.
    """
    pieces = []
    n_left = _MAX_BYTES + 1
    with head.blocks() as file:
        # Piece by piece: to read a gigabyte at once takes the memory of one, however short the
        # file.
        while n_left > 0 and (piece := file.read(min(n_left, BLOCK_BYTES))):
            pieces.append(piece)
            n_left -= len(piece)
    data = b"".join(pieces)
    if len(data) > _MAX_BYTES:
        hint = "save each participant by itself"
        raise ParseError("more than 1 GiB of trials", path=head.path, hint=hint)
    return data.decode(head.encoding, "replace")


def _json_trials(head: Head) -> list[dict[str, Any]]:
    """Return the trials of JSON: a list, an object with one under ``trials``, or one trial."""
    try:
        data = json.loads(_text(head).lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise ParseError("is no whole JSON", path=head.path, line=line, hint=_AGAIN) from error
    if isinstance(data, dict):
        data = data["trials"] if isinstance(data.get("trials"), list) else [data]
    return [trial for trial in data if isinstance(trial, dict)]


def _table_trials(head: Head) -> list[dict[str, Any]]:
    """Return the rows as trials.

    Cells may hold line ends, which is why this is no table like others.
    """
    try:
        frame = pd.read_csv(io.StringIO(_text(head)), dtype=str, keep_default_na=False)
    except ValueError as error:
        what = f"a damaged table: {quote(error, 100)}"
        raise ParseError(what, path=head.path, hint=_AGAIN) from error
    if not any(str(name).removeprefix("\ufeff") == "webgazer_data" for name in frame.columns):
        what = "no column webgazer_data between commas"
        hint = "save the data as jsPsych does: with commas, and each text in quotes"
        raise ParseError(what, path=head.path, line=1, hint=hint)
    trials = [
        {str(key).removeprefix("\ufeff"): cell for key, cell in row.items()}
        for row in frame.to_dict("records")
    ]
    for number, trial in enumerate(trials, 1):
        try:
            trial["webgazer_data"] = json.loads(trial["webgazer_data"] or "null")
        except (ValueError, RecursionError) as error:
            what = f"webgazer_data of trial {number} is no JSON"
            raise ParseError(what, path=head.path, hint=_AGAIN) from error
    return trials


def _trials(head: Head, trials: list[dict[str, Any]]) -> Recording:
    """Return the points of all trials; each trial has a clock of its own."""
    parts: list[_Part] = []
    dropped = 0
    for place, trial in enumerate(trials):
        points = trial.get("webgazer_data")
        points = points if isinstance(points, list) else []
        usable = [p for p in points if isinstance(p, dict) and np.isfinite(_number(p.get("t")))]
        dropped += len(points) - len(usable)
        number = _number(trial.get("trial_index"), float(place))
        parts.append(_Part(number, _stimulus(trial), usable))
    n = sum(len(part.points) for part in parts)
    if not n:
        hint = "add the webgazer extension to the trials, and save the data again"
        raise ParseError("no trial has webgazer_data", path=head.path, hint=hint)
    # Trials are numbered anew in each run of an experiment.
    begins = [after.number <= before.number for before, after in itertools.pairwise(parts)]
    run = 1 + np.cumsum([False, *begins])
    n_runs = int(run[-1])
    names = [head.stem] * len(parts)
    notes: tuple[str, ...] = ()
    if n_runs > 1:
        names = [f"{head.stem}_{number}" for number in run]
        notes = (f"{n_runs} runs of an experiment: each is a recording of its own",)
    columns = {
        "recording": _repeated(names, parts),
        "trial": _repeated([f"{part.number:.15g}" for part in parts], parts),
        "stimulus": _repeated([part.stimulus for part in parts], parts),
    }
    points = [point for part in parts for point in part.points]
    for name, key in (("t_ms", "t"), ("x_px", "x"), ("y_px", "y")):
        columns[name] = np.array([_number(point.get(key)) for point in points])
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        screen=_trials_screen(trials),
        time_origin="trial",
        tracker="webcam",
        software="jsPsych, WebGazer",
        rows_in=n + dropped,
        dropped=counted({"no time": dropped}),
        notes=notes,
    )


class _Part(NamedTuple):
    """A trial's number, the image it shows, and its points."""

    number: float
    stimulus: str
    points: list[dict[str, Any]]


def _repeated(values: list[str], parts: list[_Part]) -> npt.NDArray[np.object_]:
    """Return the text of each part once for each of its points."""
    return np.repeat(np.array(values, object), [len(part.points) for part in parts])


def _number(value: Any, missing: float = float("nan")) -> float:
    """Return a number of JSON, or of a cell that holds one."""
    if isinstance(value, bool | list | dict) or value is None:
        return missing
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return missing
    return number if abs(number) <= _LARGEST else missing


def _stimulus(trial: dict[str, Any]) -> str:
    """Return the image a trial shows, which may stand within HTML; no other text of it."""
    text = str(trial.get("stimulus") or trial.get("image") or "")
    names = (_IMAGE.match(word) for word in _BETWEEN_WORDS.split(text))
    return next((name[0] for name in names if name), "")


def _trials_screen(trials: list[dict[str, Any]]) -> Screen | None:
    """Return the size of the window or the screen that a trial states, None without any."""
    for trial in trials:
        names = [("windowWidth", "windowHeight"), ("screen_width", "screen_height")]
        # The width of any other trial may be that of its stimulus.
        if trial.get("trial_type") == "browser-check":
            names.append(("width", "height"))
        for width, height in names:
            screen = _screen(trial.get(width), trial.get(height))
            if screen is not None:
                return screen
    return None
