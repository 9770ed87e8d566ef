"""The data quality of recordings, of one at hand or of many files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pyarrow.compute as pc

from gazetrack.data_quality import measures
from gazetrack.errors import GazetrackError, quote, refuse_other_type
from gazetrack.tables.recording import Recording
from gazetrack.workflows.read import InputChoices, InputOptions, read_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    import pyarrow as pa

    from gazetrack.data_quality.targets import Target


@dataclass(frozen=True)
class QualityReport:
    """The quality of many recordings.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `QUALITY`, a row per period and eye of all recordings that have samples.
    notes : tuple of str
        What the readers had to infer, with the file in front.
    errors : tuple of GazetrackError
        Why files are not in the table.
    n_inputs : int
        How many recordings were looked at, those that failed among them.
    """

    table: pa.Table
    notes: tuple[str, ...]
    errors: tuple[GazetrackError, ...]
    n_inputs: int


def quality(
    recording: Recording | str | Path | Sequence[str | Path],
    by: str = "recording",
    *,
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
    **choices: Unpack[InputChoices],
) -> pd.DataFrame:
    """Report the data quality of a recording, or of the exports in files: rates, loss, precision.

    Parameters
    ----------
    recording : Recording, path-like or sequence of path-like
        A recording as `read` gives it, or exports and folders to read.
    by : {"recording", "trial", "window"}
        What a row is about; ``window``: consecutive windows of `window_ms` within each trial.
    window_ms : float
        Length of windows in milliseconds, also of the one that moves along the samples for
        ``window_rms_s2s`` and ``window_std``.
    targets : sequence of Target
        With targets, as `gazetrack.data_quality.targets.read_targets` gives them, a row is about
        the time of one, and tells the accuracy.
    **choices
        Fields of `InputOptions`, such as `screen`, for files.

    Returns
    -------
    pandas.DataFrame
        A row per period and eye. Degrees are NaN unless the screen's width and distance are known.

    Raises
    ------
    GazetrackError
        A file cannot be read, or has no samples.

    Examples
    --------
    >>> report = gazetrack.quality(gazetrack.read("raw.tsv"))  # doctest: +SKIP
    >>> report[["eye", "loss", "window_rms_s2s_deg"]]  # doctest: +SKIP
    """
    if isinstance(recording, Recording):
        table = measures.quality_table(recording, by, window_ms, targets)
    else:
        hint = "give one recording of gazetrack.read, or paths of exports"
        # Tables can be iterated as well, and give the names of their columns, which are no paths.
        if isinstance(recording, str | Path):
            paths: list[Any] = [recording]
        elif hasattr(recording, "columns") or not hasattr(recording, "__iter__"):
            paths = [recording]
        else:
            paths = list(recording)
        for path in paths:
            refuse_other_type(path, (str, Path), "the recording", hint)
        report = quality_files(
            paths, InputOptions(**choices), by, window_ms=window_ms, targets=targets
        )
        if report.errors:
            raise report.errors[0]
        table = report.table
    frame: pd.DataFrame = table.to_pandas()
    return frame


def quality_files(
    paths: Sequence[str | Path],
    options: InputOptions,
    by: str = "recording",
    *,
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
    tell: Callable[[GazetrackError], None] | None = None,
) -> QualityReport:
    """Report the data quality of exports or sample tables; a bad one leaves the others alone.

    Parameters
    ----------
    paths : sequence of path-like
        Exports, tables of samples, and folders of them.
    options : InputOptions
        How the files are read.
    by, window_ms, targets
        What is measured, as for `data_quality.measures.quality_table`.
    tell : callable, optional
        Called with each error as it comes.

    Returns
    -------
    QualityReport
        Recordings to which two exports give one name are named by their files as well.
    """
    found: list[tuple[str, pa.Table]] = []
    notes: list[str] = []
    errors: list[GazetrackError] = []
    for file, recording in read_files(paths, options):
        try:
            if isinstance(recording, GazetrackError):
                raise recording
            found.append((str(file), _measured(file, recording, by, window_ms, targets)))
            notes += [f"{quote(file)}: {note}" for note in recording.notes]
        except GazetrackError as error:
            errors.append(error)
            if tell is not None:
                tell(error)
    table = measures.joined(_told_apart(found))
    n_inputs = len(found) + len(errors)
    return QualityReport(table, tuple(notes), tuple(errors), n_inputs)


def _measured(
    file: Path, recording: Recording, by: str, window_ms: float, targets: Sequence[Target]
) -> pa.Table:
    """Return the report of one recording; an error about it names its file."""
    try:
        return measures.quality_table(recording, by, window_ms, targets)
    except GazetrackError as error:
        raise type(error)(error.what, path=file, hint=error.hint) from error


def _told_apart(found: list[tuple[str, pa.Table]]) -> list[pa.Table]:
    """Return the reports; recordings that share a name have the name of their file in front."""
    names = [set(table["recording"].to_pylist()) for _, table in found]
    held = Counter(name for own in names for name in own)
    return [
        _named_by_file(file, table) if any(held[name] > 1 for name in own) else table
        for (file, table), own in zip(found, names, strict=True)
    ]


def _named_by_file(file: str, table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("recording")
    names = table.column(place).cast("string")
    named = (
        pc.binary_join_element_wise(file, names, "/")
        if len(names.unique()) > 1
        else pc.if_else(True, file, names)
    )
    return table.set_column(place, table.schema.field(place), named.dictionary_encode())
