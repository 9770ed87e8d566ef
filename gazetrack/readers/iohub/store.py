"""The HDF5 file in which ioHub keeps what it recorded, read through h5py.

Sources: ``psychopy/iohub/datastore`` and ``psychopy/iohub/devices/eyetracker/eye_events.py`` of
PsychoPy: a table per kind of event, of one compound type, under
``/data_collection/events/<device>``.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.readers.opening import MAX_GZIP_RATIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gazetrack.readers.base import Head

MAGIC = b"\x89HDF\r\n\x1a\n"
TITLE = b"ioHub DataStore"  # of the file, which PyTables writes near its beginning
_EVENTS = "data_collection/events"
_SESSIONS = "data_collection/session_meta_data"
# By preference: a tracker fills one of them.
_TABLES = ("BinocularEyeSampleEvent", "MonocularEyeSampleEvent", "EyeSampleEvent")
_ROWS_A_BLOCK = 1 << 18


@dataclass(frozen=True)
class Store:
    """What a file holds.

    Parameters
    ----------
    table : str
        Name of the table of samples.
    samples : mapping of str to ndarray
        The columns of it that were asked for, as far as it has them.
    messages : list of (int, float, str)
        Session, time in s and text.
    sessions : mapping of int to str
        The sessions' codes by their numbers.
    others : tuple of str
        Other tables of samples that hold rows.
    """

    table: str
    samples: dict[str, npt.NDArray[Any]]
    messages: list[tuple[int, float, str]]
    sessions: dict[int, str]
    others: tuple[str, ...]


def read_store(head: Head, columns: Sequence[str]) -> Store:
    """Read the samples and messages.

    Parameters
    ----------
    head : Head
        The first look at the file.
    columns : sequence of str
        The columns of the samples to read.

    Raises
    ------
    ConfigError
        h5py is not installed.
    ParseError
        A damaged file, or one without samples of an eye tracker.
    """
    try:
        import h5py
    except ImportError:
        hint = 'install h5py, with: pip install "gazetrack[hdf5]"'
        raise ConfigError(
            "HDF5 is read through h5py, which is not installed", path=head.path, hint=hint
        ) from None
    with head.blocks() as file:
        # HDF5 jumps about in the file, which gzip (it has an `mtime` of its own) would unpack anew
        # each time.
        is_gzip = hasattr(file, "mtime")
        opened = io.BytesIO(file.read(-1)) if is_gzip else file
        try:
            with h5py.File(opened, "r") as store:
                return _read(head, store, columns)
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            what = f"damaged HDF5: {quote(error, 100)}"
            raise ParseError(what, path=head.path, hint="copy the file again") from error


def _read(head: Head, store: Any, columns: Sequence[str]) -> Store:
    """Return what an open file holds; h5py's errors about damage pass through."""
    filled = {}
    for name in _TABLES:
        table = store.get(f"{_EVENTS}/eyetracker/{name}")
        if table is not None and table.dtype.names and len(table):
            filled[name] = table
    if not filled:
        what = "an ioHub file without samples of an eye tracker"
        hint = "record eye samples with ioHub, or give the tracker's own file"
        raise ParseError(what, path=head.path, hint=hint)
    used, *others = filled
    table = filled[used]
    # HDF5 allocates what a table declares, and a damaged one may declare anything.
    declared = len(table) * table.dtype.itemsize
    held = head.path.stat().st_size
    if declared > MAX_GZIP_RATIO * held:
        what = f"damaged HDF5: {len(table)} rows declared in {held} bytes"
        raise ParseError(what, path=head.path, hint="copy the file again")
    samples = _columns(table, columns)
    described = _rows(store.get(_SESSIONS), {"session_id", "code"})
    sessions = {int(row["session_id"]): _text(row["code"]) for row in described}
    said = _rows(store.get(f"{_EVENTS}/experiment/MessageEvent"), {"session_id", "time", "text"})
    messages = [(int(row["session_id"]), float(row["time"]), _text(row["text"])) for row in said]
    return Store(
        table=used,
        samples=samples,
        messages=messages,
        sessions=sessions,
        others=tuple(others),
    )


def _rows(table: Any, needed: set[str]) -> Any:
    """Return the rows of a table, none where it is not there or lacks one of the columns."""
    if table is None or not needed <= set(table.dtype.names or ()):
        return ()
    return table[:]


def _columns(table: Any, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Return columns of a compound table, which is read block by block since its rows are wide."""
    held = [name for name in names if name in table.dtype.names]
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in held}
    for first in range(0, len(table), _ROWS_A_BLOCK):
        rows = table.fields(held)[first : first + _ROWS_A_BLOCK]
        for name in held:
            parts[name].append(np.array(rows[name]))
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}


def _text(value: Any) -> str:
    """Return a text of fixed length without the blanks and NULs that fill it."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip("\0 ")
