"""Folders named as inputs: which of them holds an export, and what was not looked into."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gazetrack.errors import DataError, quote
from gazetrack.storage.address import local_or_url, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gazetrack.workflows.bids.assembly import Staged


def named_folders(paths: Iterable[str | Path]) -> list[Path]:
    """Return the folders among inputs, the deepest first.

    Parameters
    ----------
    paths : iterable of path-like
        Exports and folders of them, or their addresses.
    """
    places = [local_or_url(path) for path in paths]
    # Whether an address is of a folder nobody asks here: no file lies within one that is of a file.
    folders = [shown_path(place) if isinstance(place, str) else place for place in places]
    return sorted(set(folders), key=lambda folder: -len(folder.parts))


def asked_for(file: Path, folders: Iterable[Path]) -> str:
    """Return which of the folders that were named holds a file; its own where none does.

    Parameters
    ----------
    file : pathlib.Path
        An export, by the name it was found under.
    folders : iterable of pathlib.Path
        The folders that were named, as `named_folders` returns them.
    """
    found = next((folder for folder in folders if folder in file.parents), file.parent)
    return _whole(found)


def not_looked_into(folders: Iterable[Path], recordings: Iterable[Staged]) -> int:
    """Return how many folders lie below those that were named and gave no recording.

    Parameters
    ----------
    folders : iterable of pathlib.Path
        The folders that were named, as `named_folders` returns them.
    recordings : iterable of Staged
        What was found in them.
    """
    used = {one.asked for one in recordings}
    unused = [folder for folder in folders if folder.is_dir() and _whole(folder) not in used]
    below = [inner for folder in unused for inner in folder.iterdir() if inner.is_dir()]
    return sum(not inner.name.startswith(".") for inner in below)


def _whole(folder: Path) -> str:
    return str(folder.resolve() if folder.is_dir() else folder)


def refuse_two_inputs(recordings: Sequence[Staged]) -> None:
    """Refuse one name in two folders that were named: two sites may both have a P1.

    Where sessions tell the folders apart, somebody has said that it is one person on two days.

    Parameters
    ----------
    recordings : sequence of Staged
        All recordings, in the order of the exports.

    Raises
    ------
    DataError
        A subject would be made of two folders.
    """
    owners: dict[tuple[str, str], Staged] = {}
    for one in recordings:
        if one.is_given:
            continue
        subject = one.found["subject"]
        other = owners.setdefault((subject.casefold(), one.found.get("session", "")), one)
        if other.asked != one.asked:
            what = f"sub-{subject} is also in another folder: {quote(other.file, 60)}"
            hint = (
                "two people: match their folders by file in --rules and give each a label in "
                "[labels.subject]; one person: a label, or a session for each folder"
            )
            raise DataError(what, path=one.file, hint=hint)


def notes_on_folders(recordings: Sequence[Staged]) -> list[str]:
    """Return a note for each subject whose recordings lie in several folders.

    They are folders of one input, or inputs that a label of the user's makes one person.

    Parameters
    ----------
    recordings : sequence of Staged
        All recordings, none of which was refused.
    """
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in recordings:
        if one.data_set:
            continue
        person = (one.found["subject"], one.found.get("session", ""))
        if one.is_given:
            given[person].add(one.asked)
        else:
            found[person].add(one.lies_in)
    notes = [
        f"sub-{subject} is in {len(lies_in)} folders, taken as one person; two people: match "
        "their folders by file in --rules and give each a label in [labels.subject]"
        for (subject, _), lies_in in found.items()
        if len(lies_in) > 1
    ]
    notes += [
        f"sub-{subject} is in {len(asked)} of the folders that were named: one person, as "
        "[labels.subject] gives all of it one label"
        for (subject, _), asked in given.items()
        if len(asked) > 1
    ]
    return notes
