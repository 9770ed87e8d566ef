"""Tobii Studio 2, All-Data: a row per sample or event, read part by part.

Source: "Tobii Studio 2.x User Manual", Tobii Technology, "Exporting data as text". The mapped
positions of fixations count from the top left corner of the medium shown, all others from that of
the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze
from gazetrack.readers.shared.clock import TimedParts
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.gaze import mean_of_eyes, pupils_of, without_marks
from gazetrack.readers.shared.group_means import group_means
from gazetrack.readers.shared.sink import SampleSink
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.readers.text.table import Columns, no_rows, read_parts
from gazetrack.tables.eyes import EYES
from gazetrack.tables.recording import Recording

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header, Kind
    from gazetrack.readers.tobii.studio_header import Layout

    Floats = npt.NDArray[np.floating]
    Mask = npt.NDArray[np.bool_]

FORMAT_NAME = "tobii_studio"
_NUMBERS = {
    "fixation": "FixationIndex",
    "duration": "FixationDuration",
    "fixation_x": "MappedFixationPointX",
    "fixation_y": "MappedFixationPointY",
    "number": "Number",
    "left_x": "GazePointXLeft",
    "left_y": "GazePointYLeft",
    "left_pupil": "PupilLeft",
    "left_validity": "ValidityLeft",
    "right_x": "GazePointXRight",
    "right_y": "GazePointYRight",
    "right_pupil": "PupilRight",
    "right_validity": "ValidityRight",
    "x": "GazePointX",
    "y": "GazePointY",
    "media_x": "MediaPosX",
    "media_y": "MediaPosY",
    "media_width": "MediaWidth",
    "media_height": "MediaHeight",
}
_MESSAGE = {"event": "Event", "data1": "Data1", "data2": "Data2", "descriptor": "Descriptor"}
_STIMULI = ("StimuliName", "MediaName")
_NOT_FOUND_FROM = 2  # 0 certain, 1 probable; from 2 on it is the other eye, or none
_NO_MEDIA = "No media"
_MOST_MEDIA = 3
_MOST_INDEX = 2**31
_IF_MISSING = "pupil_if_missing"  # see `group_means`
_MEDIA = ["media_x", "media_y", "media_width", "media_height"]


def wanted_of(header: Header, head: Head) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index("Timestamp", head.path), "float64")}
    for key, name in _NUMBERS.items():
        if name in header.names:
            # Durations become times, which are kept in double precision.
            kind: Kind = "float64" if key == "duration" else "float32"
            wanted[key] = header.index(name, head.path), kind
    for key, name in _MESSAGE.items():
        if name in header.names:
            wanted[key] = header.index(name, head.path), "own_text"
    stimulus = next((name for name in _STIMULI if name in header.names), None)
    if stimulus is not None:
        wanted["stimulus"] = header.index(stimulus, head.path), "text"
    return wanted


def names_of(head: Head, layout: Layout) -> tuple[str, str]:
    """Return recording and participant, as stated."""
    recording = layout.stated("Recording name", "Recording") or head.stem
    participant = layout.stated("Participant", "Subject")
    return recording, participant


def index_of(table: Columns) -> npt.NDArray[np.floating]:
    """Return the numbers of the fixations, without those that are too large to be one."""
    index = table.number("fixation")
    return np.where(np.abs(index) < _MOST_INDEX, index, np.nan)


def without_loss(
    x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return positions without those that Studio calls missing.

    These are -1 in both coordinates; a lone -1 is a place beside the screen.
    """
    x, y, _ = without_marks(x, y, -1.0)
    return x, y


def read_all(head: Head, layout: Layout, notes: list[str]) -> Recording:
    """Read All-Data.

    Parameters
    ----------
    head : Head
        The first look at the file.
    layout : Layout
        Its header, and what its preamble states.
    notes : list of str
        Receives what had to be inferred, in words for the user.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        No samples, or a damaged row or cell.
    """
    header = layout.header
    rows = _Rows(head, layout)
    for part in read_parts(head, header, wanted_of(header, head)):
        rows.take(part)
    if not rows.n_rows:
        raise no_rows(head, header)
    return rows.recording(notes)


