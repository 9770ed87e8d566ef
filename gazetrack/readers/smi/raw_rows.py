"""SMI raw samples: what their rows say, part by part, and the events that are written on them.

Specification: "iView X System Manual" and "BeGaze Manual", SensoMotoric Instruments, "IDF
Converter" and "Export".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.shared.group_means import group_means
from gazetrack.readers.shared.runs import usual_step
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.readers.smi.header import MESSAGE, is_stimulus, message_text
from gazetrack.readers.text.parts import Texts

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header
    from gazetrack.readers.text.table import Columns

    Floats = npt.NDArray[np.floating]
    Mask = npt.NDArray[np.bool_]

_EYES = ("left", "right")
_KINDS = {"Fixation": "fixation", "Saccade": "saccade", "Blink": "blink"}
_OF_MOVEMENTS = (
    *("kind", "onset_ms", "duration_ms"),
    *("x_px", "y_px", "end_x_px", "end_y_px", "pupil"),
)
# Means as they are if a value of the whole eye is missing, see `group_means`; by their column.
_IF_MISSING = {"x_if_missing": "x_px", "y_if_missing": "y_px", "pupil_if_missing": "pupil"}
_MESSAGE_RANK = 0  # those of movements are behind it, by the eye


class RawRows:
    """What the parts of a table of raw samples add up to.

    Parameters
    ----------
    head, header : Head, Header
        The file with messages as rows, and the header of its table.
    eyes : list of str
        The eyes of which there are points of regard.

    Attributes
    ----------
    n_rows : int
        The number of rows so far.
    start : float
        The time of the first sample, µs.
    """

    def __init__(self, head: Head, header: Header, eyes: list[str]) -> None:
        self.n_rows = 0
        self.start = 0.0
        self._head = head
        self._header = header
        self._timed = TimedParts(head, header)
        self._stimuli = _Stimuli()
        self._samples = SampleSink()
        self._used = {"trial": UsedNames(), "stimulus": UsedNames()}
        self._events = EventParts(more=tuple(_IF_MISSING))
        self._n_messages = 0
        self._movements = {eye: _Movements() for eye in eyes}
        self._n_doubtful = 0
        self._dropped = {"no timestamp": 0, "neither SMP nor MSG": 0}
        self._names: dict[str, list[str]] = {}

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        micro = table.number("t")
        codes, kinds = table.texts("type")
        timed = np.isfinite(micro)
        is_sample = timed & np.array([kind == "SMP" for kind in kinds], bool)[codes]
        is_message = timed & np.array([kind.startswith(MESSAGE) for kind in kinds], bool)[codes]
        self._dropped["no timestamp"] += int(np.count_nonzero(~timed))
        other = timed & ~is_sample & ~is_message
        self._dropped["neither SMP nor MSG"] += int(np.count_nonzero(other))
        if not self._samples.rows and is_sample.any():
            self.start = float(micro[is_sample][0])
        self._timed.take(micro / 1000, among=is_sample)

        trial = table.texts("trial")
        stimulus = self._stimuli.take(table, is_message)
        self._names = {"trial": trial.names, "stimulus": stimulus.names}
        t = (micro - self.start) / 1000
        gaze, n_doubtful = _gaze(table)
        self._n_doubtful += n_doubtful
        columns: dict[str, npt.NDArray[Any]] = {
            "trial": self._used["trial"].coded(trial.codes[is_sample], trial.names),
            "stimulus": self._used["stimulus"].coded(stimulus.codes[is_sample], stimulus.names),
            "t_ms": t[is_sample],
        }
        for key, values in gaze.items():
            columns[key if "pupil" in key else f"{key}_px"] = values[is_sample]
        self._samples.append(columns)

        rows = pd.DataFrame(
            {
                "row": self.n_rows + np.arange(table.n_rows),
                "trial": trial.codes,
                "stimulus": stimulus.codes,
                "t": t,
            }
        )
        self._add_messages(rows[is_message], micro[is_message], Texts(codes[is_message], kinds))
        for eye, movements in self._movements.items():
            if f"{eye}_info" in table.found:
                of_eye = {key: gaze[f"{eye}_{key}"] for key in ("x", "y", "pupil")}
                infos, names = table.texts(f"{eye}_info")
                frame = rows.assign(info=infos, **of_eye)[is_sample]
                self._add_movements(eye, movements.take(frame, names))
        self.n_rows += table.n_rows

    def _add_messages(self, rows: pd.DataFrame, micro: Floats, kinds: Texts) -> None:
        """Add messages to the events: their text stands in the type of their rows."""
        texts = [
            message_text(kinds.names[code].removeprefix(MESSAGE)) for code in kinds.codes.tolist()
        ]
        first = self._n_messages + 1
        self._n_messages += len(rows)
        columns = {
            **self._texts_of(rows),
            "kind": "message",
            # In µs of the tracker: the start is not known before the first sample.
            "onset_ms": micro,
            "duration_ms": 0.0,
            "text": np.array(texts, object),
            "index": np.arange(first, first + len(rows), dtype=np.int32),
        }
        self._events.append(rows["row"].to_numpy(), columns, rank=_MESSAGE_RANK)

    def _add_movements(self, eye: str, found: pd.DataFrame) -> None:
        """Add fixations, saccades and blinks of an eye to the events."""
        if not len(found):
            return
        columns: dict[str, Any] = {
            name: found[name].to_numpy() for name in (*_OF_MOVEMENTS, *_IF_MISSING)
        }
        columns |= self._texts_of(found)
        columns["eye"] = eye
        self._events.append(found["row"].to_numpy(), columns, rank=_rank_of(eye))

    def _texts_of(self, rows: pd.DataFrame) -> dict[str, Any]:
        return {
            name: np.array(texts, object)[rows[name].to_numpy()]
            for name, texts in self._names.items()
        }

    @property
    def dropped(self) -> dict[str, int]:
        """How many rows are neither samples nor messages, by the reason."""
        return counted(self._dropped)

    def samples(self, notes: list[str]) -> pa.Table:
        """Return the rows of samples as the table of them, when all parts are taken.

        Raises
        ------
        ParseError
            There are none, or they are in no order of time.
        """
        if not self._samples.rows:
            hint = "export the gaze data as well"
            what = "holds no gaze: no samples"
            line = self._header.lines
            raise NoGaze(what, path=self._head.path, line=line, hint=hint)
        self._timed.check()
        if self._stimuli.of_messages:
            notes.append("no column Stimulus: taken from the messages that are names of files")
        if self._n_doubtful:
            notes.append(f"{self._n_doubtful} positions of eyes with Validity 0 are kept")
        texts = {name: own.used or [""] for name, own in self._used.items()}
        return self._samples.table({**texts, "recording": [self._head.stem]})

    def events(self, participant: str, samples: pa.Table, notes: list[str]) -> pa.Table:
        """Return the messages, and the runs of samples of one Event Info, in the order of the rows.

        Parameters
        ----------
        participant : str
            Who was recorded, empty where it is not stated.
        samples : pyarrow.Table
            The table that `samples` gives.
        notes : list of str
            Receives what events are made of.
        """
        for eye, movements in self._movements.items():
            self._add_movements(eye, movements.close())
        if self._events.count > self._n_messages:
            notes.append("events are runs of Event Info: durations are last - first + one sample")
        step = usual_step(lambda: (chunk.to_numpy() for chunk in samples["t_ms"].chunks))

        def mend(columns: dict[str, Any]) -> dict[str, Any]:
            is_message = columns["rank"] == _MESSAGE_RANK
            onset = columns["onset_ms"]
            return {
                **self._means(columns),
                "onset_ms": np.where(is_message, (onset - self.start) / 1000, onset),
                # The last sample of a movement lasts until the next one.
                "duration_ms": np.where(is_message, 0.0, columns["duration_ms"] + step),
            }

        return self._events.table(
            mend,
            numbers_of=set(_KINDS.values()),
            recording=self._head.stem,
            participant=participant,
        )

    def _means(self, columns: dict[str, Any]) -> dict[str, Floats]:
        """Return the means of events, now that it is known whether values of an eye are missing."""
        found = {}
        for other, name in _IF_MISSING.items():
            values = columns[name]
            for eye, movements in self._movements.items():
                if movements.any_missing[name]:
                    is_own = columns["rank"] == _rank_of(eye)
                    values = np.where(is_own, columns[other].astype(values.dtype), values)
            found[name] = values
        return found


def _rank_of(eye: str) -> int:
    return _MESSAGE_RANK + 1 + _EYES.index(eye)


class _Stimuli:
    """Tells each row's stimulus: its column, else the last message that is the name of a file."""

    def __init__(self) -> None:
        self.of_messages = False
        self._names = {"": 0}
        self._shown = 0

    def take(self, table: Columns, is_message: Mask) -> Texts:
        """Return the stimulus of each row of the next part."""
        if "stimulus" in table.found:
            codes, names = table.texts("stimulus")
            return Texts(codes, ["" if name == "-" else name for name in names])
        shown = np.full(table.n_rows, -1, np.int32)
        codes, kinds = table.texts("type")
        for row in np.flatnonzero(is_message).tolist():
            text = message_text(kinds[codes[row]].removeprefix(MESSAGE))
            if is_stimulus(text):
                shown[row] = self._names.setdefault(text, len(self._names))
                self.of_messages = True
        # What a row shows is what was shown last: in this part, or before it.
        last = np.maximum.accumulate(np.where(shown >= 0, np.arange(table.n_rows), -1))
        found = np.where(last >= 0, shown[last], np.int32(self._shown))
        self._shown = int(found[-1]) if found.size else self._shown
        return Texts(found.astype(np.int32), list(self._names))


