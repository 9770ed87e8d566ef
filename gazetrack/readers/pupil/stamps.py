"""Rows of Pupil Cloud, whose times are nanoseconds since 1970 UTC.

Float64 has too few digits for these, so they are taken as integers until the start of the recording
is subtracted. Specification: "Neon, Timeseries Data", Pupil Labs, https://docs.pupil-labs.com.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ParseError
from gazetrack.readers.shared.clock import RowClock
from gazetrack.readers.text.stored import stored_table
from gazetrack.readers.text.table import Columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header, Wanted
    from gazetrack.readers.text.parts import Texts

TIME = "timestamp [ns]"
RECORDING = "recording id"


class StampedPart(NamedTuple):
    """Some ten thousand rows.

    Parameters
    ----------
    table : Columns
        The columns of numbers of the n rows.
    timed : ndarray of bool, shape (n,)
        Which of the rows have a time.
    recording : ndarray of int32, shape (m,)
        The code of the recording of each of these, see `StampedRows.recordings`.
    t_ms : ndarray of float64, shape (m,)
        Their times in ms, from the first row of their recording.
    """

    table: Columns
    timed: npt.NDArray[np.bool_]
    recording: npt.NDArray[np.int32]
    t_ms: npt.NDArray[np.float64]


class StampedRows:
    """Reads a table, and gives its rows as often as they are asked for.

    Parameters
    ----------
    head, header : Head, Header
        The first look at the file, and the header of its table.
    time : str
        The name of the column of times.
    names : mapping of str to str
        The names of the columns of numbers by our keys.

    Attributes
    ----------
    n_rows : int
        The number of rows of the table.
    recordings : list of str
        The names of the recordings by their codes.
    start_ns : int or None
        The time of the first row that has one, ns since 1970; None without any.

    Raises
    ------
    ParseError
        A damaged row or cell, or a time that is no whole number.
    """

    def __init__(self, head: Head, header: Header, time: str, names: Mapping[str, str]) -> None:
        at = header.index(time, head.path)
        # Numbers, of which each damaged cell is refused at its place; of times also the texts.
        wanted: Wanted = {
            "t": (at, "float64"),
            **header.needed(names, "float64", head.path),
            "stamp": (at, "own_text"),
            **header.present({"recording": RECORDING}, "text", head.path),
        }
        self.start_ns: int | None = None
        self._head = head
        self._header = header
        self._is_whole = True
        self._starts: dict[int, int] = {}  # by the code of the recording
        self._table = stored_table(head, header, wanted, self._in_numbers)
        if not self._is_whole:
            hint = "export again: spreadsheets round long numbers"
            what = f"a {time!r} that is no whole number"
            raise ParseError(what, path=head.path, column=at + 1, hint=hint)
        self.n_rows = self._table.n_rows
        self.recordings = [head.stem]
        if "recording" in self._table.keys:
            self.recordings = self._table.names("recording")

    def _in_numbers(self, part: Columns) -> Columns:
        """Return a part with its times as whole numbers."""
        found = dict(part.found)
        timed = np.isfinite(found.pop("t"))
        stamps = self._whole(found.pop("stamp"), timed)
        codes = (
            found["recording"].codes if "recording" in found else np.zeros(part.n_rows, np.int32)
        )
        own, first = np.unique(codes[timed], return_index=True)
        for code, at in zip(own.tolist(), first.tolist(), strict=True):
            self._starts.setdefault(code, int(stamps[timed][at]))
        if self.start_ns is None and timed.any():
            self.start_ns = int(stamps[timed][0])
        return Columns(part.n_rows, found | {"stamp": stamps, "timed": timed})

    def _whole(self, texts: Texts, timed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        stamps = np.zeros(len(texts.names), np.int64)
        used = np.unique(texts.codes[timed])
        try:
            own = pa.array([texts.names[code] for code in used.tolist()], pa.string())
            stamps[used] = pc.cast(own, pa.int64()).to_numpy()
        except pa.ArrowInvalid:
            self._is_whole = False  # told when all cells are known to be numbers
        return stamps[texts.codes]

    def parts(self) -> Iterator[StampedPart]:
        """Yield all rows, part by part."""
        starts = np.zeros(len(self.recordings), np.int64)
        starts[list(self._starts)] = list(self._starts.values())
        for part in self._table.parts():
            timed = part.found["timed"]
            codes = part.texts("recording").codes[timed]
            t_ms = (part.found["stamp"][timed] - starts[codes]) / 1e6
            yield StampedPart(part, timed, codes, t_ms)

    def check(self, notes: list[str]) -> None:
        """Refuse times that begin again or are in no order, and note if recordings are several.

        Raises
        ------
        ParseError
            As `RowClock` does.
        """
        clock = RowClock(self._head, self._header)
        for part in self.parts():
            clock.take(part.t_ms, part.timed, part.recording)
        clock.check()
        count = len(self._starts)
        if count > 1:
            notes.append(f"{count} recordings: the stated start is that of the first")
