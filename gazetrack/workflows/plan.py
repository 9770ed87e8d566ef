"""What a conversion would do, and why, with nothing done."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from gazetrack.workflows.convert import pairs_to_convert, study_of
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.planned import Planned, planned

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.convert_options import ConvertOptions
    from gazetrack.workflows.pairs import Pair


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
    unnamed = None if options.pseudonyms.keeps else files[0]
    return planned(source, why, options, action="convert", unnamed=unnamed)
