"""A data set of many small files put in order: few files of a size that readers like.

New files are made beside the data set, with those that stay as they are; then the folder of each
table is swapped for the new one, so that a reader meets every row once. What was merged before an
interruption is not merged again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.publish import output_errors, publish, sync_folder
from gazetrack.storage.address import is_url, local_or_url, shown
from gazetrack.tables.parquet import open_parquet
from gazetrack.tables.partitions import KINDS, MERGED, MERGED_FOLDER
from gazetrack.tables.store import (
    KEY,
    ROW_GROUP_ROWS,
    metadata_schema,
    read_meta,
    table_writer,
)
from gazetrack.workflows.shared_folder import digest_of_meta, held, swap, workshop_of
from gazetrack.workflows.workers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

MB = 1024**2
TARGET_MB = 128.0
# Files are between half the target and twice it.
_LEAST, _MOST = 0.5, 2.0
# What a file says of its parts stands at its end, where every reader has to read it.
_MOST_META_BYTES = 32 * MB


@dataclass(frozen=True, kw_only=True)
class Compacted:
    """What became of one table of a data set.

    Parameters
    ----------
    kind : str
        Which table: ``fixations``, ``samples`` or ``events``.
    files_before, files_after : int
        Number of its Parquet files.
    bytes_before, bytes_after : int
        The sizes of all these files together.
    rows : int
        Number of its rows, as many as before.
    """

    kind: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    rows: int


@dataclass(frozen=True)
class _File:
    """A file of a data set, by its path within the folder of its table."""

    path: Path
    name: str
    size: int
    mtime_ns: int
    rows: int
    data_bytes: int
    meta_bytes: int


def compact(
    dataset: str | Path,
    *,
    target_mb: float = TARGET_MB,
    progress: Callable[[int, int], None] | None = None,
) -> list[Compacted]:
    """Merge the small files of a data set into files of 64 to 256 MB, in its place.

    Nothing is written to the data set while it runs: who converts into it waits. A reader that is
    listing the files at the moment of the swap should list them again.

    Parameters
    ----------
    dataset : path-like
        The folder that ``gazetrack convert --dataset`` wrote, on this machine.
    target_mb : float
        Size that files should have, in MB of 1024² bytes: none is more than twice as large, and
        none that is larger than half of it is touched.
    progress : callable, optional
        Called with the number of new files done and of all of a table, before the first and after
        each, table by table.

    Returns
    -------
    list of Compacted
        One per table that is in the data set.

    Raises
    ------
    InputError
        It is no such data set, or a file in it is damaged or not gazetrack's own.
    OutputError
        The folder beside it cannot be written, or is full. The data set is as it was.
    ConfigError
        It lies elsewhere, or the size is none.

    Examples
    --------
    >>> [table.files_after for table in gazetrack.compact("dataset")]  # doctest: +SKIP
    [1]
    """
    if not target_mb > 0:
        raise ConfigError(f"a target of {target_mb:g} MB", hint="give more than 0")
    place = local_or_url(dataset)
    if isinstance(place, str) or is_url(place):
        what = f"{shown(str(dataset))} lies elsewhere, where no folder can be swapped for another"
        raise ConfigError(what, hint="compact a copy on this machine, and send it to a new place")
    kinds = [kind for kind in KINDS.values() if (place / kind).is_dir()]
    if not place.is_dir() or not (kinds or workshop_of(place).is_dir()):
        hint = "make one with: gazetrack convert EXPORTS --dataset DIR"
        raise InputError("is no data set of gazetrack", path=place, hint=hint)
    with held(place, alone=True):
        done = [
            _compact_kind(place / kind, workshop_of(place) / kind, int(target_mb * MB), progress)
            for kind in KINDS.values()
            if (place / kind).is_dir()
        ]
        shutil.rmtree(workshop_of(place), ignore_errors=True)
    return done


def _compact_kind(
    live: Path, new: Path, target: int, progress: Callable[[int, int], None] | None
) -> Compacted:
    """Merge the files of one table, and put the result in its place."""
    files = list(_files_of(live))
    groups = _grouped(files, target)
    merged = {f"{MERGED_FOLDER}/{_merged_name(group)}": group for group in groups}
    stays = {file.name for file in files} - {file.name for group in groups for file in group}
    if merged:
        _tidy(new, keep=set(merged))
        for name, group in counted(merged.items(), len(merged), progress):
            _merge(group, live.name, new / name)
        taken = {file.name for group in groups for file in group}
        _link_others(live, new, taken)
        _sync(new)
        with output_errors(live):
            swap(new, live)
            sync_folder(live.parent)
    after = [*merged, *stays]
    return Compacted(
        kind=live.name,
        files_before=len(files),
        files_after=len(after),
        bytes_before=sum(file.size for file in files),
        bytes_after=sum((live / name).stat().st_size for name in after),
        rows=sum(file.rows for file in files),
    )


def _files_of(folder: Path) -> Iterator[_File]:
    """Yield the Parquet files of a table, in the order of their paths."""
    for path in sorted(folder.rglob("*.parquet")):
        if path.name.startswith("."):
            continue
        facts = path.stat()
        try:
            metadata = pq.read_metadata(path)
        except (pa.ArrowException, OSError) as error:
            hint = "convert its recording again, or take it away"
            raise InputError(f"damaged Parquet file: {error}", path=path, hint=hint) from error
        yield _File(
            path=path,
            name=path.relative_to(folder).as_posix(),
            size=facts.st_size,
            mtime_ns=facts.st_mtime_ns,
            rows=metadata.num_rows,
            # What a small file says of itself is most of it, and is not there twice in a large one.
            data_bytes=max(facts.st_size - metadata.serialized_size, 0),
            meta_bytes=len((metadata.metadata or {}).get(KEY, b"")),
        )


def _grouped(files: Sequence[_File], target: int) -> list[list[_File]]:
    """Return the files that are merged with one another: those that are small, in their order."""
    small = [file for file in files if file.size < _LEAST * target]
    groups: list[list[_File]] = []
    filled, told = target, 0
    for file in small:
        is_full = filled >= target or filled + file.data_bytes > _MOST * target
        if is_full or told + file.meta_bytes > _MOST_META_BYTES:
            groups.append([])
            filled = told = 0
        groups[-1].append(file)
        filled += file.data_bytes
        told += file.meta_bytes
    if len(groups) > 1 and _weight(groups[-1])[0] < _LEAST * target:
        filled, told = _weight([*groups[-2], *groups[-1]])
        if filled <= _MOST * target and told <= _MOST_META_BYTES:
            groups[-2] += groups.pop()
    return [group for group in groups if len(group) > 1]


def _weight(group: Sequence[_File]) -> tuple[int, int]:
    return sum(file.data_bytes for file in group), sum(file.meta_bytes for file in group)


def _merged_name(group: Sequence[_File]) -> str:
    """Return a name that says what is merged: files that changed since have another."""
    told = "\n".join(f"{file.name} {file.size} {file.mtime_ns}" for file in group)
    return f"{MERGED}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.parquet"


def _merge(group: Sequence[_File], kind: str, target: Path) -> None:
    """Write the rows of several files into one, unless that is done already."""
    if target.is_file():
        return
    first = pq.read_schema(group[0].path).remove_metadata()
    parts: dict[str, dict[str, Any]] = {}
    for file in group:
        parts |= _parts_of(file, kind)
    schema = metadata_schema(first, {"compacted": _shared_apart(parts)})
    with publish(target) as out, table_writer(out, schema) as writer:
        n_rows = 0
        for table in _row_groups(group, first):
            writer.write_table(table.cast(schema), row_group_size=ROW_GROUP_ROWS)
            n_rows += table.num_rows
    expected = sum(file.rows for file in group)
    if n_rows != expected:
        what = f"holds {n_rows:,} rows and not {expected:,}"
        raise OutputError(what, path=target, hint="the data set changed meanwhile: run again")


def _parts_of(file: _File, kind: str) -> dict[str, dict[str, Any]]:
    """Return the parts that a file is or was merged of, by their paths within the data set."""
    meta = read_meta(file.path)
    if not meta:
        hint = "take it out of the data set"
        raise InputError("was not written by gazetrack", path=file.path, hint=hint)
    compacted = meta.get("compacted")
    if not isinstance(compacted, dict):
        own = {"rows": file.rows, "digest": digest_of_meta(meta), "metadata": meta}
        return {f"{kind}/{file.name}": own}
    shared = compacted["shared"]
    return {
        name: facts | {"metadata": shared | facts["metadata"]}
        for name, facts in compacted["parts"].items()
    }


def _shared_apart(parts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what all parts have in common once, and of each part the rest."""
    metas = [facts["metadata"] for facts in parts.values()]
    shared = {
        name: value
        for name, value in metas[0].items()
        if all(name in meta and meta[name] == value for meta in metas)
    }
    own = {
        name: facts
        | {"metadata": {key: v for key, v in facts["metadata"].items() if key not in shared}}
        for name, facts in parts.items()
    }
    return {"shared": shared, "parts": own}


