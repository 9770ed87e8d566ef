"""What would be done about a recording, as far as its first bytes tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazetrack.errors import GazetrackError, UnknownFormat
from gazetrack.readers.head import read_head
from gazetrack.workflows.read import recognise

if TYPE_CHECKING:
    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.privacy import Unnamed
    from gazetrack.workflows.read import InputOptions


@dataclass(frozen=True)
class Planned:
    """What would be done about a recording.

    Parameters
    ----------
    file : str
        The recording as an outcome would call it.
    action : {"convert", "measure", "done", "skip", "fail"}
        ``done``: it is, and would not be done again. ``skip``: a file of a folder that is no
        export.
    why : str
        Why it is to be done, such as ``new`` or ``other parameters: eye``.
    format : str
        What it would be read as; empty where it lies elsewhere, and was not looked into.
    error : GazetrackError or None
        Why it would fail, as far as its first bytes tell.
    """

    file: str
    action: Literal["convert", "measure", "done", "skip", "fail"]
    why: str = ""
    format: str = ""
    error: GazetrackError | None = None


def planned(
    source: Source,
    why: str,
    options: InputOptions,
    *,
    action: Literal["convert", "measure"],
    unnamed: Unnamed | None = None,
) -> Planned:
    """Return what would be done about a recording, and what it would be read as.

    Parameters
    ----------
    source : Source
        The recording. One that lies elsewhere would have to be fetched, and is not looked into.
    why : str
        Why it is to be done; an empty text where it is.
    options : InputOptions
        How it would be read.
    action : {"convert", "measure"}
        What would be done to it.
    unnamed : Unnamed, optional
        What its file is called where it is not to be named.
    """
    name = str(source.path) if unnamed is None else unnamed.label
    if not why:
        return Planned(name, "done")
    if source.addresses:
        return Planned(name, action, why)
    try:
        reader, _ = recognise(read_head(source.path, options.reading), options)
        if source.clash is not None and action == "convert":
            raise source.clash
    except GazetrackError as error:
        if isinstance(error, UnknownFormat) and source.from_folder:
            return Planned(name, "skip")
        told = error if unnamed is None else unnamed.error(error)
        return Planned(name, "fail", why, error=told)
    return Planned(name, action, why, reader)
