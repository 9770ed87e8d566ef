"""Where measures are written: several tables beside each other, none of them over an input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gazetrack.storage.address import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

    from gazetrack.workflows.outcome import Outcome

# Where a value comes from that somebody has chosen: typed, or said by a study file.
GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)


def beside(out: Path | str, what: str) -> str:
    """Return where a further table lies, as ``paths.matrix.csv`` beside ``paths.csv``."""
    head, dot, suffix = str(out).rpartition(".")
    return f"{head}.{what}{dot}{suffix}"


def check_outputs(
    out: Path | str,
    schemas: Mapping[str, pa.Schema],
    inputs: Iterable[Path],
    report: Path | None = None,
    *,
    force: bool,
) -> None:
    """Refuse, before any work, outputs that would replace an input or what is not ours.

    Whatever `force` says, no file of a folder that is an input is replaced; nor are a table and
    the report the same file.
    """
    from gazetrack.publish import refuse_overwrite
    from gazetrack.workflows.elsewhere import check_place

    named = list(inputs)
    for place, schema in schemas.items():
        if isinstance(out, Path):
            refuse_overwrite(place, named)
            _refuse_in_folder(Path(place), named)
            if report is not None and Path(place).absolute() == report.absolute():
                raise click.UsageError("--report and a table are the same file: give two names")
        check_place(place, schema, force=force)


def _refuse_in_folder(place: Path, inputs: Iterable[Path]) -> None:
    """Refuse to replace a file that lies in a folder of inputs, unless it is a table of ours."""
    from gazetrack.errors import OutputError
    from gazetrack.tables.store import refuse_foreign

    if not place.exists():
        return
    whole = place.resolve()
    for folder in inputs:
        if folder.is_dir() and folder.resolve() in whole.parents:
            try:
                refuse_foreign(place, force=False)
            except OutputError:
                what = f"is there, in the folder of inputs {folder}"
                hint = "choose another place with --out: what may be an input is never replaced"
                raise OutputError(what, path=place, hint=hint) from None


def write_tables(
    out: Path | str,
    tables: Mapping[str, pa.Table],
    outcomes: Iterable[Outcome],
    about: Mapping[str, Any],
    *,
    force: bool,
) -> list[str]:
    """Write tables by their places, unless every input failed; return lines that say so."""
    from gazetrack.publish import sha256_of
    from gazetrack.workflows.elsewhere import write_at

    measured = [outcome for outcome in outcomes if outcome.error is None]
    if not measured:
        return []
    for place, table in tables.items():
        write_at(place, table, about, force=force)
        entry: dict[str, Any] = {"path": shown(place), "rows": table.num_rows}
        if isinstance(out, Path):
            entry["sha256"] = sha256_of(place)
        measured[0].outputs.append(entry)
    return [f"wrote {shown(place)} ({table.num_rows:,} rows)" for place, table in tables.items()]