def _row_groups(group: Sequence[_File], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of several files in order, as tables that make whole row groups."""
    waiting: list[pa.Table] = []
    n_waiting = 0
    for file in group:
        try:
            source = open_parquet(file.path, file.path, file.size)
            if source.schema_arrow.remove_metadata() != schema:
                what = "has other columns than the parts before it"
                raise InputError(what, path=file.path, hint="convert its recording again")
            for number in range(source.num_row_groups):
                waiting.append(source.read_row_group(number))
                n_waiting += waiting[-1].num_rows
                if n_waiting >= ROW_GROUP_ROWS:
                    yield pa.concat_tables(waiting).unify_dictionaries()
                    waiting, n_waiting = [], 0
        except (pa.ArrowException, OSError) as error:
            hint = "convert its recording again, or take it away"
            what = f"damaged Parquet file: {error}"
            raise InputError(what, path=file.path, hint=hint) from error
    if waiting:
        yield pa.concat_tables(waiting).unify_dictionaries()


def _tidy(new: Path, keep: set[str]) -> None:
    """Leave in the folder of new files only those that this call would make as well."""
    if not new.is_dir():
        return
    for path in sorted(new.rglob("*"), reverse=True):
        with output_errors(path):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(new).as_posix() not in keep:
                path.unlink()


def _link_others(live: Path, new: Path, taken: set[str]) -> None:
    """Put what is not merged into the new folder as well, without copying it where that goes."""
    for path in sorted(live.rglob("*")):
        name = path.relative_to(live)
        is_file = path.is_symlink() or path.is_file()
        if not is_file or name.as_posix() in taken:
            continue
        place = new / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(path, place)
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise OutputError(what, path=place, hint="check the folder and its space") from error


def _link(path: Path, place: Path) -> None:
    try:
        os.link(path, place, follow_symlinks=False)
    except OSError:  # file systems without links
        shutil.copy2(path, place, follow_symlinks=False)


def _sync(folder: Path) -> None:
    """Let the disk have all names of a folder before it takes the place of another."""
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        with output_errors(path):
            sync_folder(path)
