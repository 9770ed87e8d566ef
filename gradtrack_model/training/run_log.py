"""What a run tells people who look on: ``metrics.csv``, ``log.txt``, TensorBoard's file, loggers.

What counts are the networks and the states: a log that cannot be written is a warning, and never
ends a run.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from gazetrack.errors import OutputError
from gazetrack.publish import write_text
from gradtrack_model.training.board import Board
from gradtrack_model.training.loggers import FAILED, RunLogger, open_loggers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COLUMNS = (
    "step",
    "loss",
    "loss_mask",
    "loss_dice",
    "loss_tracks",
    "lr",
    "val_dice",
    "val_iou",
    "val_loss",
    "seconds",
)
METRICS_FILE = "metrics.csv"
NOTES_FILE = "log.txt"


class RunLog:
    """The logs of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder, which gets the files.
    writes : bool
        Whether this process writes: of several on one run, one does.
    """

    def __init__(self, folder: Path, *, writes: bool) -> None:
        self.rows: list[dict[str, float]] = []
        self._folder = folder
        self._writes = writes
        self._notes: list[str] = []
        # Notes that nobody was shown yet.
        self._untold: list[str] = []
        self._boards: list[RunLogger] = []
        # What loggers are told of a run that leaves them without a word.
        self.ended = FAILED

    def begin(self, notes: Sequence[str]) -> None:
        """Start ``log.txt`` with notes that the console shows by itself."""
        self._notes = list(notes)
        self._write_notes()

    def resume(self) -> None:
        """Go on with the ``log.txt`` that is there."""
        path = self._folder / NOTES_FILE
        if path.exists():
            self._notes = path.read_text("utf-8").splitlines()

    def open_board(self) -> None:
        """Begin a file of TensorBoard, where that is installed."""
        self._boards.append(Board(self._folder / "tensorboard"))

    def open_loggers(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Begin to log to what a laboratory keeps its runs with, see `loggers.open_loggers`."""
        self._boards += open_loggers(names, self._folder, settings)

    def note(self, text: str) -> None:
        """Add a line to ``log.txt``, and keep it for the console."""
        self._notes.append(text)
        self._untold.append(text)
        self._write_notes()

    def take_notes(self) -> tuple[str, ...]:
        """Return what nobody was told yet, for the console: all of it stands in ``log.txt``."""
        notes = tuple(self._untold)
        self._untold.clear()
        return notes

    def add(self, step: int, row: Mapping[str, float]) -> None:
        """Add the values of a step, by the names in `COLUMNS`."""
        self.rows.append({"step": step, **row})
        for board in tuple(self._boards):
            board.add(step, row)
            if board.failed:
                self.note(board.failed)
                self._boards.remove(board)

    def write(self) -> None:
        """Bring ``metrics.csv`` to the disk."""
        self._write(METRICS_FILE, _csv(self.rows))

    def close(self) -> None:
        """Close TensorBoard's file and all loggers, which are told how the run ended."""
        for board in self._boards:
            board.close(self.ended)
        self._boards.clear()

    def _write_notes(self) -> None:
        self._write(NOTES_FILE, "".join(f"{note}\n" for note in self._notes))

    def _write(self, name: str, text: str) -> None:
        if not self._writes:
            return
        try:
            write_text(self._folder / name, text)
        except OutputError as error:
            warning = f"logs cannot be written ({error.what}): the run goes on without them"
            # Said once; not by `note`, which would try to write again.
            if warning not in self._notes:
                self._notes.append(warning)
                self._untold.append(warning)


def _csv(rows: Sequence[Mapping[str, float]]) -> str:
    text = io.StringIO()
    # Of several classes, each has a column of its own.
    others = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    writer = csv.DictWriter(text, [*COLUMNS, *others], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
    return text.getvalue()
