"""Stored maps: one Parquet file per data set.

Each track is one row and one row group, so that any image loads alone. Three lines read it without
this library::

    table = pd.read_parquet("maps/maps.parquet")
    row = table.iloc[0]
    maps = np.frombuffer(row.maps, row.value_type).reshape(row.levels, row.height, row.width)

They are 0 .. 255 where the type is uint8, the default, and 0 .. 1 where it is float32.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.errors import InputError, OutputError, SchemaError, quote
from gazetrack.maps.behind import Behind
from gazetrack.maps.render import as_uint8
from gazetrack.publish import publish
from gazetrack.tables.parquet import most_bytes, open_parquet
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import metadata_schema, read_meta, refuse_foreign, table_writer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

    from gazetrack.maps.render import TrackMaps

    Values = npt.NDArray[np.uint8] | npt.NDArray[np.float32]

MAP_FILE = "maps.parquet"
MAX_TOTAL_BYTES = 2 * 1024**3
# Of one row's maps: two levels of the largest image as float32, eight as uint8.
MAX_ROW_BYTES = 2**29
MAX_ID_CHARS = 4096
_TRIAL = "trial the track comes from; #2 for an image's second showing in it"
_LEVELS = "number of maps; the first is the core, the last the full track"
_TYPE = "uint8: value / 255 is the map in [0, 1]; float32: the value is; little-endian"
_COLUMNS = (
    ("image_id", pa.string(), "stimulus without folder and image suffix"),
    ("recording", pa.string(), "recording the track comes from"),
    ("participant", pa.string(), "who looked; empty when the export does not say"),
    ("trial", pa.string(), _TRIAL),
    ("stimulus", pa.string(), "stimulus as named by the fixation table"),
    ("n_fixations", pa.int32(), "fixations rendered, after cleaning"),
    ("levels", pa.int32(), _LEVELS),
    ("height", pa.int32(), "rows of each map"),
    ("width", pa.int32(), "columns of each map"),
    ("value_type", pa.string(), _TYPE),
    ("maps", pa.binary(), "[levels, height, width] in C order"),
)
MAPS = pa.schema(
    [
        pa.field(name, kind, nullable=False, metadata={"meaning": meaning})
        for name, kind, meaning in _COLUMNS
    ]
)
DTYPES = ("uint8", "float32")

_COPIED = ("stimulus", "recording", "participant", "trial", "n_fixations")
_NEEDED = ("image_id", "levels", "height", "width", "maps")
_KIND = {"string": "text", "int32": "whole numbers", "binary": "bytes"}


@dataclass(frozen=True, kw_only=True)
class StoredMaps:
    """One row of a map file.

    Parameters
    ----------
    stimulus, recording, participant, trial : str
        Where the track comes from.
    n_fixations : int
        Number of fixations rendered, after cleaning.
    values : ndarray of uint8 or float32, shape (L, H, W)
        The maps, as 0..255 or in [0, 1].
    """

    stimulus: str
    recording: str
    participant: str
    trial: str
    n_fixations: int
    values: Values

    def as_float32(self) -> npt.NDArray[np.float32]:
        """Return the maps in [0, 1]."""
        if self.values.dtype == np.uint8:
            return (self.values / 255).astype(np.float32)
        return self.values.astype(np.float32)

    def as_uint8(self) -> npt.NDArray[np.uint8]:
        """Return the maps as 0..255."""
        if self.values.dtype == np.float32:
            return as_uint8(self.values)
        return self.values.astype(np.uint8)


def stored(maps: TrackMaps, dtype: str = "uint8") -> StoredMaps:
    """Return rendered maps as they are stored: uint8, or float32."""
    track = maps.track
    return StoredMaps(
        stimulus=track.stimulus,
        recording=track.recording,
        participant=track.participant,
        trial=track.trial,
        n_fixations=len(track),
        values=maps.as_uint8() if dtype == "uint8" else maps.values,
    )


@contextmanager
def map_writer(
    path: str | os.PathLike[str],
    meta: Mapping[str, Any],
    *,
    force: bool = False,
    max_total_bytes: int = MAX_TOTAL_BYTES,
) -> Iterator[Callable[[TrackMaps | StoredMaps], None]]:
    """Open a map file for writing track by track; it appears when the block ends without an error.

    Parameters
    ----------
    path : path-like
        The Parquet file to be written.
    meta : mapping
        How the maps were made, as JSON values.
    force : bool
        Also replace a file that gazetrack did not write.
    max_total_bytes : int
        Refuse to write more unpacked bytes than this.

    Yields
    ------
    callable
        Call it with each `TrackMaps`, stored as uint8, or `StoredMaps`.

    Raises
    ------
    OutputError
        The file cannot be written, or the maps are too many.
    """
    refuse_foreign(path, force=force)
    schema = metadata_schema(MAPS, meta)
    total = 0
    # The bytes of maps have no order that a reader could use.
    with (
        publish(path) as file,
        table_writer(file, schema, no_statistics=["maps"]) as writer,
        Behind() as behind,
    ):

        def write(maps: TrackMaps | StoredMaps) -> None:
            nonlocal total
            row = maps if isinstance(maps, StoredMaps) else stored(maps)
            total += row.values.nbytes
            if row.values.nbytes > MAX_ROW_BYTES:
                most = f"{MAX_ROW_BYTES // 1024**2} MB"
                what = f"the maps of {quote(row.stimulus)!r} take more than {most}"
                hint = "give a smaller --size, fewer --levels, or --dtype uint8"
                raise OutputError(what, path=path, hint=hint)
            if total > max_total_bytes:
                what = f"the maps take more than {max_total_bytes // 1024**2} MB"
                hint = "give a smaller --size, or a larger --max-total-mb"
                raise OutputError(what, path=path, hint=hint)
            behind.call(lambda: writer.write_table(_row(row, schema)), row.values.nbytes)

        yield write
        behind.wait()


def _row(maps: StoredMaps, schema: pa.Schema) -> pa.Table:
    """Return one row of `MAPS`, whose metadata `schema` has."""
    facts = {name: getattr(maps, name) for name in _COPIED}
    facts |= dict(zip(("levels", "height", "width"), maps.values.shape, strict=True))
    facts |= {"image_id": stem(maps.stimulus), "value_type": maps.values.dtype.name}
    columns = pa.array([facts], pa.struct([field for field in MAPS if field.name != "maps"]))
    stated_type = maps.values.dtype.newbyteorder("<")
    little_endian = np.ascontiguousarray(maps.values.astype(stated_type, copy=False))
    # A view of the maps, not a copy: they may take half a gigabyte.
    offsets = pa.py_buffer(np.array([0, little_endian.nbytes], np.int32))
    binary = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(little_endian)])
    return pa.Table.from_arrays([*columns.flatten(), binary], schema=schema)


def _values(row: Mapping[str, Any], maps: Any) -> Any:
    """Return the maps of a row; ValueError when they are no maps."""
    dtype = row.get("value_type") or "uint8"  # files of version 0.1.0 have no type
    if dtype not in DTYPES:
        raise ValueError(dtype)
    shape = (row["levels"], row["height"], row["width"])
    if any(size is None or size < 1 for size in shape):
        raise ValueError(shape)
    values = np.frombuffer(maps, np.dtype(dtype).newbyteorder("<")).reshape(shape)
    if dtype == "float32" and not ((values >= 0) & (values <= 1)).all():
        raise ValueError("outside [0, 1]")
    return values


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column of one type can stand for one of ours.

    Texts may be dictionary-coded, and numbers of another width.
    """
    if pa.types.is_dictionary(found):
        found = found.value_type
    if pa.types.is_integer(wanted):
        return bool(pa.types.is_integer(found))
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
    return bool(pa.types.is_binary(found) or pa.types.is_large_binary(found))


