"""A public data set onto this machine: fetched, checked, unpacked, with its terms beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.caches import own_folder
from gazetrack.datasets.dataset import CONTENTS
from gazetrack.datasets.facts import find, show
from gazetrack.datasets.fetching import fetch
from gazetrack.datasets.unpacking import unpack
from gazetrack.errors import ConfigError, InputError, did_you_mean, quote
from gazetrack.publish import sha256_of, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazetrack.datasets.dataset import DataFile, DataSet

FOLDER_VARIABLE = "GAZETRACK_DATASETS"
_ARCHIVES = "archives"
_TERMS = "DATASET.json"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A file that is fetched, or is there already.

    Parameters
    ----------
    file : DataFile
        Which file of the data set.
    path : pathlib.Path
        Where it is, or where it goes.
    is_there : bool
        Whether it is there, whole, as it was published.
    n_bytes : int
        How much of it is there, in bytes.
    """

    file: DataFile
    path: Path
    is_there: bool
    n_bytes: int


@dataclass(frozen=True, kw_only=True)
class Got:
    """What is on this machine of a data set.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the data set.
    planned : tuple of Planned
        What was fetched, or would be.
    tables : tuple of pathlib.Path
        The files to read, unpacked; none of a dry run.
    n_others : int
        How many files of the archives were not asked for.
    """

    folder: Path
    planned: tuple[Planned, ...]
    tables: tuple[Path, ...] = ()
    n_others: int = 0


def datasets_folder() -> Path:
    """Return where data sets go: ``$GAZETRACK_DATASETS``, or the user's own cache folder.

    Raises
    ------
    ConfigError
        The user has no home, and the variable is not set.
    """
    try:
        return own_folder("datasets", FOLDER_VARIABLE)
    except RuntimeError as error:
        hint = f"set {FOLDER_VARIABLE}, or give --dir"
        raise ConfigError("there is no home folder", hint=hint) from error


def get(
    name: str,
    directory: str | Path | None = None,
    *,
    only: str | Sequence[str] = (),
    subset: str | Sequence[str] = (),
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Got:
    """Fetch a public data set, check it, and unpack it.

    What is there stays: a call that was cut off is made once more, and goes on.

    Parameters
    ----------
    name : str
        A name of `gazetrack.datasets.names`; see what its makers ask for with `show` first.
    directory : path-like, optional
        The folder that gets a folder for it; by default `datasets_folder`.
    only : str or sequence of str
        Fetch the files of these contents, or of these names, alone: ``gaze``, ``fixations``.
    subset : str or sequence of str
        Unpack the files that fit this pattern, or one of these, alone, as in a shell, such as
        ``*_TEX.csv`` or ``Round_1/*``.
    dry_run : bool
        Say what would be fetched, and do nothing.
    progress : callable, optional
        Called with the bytes of a file that are there, and all of them.

    Returns
    -------
    Got
        The folder, and the files to read.

    Raises
    ------
    ConfigError
        No such data set or contents, or the extra ``datasets`` is not installed.
    InputError
        The network or the server fails, a file is not what was published, or no file fits.
    OutputError
        The folder cannot be written, or is full.

    Examples
    --------
    >>> got = gazetrack.datasets.get("gazebase", subset=["*_TEX.csv"])  # doctest: +SKIP
    >>> recording = gazetrack.read(got.tables[0])  # doctest: +SKIP
    """
    dataset = find(name)
    folder = Path(directory if directory is not None else datasets_folder()) / dataset.name
    patterns = _listed(subset)
    files = _chosen(dataset, _listed(only))
    planned = tuple(_planned(file, folder) for file in files)
    if dry_run:
        return Got(folder=folder, planned=planned)
    tables: list[Path] = []
    n_others = 0
    for file in files:
        path = fetch(file, _home_of(file, folder), progress)
        if file.is_archive:
            found = unpack(path, folder / file.content, patterns)
            tables += found.files
            n_others += found.n_others
        else:
            tables.append(path)
    if not tables:
        what = f"no file of {dataset.title} fits {quote(', '.join(patterns), 80)}"
        raise InputError(what, path=folder, hint="give patterns as in a shell, such as '*_TEX.csv'")
    _write_terms(dataset, folder)
    return Got(folder=folder, planned=planned, tables=tuple(tables), n_others=n_others)


def _listed(texts: str | Sequence[str]) -> Sequence[str]:
    """Return texts as a list; a single one is not a list of its characters."""
    return [texts] if isinstance(texts, str) else texts


def _chosen(dataset: DataSet, only: Sequence[str]) -> list[DataFile]:
    """Return the files of some contents or names."""
    known = [*CONTENTS, *(file.name for file in dataset.files)]
    for one in only:
        if one not in known:
            what = f"{dataset.name} has no {quote(one, 40)!r}"
            there = ", ".join(dict.fromkeys(file.content for file in dataset.files))
            raise ConfigError(what, hint=f"{did_you_mean(one, known)}there is {there}")
    files = [file for file in dataset.files if not only or {file.content, file.name} & set(only)]
    if not files:
        what = f"{dataset.name} has no {' or '.join(only)}"
        there = ", ".join(dict.fromkeys(file.content for file in dataset.files))
        raise ConfigError(what, hint=f"there is {there}")
    return files


def _home_of(file: DataFile, folder: Path) -> Path:
    return folder / (_ARCHIVES if file.is_archive else file.content)


def _planned(file: DataFile, folder: Path) -> Planned:
    path = _home_of(file, folder) / file.name
    part = path.with_name(f"{file.name}.part")
    if path.is_file():
        is_whole = not file.md5 or _md5_of(path) == file.md5
        return Planned(file=file, path=path, is_there=is_whole, n_bytes=path.stat().st_size)
    n_bytes = part.stat().st_size if part.is_file() else 0
    return Planned(file=file, path=path, is_there=False, n_bytes=n_bytes)


def _md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _write_terms(dataset: DataSet, folder: Path) -> None:
    """Write what the data set is, and what was fetched, beside its files."""
    facts = show(dataset.name)
    for stated, file in zip(facts["files"], dataset.files, strict=True):
        path = _home_of(file, folder) / file.name
        stated["sha256"] = sha256_of(path) if path.is_file() else None
    write_json(folder / _TERMS, facts)
