"""What a run needs to go on after an interruption, as if there had been none.

``states/<step>.safetensors`` holds weights, their average, the optimizer and torch's generator,
with everything else as JSON in its header; ``states/<step>.json`` its SHA-256, written last:
without it there is no state. No pickle. Order and augmentation need nothing: a batch is a function
of (seed, step).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from gazetrack.errors import CheckpointError
from gazetrack.publish import output_errors, write_bytes, write_json
from gradtrack_model import parallel
from gradtrack_model.settings import config_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from gradtrack_model.data.sample import TrainingData

FORMAT = "gradtrack-state-1"
KEPT = 3
_TENSORS = ".safetensors"
OTHER_RUN = "it belongs to another run: train again with --force"
# What `gradtrack_model.training.run_folder` saves beside the tensors, and of what type.
_FACTS: dict[str, type | tuple[type, ...]] = {
    "config": dict,
    "data": str,
    "scaler": dict,
    "best_step": int,
    "best": dict,
    "rows": list,
    "seconds": (int, float),
}
# What may differ after an interruption: the numbers do not depend on it, or (device, cache) only in
# their last bits.
_FREE = ("device", "cache", "workers", "tensorboard", "loggers")


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of a run.

    Parameters
    ----------
    step : int
        Number of steps that were done.
    tensors : dict of Tensor
        What `gradtrack_model.training.learner.Learner.tensors` returned, on the CPU.
    facts : dict
        Everything else, as JSON values.
    notes : tuple of str
        Which newer states were damaged, each in one line.
    """

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()


class States:
    """The states of a run; the newest `KEPT` stay.

    Parameters
    ----------
    run : pathlib.Path
        The folder of the run.
    """

    def __init__(self, run: Path) -> None:
        self.folder = run / "states"

    @property
    def paths(self) -> list[Path]:
        """Their JSON files, oldest first."""
        return sorted(self.folder.glob("[0-9]*.json"))

    def save(self, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Publish a state, and then remove those too many."""
        whole = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        data = save_tensors(whole, {"facts": json.dumps(facts)})
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / f"{step:08d}.json"
        for file in (path, path.with_suffix(_TENSORS)):
            _make_way(file)
        # In this order: the JSON file says that the tensors are there, and whole.
        write_bytes(path.with_suffix(_TENSORS), data)
        write_json(path, {"format": FORMAT, "step": step, "sha256": digest})
        self.keep(KEPT)

    def newest(self) -> State:
        """Return the newest state that is whole.

        Raises
        ------
        CheckpointError
            There is none: never saved, or all damaged.
        """
        if not self.paths:
            what = "holds no run to resume"
            raise CheckpointError(what, path=self.folder.parent, hint="leave out --resume")
        notes: list[str] = []
        # Tensors without their JSON file, too: something has happened to it, or to the save.
        steps = {path.stem for path in (*self.paths, *self._tensors)}
        for path in (self.folder / f"{step}.json" for step in sorted(steps, reverse=True)):
            try:
                tensors, facts = _read(path)
            except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError):
                notes.append(f"states/{path.stem} is damaged: the one before is used")
            else:
                return State(step=int(path.stem), tensors=tensors, facts=facts, notes=tuple(notes))
        what = f"all {len(notes)} states of the run are damaged"
        hint = "train again with --force, or restore states/ from a copy"
        raise CheckpointError(what, path=self.folder, hint=hint)

    def newest_of_the_first(self) -> State:
        """Return what `newest` returns in the first process, where the states are, in all.

        Raises
        ------
        CheckpointError
            As in `newest`, there.
        """
        if not parallel.is_joined():
            return self.newest()
        message = b""
        if parallel.is_first():
            state = self.newest()
            facts = {"step": state.step, "notes": state.notes, "facts": state.facts}
            message = save_tensors(state.tensors, {"state": json.dumps(facts)})
        message = parallel.bytes_of_the_first(message)
        told = json.loads(_header(message)["state"])
        return State(
            step=told["step"],
            tensors=load_tensors(message),
            facts=told["facts"],
            notes=tuple(told["notes"]),
        )

    def keep(self, n: int) -> None:
        """Remove all but the newest n."""
        newest_first = self.paths[::-1]
        for path in newest_first[n:]:
            # Without its JSON file it is no state any more, whatever happens next.
            with output_errors(path):
                path.unlink(missing_ok=True)
        kept = {path.stem for path in newest_first[:n]}
        for path in self._tensors:
            if path.stem not in kept and path.stem <= max(kept, default=path.stem):
                with output_errors(path):
                    path.unlink(missing_ok=True)

    @property
    def _tensors(self) -> list[Path]:
        return sorted(self.folder.glob(f"[0-9]*{_TENSORS}"))


def _make_way(path: Path) -> None:
    """Move a folder that lies in the place of a file: a run does not end for it."""
    if path.is_dir() and not path.is_symlink():
        with output_errors(path):
            path.rename(path.with_name(f"{path.name}.damaged"))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and facts of a state; every error says that it is damaged."""
    kept = json.loads(path.read_text("utf-8"))
    data = path.with_suffix(_TENSORS).read_bytes()
    if kept["format"] != FORMAT or kept["sha256"] != hashlib.sha256(data).hexdigest():
        raise ValueError(path)
    facts = json.loads(_header(data)["facts"])
    if not all(isinstance(facts[name], kind) for name, kind in _FACTS.items()):
        raise TypeError(path)
    if not all(isinstance(row, dict) for row in facts["rows"]):
        raise TypeError(path)
    return load_tensors(data), facts


def _header(data: bytes) -> dict[str, str]:
    """Return the texts beside the tensors of a safetensors file.

    It begins with the length of its header as 8 bytes, and the header as JSON.
    """
    header_bytes = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + header_bytes])
    texts: dict[str, str] = header["__metadata__"]
    return texts