class _Rows:
    """What the parts of an export add up to."""

    def __init__(self, head: Head, layout: Layout) -> None:
        self.n_rows = 0
        self._head = head
        self._header = layout.header
        # One recording a file, as its preamble states it.
        self._recording, self._participant = names_of(head, layout)
        self._timed = TimedParts(head, layout.header)
        self._samples = SampleSink()
        self._stimuli = UsedNames()
        self._events = EventParts(more=[_IF_MISSING])
        self._n_messages = 0
        self._fixations = _Fixations()
        self._media = pd.DataFrame()
        self._dropped = {"no timestamp": 0, "neither sample nor event": 0}
        self._keys: set[str] = set()
        self._stimulus_names = np.empty(0, object)

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        self._keys = set(table.found)
        is_sample, is_message = self._sorted(table)
        codes, texts = table.texts("stimulus")
        texts = ["" if text == _NO_MEDIA else text for text in texts]
        stimulus = np.array(texts, object)
        t = table.number("t")
        _, t_ms = self._timed.take(t, among=is_sample)
        gaze = _gaze(table)
        columns: dict[str, npt.NDArray[Any]] = {
            "stimulus": self._stimuli.coded(codes[is_sample], texts),
            "t_ms": t_ms,
        }
        for name, values in gaze.items():
            columns[name if "pupil" in name else f"{name}_px"] = values[is_sample]
        self._samples.append(columns)

        at = np.flatnonzero(is_message)
        self._add_messages(table, self.n_rows + at, at, stimulus[codes[at]])
        left, top = _corner_of_medium(table, stimulus[codes] == "")
        x, y = without_loss(table.number("fixation_x"), table.number("fixation_y"))
        index = index_of(table)
        fixated = is_sample & np.isfinite(index)
        frame = pd.DataFrame(
            {
                "row": self.n_rows + np.arange(table.n_rows),
                "stimulus": codes,
                "index": index,
                "onset_ms": t,
                "duration_ms": table.number("duration").astype(np.float64),
                "x_px": x + left,
                "y_px": y + top,
                "pupil": mean_of_eyes(gaze["left_pupil"], gaze["right_pupil"]),
                "placeless": np.isnan(left + top),
            }
        )[fixated]
        self._add_fixations(self._fixations.take(frame), stimulus)
        self._stimulus_names = stimulus
        shown = pd.DataFrame({key: table.number(key) for key in _MEDIA})
        shown = shown[is_sample & (stimulus[codes] != "")].dropna()
        self._media = pd.concat([self._media, shown]).drop_duplicates()
        self.n_rows += table.n_rows

    def _sorted(self, table: Columns) -> tuple[Mask, Mask]:
        """Tell samples and messages from all other rows, which are counted by reason."""
        timed = np.isfinite(table.number("t"))
        codes, names = table.texts("event")
        has_event = np.array([name != "" for name in names], bool)[codes]
        is_message = timed & has_event
        # A sample has the number of its gaze point; an event may stand in the row of one.
        numbered = np.isfinite(table.number("number")) if "number" in table.found else ~has_event
        is_sample = timed & numbered
        rest = timed & ~is_sample & ~is_message
        self._dropped["no timestamp"] += int(np.count_nonzero(~timed))
        self._dropped["neither sample nor event"] += int(np.count_nonzero(rest))
        return is_sample, is_message

    def _add_messages(
        self,
        table: Columns,
        rows: npt.NDArray[np.intp],
        at: npt.NDArray[np.intp],
        stimulus: npt.NDArray[np.object_],
    ) -> None:
        """Add the events of the export; the text is the event and the cells that describe it."""
        cells = zip(*(_texts_at(table, key, at) for key in _MESSAGE), strict=True)
        texts = [" ".join(filter(None, row)) for row in cells]
        first = self._n_messages + 1
        self._n_messages += at.size
        columns = {
            "participant": self._participant,
            "stimulus": stimulus,
            "kind": "message",
            "index": np.arange(first, first + at.size, dtype=np.int32),
            "onset_ms": table.number("t")[at],
            "duration_ms": 0.0,
            "text": np.array(texts, object),
        }
        self._events.append(rows, columns, rank=0)

    def _add_fixations(self, found: pd.DataFrame, stimulus: npt.NDArray[np.object_]) -> None:
        """Add fixations to the events."""
        names = ("index", "onset_ms", "duration_ms", "x_px", "y_px", "pupil", _IF_MISSING)
        columns: dict[str, Any] = {name: found[name].to_numpy() for name in names if len(found)}
        if not len(found):
            return
        columns["participant"] = self._participant
        columns["stimulus"] = stimulus[found["stimulus"].to_numpy()]
        self._events.append(
            found["row"].to_numpy(), {**columns, "kind": "fixation", "eye": "both"}, rank=1
        )

    def recording(self, notes: list[str]) -> Recording:
        """Return all of it."""
        if not self._samples.rows:
            hint = "export the gaze data as well"
            what = "holds no gaze: no samples"
            raise NoGaze(what, path=self._head.path, line=self._header.lines, hint=hint)
        self._timed.check()
        self._add_fixations(self._fixations.close(), self._stimulus_names)
        self._fixations.note(notes, has_corner="media_x" in self._keys)
        self._note_media(notes)
        texts = {"recording": [self._recording], "stimulus": self._stimuli.used or [""]}
        eyes = [eye for eye in EYES if f"{eye}_x" in self._keys]
        one_eye = eyes[0] if eyes else "combined"
        return Recording(
            name=self._head.stem,
            format=FORMAT_NAME,
            sample_table=self._samples.table(texts),
            event_table=self._events.table(self._mended, recording=self._recording),
            eyes="binocular" if len(eyes) > 1 else one_eye,
            origin_ms=self._timed.origin_ms,
            rows_in=self.n_rows,
            dropped=counted(self._dropped),
        )

    def _mended(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Return the columns of events that are not known before the end of the export."""
        pupil = columns["pupil"]
        if self._fixations.any_missing:
            pupil = columns[_IF_MISSING].astype(pupil.dtype)
        return {"onset_ms": columns["onset_ms"] - self._timed.origin_ms, "pupil": pupil}

    def _note_media(self, notes: list[str]) -> None:
        """Say where the media lay on the screen.

        It is no placement, because the size of the image files is not in the export.
        """
        places = [",".join(f"{value:g}" for value in row) for row in self._media.to_numpy()]
        if not places:
            return
        shown = " and ".join(places[:_MOST_MEDIA])
        if len(places) > _MOST_MEDIA:
            shown += " and others"
        notes.append(
            f"media shown at {shown}: give the place with --placement to map gaze to the image"
        )


def _texts_at(table: Columns, key: str, at: npt.NDArray[np.intp]) -> list[str]:
    """Return the texts of some rows."""
    codes, names = table.texts(key)
    return [names[code] for code in codes[at].tolist()]


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return gaze and pupils of every row.

    An eye that was not found is missing, whatever its position says. The combined gaze is that of
    the export, else the mean of both eyes.
    """
    gaze = {}
    not_found = []
    for eye in EYES:
        lost = table.number(f"{eye}_validity", missing=0.0) >= _NOT_FOUND_FROM
        if f"{eye}_validity" in table.found:
            not_found.append(lost)
        x, y = without_loss(table.number(f"{eye}_x"), table.number(f"{eye}_y"))
        pupil = pupils_of(table.number(f"{eye}_pupil"))
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y)
        gaze[f"{eye}_pupil"] = np.where(lost, np.nan, pupil)

    no_eye = np.all(not_found, axis=0) if not_found else np.zeros(table.n_rows, np.bool_)
    combined_x, combined_y = without_loss(table.number("x"), table.number("y"))
    for axis, exported in (("x", combined_x), ("y", combined_y)):
        if axis in table.found:
            gaze[axis] = np.where(no_eye, np.nan, exported)
        else:
            gaze[axis] = mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
    return gaze


