"""All files that a step reads of exports: also those beside the ones that a study names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import InputError
from gazetrack.workflows.company import RecordingFiles
from gazetrack.workflows.inputs import find_sources

if TYPE_CHECKING:
    from collections.abc import Sequence


def files_of_exports(paths: Sequence[Path], *, recursive: bool = False) -> list[Path]:
    """Return the files of recordings, with what readers look at beside them.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Exports and folders of them, on this machine.
    recursive : bool
        Of a folder, also take what lies below it.

    Returns
    -------
    list of pathlib.Path
        Each file once. None of a folder without exports: whoever reads it says so.
    """
    files = RecordingFiles()
    try:
        sources = find_sources(paths, recursive=recursive)
    except InputError:
        return []
    found = [state["path"] for source in sources for state in files.of(source) or ()]
    return [Path(path) for path in dict.fromkeys(found)]
