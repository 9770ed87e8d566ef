"""AOI hits of a Tobii Pro Lab data export: which of its own fixations lay in which areas.

Columns ``AOI hit [STIMULUS - AREA]`` hold 1 where a sample lies in an area and 0 where it does not,
as Pro Lab's manual describes its data export. The shapes are not in it. A fixation lay in an area
where one of its samples did.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from gazetrack.errors import InputError, ParseError, quote
from gazetrack.measures.recorded import RecordedAois, recorded_aois
from gazetrack.publish import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_HIT = re.compile(r"AOI hit \[(?P<stimulus>.+) - (?P<aoi>.+?)\]")
_KIND = "Eye movement type"
_NUMBER = "Eye movement type index"
_RECORDING = "Recording name"
_FIXATION = "Fixation"
# Whose export it is nobody knows: what has another vendor's columns does not come here.
_HINT = (
    "tick AOI hit in Pro Lab's data export, or areas of interest in that of Data Viewer, BeGaze, "
    "Gazepoint Analysis, iMotions or Tobii Studio; or give shapes as --aois"
)


def aoi_hits_of(path: Path) -> RecordedAois:
    """Read the AOI hits of a Tobii Pro Lab data export.

    Parameters
    ----------
    path : pathlib.Path
        The export, with tabs between its columns, of one recording or several.

    Raises
    ------
    InputError
        It cannot be read, or has no columns of AOI hits.
    ParseError
        A column is missing, or the number of a fixation is none.
    """
    try:
        with path.open(newline="", encoding=_encoding(path)) as file:
            reader = csv.reader(file, delimiter="\t")
            header = next(reader, [])
            columns = {
                at: found for at, name in enumerate(header) if (found := _HIT.fullmatch(name))
            }
            if not columns:
                what = "has no columns of AOI hits, such as AOI hit [image - area]"
                raise InputError(what, path=path, hint=_HINT)
            hits = _hits(_fixations(reader, header, path), columns)
    except (OSError, UnicodeError, csv.Error) as error:
        raise InputError("cannot be read as an export", path=path, hint="export again") from error
    names: dict[str, list[str]] = {}
    for found in columns.values():
        names.setdefault(found["stimulus"], []).append(found["aoi"])
    source = {"file": path.name, "format": "tobii-hits", "sha256": sha256_of(path)}
    return recorded_aois(names, hits, source)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        mark = file.read(2)
    return "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _fixations(
    rows: Iterator[list[str]], header: Sequence[str], path: Path
) -> Iterator[tuple[str, int, list[str]]]:
    """Yield the recording and number of the fixation of each row that has one, and the row."""
    for needed in (_KIND, _NUMBER):
        if needed not in header:
            hint = "tick it in Pro Lab's data export: it says which rows are one fixation"
            raise ParseError(f"has no column {needed}", path=path, line=1, hint=hint)
    kind = header.index(_KIND)
    number = header.index(_NUMBER)
    recording = header.index(_RECORDING) if _RECORDING in header else None
    for line, row in enumerate(rows, 2):
        if len(row) <= max(kind, number) or row[kind] != _FIXATION:
            continue
        if not row[number].isdecimal():
            what = f"has {quote(row[number], 30)!r} as the number of a fixation"
            raise ParseError(what, path=path, line=line, hint="export again")
        yield row[recording] if recording is not None else "", int(row[number]), row


def _hits(
    fixations: Iterator[tuple[str, int, list[str]]], columns: dict[int, re.Match[str]]
) -> dict[str, dict[int, frozenset[str]]]:
    held: dict[str, dict[int, set[str]]] = {}
    for recording, number, row in fixations:
        own = held.setdefault(recording, {}).setdefault(number, set())
        own.update(
            found["aoi"] for at, found in columns.items() if at < len(row) and row[at] == "1"
        )
    return {
        recording: {number: frozenset(names) for number, names in own.items()}
        for recording, own in held.items()
    }
