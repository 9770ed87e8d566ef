"""Work on files that lie elsewhere: near while it lasts, told by their addresses, gone afterwards.

Inputs are copied to a private folder, outputs are written there and then sent, so that every rule
of files on this machine holds for addresses as well: what may be replaced, what is written whole.
"""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gazetrack.errors import GazetrackError, OutputError
from gazetrack.publish import publish, write_bytes
from gazetrack.storage.address import joined, local_or_url, parent_of, shown_path
from gazetrack.storage.copies import private_folder
from gazetrack.storage.objects import (
    fetch,
    fetch_beginning,
    names_in,
    opened,
    refuse_unwritable,
    send,
    size_of,
)
from gazetrack.tables.store import check_suffix, write_by_suffix
from gazetrack.workflows.company import address_above, company_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.outcome import Outcome

_UNSAFE_PARTS = ("", ".", "..", "/")
_MOST_HEADER_BYTES = 64 * 1024
_STAND_IN = b"written by another program"


@contextmanager
def near(source: Source) -> Iterator[Source]:
    """Have the files of a recording on this machine.

    Parameters
    ----------
    source : Source
        A recording whose files may lie elsewhere; then they are copied, with what readers look at
        beside them, and errors tell of their addresses.

    Yields
    ------
    Source
        The same recording, in files that can be opened.

    Raises
    ------
    InputError
        A file is not there, or its store refuses or cannot be reached.
    OutputError
        There is no room for the copies.
    """
    if not source.addresses:
        yield source
        return
    with private_folder() as folder:
        copies = {path: copy_of(path, folder) for path in (source.path, *source.parts)}
        with told_by_address(folder, copies):
            for path, copy in copies.items():
                copy.parent.mkdir(parents=True, exist_ok=True)
                fetch(source.addresses[path], copy)
            for path in (source.path, *source.eyes):
                _fetch_beside(source.addresses[path], copies[path])
            yield replace(
                source,
                path=copies[source.path],
                fixations=None if source.fixations is None else copies[source.fixations],
                blinks=None if source.blinks is None else copies[source.blinks],
                eyes=tuple(copies[eye] for eye in source.eyes),
            )


@contextmanager
def near_file(url: str) -> Iterator[Path]:
    """Have one file of an address on this machine; errors are those of `near`."""
    with private_folder() as folder:
        path = shown_path(url)
        copy = copy_of(path, folder)
        with told_by_address(folder, {path: copy}):
            copy.parent.mkdir(parents=True, exist_ok=True)
            fetch(url, copy)
            _fetch_beside(url, copy)
            yield copy


@contextmanager
def written(folder: Path, url: str, names: Sequence[str]) -> Iterator[Path]:
    """Write files into a folder that may lie elsewhere.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; where `url` is given, that address as it is shown.
    url : str
        Its address; empty for a folder of this machine.
    names : sequence of str
        The files that will be written, with ``/`` between folders and names.

    Yields
    ------
    pathlib.Path
        Where to write them. Of a file that is there already, what decides whether it may be
        replaced is found there: its kind and its metadata. When the block ends without an error,
        what was written is sent, each file whole, in the order of the names.

    Raises
    ------
    OutputError
        The store refuses or cannot be reached, or there is no room on this machine.
    """
    if not url:
        yield folder
        return
    refuse_unwritable(url)
    with private_folder() as temporary:
        with told_by_address(temporary, {folder: temporary}):
            before = {name: stand_in(joined(url, name), temporary / name) for name in names}
            yield temporary
        for name in names:
            if identity(temporary / name) not in (None, before[name]):
                send(temporary / name, joined(url, name))


@contextmanager
def told_by_address(folder: Path, copies: Mapping[Path, Path]) -> Iterator[None]:
    """Let errors within the block tell of addresses in place of their copies.

    Parameters
    ----------
    folder : pathlib.Path
        The private folder that all copies are in.
    copies : mapping of Path to Path
        Each address as it is shown, and its copy, or a folder of copies.
    """
    try:
        yield
    except GazetrackError as error:
        raise by_address(error, folder, copies) from error.__cause__


def by_address(error: GazetrackError, folder: Path, copies: Mapping[Path, Path]) -> GazetrackError:
    """Return an error that tells of addresses in place of their copies; see `told_by_address`."""
    path, what, hint = error.path, error.what, error.hint
    for address, copy in _with_folders(copies, folder):
        if path is not None and (path == copy or copy in path.parents):
            path = address / path.relative_to(copy)
        what = what.replace(str(copy), str(address))
        hint = None if hint is None else hint.replace(str(copy), str(address))
    if isinstance(error, OutputError) and isinstance(error.__cause__, OSError):
        hint = (
            f"free some space for copies, or set TMPDIR: what is sent is first in {folder.parent}"
        )
    return type(error)(
        what, path=path, line=error.line, column=error.column, byte=error.byte, hint=hint
    )


