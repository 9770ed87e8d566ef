"""Training that is cut short at any call of a save, or finds its newest state damaged."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from dataclasses import dataclass

from gazetrack.errors import GazetrackError, OutputError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training.loop import train
from gradtrack_model.training.resume import States
from tests.faults import Calls, as_left_by_the_dead, failing, restore, tree
from tests.synthetic import write_data

STEPS = 6
RECIPE = {
    "image_size": 32,
    "steps": STEPS,
    "val_every": 2,
    "log_every": 2,
    "batch_size": 2,
    "tensorboard": False,
    "ema": 0.9,
    "model.widths": [8] * 6,
    "maps.levels": 2,
}


def results(folder):
    """Everything of a run but the time it took."""
    with (folder / "metrics.csv").open() as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    networks = [path for path in folder.iterdir() if path.name[:4] in ("best", "last")]
    return rows, {path.name: path.read_bytes() for path in networks}


class KilledError(BaseException):
    """No error that anybody catches."""


@dataclass
class Training:
    """A small run: what it gives when nothing happens to it."""

    folder: object

    def __post_init__(self):
        data = write_data(self.folder / "data")
        self.config = load_config("tiny", overrides=RECIPE)
        self.data = load_data(discover(data), self.config)
        self.run = self.folder / "run"
        self.train()
        self.expected = results(self.run)

    def train(self, **options):
        """Go on where there is a state, else begin; return the notes of the run."""
        told = []
        saved = bool(States(self.run).paths)
        options = {"resume": saved, "force": not saved} | options
        train(
            self.config,
            self.data,
            self.run,
            report=lambda progress: told.extend(progress.notes),
            **options,
        )
        return told

    def clear(self, contents=None):
        self.run.mkdir(exist_ok=True)
        restore(contents or {}, self.run)

    def crashes(self, first=None):
        """Yield each call of the second save of all (or from `first` on), when, and the files."""
        self.clear()
        left = []

        def meet(n, call, when):
            left.append((n, call, when, tree(self.run)))

        with Calls(self.run, meet):
            self.train()
        ends = [i for i, (_, call, when, _) in enumerate(left) if _is_whole_state(call, when)]
        for _, call, when, found in left[ends[0] + 1 : ends[1] + 1]:
            yield call, when, as_left_by_the_dead(found)

    def try_crash(self, found):
        """Go on after a crash; return what is wrong."""
        self.clear(found)
        return self._go_on()

    def try_kills(self, rng):
        """Cut a run short up to three times, whenever, and go on; return what is wrong."""
        self.clear()
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(1, 200))

            def meet(n, _call, _when, at=at):
                if n == at:
                    raise KilledError

            with contextlib.suppress(KilledError), Calls(self.run, meet):
                self.train()
        return self._go_on()

    def try_fault(self, fault):
        """Train with a fault, and then without; return what is wrong, and whether it was hit."""
        self.clear()
        meet, hit = failing(fault)
        wrong = []
        try:
            with Calls(self.run, meet):
                self.train()
        except OutputError as error:
            if error.exit_code != 3:
                wrong.append(f"exit {error.exit_code}: {error}")
        except BaseException as error:  # noqa: BLE001 - whatever comes out is a finding
            wrong.append(f"{type(error).__name__}: {error}")
        left = [name for name in tree(self.run) if name.endswith(".gtmp")]
        wrong += [f"{name}: left behind" for name in left]
        return wrong + self._go_on(), bool(hit)

    def _go_on(self):
        try:
            self.train()
        except GazetrackError as error:
            return [f"cannot go on: {error}"]
        wrong = [] if results(self.run) == self.expected else ["another result"]
        return wrong + [f"{name}: left behind" for name in tree(self.run) if ".gtmp" in name]


def _is_whole_state(call, when):
    is_state = call.path.startswith("states/") and call.path.endswith(".json")
    return call.name == "replace" and is_state and when == "after"


def _with(change):
    def damage(path, _older):
        data = bytearray(path.read_bytes())
        path.write_bytes(change(data))

    return damage


def _flip(data):
    data[len(data) // 2] ^= 1
    return data


def _folder_in_place(path, _older):
    path.unlink()
    path.mkdir()


def _link_to_nowhere(path, _older):
    path.unlink()
    path.symlink_to("nowhere")


def _unreadable(path, _older):
    path.chmod(0)


DAMAGES = {
    "truncated": _with(lambda data: data[: len(data) // 2]),
    "empty": _with(lambda data: b""),
    "missing": lambda path, _: path.unlink(),
    "flipped bit": _with(_flip),
    "the one before it": lambda path, older: shutil.copy(older, path),
    "bytes more": _with(lambda data: data + b"\0more"),
    "bytes of zero": _with(lambda data: bytes(len(data))),
    "folder in its place": _folder_in_place,
    "link to nowhere": _link_to_nowhere,
    "unreadable": _unreadable,
}
ENDINGS = (".json", ".safetensors")


def damages():
    """Yield each damage with each file; the superuser can read everything."""
    for name in DAMAGES:
        if name == "unreadable" and os.getuid() == 0:
            continue
        for ending in ENDINGS:
            yield name, ending


def try_damage(training, whole, name, ending):
    """Damage the newest of two states, and go on; return what is wrong."""
    training.clear(whole)
    older, newest = States(training.run).paths[-2:]
    DAMAGES[name](newest.with_suffix(ending), older.with_suffix(ending))
    try:
        told = training.train(resume=True)
    except GazetrackError as error:
        return [f"cannot go on: {error}"]
    wrong = [] if results(training.run) == training.expected else ["another result"]
    said = f"states/{newest.stem} is damaged: the one before is used"
    if said not in told:
        wrong.append(f"not told: {told}")
    return wrong


def two_states(training):
    """Return the files of a run that was killed with two states."""
    training.clear()

    def report(progress):
        if progress.step == 5:
            raise KilledError

    try:
        train(training.config, training.data, training.run, force=True, report=report)
    except KilledError:
        return tree(training.run)
    raise AssertionError("it was not killed")
