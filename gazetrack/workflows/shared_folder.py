"""A data set's folder, which many processes write to and one may put in order.

Who writes a part holds the folder together with others; who compacts it holds it alone. Object
stores have no such holds: there, data sets grow and are never put in order in place.
"""

from __future__ import annotations

import contextlib
import errno
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gazetrack.errors import OutputError, quote
from gazetrack.publish import digest_of, exchanged
from gazetrack.storage.address import joined, shown_path
from gazetrack.storage.objects import names_in
from gazetrack.tables.partitions import MERGED, MERGED_FOLDER
from gazetrack.tables.store import KEY, metadata_schema, read_meta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LOCK = ".gazetrack.lock"
_UNLOCKABLE = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_OLD = ".old"


@contextlib.contextmanager
def held(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold the folder of a data set while the block runs; wait until it is free.

    Parameters
    ----------
    folder : pathlib.Path
        The folder, which is made where there is none.
    alone : bool
        Whether nobody else may hold it; otherwise all may who do not want it alone.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(folder / _LOCK, flags, 0o666)
    except OSError as error:
        what = f"cannot be written: {quote(error.strerror)}"
        raise OutputError(what, path=folder, hint="check the folder and its permissions") from error
    try:
        _lock(descriptor, alone=alone)
        _recover(folder)
        yield
    finally:
        os.close(descriptor)  # which lets go of it


def workshop_of(folder: Path) -> Path:
    """Return the folder beside a data set in which it is put in order.

    It is not within the data set: ``**`` of DuckDB and Polars also finds what is hidden.
    """
    whole = folder.resolve()
    return whole.with_name(f".{whole.name}.compacting")


def swap(new: Path, live: Path) -> None:
    """Put a folder in the place of another, and that one in its place.

    On Linux this is one step. Elsewhere there is a moment without the folder between two, and
    `held` puts the old one back where that moment was the last.

    Parameters
    ----------
    new, live : pathlib.Path
        Two folders of one file system.
    """
    if exchanged(new, live):
        return
    old = new.with_name(new.name + _OLD)
    live.rename(old)
    new.rename(live)
    old.rename(new)


def kept_in_merged(folder: Path, part: str, meta: Mapping[str, Any]) -> bool:
    """Tell whether a part is in a compacted file of its data set, so that it is not written again.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the data set.
    part : str
        The path of the part within it.
    meta : mapping
        The metadata that the part would have.

    Raises
    ------
    OutputError
        It is there with other metadata: another version of the recording.
    """
    kind = part.partition("/")[0]
    for file in sorted((folder / kind / MERGED_FOLDER).glob(f"{MERGED}-*.parquet")):
        facts = file.stat()
        held_parts = _parts_in(file, facts.st_mtime_ns, facts.st_size)
        if part not in held_parts:
            continue
        if held_parts[part] == digest_of_meta(meta):
            return True
        what = f"holds {quote(part, 80)} of another version of the export, or of other settings"
        hint = "convert into a new data set: a compacted file is not taken apart"
        raise OutputError(what, path=file, hint=hint)
    return False


def refuse_compacted_url(url: str, kinds: set[str]) -> None:
    """Refuse to add to a data set in a store that was compacted: rows could be there twice.

    Raises
    ------
    OutputError
        It holds compacted files.
    """
    for kind in sorted(kinds):
        place = joined(url, f"{kind}/{MERGED_FOLDER}")
        if names_in(place):
            what = "is a compacted data set, whose recordings are not known from afar"
            hint = "write into another data set, or add to a copy on this machine"
            raise OutputError(what, path=shown_path(url), hint=hint)


def digest_of_meta(meta: Mapping[str, Any]) -> str:
    """Return what tells the metadata of a part from those of another version of it."""
    stored = metadata_schema(pa.schema([]), meta).metadata[KEY]
    return digest_of(stored.decode("utf-8", "replace"))


@lru_cache(maxsize=256)
def _parts_in(file: Path, _mtime_ns: int, _size: int) -> dict[str, str]:
    compacted = read_meta(file).get("compacted")
    parts = compacted.get("parts", {}) if isinstance(compacted, dict) else {}
    return {name: str(facts.get("digest", "")) for name, facts in parts.items()}


def _lock(descriptor: int, *, alone: bool) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: there, one process at a time puts a data set in order
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    except OSError as error:
        if error.errno not in _UNLOCKABLE:  # file systems without locks
            raise


def _recover(folder: Path) -> None:
    """Put back the folders that a swap of two steps left away when it was cut short."""
    workshop = workshop_of(folder)
    if not workshop.is_dir():
        return
    for old in workshop.glob(f"*{_OLD}"):
        live = folder / old.name.removesuffix(_OLD)
        if not live.exists():
            old.rename(live)
