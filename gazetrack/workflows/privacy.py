"""What is said about inputs that are not to be named: their place in the order, no text of theirs.

Files and folders are often called after people, and a message about a damaged cell may quote a
name. Under a policy of `gazetrack.tables.pseudonyms` other than ``keep`` everything that is printed
or reported goes through this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gazetrack.errors import GazetrackError, OutputError
from gazetrack.tables.cleaning import cleaner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazetrack.workflows.outcome import Outcome

_OF_CONTENT = "…"  # in place of why a format was recognised, which may name columns


@dataclass(frozen=True)
class Unnamed:
    """What an input is called that has no name.

    Parameters
    ----------
    number, total : int
        Its place in the order of the inputs, from 1.
    paths : sequence of pathlib.Path
        Its file, or files: what must not be told.
    shows_folder : bool
        Whether outputs lie in a folder that the user chose, so that it may be named.
    """

    number: int
    total: int
    paths: Sequence[Path]
    shows_folder: bool = False

    @property
    def label(self) -> str:
        """The input by its place."""
        return f"input {self.number} of {self.total}"

    def outcome(self, outcome: Outcome) -> Outcome:
        """Return an outcome that names neither the input nor its folder, nor quotes of it."""
        notes = [self._cleaned(note) for note in outcome.notes]
        if outcome.status == "skipped":
            notes = [f"{self.label}: no export of a known format"]
        outputs = [entry | {"path": self._shown(entry["path"])} for entry in outcome.outputs]
        summary = dict(outcome.summary)
        if summary:
            summary |= {"reason": _OF_CONTENT, "notes": notes}
        error = None if outcome.error is None else self.error(outcome.error)
        return replace(
            outcome, file=self.label, error=error, notes=notes, outputs=outputs, summary=summary
        )

    def error(self, error: GazetrackError) -> GazetrackError:
        """Return the error about the input by its place, or about an output by its name alone."""
        path = Path(self.label)
        if isinstance(error, OutputError) and error.path is not None:
            is_output = error.path not in self.paths
            if is_output:
                path = Path(error.path.name)
        return type(error)(
            self._cleaned(error.what),
            path=path,
            line=error.line,
            column=error.column,
            byte=error.byte,
            hint=None if error.hint is None else self._cleaned(error.hint),
        )

    def _cleaned(self, text: str) -> str:
        names = set()
        for path in self.paths:
            names.add(path.name)
            # A stem such as gaze is a word of the messages as well, and says nothing of anybody.
            is_word = path.stem.isalpha() and path.stem.islower()
            if not is_word:
                names.add(path.stem)
        return cleaner(dict.fromkeys(names, "…"))(text)

    def _shown(self, path: str) -> str:
        return path if self.shows_folder else Path(path).name
