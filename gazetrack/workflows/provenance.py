"""Where a table comes from, as its metadata say it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gazetrack.errors import InputError, readable
from gazetrack.tables.store import read_meta

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.readers.head import Head
    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.outcome import Outcome


def provenance(
    recording: Recording, head: Head, outcome: Outcome, *, named: bool
) -> dict[str, Any]:
    """Return the metadata of a table: its source, but for names of people, places and dates.

    Parameters
    ----------
    recording : Recording
        What was read, with the pseudonyms that it will be written under.
    head : Head
        The beginning of the export, which knows its path.
    outcome : Outcome
        What became of the export so far: its format and its sha256.
    named : bool
        Whether the names of files may be told; a file may be called after the participant.

    Returns
    -------
    dict
        ``source`` with file and sha256, the facts of the recording, and the placement of each
        stimulus by its name.
    """
    file_name = readable(head.path.name) if named else f"sha256-{outcome.sha256[:12]}"
    source = {"file": file_name, "sha256": outcome.sha256}
    source |= _first_source(head.path, outcome.format, named=named)
    placements = sorted(recording.placements.items())
    return {
        "source": source,
        **recording.facts(),
        "placement": {name: asdict(placement) for name, placement in placements},
    }


def _first_source(path: Path, format: str, *, named: bool) -> dict[str, Any]:
    """Return what a table of samples was itself made of.

    Fixations detected in such a table are those of the export all the same.
    """
    if format != "gazetrack_samples":
        return {}
    try:
        source = read_meta(path).get("source")
    except InputError:  # a table in gzip: its metadata are not read
        return {}
    if not isinstance(source, dict):
        return {}
    first = source.get("made_of", source)
    return {"made_of": first if named else {"sha256": first.get("sha256", "")}}
