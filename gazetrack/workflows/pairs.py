"""The recordings of a conversion, each with what its files are called where they have no names."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gazetrack.errors import InputError
from gazetrack.publish import refuse_overwrite
from gazetrack.workflows.inputs import Source, find_sources
from gazetrack.workflows.privacy import Unnamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazetrack.workflows.read import InputOptions

Pair: TypeAlias = tuple[Source, list[Unnamed]]


def find_pairs(
    paths: Sequence[str | Path],
    options: InputOptions,
    *,
    out: str | Path | None,
    names_files: bool,
    manifest: str | Path | None = None,
) -> list[Pair]:
    """Return the recordings of files and folders, in order.

    Parameters
    ----------
    paths : sequence of path-like
        Exports and folders of them, or their addresses.
    options : InputOptions
        Which files of a folder are taken, and whether files of one recording are joined.
    out : path-like or None
        Folder of the outputs, or its address; None for beside each file.
    names_files : bool
        Whether files may be named in messages, and outputs called after them.
    manifest : path-like, optional
        A file that is no export, and may lie among them.

    Raises
    ------
    InputError
        A folder without files.
    OutputError
        The manifest is one of the exports.
    """
    try:
        sources = find_sources(paths, recursive=options.recursive, out=out, join=options.may_join)
    except InputError as error:
        if names_files:
            raise
        raise InputError(error.what, hint=error.hint) from None
    if manifest is not None:
        sources = without_manifest(sources, manifest)
    if not names_files:
        # Outputs are called after what is in the exports: names of files cannot meet.
        sources = [
            replace(source, target=source.target.with_name("unnamed"), clash=None)
            for source in sources
        ]
    return list(zip(sources, _unnamed(sources, out is not None), strict=True))


def without_manifest(sources: Sequence[Source], manifest: str | Path) -> list[Source]:
    """Return recordings but for a manifest that lies in their folder.

    Raises
    ------
    OutputError
        The manifest is one of the exports that were named.
    """
    named = [source for source in sources if not source.from_folder and not source.addresses]
    refuse_overwrite(manifest, [source.path for source in named])
    there = Path(manifest).absolute()
    return [source for source in sources if source.path.absolute() != there]


def _unnamed(sources: Sequence[Source], shows_folder: bool) -> list[list[Unnamed]]:
    """Return what the files of each recording are called where they have no names."""
    total = sum(1 + len(source.parts) for source in sources)
    number = count(1)
    return [
        [
            Unnamed(next(number), total, (file,), shows_folder)
            for file in (source.path, *source.parts)
        ]
        for source in sources
    ]
