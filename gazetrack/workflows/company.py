"""What readers look at beside a file of gaze, and whether any of a recording's files has changed.

Some exports say what their numbers mean in another file: BIDS in sidecars, beside the table and in
the folders above it; Pupil Cloud in the size of its reference image; AdHawk in a file about the
recording. Tables depend on these as on the gaze itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gazetrack.storage.address import joined, parent_of
from gazetrack.storage.states import States
from gazetrack.workflows.engine.manifest import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from gazetrack.workflows.inputs import Source

    NamesAbove = Callable[[int], Collection[str] | None]

_BESIDE = (
    "meta_data.json",
    "reference_image.jpeg",
    "reference_image.jpg",
    "reference_image.png",
)
_WITH_COMPANY = ("gaze_data.csv", "gaze.csv", "fixations.csv")
# BIDS puts sidecars beside the table or in up to four folders above it.
BIDS_ROOT = "dataset_description.json"
_BIDS_TABLE = re.compile(r"(?P<stem>.+)_(?P<suffix>[A-Za-z0-9]+)\.tsv(?:\.gz)?", re.IGNORECASE)
_BIDS_ENTITY = re.compile(r"[a-z]+-[A-Za-z0-9+]+")
_BIDS_FOLDERS = 5
_BIDS_SIBLING = "physioevents"
_BIDS_SHOWN = "events.tsv"
_SLASHES_OF_A_BUCKET = 2


def company_of(name: str, names_above: NamesAbove) -> Iterator[tuple[int, str]]:
    """Yield the files that readers look at beside one that is called so.

    Parameters
    ----------
    name : str
        The file's name, without its folder.
    names_above : callable
        Gives the names of all files in the file's folder for 0, in the folder above that for 1, and
        so on; None where there is no such folder.

    Yields
    ------
    int, str
        How many folders above the file's, and the name there.
    """
    table = _BIDS_TABLE.fullmatch(name)
    if table is not None:
        yield from _company_of_bids(table["stem"], names_above)
    elif name.lower() in _WITH_COMPANY:
        for found in sorted(set(_BESIDE) & set(names_above(0) or ())):
            yield 0, found


def _company_of_bids(stem: str, names_above: NamesAbove) -> Iterator[tuple[int, str]]:
    entities = stem.split("_")
    if not all(_BIDS_ENTITY.fullmatch(entity) for entity in entities):
        return
    kept = [entity for entity in entities if not entity.startswith("recording-")]
    shown = "_".join([*kept, _BIDS_SHOWN])
    for level in range(_BIDS_FOLDERS):
        there = names_above(level)
        if there is None:
            return
        for name in sorted(there):
            if _is_sidecar(name, entities) or _is_sibling(name, stem) or name == shown:
                yield level, name
        if BIDS_ROOT in there:
            yield level, BIDS_ROOT
            return


def _is_sidecar(name: str, entities: Sequence[str]) -> bool:
    if not name.endswith(".json") or name == BIDS_ROOT:
        return False
    *names, _ = name.removesuffix(".json").split("_")
    return set(names) <= set(entities)


def _is_sibling(name: str, stem: str) -> bool:
    return name.lower() in (f"{stem}_{_BIDS_SIBLING}.tsv{end}".lower() for end in ("", ".gz"))


def address_above(url: str, level: int) -> str:
    """Return the folder of an address, or one above it; empty above the store's bucket."""
    address = parent_of(url)
    for _ in range(level):
        if address.count("/") <= _SLASHES_OF_A_BUCKET:
            return ""
        address = parent_of(address)
    return address


class RecordingFiles:
    """The states of all files that the tables of recordings depend on.

    A folder is listed once, however many of its recordings are asked for.
    """

    def __init__(self) -> None:
        self.states = States()
        self._names: dict[Path, Collection[str] | None] = {}

    def of(self, source: Source) -> list[dict[str, Any]] | None:
        """Return the states of the files of a recording; None where one of its own is not there.

        First that of the gaze, then those of its other parts, then those of what readers look at
        beside it.

        Raises
        ------
        InputError
            A store refuses to say what lies there, or cannot be reached.
        """
        files = []
        for path in (source.path, *source.parts):
            url = source.addresses.get(path)
            try:
                state = state_of(path) if url is None else self.states.of(url)
            except OSError:
                return None
            if state is None:
                return None
            files.append(state)
        for path in (source.path, *source.eyes):
            files += self._beside(path, source.addresses.get(path))
        return files

    def _beside(self, file: Path, url: str | None) -> Iterator[dict[str, Any]]:
        # Readers follow links to look beside a file.
        path = file.resolve() if url is None else file

        def names_above(level: int) -> Collection[str] | None:
            if url is None:
                return self._names_in(path.parents[level]) if level < len(path.parents) else None
            address = address_above(url, level)
            return self.states.names(address) if address else None

        for level, name in company_of(path.name, names_above):
            if name == BIDS_ROOT:  # it says where the data set ends, and nothing of the gaze
                continue
            if url is None:
                state = _state_or_none(path.parents[level] / name)
            else:
                state = self.states.of(joined(address_above(url, level), name))
            if state is not None:
                yield state

    def _names_in(self, folder: Path) -> Collection[str] | None:
        if folder not in self._names:
            try:
                self._names[folder] = {path.name for path in folder.iterdir()}
            except OSError:  # one that may not be looked into
                self._names[folder] = None
        return self._names[folder]


def _state_or_none(path: Path) -> dict[str, Any] | None:
    try:
        return state_of(path) if path.is_file() else None
    except OSError:
        return None