def check_same(
    facts: Mapping[str, Any],
    settings: Mapping[str, Any],
    data: TrainingData,
    path: Path,
    *,
    extend: bool = False,
) -> None:
    """Refuse to go on with other settings or data: the result would be neither run's.

    Parameters
    ----------
    facts : mapping
        ``config`` and ``data`` of before, as they are saved with a state.
    settings : mapping
        Those that the run shall go on with, as `TrainConfig.as_dict` returns them.
    data : TrainingData
        The data set that it shall go on with.
    path : pathlib.Path
        The file or folder that `facts` are from, for messages.
    extend : bool
        Whether it may go on for more steps than it was begun with.

    Raises
    ------
    CheckpointError
        A setting that counts, or the data, have changed.
    """
    before = flat(facts["config"])
    now = flat(settings)
    # Even shares of a track were once recorded as none: read back, they stand there as today.
    maps = config_from({"maps": facts["config"].get("maps", {})}).as_dict()["maps"]
    before |= flat(maps, "maps.")
    # Settings that did not exist then are not compared.
    changed = [key for key in now if key not in _FREE and before.get(key, now[key]) != now[key]]
    planned = before.get("steps")
    if extend and "steps" in changed and isinstance(planned, int) and planned < now["steps"]:
        changed.remove("steps")
    if changed:
        changes = ", ".join(f"{key} was {before[key]!r}, is {now[key]!r}" for key in changed)
        what = f"cannot resume with other settings: {changes}"
        hint = "give those it began with, or --force"
        if extend and changed == ["steps"]:
            hint = f"a run can be extended, not shortened: give --steps {planned}, or more"
        # Of stored maps, these settings are not the user's: they are how the maps were rendered.
        if data.gaze.source == "maps" and all(key.startswith("maps.") for key in changed):
            what = f"cannot resume with other maps than it began with: {changes}"
            hint = f"render {data.gaze.files} as it was, or train again with --force"
        raise CheckpointError(what, path=path, hint=hint)
    if facts["data"] != data.sha256():
        what = "cannot resume: images, gaze, maps, masks or splits have changed"
        raise CheckpointError(what, path=path, hint="restore them, or train again with --force")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted keys, such as ``optimizer.lr``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def check_tensors(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    """Refuse a state of another network, before any of it is taken over.

    Before its first step an optimizer has no moments; of what it has later, the names and shapes
    are checked as it takes them.

    Parameters
    ----------
    found : mapping of Tensor
        The tensors of the state.
    wanted : mapping of Tensor
        The tensors of the learner that shall take them over.
    path : pathlib.Path
        The folder of the state, for messages.

    Raises
    ------
    CheckpointError
        A tensor is missing, or of another shape or type.
    """
    for name, like in wanted.items():
        if name.startswith("optimizer."):
            continue
        value = found.get(name)
        if value is None or value.shape != like.shape or value.dtype != like.dtype:
            what = f"the state holds no {name} of shape {tuple(like.shape)}"
            raise CheckpointError(what, path=path, hint=OTHER_RUN)
