"""Names, e-mail addresses and dates out of texts that people write."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Rename = Callable[[str], str]

_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)")
_BETWEEN = re.compile(r"[\s._-]+")
# Accents without a composed form belong to the letter in front of them.
_WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f])+")
_MORE_WORDS = 2
_LEAST_CHARS = 2  # a participant called 1 would take the 1 out of every name


def cleaner(names: Mapping[str, str], *, dates: bool = False) -> Rename:
    """Return a function that replaces whole names and e-mail addresses in a text.

    Parameters
    ----------
    names : mapping of str to str
        What stands for each name. Case does not matter, nor do spaces, dots, dashes and underscores
        within it, nor whether letters with accents are composed. Names of one character or of
        digits alone are left in: they stand for too much else.
    dates : bool
        Whether dates such as ``2020-01-31`` and ``31.1.2020`` are taken out as well.
    """
    known: dict[str, str] = {}
    most_words = 0
    for given, new in names.items():
        name = unicodedata.normalize("NFC", given)
        words = list(_WORD.finditer(name))
        plain = _plain(name[words[0].start() : words[-1].end()]) if words else ""
        if len(plain) >= _LEAST_CHARS and not plain.isdigit():
            known[plain] = new
            most_words = max(most_words, len(words))
    # A name may be written in more words than it was given in. Each stretch of words is looked up,
    # the longest first: the time does not grow with the number of names, which a pattern of all of
    # them would need.
    most_words += _MORE_WORDS if known else 0

    def clean(text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        words = [match.span() for match in _WORD.finditer(text)]
        pieces, done, first = [], 0, 0
        while first < len(words):
            start = words[first][0]
            for last in range(min(first + most_words, len(words)) - 1, first - 1, -1):
                new = known.get(_plain(text[start : words[last][1]]))
                if new is not None:
                    pieces += [text[done:start], new]
                    done, first = words[last][1], last
                    break
            first += 1
        # Names first: a file may be called after an address, and its name would not be known again.
        cleaned = _EMAIL.sub("removed", "".join([*pieces, text[done:]]))
        return _DATE.sub("removed", cleaned) if dates else cleaned

    return clean


def _plain(name: str) -> str:
    return _BETWEEN.sub("", name).casefold()
