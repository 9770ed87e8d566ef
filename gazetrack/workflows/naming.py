"""Names of recordings and outputs, from the files that people have.

Trackers give the same name to everybody's file: ``gaze_positions.csv`` lies in the folder of each
participant. Such a name says nothing, and without the folder's three people would become one
recording. Names depend on the path alone, so that they are the same in every command and every
call; only where the files of one call would still share a name do the folders that tell them apart
come in front.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import readable
from gazetrack.publish import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Files of one recording: what stands in front of, or in place of, the name of the recording itself.
_PARTS = re.compile(
    r"(?:gaze_positions|gaze|fixations|blinks"  # Pupil Player and Pupil Cloud
    r"|(?P<gazepoint>.+)_(?:all_gaze|fixations)"  # Gazepoint Analysis
    r"|(?P<studio>.+)-(?:All|Fixation|Event)-Data)",  # Tobii Studio
)
# Names that software gives by itself, the same for everybody.
_SAYS_NOTHING = re.compile(
    r"(?:data|export|recording|session|samples|gazedata|gaze_data|livedata|all_gaze|eyetracking|eye_tracking"
    r"|(?:user|rec|recording|session|participant|test)[ _-]*\d{1,4}|\d{1,4}"
    r"|(?:gaze_positions|fixations)_on_surface_.*|p?upil_positions)",
    re.IGNORECASE,
)
# Folders that software makes around exports. Numbers are names of recordings, of one day or one
# person.
_SKIPPED_FOLDERS = re.compile(r"exports?|results?", re.IGNORECASE)
_NUMBERED_FOLDER = re.compile(r"\d{1,4}")
_MOST_FOLDERS = 4


def stem_of(path: Path) -> str:
    """Return a file's name without ``.gz``, its suffix, and the ``.samples`` of our own tables.

    >>> stem_of(Path("s01/raw.tsv.gz")), stem_of(Path("raw.samples.parquet"))
    ('raw', 'raw')
    """
    name = readable(path.name)
    name = name[:-3] if name.lower().endswith(".gz") else name
    return Path(name).stem.removesuffix(".samples")


def says_nothing(name: str) -> bool:
    """Tell whether a name is one that software gives to everybody's recording.

    >>> says_nothing("Recording1"), says_nothing("data"), says_nothing("anna")
    (True, True, False)
    """
    return _SAYS_NOTHING.fullmatch(name) is not None


def recording_name(path: Path) -> str:
    """Return what a file's recording is called, as far as the path of this file alone tells.

    The stem where it says anything; else the folder it lies in, alone for the parts of a recording
    that have fixed names, and in front of the stem for all others.

    >>> recording_name(Path("/study/anna.asc"))
    'anna'
    >>> recording_name(Path("/study/s01/exports/000/gaze_positions.csv"))
    's01_000'
    >>> recording_name(Path("/study/s01/data.csv"))
    's01_data'
    """
    stem = stem_of(path)
    part = _PARTS.fullmatch(stem)
    own = stem if part is None else next(filter(None, part.groups()), "")
    if own and not (says_nothing(own) and not own.isdigit()):
        return own
    folder = "_".join(_folders_that_tell(path))
    return "_".join(filter(None, (folder, own))) or stem


def _folders_that_tell(path: Path) -> list[str]:
    """Return the nearest folder with a name of its own, and the numbered ones below it."""
    found: list[str] = []
    for folder in Path(os.path.abspath(path)).parents[:_MOST_FOLDERS]:  # noqa: PTH100 - a link keeps its name
        if not folder.name or _SKIPPED_FOLDERS.fullmatch(folder.name):
            continue
        found.insert(0, folder.name)
        if not _NUMBERED_FOLDER.fullmatch(folder.name):
            break
    return found


def recording_names(paths: Iterable[Path]) -> dict[Path, str]:
    """Return what the recordings of several files are called: no two recordings alike.

    Parts of one recording (gaze and fixations of one folder) share its name. A second file of one
    stem in one folder is called by its whole name. The order of the files does not matter.
    """
    names: dict[Path, str] = {}
    owners: dict[tuple[Path, str], str] = {}
    for path in sorted(paths):
        names[path] = recording_name(path)
        # Parts of a recording have stems of their own; two files of one stem are not parts of one
        # another.
        owner = owners.setdefault((path.parent, stem_of(path).lower()), path.name)
        if owner != path.name:
            names[path] = path.name
    by_name: dict[str, list[Path]] = {}
    for path, name in names.items():
        by_name.setdefault(name.casefold(), []).append(path)
    for meeting in by_name.values():
        folders = list(dict.fromkeys(path.parent for path in meeting))
        if len(folders) > 1:
            fronts = dict(zip(folders, _fronts(folders), strict=True))
            names |= {path: f"{fronts[path.parent]}{names[path]}" for path in meeting}
    return _distinct(names)


def _fronts(folders: Sequence[Path]) -> list[str]:
    """Return what tells folders apart: their parts but for what all begin and all end with."""
    parts = [Path(os.path.abspath(folder)).parts for folder in folders]  # noqa: PTH100 - as above
    rest = [list(own) for own in parts]
    while all(rest) and len({own[0] for own in rest}) == 1:
        rest = [own[1:] for own in rest]
    while all(rest) and len({own[-1] for own in rest}) == 1:
        rest = [own[:-1] for own in rest]
    return ["".join(f"{part}_" for part in own) for own in rest]


def _distinct(names: dict[Path, str]) -> dict[Path, str]:
    """Return the names; where a_b/c and a/b_c still meet, with a hash of their folders behind."""
    folders: dict[str, set[Path]] = {}
    for path, name in names.items():
        folders.setdefault(name.casefold(), set()).add(path.parent)
    distinct = {}
    for path, name in names.items():
        is_alone = len(folders[name.casefold()]) == 1
        distinct[path] = name if is_alone else f"{name}-{digest_of(str(path.parent))}"
    return distinct


def output_stem(path: Path, name: str) -> str:
    """Return how the outputs of a file begin in a folder that all outputs share.

    Parameters
    ----------
    path : pathlib.Path
        The input file, of any format.
    name : str
        The name of its recording, which the outputs share where it says which file it was.
    """
    stem = stem_of(path)
    return name if _PARTS.fullmatch(stem) or stem in name else f"{name}_{stem}"
