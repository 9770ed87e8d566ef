"""Which fixation tables of a folder are taken when none is named: never two of the same gaze.

A recording may have several tables: the fixations of its export, and those of detectors, to be
compared. Together they would count the same looks twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gazetrack.errors import ConfigError, InputError, quote
from gazetrack.tables.parquet import read_parquet
from gazetrack.tables.store import SUFFIX, first_source, origin_of, read_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_KEYS = ("recording", "participant", "stimulus")


@dataclass(frozen=True)
class FoundTables:
    """The tables of a folder, one a recording.

    Parameters
    ----------
    paths : tuple of pathlib.Path
        The files of the tables, sorted by name.
    notes : tuple of str
        Which tables are left out and why, in words for the user.
    """

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    """A table with what decides whether it is taken."""

    path: Path
    meta: dict[str, Any]
    gaze: frozenset[tuple[str, ...]]

    @property
    def rank(self) -> int:
        """What is taken first: 0 exported, 1 detected by ``convert``, 2 by ``fixations``."""
        detector = self.meta.get("detector")
        if not isinstance(detector, dict):
            return 0
        return 2 if self.path.name.endswith(f".{detector.get('name')}{SUFFIX}") else 1

    @property
    def source(self) -> str:
        """The file it was made of, by its hash; the table itself where it does not say."""
        return first_source(self.meta).get("sha256") or str(self.path)


def find_tables(folder: str | Path = ".") -> FoundTables:
    """Return the fixation tables of a folder, one for each recording.

    Of several tables with the same recording, person and stimulus the export's own fixations are
    taken before detected ones, and those of ``gazetrack convert`` before those that ``gazetrack
    fixations`` made beside them.

    Parameters
    ----------
    folder : path-like
        The folder that is looked through for ``*.fixations.parquet``; folders in it are not.

    Returns
    -------
    FoundTables
        The tables that are taken, and what is to be said of the others.

    Raises
    ------
    ConfigError
        There is none; or two of the same gaze, neither of which comes before the other.

    Examples
    --------
    >>> frames = map(pd.read_parquet, gazetrack.find_tables("tables").paths)  # doctest: +SKIP
    """
    paths = sorted(Path(folder).glob(f"*{SUFFIX}"))
    if not paths:
        what = f"no *{SUFFIX} in {quote(Path(folder).resolve(), 80)}"
        raise ConfigError(what, hint="name tables, or make one with: gazetrack convert EXPORT")
    return choose_tables(paths)


def tables_among(paths: Iterable[str | Path]) -> FoundTables:
    """Return the tables named, and of the folders named those that `find_tables` takes.

    Errors are those of `find_tables`.
    """
    taken: dict[Path, None] = {}
    notes: list[str] = []
    for path in map(Path, paths):
        found = find_tables(path) if path.is_dir() else FoundTables((path,), ())
        notes += found.notes
        if path.is_dir():
            taken |= dict.fromkeys(found.paths)
        elif path in taken:
            raise ConfigError(f"{quote(path, 80)} is named twice", hint="name each table once")
        else:
            taken[path] = None
    return FoundTables(tuple(taken), tuple(notes))


def choose_tables(paths: Sequence[Path]) -> FoundTables:
    """Return those of the tables that `find_tables` takes; errors likewise."""
    taken: list[_Candidate] = []
    notes = []
    candidates = [_candidate(path) for path in paths]
    for one in sorted(candidates, key=lambda one: one.rank):
        twin = next((other for other in taken if other.gaze & one.gaze), None)
        if twin is None:
            taken.append(one)
            continue
        both = f"{quote(twin.path.name, 60)} and {quote(one.path.name, 60)}"
        if twin.rank == one.rank and twin.source != one.source:
            taken.append(one)
            notes.append(
                f"{both} both name a recording {_shared(twin, one)}: taken as two, of two files"
            )
            continue
        if twin.rank == one.rank:
            hint = "name the tables to take, or keep them in folders of their own"
            raise ConfigError(f"{both} hold the same recording, {_shared(twin, one)}", hint=hint)
        took = f"took {quote(twin.path.name)} ({origin_of(twin.meta)})"
        left = f"left out {quote(one.path.name)} ({origin_of(one.meta)})"
        why = "they hold the same recording; name tables to choose others"
        notes.append(f"{took} and {left}: {why}")
    return FoundTables(tuple(sorted(one.path for one in taken)), tuple(notes))


def _candidate(path: Path) -> _Candidate:
    """Read of a table what tells it from others.

    What is no table is found out by whoever reads it as one.
    """
    try:
        meta = read_meta(path)
        # Tables of other programs need no column of ours but the stimulus: alike, they are not
        # known to be the same.
        names = [name for name in _KEYS if name in pq.read_schema(path).names]
        if "recording" not in names:
            return _Candidate(path, meta, frozenset())
        table = read_parquet(path, path, path.stat().st_size, names)
        texts = pa.table({name: pc.cast(table[name], pa.string()) for name in names})
        rows = texts.group_by(names).aggregate([]).to_pylist()
    except (InputError, pa.ArrowException, OSError):
        return _Candidate(path, {}, frozenset())
    return _Candidate(
        path, meta, frozenset(tuple(row.get(name) or "" for name in _KEYS) for row in rows)
    )


def _shared(one: _Candidate, other: _Candidate) -> str:
    """Return the name of a recording that two tables hold."""
    return quote(min(one.gaze & other.gaze)[0], 60)
