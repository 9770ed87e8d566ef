"""JSON sidecars of BIDS tables: beside the table, or in a folder above, with fewer names.

Specification: "Brain Imaging Data Structure" 1.11, "The inheritance principle": a sidecar applies
to all files below it whose names have all of its entities and its suffix; the nearest wins, key by
key.
"""

from __future__ import annotations

import glob
import json
import re
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ParseError, quote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ROOT = "dataset_description.json"
_MOST_FOLDERS = 5  # data set, subject, session, kind of data, and one more for derivatives
_MAX_BYTES = 1024**2
_TABLE = re.compile(r"\.tsv(\.gz)?$", re.IGNORECASE)
_ENTITY = re.compile(r"(sub|ses|task|run)-([0-9A-Za-z+]+)")


def sidecar(path: Path, suffix: str = "") -> dict[str, Any]:
    """Return what the sidecars of a table say, those of all folders together.

    Parameters
    ----------
    path : pathlib.Path
        The table; nothing is looked for when its name has no entity and suffix, as in
        ``sub-01_physio.tsv.gz``.
    suffix : str
        The suffix of the sidecars, if it is not that of the table.

    Raises
    ------
    ParseError
        A sidecar that is no JSON object.
    """
    *entities, own = _TABLE.sub("", path.name).split("_")
    facts: dict[str, Any] = {}
    if not entities or not own:
        return facts
    suffix = suffix or own
    folder = path.resolve().parent
    for _ in range(_MOST_FOLDERS):
        # The more entities a name has, the nearer the sidecar is to the table.
        candidates = folder.glob(f"*{glob.escape(suffix)}.json")
        for candidate in sorted(candidates, key=lambda found: -found.name.count("_")):
            *names, last = candidate.stem.split("_")
            if last == suffix and set(names) <= set(entities):
                # What is known already stays: it came from a nearer sidecar.
                facts = _load(candidate) | facts
        if (folder / _ROOT).exists():
            break
        folder = folder.parent
    return facts


def entities_in(name: str) -> dict[str, str]:
    """Return the subject, session, task and run that a name of BIDS tells, as ``sub``, ``ses``, ….

    Parameters
    ----------
    name : str
        The name of a table, with or without its suffix; of one that does not begin with the
        subject nothing is told.
    """
    found = [_ENTITY.fullmatch(part) for part in name.split("_")]
    if found[0] is None or found[0][1] != "sub":
        return {}
    return {match[1]: match[2] for match in found if match is not None}


def expected_sidecar(path: Path) -> str:
    """Return the name of the sidecar beside a table."""
    return _TABLE.sub("", path.name) + ".json"


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the table with another suffix and the same entities, or None."""
    stem, _, _ = _TABLE.sub("", path.name).rpartition("_")
    for name in (f"{stem}_{suffix}.tsv.gz", f"{stem}_{suffix}.tsv"):
        found = path.with_name(name)
        if found.is_file():
            return found
    return None


def described(facts: dict[str, Any], column: str, key: str) -> str:
    """Return what the sidecar says of a column, or an empty text; ``n/a`` says nothing."""
    about = facts.get(column)
    value = str(about.get(key, "")) if isinstance(about, dict) else ""
    return "" if value == "n/a" else value


def _load(path: Path) -> dict[str, Any]:
    """Return the object in a sidecar; `ParseError` where it is damaged, too large or no object."""
    hint = "correct the sidecar, or take it away"
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ParseError(f"a sidecar of more than {_MAX_BYTES} bytes", path=path, hint=hint)
        value = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_without_repeats)
    except (OSError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        what = f"a damaged sidecar: {quote(error, 80)}"
        raise ParseError(what, path=path, line=line, hint=hint) from None
    if not isinstance(value, dict):
        raise ParseError("a sidecar that is no JSON object", path=path, line=1, hint=hint)
    return value


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, whose keys may be there once: Python would take the last one."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is there twice")
    return value
