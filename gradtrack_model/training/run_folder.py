"""The run folder: what is written where, and which step is the best."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from gazetrack.errors import CheckpointError, LockedError, OutputError, quote
from gazetrack.publish import write_json, write_text
from gradtrack_model.data.splits import FORMAT, SPLITS_FILE
from gradtrack_model.parallel import rank
from gradtrack_model.settings import config_from
from gradtrack_model.training.board import Board
from gradtrack_model.training.resume import States
from gradtrack_model.weights.checkpoint import save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.batches import Batch
    from gradtrack_model.data.sources import TrainingData
    from gradtrack_model.network.model import TrackUNet
    from gradtrack_model.training.learner import Learner

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
BY_DICE, BY_LOSS, BY_STEP = (
    "validation Dice",
    "validation loss on gaze labels",
    "last step (nothing to validate on)",
)
# What may differ after an interruption: the numbers do not depend on it, or (device, cache) only in
# their last bits.
_FREE = ("device", "cache", "workers", "tensorboard")
_NETWORKS = ("best.json", "last.json", "best.safetensors", "last.safetensors")
_RUN_FILES = (*_NETWORKS, "metrics.csv", "log.txt", SPLITS_FILE)
_OTHER_RUN = "it belongs to another run: train again with --force"


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
    waiting : float
        Share of it in which the network waited for batches.
    stopped_by : int or None
        Number of the signal that stopped the run.
    """

    folder: Path
    step: int
    best_step: int
    best: dict[str, float]
    selected_by: str
    seconds: float
    waiting: float = 0.0
    stopped_by: int | None = None