def _gaze(table: Columns) -> tuple[dict[str, Floats], int]:
    """Return gaze and pupils of every row; SMI writes a lost eye as 0.

    Beside them it gives the number of positions that SMI itself calls not valid.
    """
    gaze: dict[str, Floats] = {}
    doubtful = 0
    for eye in _EYES:
        x = table.number(f"{eye}_x")
        y = table.number(f"{eye}_y")
        pupil = table.number(f"{eye}_pupil")
        lost = (x == 0) & (y == 0)
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y)
        gaze[f"{eye}_pupil"] = np.where(pupil == 0, np.nan, pupil)
        invalid = table.number(f"{eye}_validity") == 0
        doubtful += int((~lost & invalid).sum())
    for axis in "xy":
        gaze[axis] = mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
    return gaze, doubtful


class _Movements:
    """Runs of samples with one Event Info of an eye, within a trial.

    The samples of the last one are held back, until another begins.
    """

    def __init__(self) -> None:
        self._held = pd.DataFrame()
        self._last = np.full((1, 2), -1)  # the codes of the last sample's trial and info
        self._n_runs = 0
        self.any_missing = dict.fromkeys(_IF_MISSING.values(), False)

    def take(self, frame: pd.DataFrame, infos: list[str]) -> pd.DataFrame:
        """Take the next samples, and return the movements that are over.

        Parameters
        ----------
        frame : pandas.DataFrame
            The rows of the next samples.
        infos : list of str
            The texts that the codes of ``info`` stand for.
        """
        if not len(frame):
            return frame
        for name in self.any_missing:
            self.any_missing[name] |= bool(frame[name.removesuffix("_px")].isna().any())
        keys = np.vstack([self._last, frame[["trial", "info"]].to_numpy()])
        self._last = keys[-1:]
        frame["run"] = self._n_runs + np.cumsum((keys[1:] != keys[:-1]).any(axis=1))
        self._n_runs = int(frame["run"].iloc[-1])
        frame["kind"] = np.array([_KINDS.get(info, "") for info in infos], object)[frame["info"]]
        frame = frame[frame["kind"] != ""]
        if len(self._held):
            frame = pd.concat([self._held, frame])
        is_last = frame["run"] == self._n_runs
        self._held = frame[is_last]
        return _movements(frame[~is_last])

    def close(self) -> pd.DataFrame:
        """Return the movement that no other sample follows, if there is one."""
        return _movements(self._held) if len(self._held) else self._held


