"""Labels of BIDS: what a subject, session, task or run may be called, and names of files of them.

Specification: "Brain Imaging Data Structure" 1.11, "File name structure": a label consists of
letters, digits and plus signs, an index of digits, and no two labels may differ in case alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, DataError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTITIES = {"subject": "sub", "session": "ses", "task": "task", "run": "run"}
_WORD = re.compile(r"[^\W_]+")
_LEAST_CHARS = 2  # a word of one character is in too many others
_LABEL = re.compile(r"[0-9A-Za-z+]+")
_INDEX = re.compile(r"[0-9]+")
_SEPARATORS = re.compile(r"[\s._-]+")
MAX_LABEL_CHARS = 60


@dataclass(frozen=True, kw_only=True)
class Entities:
    """What tells the files of one recording from all others of a data set.

    Parameters
    ----------
    subject, task : str
        Labels without ``sub-`` and ``task-`` in front.
    session, run : str
        Likewise; empty where there is none.
    """

    subject: str
    task: str
    session: str = ""
    run: str = ""

    @property
    def folder(self) -> str:
        """The folder of the files within the data set."""
        session = f"/ses-{self.session}" if self.session else ""
        return f"sub-{self.subject}{session}/beh"

    @property
    def prefix(self) -> str:
        """What the names of the files begin with, up to their suffix."""
        parts = [f"{short}-{getattr(self, name)}" for name, short in ENTITIES.items()]
        return "_".join(part for part in parts if not part.endswith("-"))


def checked_label(entity: str, text: str, where: str) -> str:
    """Return a label that a user has typed, without its entity in front.

    Parameters
    ----------
    entity : {"subject", "session", "task", "run"}
        What the label is one of.
    text : str
        What was typed, such as ``look``, or ``task-look``.
    where : str
        The option or the place in a file, for the message.

    Raises
    ------
    ConfigError
        BIDS forbids it.
    """
    label = text.removeprefix(f"{ENTITIES[entity]}-")
    if _is_allowed(entity, label):
        return label
    proposed = _plain(label) if entity != "run" else "".join(re.findall("[0-9]", label))
    proposal = f"such as {proposed[:MAX_LABEL_CHARS]}; " if proposed else ""
    what = f"{where}: BIDS forbids {quote(text, 40)!r} as a {entity} label"
    raise ConfigError(what, hint=f"{proposal}{_rule(entity)}")


def label_of(entity: str, found: str) -> str:
    """Return what was found in an export as a label: without spaces, dots, dashes and underscores.

    Parameters
    ----------
    entity : {"subject", "session", "task", "run"}
        What the label is one of.
    found : str
        What the export or its name says.

    Raises
    ------
    DataError
        Something else in it is not allowed, and nobody but the user knows what to write.
    """
    label = _SEPARATORS.sub("", found.removeprefix(f"{ENTITIES[entity]}-"))
    if _is_allowed(entity, label):
        return label
    what = f"BIDS forbids {quote(found, 40)!r} as a {entity} label"
    hint = f"give it a label in [labels.{entity}] of --rules; {_rule(entity)}"
    raise DataError(what, hint=hint)


def tells_of(label: str, people: Iterable[str]) -> bool:
    """Tell whether a label gives away a part of a person's name.

    Parameters
    ----------
    label : str
        What was found in a name of the export; one of digits alone tells of nobody.
    people : iterable of str
        The names of participants, as exported.
    """
    own = folded(label)
    if len(own) < _LEAST_CHARS or own.isdigit():
        return False
    for person in people:
        words = [word for word in _WORD.findall(folded(person)) if not word.isdigit()]
        if own in "".join(_WORD.findall(folded(person))):
            return True
        if any(len(word) >= _LEAST_CHARS and word in own for word in words):
            return True
    return False


def composed(text: str) -> str:
    """Return a text with each letter and its accents as one character, as most programs do."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return a text without accents and capitals, to compare it with others."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(char for char in letters if not unicodedata.combining(char)).casefold()


def _is_allowed(entity: str, label: str) -> bool:
    pattern = _INDEX if entity == "run" else _LABEL
    return len(label) <= MAX_LABEL_CHARS and pattern.fullmatch(label) is not None


def _rule(entity: str) -> str:
    signs = "digits" if entity == "run" else "letters, digits and +"
    return f"use {signs}, at most {MAX_LABEL_CHARS}"


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^0-9A-Za-z+]", "", ascii_text)
