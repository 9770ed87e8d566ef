"""What `gazetrack bids` has written of a data set, by digests, so that no other's work is replaced.

The record lies in the data set itself, under a name that BIDS takes no notice of.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import OutputError, quote
from gazetrack.publish import sha256_of, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECORD = ".gazetrack.json"
_OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")  # what looking at a folder leaves there
_MAX_BYTES = 1024**3
_HINT = "choose a new folder"


def write_record(root: Path, known: Mapping[str, str]) -> None:
    """Record the digests of all files of a data set.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the data set, in which all else is written.
    known : mapping of str to str
        The SHA-256 of files whose digests are known, by their place within the data set.
    """
    digests = {place: known.get(place) or sha256_of(root / place) for place in _files(root)}
    write_json(root / RECORD, {"sha256": digests})


def refuse_changed(path: Path) -> None:
    """Refuse to replace a data set that holds anything but what `gazetrack bids` has written.

    Raises
    ------
    OutputError
        It was not written by it, or a file was added or changed, which would be lost.
    """
    if not path.is_dir():
        return
    there = list(_files(path))
    if not there:
        return
    if (recorded := _recorded(path / RECORD)) is None:
        what = "is no data set that gazetrack has written"
        raise OutputError(what, path=path, hint=_HINT)
    others = [place for place in there if place not in recorded]
    if others:
        what = f"holds more than gazetrack has written, such as {quote(others[0])}"
        raise OutputError(what, path=path, hint=_HINT)
    changed = [place for place in there if _digest(path / place) != recorded[place]]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        what = f"was changed since gazetrack has written it: {quote(changed[0])}{more}"
        hint = "choose a new folder, and take over there what was changed"
        raise OutputError(what, path=path, hint=hint)


def _files(root: Path) -> Iterator[str]:
    """Yield the places of all files and links of a folder but the record, in a fixed order."""
    for folder, inside, names in os.walk(root):
        inside.sort()
        links = [name for name in inside if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *links]):
            place = (Path(folder) / name).relative_to(root).as_posix()
            if place != RECORD and name not in _OF_SYSTEMS:
                yield place


def _digest(path: Path) -> str:
    """Return the digest of a file; of a link, or what cannot be read, nothing."""
    try:
        return sha256_of(path) if path.is_file() and not path.is_symlink() else ""
    except OSError:
        return ""


def _recorded(path: Path) -> dict[str, str] | None:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        digests = json.loads(path.read_text("utf-8"))["sha256"]
        return {str(place): str(digest) for place, digest in digests.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
