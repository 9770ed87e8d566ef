"""Read areas of interest from a file of any known kind, told by its content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import GazetrackError, InputError
from gazetrack.measures.aoi_files import own
from gazetrack.measures.aoi_files.json_file import load
from gazetrack.measures.aoi_files.masks import DEFAULT_NAME, masks_of
from gazetrack.publish import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.measures.aois import AoiSet

_KNOWN = "our own JSON"


def read_aois(
    path: str | Path, *, name: str = DEFAULT_NAME, labels: Mapping[int, str] | None = None
) -> AoiSet:
    """Read areas of interest.

    Parameters
    ----------
    path : path-like
        A file of areas, or a folder of masks, one a stimulus.
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

    Examples
    --------
    >>> aois = gazetrack.read_aois("aois.json")  # doctest: +SKIP
    >>> aois = gazetrack.read_aois("masks", name="polyp")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.exists():
        raise InputError("no such file", path=path, hint="check the name and the folder")
    if path.is_dir():
        return masks_of(path, name, labels)
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
    with path.open("rb") as file:
        first = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if first.startswith(b"{"):
        return _of_json(load(path), path)
    raise InputError("holds no areas of interest", path=path, hint=f"known are {_KNOWN}")


def _of_json(value: Mapping[str, Any], path: Path) -> tuple[AoiSet, str]:
    """Return the areas of a JSON file, by what it says it is."""
    if value.get("format") == own.FORMAT:
        return own.aois_of(value, path), own.FORMAT
    what = f"is JSON, but not of a known kind: it has no 'format': '{own.FORMAT}'"
    raise InputError(what, path=path, hint=f"known are {_KNOWN}")