@dataclass
class Run:
    """The run folder: what is written where, and which step is the best."""

    folder: Path
    config: TrainConfig
    data: TrainingData
    force: bool
    resume: bool = False
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)
    waited: float = 0.0

    def __post_init__(self) -> None:
        self._start = time.monotonic()
        self._rows: list[dict[str, float]] = []
        self.states = States(self.folder)
        self.notes: list[str] = []
        self._untold: list[str] = []
        self._writes = rank() == 0
        self._board: Board | None = None
        self._lock: int | None = None
        anew = self.resume and not self.states.paths and not self._holds_a_result()
        self.resume = self.resume and not anew
        if not self._writes:
            return
        self._lock = _locked(self.folder)
        try:
            self._open_folder(anew)
        except BaseException:
            self.close()
            raise

    def _open_folder(self, anew: bool) -> None:
        if self.resume:
            self.notes = _lines(self.folder / "log.txt")
        else:
            self._prepare_folder(replace=self.force or anew)
            self.notes = self._notes()
            self._log("log.txt", "".join(f"{note}\n" for note in self.notes))
            write_json(self.folder / SPLITS_FILE, {"format": FORMAT, "images": self.data.splits})
        if anew:
            self._note("nothing was saved yet to resume: begun from the start")
        self._board = Board(self.folder / "tensorboard") if self.config.tensorboard else None

    @property
    def selected_by(self) -> str:
        """What the best step is chosen by."""
        if any(sample.mask is not None for sample in self.data.val):
            return BY_DICE
        return BY_LOSS if any(sample.has_gaze for sample in self.data.val) else BY_STEP

    def save(self, model: TrackUNet, step: int, row: dict[str, float]) -> bool:
        """Save ``last.*``, and ``best.*`` when this is the best; return whether the weights are finite."""
        measured = {
            name: value
            for name, value in row.items()
            if name.startswith("val_") and math.isfinite(value)
        }
        if not self.save_if_finite("last", model, step, measured):
            return False
        if self.best_step == 0 or self._score(measured) > self._score(self.best):
            self.best_step, self.best = step, measured
            self.save_if_finite("best", model, step, measured)
        return True

    def save_stopped(self, model: TrackUNet, step: int, measured: dict[str, float]) -> None:
        """Save a run stopped between validations; ``best.*`` stays what it is, as a resumed run shall get the same."""
        if self.best_step == 0:
            self.save(model, step, measured)
        else:
            self.save_if_finite("last", model, step, measured)

    def save_if_finite(
        self, name: str, model: TrackUNet, step: int, measured: dict[str, float] | None = None
    ) -> bool:
        """Save the weights unless some are not finite: what is on disk is then the last good state."""
        finite = all(bool(torch.isfinite(p).all()) for p in model.state_dict().values())
        if finite and self._writes:
            metrics = {"selected_by": self.selected_by, **(measured or {})}
            save_checkpoint(self.folder, name, model, self.config, step, metrics)
        return finite

    def timed(self, parts: Iterable[Batch]) -> list[Batch]:
        """Return the batches of a step, and count the time until they are there."""
        start = time.monotonic()
        made = list(parts)
        self.waited += time.monotonic() - start
        return made

    def validates(self, step: int) -> bool:
        """Whether the network is validated and saved after a step counted from 1."""
        return step == self.config.steps or step % self.config.val_every == 0

    def log(self, step: int, row: dict[str, float]) -> None:
        """Add a row to the log, at every `log_every` steps and where something was validated."""
        row["seconds"] = time.monotonic() - self._start
        if self.validates(step) or step % self.config.log_every == 0:
            self._rows.append({"step": step, **row})
            if self._board is not None:
                self._board.add(step, row)
                if self._board.failed:
                    self._note(self._board.failed)
                    self._board = None

    def write(self) -> None:
        """Bring the log to the disk."""
        self._log("metrics.csv", _csv(self._rows))

    def take_notes(self) -> tuple[str, ...]:
        """Return what nobody was told yet, for the console: all of it stands in log.txt."""
        notes = tuple(self._untold)
        self._untold.clear()
        return notes

    def _log(self, name: str, text: str) -> None:
        """Write a log; one that cannot be written is a warning, once: what counts are the networks and states."""
        if not self._writes:
            return
        try:
            write_text(self.folder / name, text)
        except OutputError as error:
            warning = f"logs cannot be written ({error.what}): the run goes on without them"
            if warning not in self.notes:
                self.notes.append(warning)
                self._untold.append(warning)

    def save_state(self, step: int, learner: Learner) -> None:
        """Save all that the rest of the run depends on."""
        if not self._writes:
            return
        facts = {
            "config": self.config.as_dict(),
            "data": self.data.sha256(),
            "scaler": learner.scaler.state_dict(),
            "best_step": self.best_step,
            "best": self.best,
            "rows": self._rows,
            "seconds": time.monotonic() - self._start,
            "waited": self.waited,
        }
        self.states.save(step, learner.tensors(), facts)

    def restore(self, learner: Learner) -> int:
        """Go on where the newest state is, and return its step.

        Raises
        ------
        CheckpointError
            There is no state, none that is whole, or it is of another configuration or data set.
        """
        state = self.states.newest()
        check_same(state.facts, self.config, self.data, self.states.folder)
        _check_tensors(state.tensors, learner.tensors(), self.states.folder)
        try:
            learner.restore(state.tensors, state.facts["scaler"])
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            what = f"the state cannot be taken over: {quote(error, 80)}"
            raise CheckpointError(what, path=self.states.folder, hint=_OTHER_RUN) from error
        self.best_step, self.best, self._rows = (
            state.facts[name] for name in ("best_step", "best", "rows")
        )
        self._start = time.monotonic() - state.facts["seconds"]
        self.waited = state.facts.get("waited", 0.0)
        for note in (*state.notes, f"resumed after step {state.step}"):
            self._note(note)
        self.write()
        return state.step

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self._untold.append(text)
        self._log("log.txt", "".join(f"{note}\n" for note in self.notes))

    def over(self, step: int) -> bool:
        """Whether all steps are done, or `patience` validations have brought nothing better."""
        waited = step - self.best_step if self.best_step else 0
        return (
            step >= self.config.steps or 0 < self.config.patience * self.config.val_every <= waited
        )

    def end(self, step: int, stopped_by: int | None) -> TrainResult:
        """Return what became of the run; of a complete one, the last state stays."""
        if stopped_by is None and self._writes:
            self.states.keep(1)
        seconds = time.monotonic() - self._start
        waiting = self.waited / max(seconds, 1e-9)
        best = (self.best_step, self.best, self.selected_by)
        return TrainResult(self.folder, step, *best, seconds, waiting, stopped_by)

    def close(self) -> None:
        """Close TensorBoard's file, and let others into the folder."""
        if self._board is not None:
            self._board.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _score(self, measured: dict[str, float]) -> float:
        by = self.selected_by
        if by == BY_STEP:
            return math.inf if measured is not self.best else 0.0
        return (
            measured.get("val_dice", -math.inf)
            if by == BY_DICE
            else -measured.get("val_loss", math.inf)
        )

    def _notes(self) -> list[str]:
        sizes = f"{len(self.data.train)} training images, {len(self.data.val)} validation images"
        return [sizes, f"best.* is chosen by {self.selected_by}", *self.data.notes]

    def _holds_a_result(self) -> bool:
        """Whether the folder holds networks that a run has left, which a begin from the start would replace.

        Between its first networks and its first state a run has no metrics.csv yet: killed there,
        it has nothing.
        """
        return (self.folder / "metrics.csv").exists() and any(
            (self.folder / name).exists() for name in _NETWORKS
        )

    def _prepare_folder(self, *, replace: bool) -> None:
        there = [name for name in _RUN_FILES if (self.folder / name).exists()]
        if there and not replace:
            what = f"already holds a run ({there[0]})"
            raise OutputError(
                what, path=self.folder, hint="give another --out, or --force to replace it"
            )
        for name in there:
            (self.folder / name).unlink()
        self.states.keep(0)
        if there:
            shutil.rmtree(self.folder / "tensorboard", ignore_errors=True)


