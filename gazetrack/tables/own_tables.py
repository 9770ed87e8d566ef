"""What our own tables hold, in words for the user: fixations, events, quality, and maps.

Tables of samples are read as an export is, see `gazetrack.readers.gazetrack_samples`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gazetrack.errors import InputError
from gazetrack.tables.store import first_source, origin_of, read_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# By columns that no other of our tables has.
_MARKS = {
    "gazetrack_maps": ("image_id", "levels", "maps"),
    "gazetrack_quality": ("rms_s2s_px", "effective_rate_hz"),
    "gazetrack_pupil": ("raw_pupil", "removed_by"),
    "gazetrack_pupil_trials": ("baseline_pupil", "n_speed"),
    "gazetrack_events": ("kind", "onset_ms", "duration_ms"),
    "gazetrack_fixations": ("stimulus", "onset_ms", "duration_ms", "x_px", "y_px"),
}
_TITLES = {
    "gazetrack_maps": "track maps of gazetrack render",
    "gazetrack_quality": "a report of gazetrack quality",
    "gazetrack_pupil": "pupil sizes of gazetrack pupil",
    "gazetrack_pupil_trials": "the pupil by trial, of gazetrack pupil",
    "gazetrack_events": "a table of events",
    "gazetrack_fixations": "a table of fixations",
}
_NAMES = ("recording", "participant", "stimulus", "trial")
# What the metadata say of every table of a recording.
_STATED = (
    "reader",
    "tracker",
    "software",
    "rate_hz",
    "screen",
    "fixation_eye",
    "rows_in",
    "dropped",
    "left_out",
)


def kind_of_table(path: Path) -> str:
    """Return which of our tables a file is, by its columns.

    The text is empty for all other files, and for tables of samples.

    >>> kind_of_table(Path("raw.tsv"))
    ''
    """
    if path.suffix.lower() != ".parquet":
        return ""
    try:
        names = set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError):  # whoever reads it says why
        return ""
    return next((kind for kind, marks in _MARKS.items() if names >= set(marks)), "")


def tables_of(paths: Iterable[str | Path], recursive: bool) -> list[Path]:
    """Return the files named, or in folders named, that are tables of ours but for samples.

    A file that several ways lead to is there once.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        inside = (path.rglob if recursive else path.glob)("*.parquet") if path.is_dir() else [path]
        found += sorted(inside)
    return [file for file in once(found) if not file.name.startswith(".") and kind_of_table(file)]


def place_of(path: Path) -> Path:
    """Return one path for a file, whatever way leads to it, such as ``d/../d/a.parquet``.

    Links of two names stay two files.
    """
    return path.parent.resolve() / path.name


def once(paths: Iterable[Path]) -> list[Path]:
    """Return each file by the first way that leads to it, in order."""
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(place_of(path), path)
    return list(found.values())


def describe_table(path: Path) -> dict[str, Any]:
    """Return the facts about one of our tables as JSON values.

    Raises
    ------
    InputError
        No such file, none of our tables, or a damaged one.
    """
    kind, meta = kind_of_table(path), read_meta(path)
    if not kind:
        raise InputError(
            "is none of our tables", path=path, hint="give a table that gazetrack wrote"
        )
    of_maps = ("height", "width", "value_type", "target")
    names = [*_MARKS[kind], *_NAMES, "eye", "image_width_px", *of_maps]
    own = [
        name
        for name in dict.fromkeys(names)
        if name != "maps" and name in pq.read_schema(path).names
    ]
    try:
        table = pq.read_table(path, columns=own)
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise InputError(
            f"damaged Parquet file: {error}", path=path, hint="write it again"
        ) from error
    describe = _maps if kind == "gazetrack_maps" else _rows
    facts = {
        "file": str(path),
        "format": kind,
        "confidence": "certain",
        "reason": _TITLES[kind],
        "recordings": _distinct(table, "recording"),
        **{f"{name}s": len(_distinct(table, name)) for name in ("participant", "trial")},
        "stimuli": len(_distinct(table, "stimulus")),
        **describe(kind, table, meta),
    }
    return facts | {
        "gazetrack": meta.get("gazetrack"),
        "schema_version": meta.get("schema_version"),
        "notes": list(meta.get("notes") or ()),
    }


def _rows(kind: str, table: pa.Table, meta: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"rows": table.num_rows}
    if kind == "gazetrack_quality":
        return facts | {"settings": meta.get("quality")}
    if kind == "gazetrack_events":
        facts["events"] = _counts(table, "kind")
    elif kind in ("gazetrack_pupil", "gazetrack_pupil_trials"):
        facts["pupil"] = (meta.get("pupil") or {}).get("counts")
        facts["eyes"] = _counts(table, "eye")
    else:
        durations = table["duration_ms"].to_numpy()
        facts |= {"fixations": table.num_rows, "origin": origin_of(meta) if meta else "not stated"}
        facts |= {"detector": meta.get("detector"), "preparation": meta.get("preparation")}
        facts["dwell_s"] = float(np.nansum(durations)) / 1e3
        facts["median_ms"] = (
            float(np.nanmedian(durations)) if np.isfinite(durations).any() else None
        )
        facts["eyes"] = _counts(table, "eye")
        if "image_width_px" in table.column_names:
            facts["on_images"] = int(np.isfinite(table["image_width_px"].to_numpy()).sum())
    facts["made_of"] = first_source(meta)["file"] or None
    return facts | {name: meta.get(name) for name in _STATED}


def _maps(_kind: str, table: pa.Table, meta: dict[str, Any]) -> dict[str, Any]:
    shapes = zip(*(table[name].to_pylist() for name in ("levels", "height", "width")), strict=True)
    sizes = Counter(f"{levels} levels of {height}x{width}" for levels, height, width in shapes)
    params = meta.get("params") or {}
    sources: Sequence[Any] = meta.get("sources") or ()
    return {
        "maps": table.num_rows,
        "images": len(set(table["image_id"].to_pylist())),
        "sizes": dict(sizes),
        "value_types": _counts(table, "value_type"),
        "kind": params.get("kind"),
        "params": params or None,
        "crf": meta.get("crf"),
        # Of which target each map is, where it was rendered with --target.
        "targets": _counts(table, "target"),
        "target_rule": meta.get("target_rule"),
        "target_areas": meta.get("target_areas"),
        # Files of 0.1 do not tell.
        "observers": meta.get("observers"),
        "made_of": [str(source.get("file", "")) for source in sources if isinstance(source, dict)],
    }


def _counts(table: pa.Table, name: str) -> dict[str, int]:
    """Return how many rows have each text; none for tables without the column."""
    if name not in table.column_names:
        return {}
    return dict(sorted(Counter(table[name].cast(pa.string()).to_pylist()).items()))


def _distinct(table: pa.Table, name: str) -> list[str]:
    if name not in table.column_names:
        return []
    return [value for value in table[name].cast(pa.string()).unique().to_pylist() if value]
