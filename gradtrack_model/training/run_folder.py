"""The run folder: what is written where, and when."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gazetrack.errors import CheckpointError, OutputError, quote
from gazetrack.publish import write_json, write_text
from gazetrack.version import __version__
from gradtrack_model import parallel
from gradtrack_model.computed import Computed
from gradtrack_model.data.splits import FORMAT, SPLITS_FILE
from gradtrack_model.network.precision import precision_on
from gradtrack_model.settings import as_toml
from gradtrack_model.training.best import Best, criterion
from gradtrack_model.training.folder_lock import FolderLock
from gradtrack_model.training.learner import pick_device
from gradtrack_model.training.loggers import FINISHED, LOGGERS_FILE, STOPPED
from gradtrack_model.training.replaced import (
    NETWORKS,
    clear,
    discard,
    is_worth_keeping,
    put_back,
    set_aside,
)
from gradtrack_model.training.resume import OTHER_RUN, States, check_same, check_tensors, flat
from gradtrack_model.training.run_log import METRICS_FILE, NOTES_FILE, RunLog
from gradtrack_model.weights.checkpoint import save_checkpoint, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.batches import Batch
    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.network.model import Network
    from gradtrack_model.training.learner import Learner

    Hopeless: TypeAlias = Callable[[Sequence[Mapping[str, float]]], str]

SETTINGS_FILE = "settings.toml"
_WRITTEN = (*NETWORKS, METRICS_FILE, NOTES_FILE, SPLITS_FILE, SETTINGS_FILE, LOGGERS_FILE)
# What others write about a run is of no other one, either; by itself it is no run.
_ABOUT = ("report.html", "best.temperature.json", "last.temperature.json")
_RUN_FILES = (*_WRITTEN, *_ABOUT)


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What became of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder, with everything that the run has left.
    step : int
        Number of steps that were done.
    best_step : int
        Step of ``best.*``; 0 when the run was stopped before any.
    best : dict
        Validation metrics of ``best.*``, by their names in the log.
    selected_by : str
        What ``best.*`` was chosen by.
    seconds : float
        Time that all steps took, those before an interruption, too.
    waiting : float
        Share of that time in which the network waited for batches.
    stopped_by : int or None
        Number of the signal that stopped the run.
    given_up : str
        Why the run ended before its steps were done, as it was hopeless; empty for no such reason.
    """

    folder: Path
    step: int
    best_step: int
    best: dict[str, float]
    selected_by: str
    seconds: float
    waiting: float = 0.0
    stopped_by: int | None = None
    given_up: str = ""


def refuse_run(folder: Path) -> None:
    """Refuse a folder that holds a run already.

    Parameters
    ----------
    folder : pathlib.Path
        Where another run shall be written.

    Raises
    ------
    OutputError
        It names a file of the run that is there.
    """
    there = _run_files(folder)
    if there:
        what = f"already holds a run ({there[0]})"
        hint = "give another --out, or --force to replace it"
        raise OutputError(what, path=folder, hint=hint)


def _run_files(folder: Path) -> list[str]:
    return [name for name in _WRITTEN if (folder / name).exists()]


