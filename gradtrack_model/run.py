"""The run folder: what is written where, and which step is the best."""

from __future__ import annotations

import csv
import io
import math
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from gazetrack.errors import OutputError
from gazetrack.publish import write_text
from gradtrack_model.checkpoint import save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data import TrainingData
    from gradtrack_model.model import TrackUNet

COLUMNS = ("step", "loss", "loss_mask", "loss_dice", "loss_tracks", "lr", "val_dice", "val_iou", "val_loss", "seconds")
BY_DICE, BY_LOSS, BY_STEP = "validation Dice", "validation loss on gaze labels", "last step (nothing to validate on)"
_RUN_FILES = ("best.json", "last.json", "best.safetensors", "last.safetensors", "metrics.csv", "log.txt")


@dataclass(frozen=True)
class TrainResult:
    """What became of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder.
    step : int
        Steps done.
    best_step : int
        Step of ``best.*``; 0 when the run was stopped before any.
    best : dict
        Validation metrics of ``best.*``.
    selected_by : str
        What ``best.*`` was chosen by.
    seconds : float
        Time taken.
    stopped_by : int or None
        Number of the signal that stopped the run.
    """

    folder: Path
    step: int
    best_step: int
    best: dict[str, float]
    selected_by: str
    seconds: float
    stopped_by: int | None = None


@dataclass
class Run:
    """The run folder: what is written where, and which step is the best."""

    folder: Path
    config: TrainConfig
    data: TrainingData
    force: bool
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start = time.monotonic()
        self._rows: list[dict[str, float]] = []
        self._prepare_folder()
        write_text(self.folder / "log.txt", "".join(f"{note}\n" for note in self._notes()))
        self._board = _tensorboard(self.folder) if self.config.tensorboard else None

    @property
    def selected_by(self) -> str:
        """What the best step is chosen by."""
        if any(sample.mask is not None for sample in self.data.val):
            return BY_DICE
        return BY_LOSS if any(sample.has_gaze for sample in self.data.val) else BY_STEP

    def save(self, model: TrackUNet, step: int, row: dict[str, float]) -> None:
        """Save ``last.*``, and ``best.*`` when this is the best."""
        measured = {name: value for name, value in row.items() if name.startswith("val_") and math.isfinite(value)}
        if not self.save_if_finite("last", model, step, measured):
            return
        if self.best_step == 0 or self._score(measured) > self._score(self.best):
            self.best_step, self.best = step, measured
            self.save_if_finite("best", model, step, measured)

    def save_if_finite(self, name: str, model: TrackUNet, step: int, measured: dict[str, float] | None = None) -> bool:
        """Save the weights unless some are not finite: what is on disk is then the last good state."""
        finite = all(bool(torch.isfinite(p).all()) for p in model.state_dict().values())
        if finite:
            metrics = {"selected_by": self.selected_by, **(measured or {})}
            save_checkpoint(self.folder, name, model, self.config, step, metrics)
        return finite

    def log(self, step: int, row: dict[str, float], write: bool) -> None:
        """Add a row to the log at every `log_every` steps, and to the disk when `write`."""
        row["seconds"] = time.monotonic() - self._start
        if write or step % self.config.log_every == 0:
            self._rows.append({"step": step, **row})
            if self._board is not None:
                for name, value in row.items():
                    self._board.add_scalar(name, value, step)
        if write:
            write_text(self.folder / "metrics.csv", _csv(self._rows))

    def result(self, step: int, stopped_by: int | None) -> TrainResult:
        """Return what became of the run."""
        seconds = time.monotonic() - self._start
        return TrainResult(self.folder, step, self.best_step, self.best, self.selected_by, seconds, stopped_by)

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self._board is not None:
            self._board.close()

    def _score(self, measured: dict[str, float]) -> float:
        by = self.selected_by
        if by == BY_STEP:
            return math.inf if measured is not self.best else 0.0
        return measured.get("val_dice", -math.inf) if by == BY_DICE else -measured.get("val_loss", math.inf)

    def _notes(self) -> list[str]:
        sizes = f"{len(self.data.train)} training images, {len(self.data.val)} validation images"
        return [sizes, f"best.* is chosen by {self.selected_by}", *self.data.notes]

    def _prepare_folder(self) -> None:
        there = [name for name in _RUN_FILES if (self.folder / name).exists()]
        if there and not self.force:
            what = f"already holds a run ({there[0]})"
            raise OutputError(what, path=self.folder, hint="give another --out, or --force to replace it")
        for name in there:
            (self.folder / name).unlink()
        if there:
            shutil.rmtree(self.folder / "tensorboard", ignore_errors=True)


def _csv(rows: Sequence[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    return text.getvalue()


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))
