"""What exports and tables are and what they hold, as facts for the user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from gazetrack.errors import ConfigError, DataError, GazetrackError, UnknownFormat
from gazetrack.events.fixations import fixation_table
from gazetrack.readers import registry
from gazetrack.readers.head import read_head
from gazetrack.storage.address import local_or_url
from gazetrack.tables.own_tables import describe_table, kind_of_table, tables_of
from gazetrack.tables.selection import select_eye
from gazetrack.workflows.describing import describe
from gazetrack.workflows.elsewhere import near
from gazetrack.workflows.inputs import Source, find_sources
from gazetrack.workflows.read import (
    InputChoices,
    InputOptions,
    has_own_fixations,
    read_source,
    recognise,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gazetrack.readers.base import Format
    from gazetrack.tables.recording import Recording


def formats() -> list[Format]:
    """Return the export formats that can be read, those of third parties included.

    Returns
    -------
    list of Format
        Name, title, usual suffixes and what comes out of each.

    Examples
    --------
    >>> "eyelink_asc" in [found.name for found in formats()]
    True
    """
    return [registry.get(name).FORMAT for name in registry.names()]


def info(path: str | Path, eye: str = "auto", **choices: Unpack[InputChoices]) -> dict[str, Any]:
    """Describe one export, or one table of gazetrack.

    Parameters
    ----------
    path : path-like
        The export or the table.
    eye : {"auto", "left", "right", "both"}
        Whose fixations are counted where the export has its own.
    **choices
        Fields of `InputOptions`, such as `format` and `screen`.

    Returns
    -------
    dict
        Format and why, tracker, rate, eyes, loss, trials, stimuli, events, notes: JSON values.

    Raises
    ------
    GazetrackError
        The file cannot be read.

    Examples
    --------
    >>> gazetrack.info("raw.tsv")["format"]  # doctest: +SKIP
    'tobii_pro'
    """
    for found in info_files([path], InputOptions(**choices), eye):
        if isinstance(found, GazetrackError):
            raise found
        return found
    raise UnknownFormat(
        "holds no export of a known format", path=Path(path), hint="name the exports"
    )


def info_files(
    paths: Sequence[str | Path], options: InputOptions, eye: str = "auto"
) -> Iterator[dict[str, Any] | GazetrackError]:
    """Describe exports and our own tables, one after the other; of a folder, all in it.

    Parameters
    ----------
    paths : sequence of path-like
        Exports, tables, and folders of either, as `convert_files` takes them.
    options : InputOptions
        How the exports are read.
    eye : {"auto", "left", "right", "both"}
        Whose fixations are counted where an export has its own.

    Yields
    ------
    dict or GazetrackError
        What `info` or `describe_table` says, or why it cannot; a file of a folder that is neither
        is left out.
    """
    here = [path for path in map(local_or_url, paths) if isinstance(path, Path)]
    tables = tables_of(here, options.recursive)
    folders = {table.parent for table in tables}
    exports = [
        path
        for path in map(local_or_url, paths)
        if isinstance(path, str) or (path not in tables and not _is_of_tables(path, folders))
    ]
    for source in find_sources(exports, recursive=options.recursive, join=options.may_join):
        try:
            with near(source) as copies:
                found = _facts(copies, source, options, eye)
            yield found
        except UnknownFormat as error:
            if not source.from_folder:
                yield error
        except GazetrackError as error:
            yield error
    for table in tables:
        try:
            yield describe_table(table)
        except GazetrackError as error:
            yield error


def _facts(copies: Source, source: Source, options: InputOptions, eye: str) -> dict[str, Any]:
    """Return the facts about a recording in files at hand, which are called as in `source`."""
    if source.addresses and kind_of_table(copies.path):
        return describe_table(copies.path) | {"file": str(source.path)}
    head = read_head(copies.path, options.reading)
    reader, verdict = recognise(head, options)
    recording = read_source(copies, options, head, reader)
    facts = {"file": str(source.path), **describe(recording, verdict, head)}
    if source.parts:
        facts["read_with"] = [str(part) for part in source.parts]
    return facts | _fixation_eye(recording, copies.path, eye)


def _fixation_eye(recording: Recording, path: Path, eye: str) -> dict[str, Any]:
    """Return how many fixations `convert_files` would write, and of which eye.

    Nothing where the export has none of its own: they would have to be detected first.
    """
    if not has_own_fixations(recording):
        return {}
    try:
        table, source = fixation_table(select_eye(recording, eye), eye=eye)
    except (ConfigError, DataError) as error:
        raise type(error)(error.what, path=path, hint=error.hint) from error
    return {
        "fixations": table.num_rows,
        "fixation_eye": source["fixation_eye"],
        "notes": [*recording.notes, *source["notes"]],
    }


def _is_of_tables(path: Path, folders: Collection[Path]) -> bool:
    """Tell whether a folder holds tables of ours and nothing else."""
    if path not in folders:
        return False
    return all(file.suffix == ".parquet" for file in path.rglob("*") if file.is_file())
