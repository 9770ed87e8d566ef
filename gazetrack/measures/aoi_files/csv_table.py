"""A CSV or TSV table with a row per area: the fields of our JSON as columns.

    stimulus,aoi,shape,x_px,y_px,width_px,height_px,points_px
    cat.png,face,rectangle,200,50,180,160,
    cat.png,body,polygon,,,,,"150,210 400,210 420,470"

Columns that no row needs may be left out; the shape is a rectangle where none is given.
``points_px`` has x,y pairs with blanks between them. What is called ``name`` in the JSON is ``aoi``
here. ``image_width_px`` and ``image_height_px`` are those of the stimulus.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from gazetrack.errors import InputError, ParseError, did_you_mean, quote
from gazetrack.measures.aoi_files.own import stimulus_of
from gazetrack.measures.aois import AoiSet

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS = ("stimulus", "aoi", "shape", "file", "space")
_NUMBERS = (
    "x_px",
    "y_px",
    "width_px",
    "height_px",
    "radius_x_px",
    "radius_y_px",
    "rotation_deg",
    "onset_ms",
    "offset_ms",
    "image_width_px",
    "image_height_px",
)
_KNOWN = (*_TEXTS, *_NUMBERS, "points_px")
_A_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_OF_STIMULUS = ("image_width_px", "image_height_px")
NEEDED = ("stimulus", "aoi")


def aois_of(path: Path) -> AoiSet:
    """Return the areas of a CSV or TSV table.

    Parameters
    ----------
    path : pathlib.Path
        The table, in UTF-8; tabs in its first line make it TSV.

    Raises
    ------
    InputError
        It cannot be read, or holds no area.
    ParseError
        A column is missing or unknown, or a cell is no number, at a line that is named.
    DataError
        An area cannot be, see `AoiSet`.
    """
    stimuli: dict[str, dict[str, Any]] = {}
    spaces: dict[str, int] = {}
    for line, row in _rows(path):
        name = row.get("stimulus", "")
        if not name:
            raise ParseError("names no stimulus", path=path, line=line, hint="* stands for all")
        space = row.get("space") or "image"
        spaces.setdefault(space, line)
        area: dict[str, Any] = {
            key: value for key in _NUMBERS if (value := _number(row, key, path, line)) is not None
        }
        stated = {key: area.pop(key) for key in _OF_STIMULUS if key in area}
        own = stimuli.setdefault(name, {"stimulus": name, "aois": [], **stated})
        if any(own.get(key) != value for key, value in stated.items()):
            what = f"states another size of the image of {quote(name, 40)!r} than the lines before"
            raise ParseError(what, path=path, line=line, hint="an image has one size")
        area |= {key: row[key] for key in ("shape", "file") if row.get(key)}
        if row.get("aoi"):
            area["name"] = row["aoi"]
        if row.get("points_px"):
            area["points_px"] = _points(row["points_px"], path, line)
        own["aois"].append(area)
    if not stimuli:
        raise InputError("holds no area", path=path, hint="a row is an area of interest")
    if len(spaces) > 1:
        first, second = list(spaces)[:2]
        what = f"has areas in {quote(first, 20)!r} and, from here on, {quote(second, 20)!r} pixels"
        raise ParseError(what, path=path, line=spaces[second], hint="put them into two tables")
    found = tuple(stimulus_of(one, path) for one in stimuli.values())
    return AoiSet(stimuli=found, space=next(iter(spaces)))


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows with their lines."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            delimiter = "\t" if "\t" in file.readline() else ","
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter, restval="", strict=True)
            header = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            _check(header, path)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        what = f"cannot be read as a table of areas: {quote(error, 80)}"
        raise InputError(what, path=path, hint="write it as CSV, UTF-8") from error
    for line, row in rows:
        if None in row:
            raise ParseError(
                "has more cells than columns", path=path, line=line, hint="quote texts"
            )
    return [(line, {name: cell.strip() for name, cell in row.items()}) for line, row in rows]


def _check(header: list[str], path: Path) -> None:
    for name in NEEDED:
        if name not in header:
            near = did_you_mean(name, header)
            hint = f"{near}its columns are those of docs/measures.md"
            raise ParseError(f"has no column {name}", path=path, line=1, hint=hint)
    for name in header:
        if name not in _KNOWN:
            hint = f"{did_you_mean(name, _KNOWN)}known are {', '.join(_KNOWN)}"
            raise ParseError(
                f"has an unknown column {quote(name, 40)!r}", path=path, line=1, hint=hint
            )
        if header.count(name) > 1:
            raise ParseError(f"has the column {name} twice", path=path, line=1, hint="remove one")


def _number(row: dict[str, str], name: str, path: Path, line: int) -> float | None:
    cell = row.get(name, "")
    if not cell:
        return None
    # Python's own grammar also takes 1_000, Infinity and the digits of other scripts.
    if _A_NUMBER.fullmatch(cell):
        return float(cell)
    what = f"has {quote(cell, 30)!r} as {name}"
    raise ParseError(what, path=path, line=line, hint="give a number with a decimal point")


def _points(text: str, path: Path, line: int) -> list[list[float]]:
    found = []
    for pair in text.replace(";", " ").split():
        cells = dict(zip("xyz", pair.split(","), strict=False))
        x = _number(cells, "x", path, line)
        y = _number(cells, "y", path, line)
        if x is None or y is None or len(cells) != 2:
            what = f"has {quote(pair, 30)!r} among points_px"
            raise ParseError(what, path=path, line=line, hint="write x,y pairs: 1,2 3,4 5,6")
        found.append([x, y])
    return found
