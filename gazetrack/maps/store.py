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

# Only of files whose maps are of several targets.
_TARGET = pa.field(
    "target",
    pa.string(),
    nullable=False,
    metadata={"meaning": "what was looked for: maps of an image are averaged within one target"},
)

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
    target : str
        What was looked for, in a file that tells targets apart.
    """

    stimulus: str
    recording: str
    participant: str
    trial: str
    n_fixations: int
    values: Values
    target: str = ""

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
        target=track.target,
    )


@contextmanager
def map_writer(
    path: str | os.PathLike[str],
    meta: Mapping[str, Any],
    *,
    force: bool = False,
    max_total_bytes: int = MAX_TOTAL_BYTES,
    targets: bool = False,
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
    targets : bool
        Also write what was looked for, so that maps of an image are told apart by it.

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
    schema = metadata_schema(MAPS.append(_TARGET) if targets else MAPS, meta)
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
    """Return one row of the columns and metadata of `schema`."""
    facts = {name: getattr(maps, name) for name in (*_COPIED, _TARGET.name)}
    facts |= dict(zip(("levels", "height", "width"), maps.values.shape, strict=True))
    facts |= {"image_id": stem(maps.stimulus), "value_type": maps.values.dtype.name}
    fields = [field for field in schema if field.name != "maps"]
    columns = {field.name: pa.array([facts[field.name]], field.type) for field in fields}
    stated_type = maps.values.dtype.newbyteorder("<")
    little_endian = np.ascontiguousarray(maps.values.astype(stated_type, copy=False))
    # A view of the maps, not a copy: they may take half a gigabyte.
    offsets = pa.py_buffer(np.array([0, little_endian.nbytes], np.int32))
    binary = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(little_endian)])
    columns["maps"] = binary
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


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
            ids = self._read_texts("image_id")
            has_targets = _TARGET.name in self._file.schema_arrow.names
            targets = self._read_texts(_TARGET.name) if has_targets else [""] * len(ids)
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            what = f"damaged map file: {error}"
            raise InputError(what, path=self.path, hint="render again") from error
        if None in ids or None in targets:
            what = "holds a row without image_id or target"
            raise SchemaError(what, path=self.path, hint="render the maps again")
        self._ids = tuple(dict.fromkeys(ids))
        self._targets = tuple(dict.fromkeys(targets)) if has_targets else ()
        # Maps of one target are of one thing, whether it is named or not.
        self._only = self._targets[0] if len(self._targets) == 1 else ""
        self._groups: dict[tuple[str, str], list[int]] = {}
        for group, key in enumerate(zip(ids, targets, strict=True)):
            self._groups.setdefault(key, []).append(group)

    def _read_texts(self, name: str) -> list[Any]:
        """Return what every row has in a column of texts."""
        groups = range(self._file.metadata.num_row_groups)
        unpacked = sum(self._file.metadata.row_group(group).total_byte_size for group in groups)
        if unpacked <= most_bytes(self.path.stat().st_size):
            texts: list[Any] = self._file.read([name])[name].to_pylist()
            return texts
        # Maps of little gaze shrink to any share of their size, and so do ids that were made to
        # fill the memory.
        texts = []
        for group in groups:
            texts += self._file.read_row_group(group, [name])[name].to_pylist()
            if len(texts[-1] or "") > MAX_ID_CHARS:
                what = f"row {group + 1} has an {name} of {len(texts[-1] or ''):,} characters"
                raise SchemaError(what, path=self.path, hint="render the maps again")
        return texts

    def _check_columns(self) -> None:
        """Refuse what is no map file, from its footer alone."""
        found = self._file.schema_arrow
        metadata = self._file.metadata
        hint = "make one with: gazetrack render"
        missing = [name for name in _NEEDED if name not in found.names]
        if missing:
            what = f"is no map file: it has no column {', '.join(missing)}"
            raise SchemaError(what, path=self.path, hint=hint)
        for field in (*MAPS, _TARGET):
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
        return self._ids

    @property
    def targets(self) -> tuple[str, ...]:
        """What was looked for, in the order of the file; nothing where maps are of one thing."""
        return self._targets

    def has(self, image_id: str, target: str = "") -> bool:
        """Whether there are maps of an image, where several targets are told apart of this one."""
        return (image_id, target or self._only) in self._groups

    def rows_of(self, target: str) -> int:
        """Return how many rows are of a target, one of `targets`."""
        return sum(len(own) for (_, of), own in self._groups.items() if of == target)

    def refuse_targets(self) -> None:
        """Refuse maps of several targets, for whatever takes all maps of an image for one.

        Raises
        ------
        InputError
            The file tells several targets apart; of one alone, maps are those of one thing.
        """
        if len(self._targets) > 1:
            named = ", ".join(quote(target, 30) for target in self._targets[:3])
            what = f"holds maps of each of several targets ({named})"
            hint = "render without --target, or give classes.names to gradtrack-train"
            raise InputError(what, path=self.path, hint=hint)

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
                    target=row.get(_TARGET.name) or "",
                )
            except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
                what = f"damaged maps in row {group + 1}"
                raise InputError(what, path=self.path, hint="render again") from error
            yield maps

    def _row(self, group: int) -> tuple[dict[str, Any], npt.NDArray[Any]]:
        """Return a row's other columns, and its maps as a view of what was read."""
        ours = (*MAPS.names, _TARGET.name)
        known = [name for name in self._file.schema_arrow.names if name in ours]
        table = self._file.read_row_group(group, known)
        maps = table["maps"][0]
        if not maps.is_valid:
            raise ValueError("no maps")
        row: dict[str, Any] = table.drop_columns("maps").to_pylist()[0]
        return row, _values(row, maps.as_buffer())

    def load(self, image_id: str, target: str = "") -> npt.NDArray[np.uint8]:
        """Return the maps of an image, the mean over its observers.

        Parameters
        ----------
        image_id : str
            Id of the image, one of `ids`.
        target : str
            What was looked for, one of `targets` where there are several.

        Returns
        -------
        ndarray of uint8, shape (L, H, W)
            The maps as 0..255; the first level is the core, the last the full track.

        Raises
        ------
        InputError
            The image has no maps, or the file is damaged; or it tells several targets apart and
            none was named.
        """
        if not target:
            self.refuse_targets()
        if not self.has(image_id, target):
            what = f"has no maps of {quote(image_id)!r}"
            raise InputError(what, path=self.path, hint="render its fixations")
        try:
            groups = self._groups[(image_id, target or self._only)]
            maps: list[npt.NDArray[Any]] = [self._row(group)[1] for group in groups]
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
