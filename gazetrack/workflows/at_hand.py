"""Folders that a whole call works on, at hand while it lasts, wherever they lie."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import InputError
from gazetrack.storage.address import joined, local_or_url, shown_path
from gazetrack.storage.copies import private_folder
from gazetrack.storage.objects import fetch, listed, send
from gazetrack.tables.store import SUFFIX
from gazetrack.workflows.elsewhere import copy_of, identity, stand_in, told_by_address, told_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gazetrack.workflows.outcome import Outcome


@dataclass
class AtHand:
    """What a call was given, as files and folders of this machine.

    Parameters
    ----------
    tables : list of pathlib.Path
        Fixation tables and folders of them.
    images : pathlib.Path or None
        The folder of the images, if one was given.
    out : pathlib.Path
        The folder of the outputs.
    folder : pathlib.Path or None
        The private folder of all copies; None where nothing lies elsewhere.
    copies : dict of Path to Path
        Addresses as they are shown, and their copies.
    """

    tables: list[Path]
    images: Path | None
    out: Path
    folder: Path | None = None
    copies: dict[Path, Path] = field(default_factory=dict)

    def told(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Return outcomes that tell of addresses in place of their copies."""
        if self.folder is None:
            return list(outcomes)
        return told_of(outcomes, self.folder, self.copies)


@contextmanager
def at_hand(
    tables: Sequence[str | Path], images: str | Path | None, out: str | Path, *, file: str
) -> Iterator[AtHand]:
    """Have tables and images at hand, and send what was made of them when all is done.

    Parameters
    ----------
    tables : sequence of path-like
        Fixation tables and folders of them, or their addresses.
    images : path-like or None
        Folder of images, or its address.
    out : path-like
        Folder of the outputs, or its address.
    file : str
        The output that may not replace what gazetrack did not write.

    Yields
    ------
    AtHand
        Files and folders of this machine. When the block ends without an error, all files in a
        folder of outputs that stands for an address are sent, each whole.

    Raises
    ------
    GazetrackError
        A store refuses or cannot be reached, or has no such object; or there is no room for the
        copies.
    """
    places = [local_or_url(table) for table in tables]
    image_place = None if images is None else local_or_url(images)
    out_place = local_or_url(out)
    if not any(isinstance(place, str) for place in (*places, image_place, out_place)):
        yield AtHand([Path(place) for place in places], _path(image_place), Path(out_place))
        return
    with private_folder() as folder:
        found = AtHand([], None, Path(out_place), folder)
        with told_by_address(folder, found.copies):
            found.tables = [_near(place, found, _is_table) for place in places]
            if image_place is not None:
                found.images = _near(image_place, found, _is_no_hidden)
            before = None
            if isinstance(out_place, str):
                # Apart from the inputs, which may lie in the same folder.
                found.out = folder / "out"
                found.copies[shown_path(out_place)] = found.out
                before = stand_in(joined(out_place, file), found.out / file)
            yield found
        if isinstance(out_place, str):
            for path in _made(found.out):
                name = path.relative_to(found.out).as_posix()
                if name != file or identity(path) != before:
                    send(path, joined(out_place, name))


def _path(place: Path | str | None) -> Path | None:
    return None if place is None else Path(place)


def _near(place: Path | str, found: AtHand, wanted: Callable[[str], bool]) -> Path:
    """Return a file or folder of this machine, or the copy of one that lies elsewhere."""
    if isinstance(place, Path) or found.folder is None:
        return Path(place)
    copy = copy_of(shown_path(place), found.folder / "in")
    objects, is_folder = listed(place, recursive=False)
    if is_folder:
        objects = [url for url in objects if wanted(shown_path(url).name)]
        if not objects:
            hint = "name a folder of tables or images, or the tables"
            raise InputError("a folder without such files", path=shown_path(place), hint=hint)
    for url in objects:
        path = shown_path(url)
        own = copy_of(path, found.folder / "in")
        own.parent.mkdir(parents=True, exist_ok=True)
        found.copies[path] = own
        fetch(url, own)
    found.copies[shown_path(place)] = copy
    return copy


def _is_table(name: str) -> bool:
    return name.endswith(SUFFIX) and _is_no_hidden(name)


def _is_no_hidden(name: str) -> bool:
    return not name.startswith(".")


def _made(folder: Path) -> list[Path]:
    """Return the files in a folder of outputs but for hidden ones, which are of unfinished work."""
    if not folder.is_dir():
        return []
    found = sorted(folder.rglob("*"))
    return [
        path
        for path in found
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