def told_of(
    outcomes: Iterable[Outcome], folder: Path, copies: Mapping[Path, Path]
) -> list[Outcome]:
    """Return outcomes that tell of addresses in place of their copies; see `told_by_address`."""
    pairs = _with_folders(copies, folder)

    def told(text: str) -> str:
        for address, copy in pairs:
            text = text.replace(str(copy), str(address))
        return text

    return [
        replace(
            outcome,
            file=told(outcome.file),
            error=None if outcome.error is None else by_address(outcome.error, folder, copies),
            notes=[told(note) for note in outcome.notes],
            outputs=[entry | {"path": told(entry["path"])} for entry in outcome.outputs],
        )
        for outcome in outcomes
    ]


def check_place(place: str | os.PathLike[str] | None, schema: pa.Schema, *, force: bool) -> None:
    """Refuse what `write_at` refuses, to be called before any work starts; None is no place."""
    if place is None:
        return
    path, folder, url = _file_of(place)
    with written(folder, url, [path.name]) as here:
        check_suffix(here / path.name, schema, force=force)


def write_at(
    place: str | os.PathLike[str], table: pa.Table, meta: Mapping[str, Any], *, force: bool
) -> None:
    """Write a table to a file or an address, in the format its name asks for.

    Parameters
    ----------
    place : path-like
        The file, or its address, which ends in ``.parquet``, ``.csv`` or ``.tsv``.
    table : pyarrow.Table
        What is written, in one of the schemas of `gazetrack.tables.schema`.
    meta : mapping
        JSON values about the source and how the table was made.
    force : bool
        Also replace a file that gazetrack did not write.

    Raises
    ------
    ConfigError, OutputError
        As `gazetrack.tables.store.write_by_suffix`; the store refuses or cannot be reached.
    """
    path, folder, url = _file_of(place)
    with written(folder, url, [path.name]) as here:
        write_by_suffix(here / path.name, table, meta, force=force)


def _file_of(place: str | os.PathLike[str]) -> tuple[Path, Path, str]:
    """Return a file as it is shown, its folder, and the address of that folder where it has one."""
    found = local_or_url(place)
    if isinstance(found, Path):
        return found, found.parent, ""
    path = shown_path(found)
    return path, path.parent, parent_of(found)


def _with_folders(copies: Mapping[Path, Path], folder: Path) -> list[tuple[Path, Path]]:
    """Return each address and its copy, and those of the folders they lie in: the longest first."""
    addresses = {copy: address for address, copy in copies.items()}
    for address, copy in copies.items():
        above, place = copy.parent, address.parent
        while folder in above.parents:
            addresses.setdefault(above, place)
            above, place = above.parent, place.parent
    longest_first = sorted(addresses, key=lambda copy: -len(str(copy)))
    return [(addresses[copy], copy) for copy in longest_first]


def copy_of(path: Path, folder: Path) -> Path:
    """Return where the copy of an address lies: its folders keep their names, which readers ask."""
    parts = [part.replace(":", "") for part in path.parts if part not in _UNSAFE_PARTS]
    return folder.joinpath(*parts)


def _fetch_beside(url: str, copy: Path) -> None:
    """Copy what readers look at beside a file, where it is there."""

    def names_above(level: int) -> list[str] | None:
        address = address_above(url, level)
        return names_in(address) if address else None

    for level, name in company_of(copy.name, names_above):
        fetch(joined(address_above(url, level), name), copy.parents[level] / name)


def stand_in(url: str, path: Path) -> tuple[int, int] | None:
    """Put in place of an object that is there an empty file of its kind, with its metadata.

    Returns what tells that file from another that takes its place; None where there is no object.
    """
    if size_of(url) is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened(url) as file:
        schema = _schema_of(file)
    if path.suffix.lower() in (".csv", ".tsv"):
        # Of a text, its first line decides.
        fetch_beginning(url, path, _MOST_HEADER_BYTES)
    elif schema is None:
        write_bytes(path, _STAND_IN)
    else:
        with publish(path) as file:
            pq.write_table(schema.empty_table(), file)
    return identity(path)


def _schema_of(file: Any) -> pa.Schema | None:
    """Return the schema of a Parquet file with its metadata; None where it is no such file."""
    try:
        return pq.read_schema(file)
    except pa.ArrowException:
        return None
    except OSError as error:
        # Arrow's own error about a damaged file; those of stores are of other kinds.
        is_damage = type(error) is OSError and error.errno is None
        if is_damage:
            return None
        raise


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another that takes its place; None where there is none."""
    with contextlib.suppress(FileNotFoundError):
        facts = path.stat()
        return facts.st_ino, facts.st_mtime_ns
    return None
