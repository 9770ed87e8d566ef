"""What a conversion would do, and why, with nothing done."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazetrack.errors import GazetrackError, UnknownFormat
from gazetrack.readers.head import read_head
from gazetrack.workflows.convert import pairs_to_convert, study_of
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.read import recognise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.convert_options import ConvertOptions
    from gazetrack.workflows.pairs import Pair


@dataclass(frozen=True)
class Planned:
    """What would be done about a recording.

    Parameters
    ----------
    file : str
        The recording as an outcome would call it.
    action : {"convert", "done", "skip", "fail"}
        ``done``: it is, and would not be converted again. ``skip``: a file of a folder that is no
        export.
    why : str
        Why it is to be converted, such as ``new`` or ``other parameters: eye``.
    format : str
        What it would be read as; empty where it lies elsewhere, and was not looked into.
    error : GazetrackError or None
        Why it would fail, as far as its first bytes tell.
    """

    file: str
    action: Literal["convert", "done", "skip", "fail"]
    why: str = ""
    format: str = ""
    error: GazetrackError | None = None


def plan_conversion(
    paths: Sequence[str | Path], options: ConvertOptions, manifest: str | Path | None = None
) -> list[Planned]:
    """Return what `convert_files` would do with the same arguments; nothing is written.

    Parameters
    ----------
    paths : sequence of path-like
        Exports and folders of them.
    options : ConvertOptions
        What would be written and where.
    manifest : path-like, optional
        The file that says which recordings are done; there need be none yet.

    Returns
    -------
    list of Planned
        One per recording, in order.
    """
    pairs = pairs_to_convert(paths, options, manifest)
    with contextlib.ExitStack() as held:
        study = None
        if manifest is not None:
            known = held.enter_context(Manifest(manifest, read_only=True))
            study = study_of(known, options)
        whys = ["new" if study is None else study.step(source).why for source, _ in pairs]
    return [_planned(pair, why, options) for pair, why in zip(pairs, whys, strict=True)]


def _planned(pair: Pair, why: str, options: ConvertOptions) -> Planned:
    source, files = pair
    keeps = options.pseudonyms.keeps
    name = str(source.path) if keeps else files[0].label
    if not why:
        return Planned(name, "done")
    if source.addresses:  # to look into it, it would have to be fetched
        return Planned(name, "convert", why)
    try:
        reader, _ = recognise(read_head(source.path, options.reading), options)
        if source.clash is not None:
            raise source.clash
    except GazetrackError as error:
        if isinstance(error, UnknownFormat) and source.from_folder:
            return Planned(name, "skip")
        return Planned(name, "fail", why, error=error if keeps else files[0].error(error))
    return Planned(name, "convert", why, reader)