class MapStore:
    """Random access to a map file.

    Parameters
    ----------
    path : path-like
        A file written by `map_writer`.

    Raises
    ------
    InputError, SchemaError
        No such file, damaged, or no map file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.meta = read_meta(self.path)
        texts = [name for name in MAPS.names if name != "maps"]  # the maps are read row by row
        try:
            self._file = open_parquet(self.path, self.path, None, texts)
            self._check_columns()
            ids = self._read_ids()
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            what = f"damaged map file: {error}"
            raise InputError(what, path=self.path, hint="render again") from error
        if None in ids:
            what = "holds a row without image_id"
            raise SchemaError(what, path=self.path, hint="render the maps again")
        self._groups: dict[str, list[int]] = {}
        for group, image_id in enumerate(ids):
            self._groups.setdefault(image_id, []).append(group)

    def _read_ids(self) -> list[Any]:
        """Return the image id of every row."""
        groups = range(self._file.metadata.num_row_groups)
        unpacked = sum(self._file.metadata.row_group(group).total_byte_size for group in groups)
        if unpacked <= most_bytes(self.path.stat().st_size):
            ids: list[Any] = self._file.read(["image_id"])["image_id"].to_pylist()
            return ids
        # Maps of little gaze shrink to any share of their size, and so do ids that were made to
        # fill the memory.
        ids = []
        for group in groups:
            ids += self._file.read_row_group(group, ["image_id"])["image_id"].to_pylist()
            if len(ids[-1] or "") > MAX_ID_CHARS:
                what = f"row {group + 1} has an image_id of {len(ids[-1] or ''):,} characters"
                raise SchemaError(what, path=self.path, hint="render the maps again")
        return ids

    def _check_columns(self) -> None:
        """Refuse what is no map file, from its footer alone."""
        found = self._file.schema_arrow
        metadata = self._file.metadata
        hint = "make one with: gazetrack render"
        missing = [name for name in _NEEDED if name not in found.names]
        if missing:
            what = f"is no map file: it has no column {', '.join(missing)}"
            raise SchemaError(what, path=self.path, hint=hint)
        for field in MAPS:
            if field.name in found.names and not _fits(found.field(field.name).type, field.type):
                what = f"is no map file: column {field.name} is not {_KIND[str(field.type)]}"
                raise SchemaError(what, path=self.path, hint=hint)
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        if sizes != [1] * metadata.num_rows:
            what = "does not hold one track per row group"
            raise SchemaError(what, path=self.path, hint="render the maps again")
        for group in range(len(sizes)):
            n_bytes = metadata.row_group(group).total_byte_size
            if n_bytes > MAX_ROW_BYTES + 2**20:  # beside the maps there are headers
                what = f"row {group + 1} unpacks to {n_bytes // 1024**2:,} MB"
                most = f"at most {MAX_ROW_BYTES // 1024**2} MB are read"
                hint = f"{most}: render again with a smaller --size"
                raise InputError(what, path=self.path, hint=hint)

    @property
    def ids(self) -> tuple[str, ...]:
        """Image ids, in the order of the file."""
        return tuple(self._groups)

    def __len__(self) -> int:
        """Return the number of rows: one per image and observer."""
        return int(self._file.num_row_groups)

    def rows(self) -> Iterator[StoredMaps]:
        """Yield every row in the order of the file, one in memory at a time.

        Raises
        ------
        InputError
            The file is damaged.
        """
        for group in range(len(self)):
            try:
                row, values = self._row(group)
                # Files of other programs may lack what is not needed to find an image's maps.
                maps = StoredMaps(
                    stimulus=row.get("stimulus") or row["image_id"],
                    recording=row.get("recording") or "",
                    participant=row.get("participant") or "",
                    trial=row.get("trial") or "",
                    n_fixations=row.get("n_fixations") or 0,
                    values=values,
                )
            except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
                what = f"damaged maps in row {group + 1}"
                raise InputError(what, path=self.path, hint="render again") from error
            yield maps

    def _row(self, group: int) -> tuple[dict[str, Any], npt.NDArray[Any]]:
        """Return a row's other columns, and its maps as a view of what was read."""
        known = [name for name in self._file.schema_arrow.names if name in MAPS.names]
        table = self._file.read_row_group(group, known)
        maps = table["maps"][0]
        if not maps.is_valid:
            raise ValueError("no maps")
        row: dict[str, Any] = table.drop_columns("maps").to_pylist()[0]
        return row, _values(row, maps.as_buffer())

    def load(self, image_id: str) -> npt.NDArray[np.uint8]:
        """Return the maps of an image, the mean over its observers.

        Parameters
        ----------
        image_id : str
            Id of the image, one of `ids`.

        Returns
        -------
        ndarray of uint8, shape (L, H, W)
            The maps as 0..255; the first level is the core, the last the full track.

        Raises
        ------
        InputError
            The image has no maps, or the file is damaged.
        """
        if image_id not in self._groups:
            what = f"has no maps of {quote(image_id)!r}"
            raise InputError(what, path=self.path, hint="render its fixations")
        try:
            maps: list[npt.NDArray[Any]] = [self._row(group)[1] for group in self._groups[image_id]]
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            what = f"damaged maps of {quote(image_id)!r}"
            raise InputError(what, path=self.path, hint="render again") from error
        if len({values.shape for values in maps}) > 1:
            what = f"holds maps of several sizes of {quote(image_id)!r}"
            raise InputError(what, path=self.path, hint="render again with --size")
        if len(maps) == 1 and maps[0].dtype == np.uint8:
            return maps[0]
        as_bytes = [values if values.dtype == np.uint8 else values * 255 for values in maps]
        rounded: npt.NDArray[np.uint8] = np.rint(np.mean(as_bytes, axis=0)).astype(np.uint8)
        return rounded


def read_maps(path: str | os.PathLike[str]) -> MapStore:
    """Open a map file, or the folder it lies in.

    Parameters
    ----------
    path : path-like
        ``maps.parquet`` or the folder that `gazetrack render` wrote.

    Returns
    -------
    MapStore
        Rows are read when they are asked for.

    Examples
    --------
    >>> store = gazetrack.read_maps("maps")  # doctest: +SKIP
    >>> len(store), store.ids[0]  # doctest: +SKIP
    (48, 'lesion-01')
    """
    path = Path(path)
    return MapStore(path / MAP_FILE if path.is_dir() else path)
