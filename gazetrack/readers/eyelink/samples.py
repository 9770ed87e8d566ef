"""EyeLink Data Viewer sample reports: a row per sample, tab-separated, often named ``.xls``.

Specification: "EyeLink Data Viewer User Manual", SR Research, chapter "Sample Report". ``.`` marks
what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import NO_TIME, RowClock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, no_rows, read_parts
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="eyelink_samples",
    title="SR Research Data Viewer sample report",
    suffixes=(".xls", ".txt", ".csv"),
    provides="samples",
    units="ms, px; pupil as exported",
    lost=(
        "velocity, acceleration, resolution, messages, interest areas, variables of the experiment"
    ),
    source="EyeLink Data Viewer User Manual, Sample Report",
)
_TIME = "TIMESTAMP"
_QUANTITIES = {"x": "GAZE_X", "y": "GAZE_Y", "pupil": "PUPIL_SIZE"}
_OF_EYES = {
    f"{eye}_{key}": f"{eye.upper()}_{name}" for eye in EYES for key, name in _QUANTITIES.items()
}
_AVERAGE = {key: f"AVERAGE_{name}" for key, name in _QUANTITIES.items()}
_POSITIONS = [name for name in (*_OF_EYES.values(), *_AVERAGE.values()) if "_GAZE_" in name]
_TEXTS = {
    "recording": "RECORDING_SESSION_LABEL",
    "trial": "TRIAL_INDEX",
    "trial_label": "TRIAL_LABEL",
}
# A variable of the experiment, which has named it; in the order of preference.
_STIMULUS = ("IMAGE", "image", "IMAGE_NAME", "STIMULUS")
# Columns of a report about interest areas, which has no positions.
_OF_AREAS = {"IA_ID", "IA_LABEL", "IA_DWELL_TIME"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None:
        return NO
    names = set(header.names)
    position = next((name for name in _POSITIONS if name in names), None)
    if _TIME in names and position is not None:
        return Verdict(Level.CERTAIN, f"columns {_TIME} and {position}")
    if names & _OF_AREAS and "CURRENT_FIX_X" not in names:
        what = "an interest area report of Data Viewer"
        return Verdict(Level.NO, what, instead="give the fixation or sample report")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a report.

    Returns
    -------
    Recording
        Times count from the first sample of each session.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    report = _Report(head, header)
    for part in read_parts(head, header, _wanted(head, header)):
        report.take(part)
    if not report.n_rows:
        raise no_rows(head, header)
    report.clock.check()
    samples, eyes = report.samples()
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=conform({}, EVENTS),
        eyes=eyes,
        origin_ms=report.origin_ms,
        tracker="EyeLink",
        software="Data Viewer",
        rows_in=report.n_rows,
        dropped=counted({NO_TIME: report.n_rows - samples.num_rows}),
    )


class _Report:
    """What the parts of a report add up to.

    Parameters
    ----------
    head, header : Head, Header
        The report, to name the line of times in no order.

    Attributes
    ----------
    clock : RowClock
        Follows the times of the samples of each session, in the order of the file.
    n_rows : int
        The number of rows so far.
    origin_ms : float
        The tracker's time of the first sample, ms; 0 without any.
    """

    def __init__(self, head: Head, header: Header) -> None:
        self.clock = RowClock(head, header)
        self.n_rows = 0
        self.origin_ms = 0.0
        self._stem = head.stem
        self._origins: dict[int, float] = {}  # by the code of the session
        self._names = {name: UsedNames() for name in ("recording", "trial", "stimulus")}
        self._seen: set[str] = set()  # eyes with any gaze
        self._of_eyes = SampleSink()
        # Only where no eye was exported does the average count: it is kept until one is seen.
        self._of_average: SampleSink | None = SampleSink()

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        time = table.number("t")
        timed = np.isfinite(time)
        t = time[timed]
        session = self._sessions(table, timed)
        self.clock.take(t, timed, session)
        if not self._of_eyes.rows and len(t):
            self.origin_ms = float(t[0])
        self.n_rows += table.n_rows
        columns = {
            "recording": session,
            "trial": self._coded(table, "trial", timed),
            "stimulus": self._coded(table, "stimulus", timed),
            "t_ms": t - self._origins_of(session, t),
        }
        gaze = {key: table.number(key)[timed] for key in _OF_EYES}
        self._seen |= {eye for eye in EYES if np.isfinite(gaze[f"{eye}_x"]).any()}
        if self._seen:
            self._of_average = None
        if self._of_average is not None:
            pupil = table.number("pupil")[timed]  # it stands for both eyes
            average = {**gaze, "left_pupil": pupil, "right_pupil": pupil}
            average |= {"x": table.number("x")[timed], "y": table.number("y")[timed]}
            self._of_average.append(columns | _single(gaze_columns(average)))
        self._of_eyes.append(columns | _single(gaze_columns(gaze)))

    def _sessions(self, table: Columns, timed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        if "recording" in table.found:
            return self._coded(table, "recording", timed)
        own = np.zeros(int(np.count_nonzero(timed)), np.int32)
        return self._names["recording"].coded(own, [self._stem])

    def _coded(
        self, table: Columns, name: str, timed: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int32]:
        key = "trial_label" if name == "trial" and "trial" not in table.found else name
        codes, texts = table.texts(key)
        return self._names[name].coded(codes[timed], texts)

    def _origins_of(
        self, session: npt.NDArray[np.int32], t: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.floating]:
        """Return the first time of each sample's session: each may have a clock of its own."""
        own, first, place = np.unique(session, return_index=True, return_inverse=True)
        found = [
            self._origins.setdefault(code, float(t[at]))
            for code, at in zip(own.tolist(), first.tolist(), strict=True)
        ]
        return np.array(found, np.float64)[place]

    def samples(self) -> tuple[pa.Table, str]:
        """Return the samples, and which eyes they are of."""
        texts = {name: own.used or [""] for name, own in self._names.items()}
        if self._of_average is not None:
            return self._of_average.table(texts), "combined"
        eyes = [eye for eye in EYES if eye in self._seen]
        return self._of_eyes.table(texts), "binocular" if len(eyes) == 2 else eyes[0]


def _single(columns: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    return {name: values.astype(np.float32) for name, values in columns.items()}


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are that are used, and what they hold."""
    path = head.path
    wanted = header.needed({"t": _TIME}, "float64", path)
    wanted |= header.present({**_OF_EYES, **_AVERAGE}, "float64", path)
    if not {"left_x", "right_x", "x"} & set(wanted):
        hint = "add the gaze positions to the report"
        raise NoGaze("holds no gaze: no positions", path=path, line=header.lines, hint=hint)
    wanted |= header.present(_TEXTS, "text", path)
    stimulus = next((name for name in _STIMULUS if name in header.names), None)
    if stimulus is not None:
        wanted |= header.needed({"stimulus": stimulus}, "text", path)
    return wanted
