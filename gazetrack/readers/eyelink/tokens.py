"""EyeLink ASC: one line that is not a sample, its words, and the errors about it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from gazetrack.errors import ParseError, quote

if TYPE_CHECKING:
    from pathlib import Path

DAMAGED = "the file is damaged here; convert the EDF again"
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})")


def number(token: str) -> float:
    """Return a plain decimal number, NaN for anything else."""
    return float(token) if _NUMBER.fullmatch(token) else math.nan


class Line(NamedTuple):
    """One line that is not a sample.

    `number` counts the lines of the file from 1; `text` has no blanks around it.
    """

    path: Path
    number: int
    text: str

    def time(self, tokens: list[str], at: int) -> float:
        """Return one of the line's words as a time of the tracker's clock, ms.

        Parameters
        ----------
        tokens : list of str
            The words of the line, of which the first is its keyword.
        at : int
            Which of them is the time.

        Raises
        ------
        ParseError
            The word is no number, or the line ends before it.
        """
        time = number(tokens[at]) if at < len(tokens) else math.nan
        if math.isnan(time):
            raise self.error(f"{quote(tokens[0])} line without a time", DAMAGED)
        return time

    def error(self, what: str, hint: str) -> ParseError:
        """Return an error about this line."""
        return ParseError(what, path=self.path, line=self.number, hint=hint)

    def second_recording(self, what: str) -> ParseError:
        """Return the error about a line with which another recording begins.

        Parameters
        ----------
        what : str
            What shows that it does, in words for the user.
        """
        hint = "give each recording a file of its own; convert each EDF by itself"
        return self.error(f"another recording begins: {what}", hint)
