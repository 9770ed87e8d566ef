"""``participants.tsv``: who was recorded, with what the user knows of them."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.publish import write_json
from gazetrack.workflows.bids import cells
from gazetrack.workflows.bids.labels import checked_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ID = "participant_id"
_MAX_BYTES = 64 * 1024**2
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
# Columns that BIDS itself describes, see "Participants file".
_KNOWN = {
    "species": "binomial species name",
    "age": "age in years",
    "sex": "biological sex",
    "handedness": "hand that is used more",
    "strain": "strain of the species",
    "strain_rrid": "research resource identifier of the strain",
    "group": "group that the participant belongs to",
}


@dataclass(frozen=True, kw_only=True)
class People:
    """What a user says of the participants.

    Parameters
    ----------
    columns : tuple of str
        The columns besides the participant's label.
    rows : mapping of str to mapping of str to str
        By label, the cells by their columns.
    described : mapping
        What is said of the columns, from a ``participants.json`` beside the table.
    """

    columns: tuple[str, ...] = ()
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)


def read_participants(path: str | Path | None, label: Callable[[str], str]) -> People:
    """Read a table of participants; without one nothing is known of them.

    Parameters
    ----------
    path : path-like or None
        A table with a column ``participant_id``: tabs between cells, or commas in ``.csv``.
    label : callable
        Gives the label of a participant's name, as the recordings will have it.

    Raises
    ------
    InputError
        There is no such file, it is no text, or it has no such column.
    ConfigError
        A label that BIDS forbids, or that is there twice.
    """
    if path is None:
        return People()
    path = Path(path)
    if not path.is_file():
        raise InputError("no such file", path=path, hint="check the name")
    lines = _lines(path)
    header = [name.strip() for name in lines[0]] if lines else []
    if ID not in header or len(set(header)) < len(header):
        hint = f"give the first column the name {ID}, and every column its own"
        raise InputError(f"has no column {ID}, or two of one name", path=path, hint=hint)
    rows: dict[str, dict[str, str]] = {}
    place = header.index(ID)
    for number, line in enumerate(lines[1:], 2):
        if not any(line):
            continue
        if len(line) != len(header):
            what = f"a row of {len(line)} cells, under {len(header)} names"
            raise InputError(what, path=path, line=number, hint="give every row all cells")
        name = line[place].strip().removeprefix("sub-")
        own = label(name) or checked_label("subject", name, f"{path.name}:{number}")
        if own in rows:
            what = f"participant {quote(name, 40)!r} is there twice"
            raise ConfigError(what, path=path, line=number, hint="keep one row")
        pairs = zip(header, line, strict=True)
        rows[own] = {column: cells.text_cell(text) for column, text in pairs if column != ID}
    columns = tuple(name for name in header if name != ID)
    return People(columns=columns, rows=rows, described=_beside(path))


def _lines(path: Path) -> list[list[str]]:
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"has more than {_MAX_BYTES} bytes", path=path, hint="is it that table?")
    delimiter = _DELIMITERS.get(path.suffix.lower(), "\t")
    try:
        text = path.read_text("utf-8-sig")
        return list(csv.reader(text.splitlines(), delimiter=delimiter))
    except (OSError, ValueError, csv.Error) as error:
        what = f"is no text table: {quote(error, 80)}"
        raise InputError(what, path=path, hint="save it as UTF-8 text with tabs") from error


def _beside(path: Path) -> dict[str, Any]:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        facts = json.loads(beside.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        what = f"is no JSON: {quote(error, 80)}"
        raise InputError(what, path=beside, hint="correct it, or take it away") from error
    return facts if isinstance(facts, dict) else {}


def write_participants(root: Path, subjects: Sequence[str], people: People) -> list[str]:
    """Write ``participants.tsv`` and ``participants.json``, and return notes for the user.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the data set.
    subjects : sequence of str
        The labels of those who were recorded.
    people : People
        What is known of them; others are left out.
    """
    missing = dict.fromkeys(people.columns, cells.MISSING)
    rows = [
        [f"sub-{subject}", *(missing | dict(people.rows.get(subject, {}))).values()]
        for subject in sorted(subjects)
    ]
    cells.write_rows(root / "participants.tsv", [ID, *people.columns], rows)
    about = {ID: {"Description": "label of the participant, as in the names of files"}}
    for name in people.columns:
        own = people.described.get(name)
        plain = {"Description": _KNOWN.get(name, f"{name}, as given by the study")}
        about[name] = own if isinstance(own, dict) and own else plain
    write_json(root / "participants.json", about)
    notes = []
    if people.columns:
        unknown = sorted(set(subjects) - set(people.rows))
        others = sorted(set(people.rows) - set(subjects))
        if unknown:
            notes.append(f"no row in the table of participants: {_named(unknown)}")
        if others:
            notes.append(f"in the table of participants, without a recording: {_named(others)}")
    return notes


def _named(subjects: Sequence[str]) -> str:
    most = 5
    shown = ", ".join(f"sub-{quote(subject, 30)}" for subject in subjects[:most])
    more = f" and {len(subjects) - most} more" if len(subjects) > most else ""
    return shown + more