def _corner_of_medium(table: Columns, no_medium: Mask) -> tuple[Floats, Floats]:
    """Return where the left and top edge of each row's medium lay on the screen.

    They are 0 where no medium is shown, or where the export has no such columns.
    """
    left = table.number("media_x", 0.0)
    top = table.number("media_y", 0.0)
    nothing_shown = np.isnan(left) & np.isnan(top) & no_medium
    return np.where(nothing_shown, 0.0, left), np.where(nothing_shown, 0.0, top)


class _Fixations:
    """The fixations of Studio's filter, moved from the medium to the screen.

    Each is the first sample of its ``FixationIndex``; its pupil is the mean of all its samples.
    Those of the last one are held back, until another begins.
    """

    def __init__(self) -> None:
        self._held = pd.DataFrame()
        self._round = 0
        self._last_index = np.nan
        self._n_rounds = 0
        self._n_placeless = 0
        self._n_unusable = 0
        self._n_found = 0
        self.any_missing = False  # among the pupils of all samples of fixations

    def take(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Take the next samples of fixations, and return the fixations that are over."""
        if not len(frame):
            return frame
        self.any_missing |= bool(frame["pupil"].isna().any())
        index = frame["index"].to_numpy()
        smaller = np.diff(index, prepend=index.dtype.type(self._last_index)) < 0
        frame["round"] = self._round + np.cumsum(smaller)
        self._n_rounds += int(np.count_nonzero(smaller))
        self._round = int(frame["round"].iloc[-1])
        self._last_index = index[-1]
        frame = pd.concat([self._held, frame]) if len(self._held) else frame
        # The index never falls within a round: samples of a fixation stand together.
        is_last = (frame["round"] == self._round) & (frame["index"] == self._last_index)
        self._held = frame[is_last]
        return self._fixations(frame[~is_last])

    def close(self) -> pd.DataFrame:
        """Return the fixation that no other follows, if there is one."""
        return self._fixations(self._held) if len(self._held) else self._held

    def _fixations(self, frame: pd.DataFrame) -> pd.DataFrame:
        if not len(frame):
            return frame
        groups = frame.groupby(["round", "index"], sort=False).ngroup().to_numpy()
        if_missing, pupils = group_means(frame["pupil"].to_numpy(), groups)
        first = frame.drop_duplicates(["round", "index"])
        first = first.assign(pupil=pupils, pupil_if_missing=if_missing)
        unusable = ~(first["duration_ms"] > 0)
        self._n_found += len(first)
        self._n_placeless += int(first["placeless"].sum())
        self._n_unusable += int(unusable.sum())
        fixations: pd.DataFrame = first[~unusable].astype({"index": np.int32})
        return fixations

    def note(self, notes: list[str], *, has_corner: bool) -> None:
        """Say what was unusual about them; `has_corner` is whether the export places its media."""
        if self._n_rounds:
            notes.append(
                f"the fixation index starts again {self._n_rounds} times: "
                "the same number is another fixation"
            )
        if self._n_placeless:
            notes.append(
                f"{self._n_placeless} fixations on a medium whose place is missing: "
                "at the mean of their samples"
            )
        if self._n_unusable:
            notes.append(f"{self._n_unusable} fixations without a duration: left out")
        if self._n_found and not has_corner:
            notes.append(
                "fixations count from the corner of the medium shown: "
                "the export does not say where that lay"
            )
