"""The exports that are damaged: golden ones, generated ones, and real ones where there are any."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _growing

import gazetrack
from gazetrack.errors import GazetrackError
from gazetrack.readers import registry
from gazetrack.readers.opening import open_plain
from gazetrack.readers.reading import Reading
from tests.damage import Export, take_apart
from tests.places import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gazetrack.tables.recording import Recording

GENERATED_LINES = 240
# Of a real export the first whole lines: reading thousands of mutants has to be quick.
REAL_BYTES = 60_000
REAL_WHOLE_BYTES = 150_000


@dataclass
class Case:
    """An export that can be read, and what is in it.

    Parameters
    ----------
    name : str
        Where it is from, for people.
    file : str
        What the file is called; some readers know a file by its name.
    data : bytes
        The export.
    format : str
        The reader that it is found to belong to.
    columns : dict or None
        What the user has to say of its columns.
    origin : {"golden", "generated", "real"}
        Who made it.
    whole : Recording
        What is in it.
    """

    name: str
    file: str
    data: bytes
    format: str
    columns: dict[str, Any] | None
    origin: str
    whole: Recording

    @property
    def given_format(self) -> str | None:
        """The format that a user has to name: where columns are named, too."""
        return self.format if self.columns else None

    @cached_property
    def export(self) -> Export | None:
        """The export taken apart into header and rows; None for one that is no text."""
        with tempfile.TemporaryDirectory() as folder:
            path = placed(Path(folder), self.file)
            path.write_bytes(self.data)
            try:
                export = take_apart(path, self.format)
            except (GazetrackError, UnicodeError, ValueError, StopIteration):
                return None
            if export is None:
                return None
            # Where the parts put together are read otherwise, a harmless change might be taken
            # for a fault: quoted cells with line ends in them, for example.
            again = path.with_name("again" + path.suffix)
            try:
                export.write(again)
                back = gazetrack.read(again, self.given_format, columns=self.columns or {})
            except (GazetrackError, UnicodeError):
                return None
        return export if same_tables(back, self.whole) else None


def placed(folder: Path, file: str) -> Path:
    """Return where to write an export: some recordings are called after their folder."""
    (folder / "recording").mkdir(exist_ok=True)
    return folder / "recording" / file


def same_tables(one: Recording, other: Recording) -> bool:
    """Return whether two recordings have the same rows in the same order."""
    return _alike(one, other, unnamed)


def same_numbers(one: Recording, other: Recording, *, in_order: bool = True) -> bool:
    """Return whether two recordings have the same numbers; names may differ.

    Parameters
    ----------
    one, other : Recording
        The two recordings.
    in_order : bool
        Whether the rows have to stand in the same order, too.
    """

    def numbers(table: Any) -> Any:
        floats = unnamed(table).select_dtypes("floating")
        return floats if in_order else floats.sort_values(list(floats), ignore_index=True)

    return _alike(one, other, numbers)


def _alike(one: Recording, other: Recording, part: Callable[[Any], Any]) -> bool:
    for name in ("sample_table", "event_table", "fixation_table"):
        a = getattr(one, name)
        b = getattr(other, name)
        if (a is None) != (b is None):
            return False
        # Arrow calls NaN unequal to itself, pandas does not.
        if a is not None and not part(a).equals(part(b)):
            return False
    return True


def unnamed(table: Any) -> Any:
    """Return a table as pandas; the recording is called after the file, and says nothing."""
    return table.drop_columns(["recording"]).to_pandas()


def cases(data: Path | None) -> list[Case]:
    """Return all exports, in an order that does not change.

    Parameters
    ----------
    data : pathlib.Path or None
        A folder of real exports.
    """
    logging.disable(logging.WARNING)
    found = golden(registry.BUILTIN)
    with tempfile.TemporaryDirectory() as folder:
        found += _generated(Path(folder))
    if data is not None:
        found += _real(data)
    return found


def golden(formats: Iterable[str]) -> list[Case]:
    """Return the golden exports of some formats.

    Parameters
    ----------
    formats : iterable of str
        Names of readers.
    """
    found = []
    for name in formats:
        for path in sorted((GOLDEN / name).glob("*/input.*")):
            given = path.parent / "columns.json"
            columns = json.loads(given.read_text()) if given.exists() else None
            whole = gazetrack.read(path, name if columns else None, columns=columns or {})
            title = f"{name}/{path.parent.name}"
            one = Case(title, path.name, path.read_bytes(), name, columns, "golden", whole)
            found.append(one)
    return found


def _generated(folder: Path) -> Iterator[Case]:
    for kind, growing in _growing.FORMATS.items():
        path = placed(folder, growing.name)
        growing.write(path, len(growing.head.encode()) + 1)
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: GENERATED_LINES + growing.head.count("\n")]))
        yield from _readable(path, f"generated {kind}", "generated")
    for path in gazetrack.write_example(folder / "demo", n_images=2, size=(60, 72)).exports:
        yield from _readable(path, f"simulated {path.name}", "generated")
    path = placed(folder, "raw.xdf")
    _growing.write(_growing.XDF, path, 5_000)
    yield from _readable(path, "generated xdf", "generated")


def _real(data: Path) -> Iterator[Case]:
    for path in sorted((data / "exports").rglob("*")):
        if not path.is_file() or path.name in ("INDEX.md", "truth.json"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                with open_plain(path, Reading()) as file:
                    head = file.read(REAL_WHOLE_BYTES + 1)
            except GazetrackError:
                continue
            # Without its companions, and of a long one the first lines alone.
            copy = placed(Path(folder), path.name.removesuffix(".gz"))
            if len(head) > REAL_WHOLE_BYTES:
                head = head[: head.rfind(b"\n", 0, REAL_BYTES) + 1]
            copy.write_bytes(head)
            name = f"real {path.relative_to(data / 'exports')}"
            yield from _readable(copy, name, "real")


def _readable(path: Path, name: str, origin: str) -> Iterator[Case]:
    try:
        whole = gazetrack.read(path)
    except GazetrackError:
        if origin == "real":
            return  # a companion, which holds no gaze
        raise
    yield Case(name, path.name, path.read_bytes(), whole.format, None, origin, whole)