class Run:
    """A run folder in the hands of a trainer; of several processes, the first one writes.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder; it is made where it is missing, and locked.
    config : TrainConfig
        The settings of the run, which its files record.
    data : TrainingData
        The images and gaze that it learns from.
    force : bool
        Replace a run that is there.
    resume : bool
        Go on with the run that is there, if it has saved anything.

    Raises
    ------
    OutputError
        The folder holds a run, or cannot be written.
    LockedError
        Another trainer works in the folder.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        data: TrainingData,
        *,
        force: bool = False,
        resume: bool = False,
    ) -> None:
        self.folder = folder
        self.config = config
        self.data = data
        self.states = States(folder)
        self.best = Best(criterion(data.val))
        # Says of the rows of the log why the run is hopeless, or nothing.
        self.hopeless: Hopeless | None = None
        self.given_up = ""
        # Each time that the run was given more steps: those planned before, and since when.
        self.extended: list[dict[str, int]] = []
        # Seconds in which the network had nothing to do, as its batches were not there yet.
        self.waited = 0.0
        # Stopped before anything was saved, a run is begun from the start.
        anew = resume and not is_worth_keeping(standing(folder))
        # The folder is that of the first process; others, on another machine, may not see it.
        anew = parallel.of_the_first(anew)
        self.resume = resume and not anew
        self._start = time.monotonic()
        self._writes = parallel.is_first()
        self._log = RunLog(folder, writes=self._writes)
        self._lock: FolderLock | None = None
        if not self._writes:
            return
        self._lock = FolderLock(folder)
        try:
            self._open(replace=force or anew)
            if anew:
                self._log.note("nothing was saved yet to resume: begun from the start")
            if config.tensorboard:
                self._log.open_board()
            self._log.open_loggers(config.loggers, flat(config.as_dict()))
        except BaseException:
            self.close()
            raise

    def _open(self, *, replace: bool) -> None:
        # One that should have been replaced, by a run that was killed before it saved anything.
        put_back(self.folder, _RUN_FILES)
        if self.resume:
            self._log.resume()
            return
        self._clear(replace=replace)
        sizes = f"{len(self.data.train)} training images, {len(self.data.val)} validation images"
        chosen = f"best.* is chosen by {self.best.by}"
        computed = Computed(self.config).line
        self._log.begin([self.data.gaze.line, computed, sizes, chosen, *self.data.notes])
        write_json(self.folder / SPLITS_FILE, {"format": FORMAT, "images": self.data.splits})
        self._write_settings()

    def _write_settings(self) -> None:
        """Write all settings as a file that ``--config`` takes back."""
        heading = f"# All settings of this run, by gazetrack {__version__}.\n"
        write_text(self.folder / SETTINGS_FILE, heading + as_toml(self.config.as_dict()))

    def _clear(self, *, replace: bool) -> None:
        """Make room for a run; other files of the folder stay."""
        if not replace:
            refuse_run(self.folder)
        if is_worth_keeping(self.folder):
            set_aside(self.folder, _RUN_FILES)
        elif _run_files(self.folder) or self.states.folder.exists():
            clear(self.folder, _RUN_FILES)

    def validates(self, step: int) -> bool:
        """Whether the network is validated and saved after a step counted from 1."""
        return step == self.config.steps or step % self.config.val_every == 0

    def over(self, step: int) -> bool:
        """Whether the run ends after a step that was validated.

        That is where all steps are done, `patience` validations have brought nothing better, or it
        is hopeless.
        """
        if step >= self.config.steps:
            return True
        if self.hopeless is not None:
            self.given_up = self.hopeless(self._log.rows)
            if self.given_up:
                self._log.note(self.given_up)
                return True
        if self.config.patience == 0 or self.best.step == 0:
            return False
        return step - self.best.step >= self.config.patience * self.config.val_every

    def timed(self, parts: Iterable[Batch]) -> list[Batch]:
        """Return the batches of a step, and count the time until they are there."""
        start = time.monotonic()
        made = list(parts)
        self.waited += time.monotonic() - start
        return made

    def save(self, model: Network, step: int, row: dict[str, float]) -> None:
        """Save ``last.*``, and ``best.*`` when this step is the best so far."""
        measured = {
            name: value
            for name, value in row.items()
            if name.startswith("val_") and math.isfinite(value)
        }
        is_finite = self.save_if_finite("last", model, step, measured)
        if is_finite and self.best.is_beaten_by(measured):
            self.best.step = step
            self.best.measured = measured
            self.save_if_finite("best", model, step, measured)

    def save_stopped(self, model: Network, step: int, measured: dict[str, float]) -> None:
        """Save the network of a run that was stopped between validations.

        ``best.*`` stays what it is, as a resumed run shall come to the same.
        """
        if self.best.step == 0:
            self.save(model, step, measured)
        else:
            self.save_if_finite("last", model, step, measured)

    def save_if_finite(
        self, name: str, model: Network, step: int, measured: dict[str, float] | None = None
    ) -> bool:
        """Save the weights unless some are not finite, and return whether all are.

        What is on the disk is then the last good network.
        """
        tensors = model.state_dict().values()
        is_finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
        if is_finite and self._writes:
            trained_on = self.data.gaze.recorded
            precision = precision_on(self.config.precision, pick_device(self.config.device))
            said: dict[str, Any] = {
                "selected_by": self.best.by,
                "trained_on": trained_on,
                "precision": precision,
            }
            if self.extended:
                said["extended"] = self.extended
            metrics = {**said, **(measured or {})}
            save_checkpoint(
                self.folder, name, model=model, config=self.config, step=step, metrics=metrics
            )
        return is_finite

    def save_state(self, step: int, learner: Learner) -> None:
        """Save all that the rest of the run depends on."""
        if not self._writes:
            return
        facts = {
            "config": self.config.as_dict(),
            "data": self.data.sha256(),
            "scaler": learner.scaler.state_dict(),
            "best_step": self.best.step,
            "best": self.best.measured,
            "rows": self._log.rows,
            "seconds": self._seconds(),
            "waited": self.waited,
            "extended": self.extended,
        }
        self.states.save(step, learner.tensors(), facts)
        discard(self.folder)

    def restore(self, learner: Learner) -> int:
        """Go on where the newest state is, and return its step.

        Raises
        ------
        CheckpointError
            There is no state, none that is whole, or it is of another configuration or data set.
        """
        folder = self.states.folder
        state = self.states.newest_of_the_first()
        check_same(state.facts, self.config.as_dict(), self.data, folder, extend=True)
        check_tensors(state.tensors, learner.tensors(), folder)
        try:
            learner.restore(state.tensors, state.facts["scaler"])
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            what = f"the state cannot be taken over: {quote(error, 80)}"
            raise CheckpointError(what, path=folder, hint=OTHER_RUN) from error
        self.best.step = state.facts["best_step"]
        self.best.measured = state.facts["best"]
        self.waited = state.facts.get("waited", 0.0)
        self._start = time.monotonic() - state.facts["seconds"]
        self._log.rows = state.facts["rows"]
        for note in (*state.notes, f"resumed after step {state.step}"):
            self._log.note(note)
        self.extended = list(state.facts.get("extended", []))
        self._extend(state.step, state.facts["config"].get("steps", self.config.steps))
        self._log.write()
        return state.step

    def _extend(self, step: int, planned: int) -> None:
        """Take down that the run shall go on for more steps than were planned until `step`."""
        if planned == self.config.steps:
            return
        self.extended.append({"planned": planned, "after": step, "steps": self.config.steps})
        self._log.note(
            f"extended after step {step}: {planned} steps were planned until then, now "
            f"{self.config.steps}; the learning rate goes on as in a run of that many"
        )
        if self._writes:
            self._write_settings()

    def record(self, step: int, row: dict[str, float]) -> None:
        """Log a step, at every `log_every` of them and where something was validated."""
        row["seconds"] = self._seconds()
        if self.validates(step) or step % self.config.log_every == 0:
            self._log.add(step, row)

    def write_log(self) -> None:
        """Bring the log to the disk."""
        self._log.write()

    def note(self, what: str) -> None:
        """Log something that the user should know, and tell it with the next report."""
        self._log.note(what)

    def take_notes(self) -> tuple[str, ...]:
        """Return what happened and the user was not told yet."""
        return self._log.take_notes()

    def end(self, step: int, stopped_by: int | None) -> TrainResult:
        """Return what became of the run; of a complete one, the last state stays."""
        self._log.ended = FINISHED if stopped_by is None else STOPPED
        if stopped_by is None and self._writes:
            self.states.keep(1)
        seconds = self._seconds()
        return TrainResult(
            folder=self.folder,
            step=step,
            best_step=self.best.step,
            best=self.best.measured,
            selected_by=self.best.by,
            seconds=seconds,
            waiting=self.waited / max(seconds, 1e-9),
            stopped_by=stopped_by,
            given_up=self.given_up,
        )

    def close(self) -> None:
        """Close TensorBoard's file and all loggers, and let others into the folder."""
        self._log.close()
        if self._lock is not None:
            # Of a run that ended before it saved anything; what cannot be put back now, the next
            # one puts back.
            with contextlib.suppress(OutputError):
                put_back(self.folder, _RUN_FILES)
            self._lock.close()

    def _seconds(self) -> float:
        return time.monotonic() - self._start
