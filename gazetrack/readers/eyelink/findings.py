"""EyeLink ASC: what a user should know of a file."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """What had to be inferred, and what is not used.

    Parameters
    ----------
    notes : list of str
        What else was found, in words for the user and without repetition.
    dropped : dict of str to int
        The lines and samples that are not used, by reason.
    """

    notes: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)

    def note(self, words: str) -> None:
        """Add a note, once: what it says may hold for many lines."""
        if words not in self.notes:
            self.notes.append(words)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count lines or samples that are not used.

        Parameters
        ----------
        reason : str
            Why they are not, in words for the user.
        count : int
            How many more there are.
        """
        self.dropped[reason] = self.dropped.get(reason, 0) + count
