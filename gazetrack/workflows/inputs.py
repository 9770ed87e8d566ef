"""From files and folders that a user names to recordings: what belongs together, and its name.

Trackers write one recording into several files: gaze, fixations and blinks. Read one by one they
would be two tables of the same looks, and the tracker's own fixations would stand beside detected
ones.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gazetrack.errors import GazetrackError, InputError, OutputError, UnknownFormat, quote
from gazetrack.publish import file_stem
from gazetrack.readers import registry
from gazetrack.readers.base import Level, read_head
from gazetrack.readers.pupil.blinks import is_blinks
from gazetrack.storage.address import local_or_url, output_folder, parent_of, shown_path
from gazetrack.storage.copies import private_folder
from gazetrack.storage.objects import fetch_beginning, listed
from gazetrack.tables.own_tables import once
from gazetrack.workflows.naming import output_stem, recording_name, recording_names, stem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gazetrack.readers.head import Head

# The eyes of a BIDS recording, each in a file of its own; that of the first stands for all.
_EYE = re.compile(r"(.+)_recording-eye([1-9])_physio\.tsv(?:\.gz)?")
# Of an object, enough to look into, packed or not.
_BEGINNING_BYTES = 1024**2


@dataclass(frozen=True)
class Family:
    """How a tracker's software names the files of one recording, as patterns of their stems.

    Parameters
    ----------
    format : str
        The reader of gaze and of fixations.
    gaze, fixations : re.Pattern
        Their groups, if any, are the same in files of one recording.
    blinks : str
        The stem of the file of blinks; empty where there is none.
    """

    format: str
    gaze: re.Pattern[str]
    fixations: re.Pattern[str]
    blinks: str = ""


FAMILIES = (
    Family("pupil_core", re.compile("gaze_positions()"), re.compile("fixations()"), "blinks"),
    Family("pupil_cloud", re.compile("gaze()"), re.compile("fixations()"), "blinks"),
    Family("gazepoint", re.compile("(.+)_all_gaze"), re.compile("(.+)_fixations")),
    Family("tobii_studio", re.compile("(.+)-All-Data"), re.compile("(.+)-Fixation-Data")),
)


@dataclass(frozen=True)
class Source:
    """One recording to read.

    Parameters
    ----------
    path : pathlib.Path
        The file, that of the gaze where there are several.
    name : str
        What the recording is called.
    target : pathlib.Path
        Its outputs, without their endings.
    from_folder : bool
        Whether it was found in a folder: then it may be no export at all.
    fixations, blinks : pathlib.Path or None
        The tracker's own, in files of their own.
    eyes : tuple of pathlib.Path
        The other eyes' gaze, in files of their own.
    leaves_fixations : bool
        Whether a file beside it, that was not named, holds the tracker's own fixations.
    clash : OutputError or None
        Why it cannot be written: another input has the same target.
    addresses : mapping of Path to str
        Of files that lie elsewhere, what `path`, `fixations` and `blinks` show, and the address
        behind it, perhaps with a password: never to be shown.
    out_url : str
        The address of the folder of `target`, likewise; empty for a folder of this machine.
    replaces : tuple of str
        Names of tables that are known to be of this recording as it was before, and may be replaced
        though its bytes have changed.
    """

    path: Path
    name: str
    target: Path
    from_folder: bool = False
    fixations: Path | None = None
    blinks: Path | None = None
    eyes: tuple[Path, ...] = ()
    leaves_fixations: bool = False
    clash: OutputError | None = None
    addresses: Mapping[Path, str] = field(default_factory=dict, hash=False, repr=False)
    out_url: str = field(default="", repr=False)
    replaces: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Path, ...]:
        """The other files of the recording."""
        beside = tuple(path for path in (self.fixations, self.blinks) if path is not None)
        return beside + self.eyes


def find_sources(
    paths: Sequence[str | Path],
    *,
    recursive: bool = False,
    out: str | Path | None = None,
    join: bool = True,
) -> list[Source]:
    """Return the recordings of files and folders, in order.

    Parameters
    ----------
    paths : sequence of path-like
        Exports, or addresses of them; of a folder, all files in it but tables of ours and hidden
        ones.
    recursive : bool
        Of a folder, also take what lies below it.
    out : path-like or None
        Folder of the outputs, or its address; None for beside each file.
    join : bool
        Whether files of one recording are read as one.

    Raises
    ------
    InputError
        A folder without files.
    """
    addresses: dict[Path, str] = {}
    found = expand(paths, recursive, addresses)
    with _looking(addresses) as look:
        groups = _groups(found, look) if join else {}
        eyes = _eyes(found) if join else {}
        parts = {part for group in groups.values() for part in group if part is not None}
        parts.update(eye for others in eyes.values() for eye in others)
        # Neither the name nor the place of a recording depends on a protocol, settings or a log
        # beside it.
        beside: set[Path] = set()
        if join:
            in_folders = (path for path, from_folder in found.items() if from_folder)
            beside = _no_exports((path for path in in_folders if path not in parts), look)
    names = recording_names(path for path in found if path not in beside)
    folder, out_url = output_folder(out)
    targets = _Targets(folder)
    sources: list[Source] = []
    for path, from_folder in found.items():
        if path in parts:
            continue
        if path in beside:
            target = (folder or path.parent) / file_stem(path.name)
            own = _own_addresses((path,), addresses)
            sources.append(Source(path, path.name, target, from_folder, addresses=own))
            continue
        target = targets.of(path, names[path])
        fixations, blinks = groups.get(path, (None, None))
        others = eyes.get(path, ())
        own = _own_addresses((path, fixations, blinks, *others), addresses)
        may_leave = join and not from_folder and fixations is None
        sources.append(
            Source(
                path=path,
                name=names[path],
                target=target,
                from_folder=from_folder,
                fixations=fixations,
                blinks=blinks,
                eyes=others,
                leaves_fixations=may_leave and _has_fixations_beside(path),
                clash=targets.clash(path, target),
                addresses=own,
                out_url=parent_of(own[path]) if out is None and own else out_url,
            )
        )
    return sources


def _own_addresses(files: Iterable[Path | None], addresses: Mapping[Path, str]) -> dict[Path, str]:
    return {path: addresses[path] for path in files if path is not None and path in addresses}


@contextmanager
def _looking(addresses: Mapping[Path, str]) -> Iterator[Callable[[Path], Head]]:
    """Give the way to look into files; of those that lie elsewhere, their beginning is copied."""
    if not addresses:
        yield read_head
        return
    with private_folder() as folder:

        def look(path: Path) -> Head:
            if path not in addresses:
                return read_head(path)
            copy = folder / path.name
            fetch_beginning(addresses[path], copy, _BEGINNING_BYTES)
            return read_head(copy)

        yield look


class _Targets:
    """Where the outputs of inputs go, and whose place is taken already.

    Parameters
    ----------
    out : pathlib.Path or None
        Folder of all outputs; None for beside each input.
    """

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self._owners: dict[str, Path] = {}

    def of(self, path: Path, name: str) -> Path:
        """Return the outputs of an input, without their endings."""
        if self._out is None:
            return path.parent / file_stem(stem_of(path))
        return self._out / file_stem(output_stem(path, name))

    def clash(self, path: Path, target: Path) -> OutputError | None:
        """Return why an input cannot be written where it should be, or take its place.

        Two files of one stem in one folder are often one recording in two formats, such as x.edf
        and x.asc, so that the second is not written either, wherever it would go.
        """
        owner = self._owners.setdefault(str(path.parent / stem_of(path)).lower(), path)
        if owner == path:
            owner = self._owners.setdefault(f"to {target}".lower(), path)
        if owner == path:
            return None
        what = f"would be written over the output of {quote(owner)}"
        return OutputError(what, path=path, hint="convert it into another folder with --out")


def expand(
    paths: Iterable[str | Path], recursive: bool, addresses: dict[Path, str] | None = None
) -> dict[Path, bool]:
    """Return each file once, whatever way leads to it, and whether it was found in a folder.

    Of a folder, tables of ours and hidden files are left out. What lies elsewhere is returned as it
    may be shown, and its address put into `addresses`.
    """
    found: dict[Path, bool] = {}
    for path in map(local_or_url, paths):
        if isinstance(path, str):
            _expand_url(path, recursive, found, {} if addresses is None else addresses)
            continue
        if not path.is_dir():
            found.setdefault(path, False)
            continue
        inside = sorted(path.rglob("*") if recursive else path.iterdir())
        files = [file for file in inside if file.is_file() and _may_be_export(file)]
        if not files:
            raise _empty_folder(path, recursive)
        for file in files:
            found.setdefault(file, True)
    return {path: found[path] for path in once(found)}


def _expand_url(
    url: str, recursive: bool, found: dict[Path, bool], addresses: dict[Path, str]
) -> None:
    """Add what an address names to what was found; see `expand`."""
    objects, is_folder = listed(url, recursive=recursive)
    files = {shown_path(each): each for each in objects}
    # A pattern says itself which files are meant.
    if is_folder and "*" not in url:
        files = {path: each for path, each in files.items() if _may_be_export(path)}
    if not files:
        raise _empty_folder(shown_path(url), recursive)
    for path, each in files.items():
        found.setdefault(path, is_folder)
        addresses.setdefault(path, each)


def _empty_folder(path: Path, recursive: bool) -> InputError:
    hint = "name the exports" if recursive else "name the exports, or add --recursive"
    return InputError("a folder without files", path=path, hint=hint)


def _may_be_export(file: Path) -> bool:
    return not file.name.startswith(".") and file.suffix != ".parquet"


def _no_exports(paths: Iterable[Path], look: Callable[[Path], Head]) -> set[Path]:
    """Return those that share a name with another file of their folder, and are no exports.

    Only these are looked into, for their contents decide.
    """
    alike: dict[tuple[Path, str], list[Path]] = {}
    for path in paths:
        for name in {stem_of(path).lower(), recording_name(path).lower()}:
            alike.setdefault((path.parent, name), []).append(path)
    doubtful = {path for meeting in alike.values() if len(meeting) > 1 for path in meeting}
    return {path for path in doubtful if _is_no_export(path, look)}


def _is_no_export(path: Path, look: Callable[[Path], Head]) -> bool:
    try:
        registry.detect(look(path))
    except UnknownFormat:
        return True
    except GazetrackError:  # whoever reads it says why
        return False
    return False


def _groups(
    paths: Iterable[Path], look: Callable[[Path], Head]
) -> dict[Path, tuple[Path | None, Path | None]]:
    """Return the fixations and blinks that belong to a file of gaze, by that file.

    Their names say so, and their contents.
    """
    folders: dict[Path, dict[str, Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, {}).setdefault(stem_of(path), path)
    groups: dict[Path, tuple[Path | None, Path | None]] = {}
    for family in FAMILIES:
        for inside in folders.values():
            for stem, path in inside.items():
                match = family.gaze.fullmatch(stem)
                if match is None:
                    continue
                fixations = _of_family(family, _like(inside, family.fixations, match[1]), look)
                blinks = inside.get(family.blinks)
                if blinks is not None and not _is_blinks(blinks, family.format, look):
                    blinks = None
                if (fixations or blinks) and _of_family(family, path, look):
                    groups[path] = fixations, blinks
    return groups


def _eyes(paths: Iterable[Path]) -> dict[Path, tuple[Path, ...]]:
    """Return the files of the other eyes of a BIDS recording, by that of its first eye."""
    firsts: dict[tuple[Path, str], Path] = {}
    others: dict[tuple[Path, str], list[Path]] = {}
    for path in paths:
        match = _EYE.fullmatch(path.name)
        if match is not None and match[2] == "1":
            firsts.setdefault((path.parent, match[1]), path)
        elif match is not None:
            others.setdefault((path.parent, match[1]), []).append(path)
    return {first: tuple(sorted(others[key])) for key, first in firsts.items() if key in others}


def _has_fixations_beside(path: Path) -> bool:
    """Tell whether a file of fixations of the same recording lies beside a file of gaze."""
    if not path.is_file():
        return False
    for family in FAMILIES:
        match = family.gaze.fullmatch(stem_of(path))
        if match is None:
            continue
        beside = {stem_of(file): file for file in path.parent.iterdir() if file.is_file()}
        fixations = _of_family(family, _like(beside, family.fixations, match[1]), read_head)
        if fixations is not None and _of_family(family, path, read_head) is not None:
            return True
    return False


def _like(inside: dict[str, Path], pattern: re.Pattern[str], name: str) -> Path | None:
    """Return the first file whose stem fits the pattern with this name in it."""
    for stem, path in inside.items():
        match = pattern.fullmatch(stem)
        if match is not None and match[1] == name:
            return path
    return None


def _of_family(family: Family, path: Path | None, look: Callable[[Path], Head]) -> Path | None:
    """Return the file where its content is of the family's format."""
    if path is None:
        return None
    try:
        verdict = registry.get(family.format).sniff(look(path))
    except GazetrackError:  # whoever reads it says why
        return None
    return path if verdict.level == Level.CERTAIN else None


def _is_blinks(path: Path, format: str, look: Callable[[Path], Head]) -> bool:
    try:
        return is_blinks(look(path), format)
    except GazetrackError:
        return False
