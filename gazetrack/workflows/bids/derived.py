"""What is derived of a recording, for a data set of derivatives: its fixations and its quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.data_quality.measures import quality_table
from gazetrack.errors import GazetrackError, quote
from gazetrack.events.fixations import fixation_table
from gazetrack.tables.schema import FIXATIONS, QUALITY
from gazetrack.workflows.bids import cells
from gazetrack.workflows.bids.sidecars import described

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.tables.recording import Recording

FIXATIONS_NAME = "desc-fixations_events"
QUALITY_NAME = "desc-quality_beh"
_DECIMALS_S = 6
_MS = 1000.0


class Derived:
    """The fixations and the quality of an export, of which each recording takes its own rows.

    Parameters
    ----------
    recording : Recording
        The whole export, as it is written.
    eye : {"auto", "left", "right", "both"}
        Whose fixations are taken, see `selection.one_eye`.
    """

    def __init__(self, recording: Recording, eye: str) -> None:
        self.notes: list[str] = []
        self._facts: dict[str, Any] = {}
        self._tables: dict[str, pa.Table] = {}
        try:
            fixations, facts = fixation_table(recording, eye=eye)
        except GazetrackError as error:
            self.notes.append(f"no fixations: {quote(error.what, 120)}")
        else:
            self.notes += facts.get("notes", [])
            self._facts = facts
            self._tables[FIXATIONS_NAME] = fixations
        try:
            self._tables[QUALITY_NAME] = quality_table(recording, "recording")
        except GazetrackError as error:
            self.notes.append(f"no data quality: {quote(error.what, 120)}")

    def write(
        self, label: str, first_ms: float, folder: Path
    ) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        """Write the rows of one recording.

        Parameters
        ----------
        label : str
            Its name in the tables.
        first_ms : float
            The time of its first sample, from which onsets are counted, ms.
        folder : pathlib.Path
            Where the tables go, by the ends of their names.

        Returns
        -------
        (dict of str to int, dict of str to dict)
            The number of rows of each table, and the sidecars.
        """
        rows: dict[str, int] = {}
        sidecars: dict[str, dict[str, Any]] = {}
        for name, table in self._tables.items():
            own = table.filter(pc.equal(pc.cast(table["recording"], pa.string()), label))
            if not own.num_rows:
                continue
            is_events = name == FIXATIONS_NAME
            if is_events:  # BIDS wants events in the order of their onsets
                own = own.take(pc.sort_indices(own, sort_keys=[("onset_ms", "ascending")]))
            header, body = _rows(own, first_ms if is_events else None)
            cells.write_rows(folder / f"{name}.tsv", header, body)
            rows[f"{name}.tsv"] = own.num_rows
            sidecars[f"{name}.json"] = self._sidecar(name, header)
        return rows, sidecars

    def _sidecar(self, name: str, header: list[str]) -> dict[str, Any]:
        schema = FIXATIONS if name == FIXATIONS_NAME else QUALITY
        facts: dict[str, Any] = {"Description": "the data quality of each eye, as measured"}
        if name == FIXATIONS_NAME:
            source = self._facts.get("fixation_source")
            whose = "the export's own" if source == "export" else "detected in the samples"
            facts["Description"] = f"fixations, {whose}"
            detector = self._facts.get("detector")
            if detector:
                facts["Detector"] = detector
        for column in header:
            if column in ("onset", "duration"):
                first = "first sample of the recording"
                meaning = f"onset, from the {first}" if column == "onset" else "length"
                facts[column] = {"Description": meaning, "Units": "s"}
            else:
                meaning, unit = described(schema.field(column).metadata)
                facts[column] = {"Description": meaning} | ({"Units": unit} if unit else {})
        return facts


def _rows(table: pa.Table, first_ms: float | None) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows; columns without values go.

    Events have their times first, in seconds from `first_ms`; other tables keep them as they are.
    """
    header: list[str] = []
    columns: list[list[str]] = []
    left_out = {"recording", "participant"}
    if first_ms is not None:
        header = ["onset", "duration"]
        onsets_ms = [t - first_ms for t in _values(table, "onset_ms")]
        columns = [
            [cells.number_cell(t / _MS, _DECIMALS_S) for t in times_ms]
            for times_ms in (onsets_ms, _values(table, "duration_ms"))
        ]
        left_out |= {"onset_ms", "duration_ms"}
    for field in table.schema:
        if field.name in left_out:
            continue
        texts = [_cell(value) for value in _values(table, field.name)]
        if any(text != cells.MISSING for text in texts):
            header.append(field.name)
            columns.append(texts)
    return header, [list(row) for row in zip(*columns, strict=True)]


def _values(table: pa.Table, name: str) -> list[Any]:
    column = table[name]
    if pa.types.is_dictionary(column.type):
        texts: list[Any] = pc.cast(column, pa.string()).to_pylist()
        return texts
    return list(column.to_numpy())


def _cell(value: Any) -> str:
    return cells.text_cell(value) if isinstance(value, str) else cells.number_cell(value)