def check_same(
    facts: Mapping[str, Any], config: TrainConfig, data: TrainingData, path: Path
) -> None:
    """Refuse to go on with other settings or data: the result would be neither run's.

    Parameters
    ----------
    facts : mapping
        ``config`` and ``data`` of before, as `Run.save_state` saves them.
    config, data : TrainConfig, TrainingData
        Those of now.
    path : pathlib.Path
        Where `facts` are from.

    Raises
    ------
    CheckpointError
        A setting that counts, or the data, have changed.
    """
    before, now = flat(facts["config"]), flat(config.as_dict())
    # Even shares of a track were once recorded as none: read back, they stand there as today.
    maps = config_from({"maps": facts["config"].get("maps", {})}).as_dict()["maps"]
    before |= flat(maps, "maps.")
    changed = [key for key in now if key not in _FREE and before.get(key, now[key]) != now[key]]
    if changed:
        what = ", ".join(f"{key} was {before[key]!r}, is {now[key]!r}" for key in changed)
        raise CheckpointError(
            f"cannot resume with other settings: {what}",
            path=path,
            hint="give those it began with, or --force",
        )
    if facts["data"] != data.sha256():
        what = "cannot resume: images, gaze, maps, masks or splits have changed"
        raise CheckpointError(what, path=path, hint="restore them, or train again with --force")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= (
            flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return found


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _csv(rows: Sequence[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    return text.getvalue()


def _check_tensors(
    found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], path: Path
) -> None:
    """Refuse a state of another network, before any of it is taken over.

    Before its first step an optimizer has no moments; of what it has later, the names and shapes
    are checked as it takes them.
    """
    for name, like in wanted.items():
        if name.startswith("optimizer."):
            continue
        value = found.get(name)
        if value is None or value.shape != like.shape or value.dtype != like.dtype:
            what = f"the state holds no {name} of shape {tuple(like.shape)}"
            raise CheckpointError(what, path=path, hint=_OTHER_RUN)


def _locked(folder: Path) -> int | None:
    """Lock a run's folder for this process, as long as it lives, and return what holds the lock.

    Raises
    ------
    LockedError
        Another trainer works there.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    descriptor = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if descriptor is not None:
            os.close(descriptor)
        what = "another trainer works in this folder"
        raise LockedError(what, path=folder, hint="wait for it, or give another --out") from None
    except (
        OSError
    ):  # a file in the way is found when something is written; some network drives know no locks
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        return None
    return descriptor
