"""Read areas of interest from a file of any known kind, told by its content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, DataError, GazetrackError, InputError, quote
from gazetrack.measures.aoi_files import csv_table, cvat, dataviewer, geojson, labelme, own
from gazetrack.measures.aoi_files.json_file import load
from gazetrack.measures.aoi_files.masks import DEFAULT_NAME, masks_of
from gazetrack.measures.aois import AoiSet
from gazetrack.publish import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping


_KNOWN = (
    "our JSON and CSV, GeoJSON, labelme, CVAT for images, and Data Viewer's .ias; "
    "or a folder of masks"
)
_SUFFIXES = (".json", ".geojson", ".csv", ".tsv", ".xml", ".ias")
_MOST_LINE_BYTES = 64 * 1024


def read_aois(
    path: str | Path, *, name: str = DEFAULT_NAME, labels: Mapping[int, str] | None = None
) -> AoiSet:
    """Read areas of interest.

    Parameters
    ----------
    path : path-like
        A file of areas: our own JSON or CSV, GeoJSON, labelme, CVAT for images, or Data Viewer's
        ``.ias``. Or a folder of such files, each of stimuli of its own; or of masks, one a
        stimulus.
    name : str
        Of a folder of masks, what their foreground is called.
    labels : mapping of int to str, optional
        Of a folder of images of labels, the names of the labels.

    Returns
    -------
    AoiSet
        The areas by stimulus, in pixels of the image or of the screen.

    Raises
    ------
    InputError
        No such file, an empty one, or none that holds areas.
    ParseError
        The file breaks the rules of its kind, at a named place.
    DataError
        An area cannot be: edges that cross, a name that is there twice, fractions for pixels.
    ConfigError
        Names of labels for a file, which names its areas itself.

    Examples
    --------
    >>> aois = gazetrack.read_aois("aois.json")  # doctest: +SKIP
    >>> aois = gazetrack.read_aois("masks", name="polyp")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.exists():
        raise InputError("no such file", path=path, hint="check the name and the folder")
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix.lower() in _SUFFIXES)
        if not files or labels:
            return masks_of(path, name, labels)
        return _together([read_aois(each) for each in files], path)
    if labels:
        what = f"names of labels for {quote(path.name, 60)!r}, which names its areas itself"
        raise ConfigError(what, hint="give --labels with a folder of images of labels alone")
    return _of_file(path)


def _of_file(path: Path) -> AoiSet:
    if path.stat().st_size == 0:
        raise InputError("is empty", path=path, hint="name a file of areas of interest")
    try:
        found, kind = _read(path)
    except GazetrackError as error:
        if error.path is not None:
            raise
        # What a set of areas refuses, it refuses without knowing the file.
        raise type(error)(error.what, path=path, hint=error.hint) from error
    source = {"file": path.name, "format": kind, "sha256": sha256_of(path)}
    return replace(found, source=source)


def _read(path: Path) -> tuple[AoiSet, str]:
    """Return the areas of a file, and what kind of a file it is."""
    with path.open("rb") as file:
        first = file.readline(_MOST_LINE_BYTES).decode("utf-8", "replace").lstrip("\ufeff").strip()
        more = file.readline(_MOST_LINE_BYTES).decode("utf-8", "replace").strip()
    if first.startswith("{") or (not first and more.startswith("{")):
        return _of_json(load(path), path)
    if first.startswith("<"):
        return cvat.aois_of(path), "cvat"
    columns = {name.strip().strip('"') for name in first.replace("\t", ",").split(",")}
    if columns & set(csv_table.NEEDED):
        return csv_table.aois_of(path), "csv"
    if path.suffix.lower() == ".ias" or dataviewer.is_line(first):
        return dataviewer.aois_of(path), "dataviewer"
    raise InputError("holds no areas of interest", path=path, hint=f"known are {_KNOWN}")


def _of_json(value: Mapping[str, Any], path: Path) -> tuple[AoiSet, str]:
    """Return the areas of a JSON file, by what it says it is."""
    if value.get("format") == own.FORMAT:
        return own.aois_of(value, path), own.FORMAT
    if value.get("type") in geojson.TYPES:
        return geojson.aois_of(value, path), "geojson"
    if all(name in value for name in labelme.KEYS):
        return labelme.aois_of(value, path), "labelme"
    what = f"is JSON of no known kind: it has no 'format': '{own.FORMAT}'"
    raise InputError(what, path=path, hint=f"known are {_KNOWN}")


def _together(sets: list[AoiSet], folder: Path) -> AoiSet:
    """Return the areas of several files as one set."""
    spaces = {one.space: one.source["file"] for one in sets}
    if len(spaces) > 1:
        files = " and ".join(quote(name, 40) for name in spaces.values())
        what = f"holds areas in image and in screen pixels: {files}"
        raise DataError(what, path=folder, hint="keep them in two folders")
    stimuli = tuple(stimulus for one in sets for stimulus in one.stimuli)
    formats = ", ".join(sorted({one.source["format"] for one in sets}))
    try:
        return AoiSet(
            stimuli=stimuli,
            space=next(iter(spaces)),
            source={"file": folder.name, "format": formats},
        )
    except DataError as error:
        raise DataError(error.what, path=folder, hint=error.hint) from error