def _movements(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run; ``duration_ms`` is the time from the first to the last sample."""
    if not len(frame):
        return frame
    groups = frame.groupby("run")
    runs = groups.agg(
        row=("row", "first"),
        trial=("trial", "first"),
        stimulus=("stimulus", "first"),
        kind=("kind", "first"),
        onset_ms=("t", "first"),
        last=("t", "last"),
    )
    # A lost position is taken as it is, where `first` and `last` of groups would skip it.
    starts = frame.drop_duplicates("run", keep="first").set_index("run")
    ends = frame.drop_duplicates("run", keep="last").set_index("run")
    is_fixation = runs["kind"] == "fixation"
    is_saccade = runs["kind"] == "saccade"
    runs["duration_ms"] = np.maximum(runs["last"] - runs["onset_ms"], 0)
    of_groups = frame["run"].to_numpy()
    runs["pupil_if_missing"], runs["pupil"] = group_means(frame["pupil"].to_numpy(), of_groups)
    for axis in "xy":
        of_saccade = starts[axis].where(is_saccade)
        means = group_means(frame[axis].to_numpy(), of_groups)
        names = (f"{axis}_if_missing", f"{axis}_px")
        for name, mean in zip(names, means, strict=True):
            runs[name] = pd.Series(mean, runs.index).where(is_fixation, of_saccade)
        runs[f"end_{axis}_px"] = ends[axis].where(is_saccade)
    return runs
