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
from gazetrack.publish import write_bytes, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

FORMAT = "gradtrack-state-1"
KEPT = 3
# What `gradtrack_model.training.run_folder` saves beside the tensors, and of what type.
_FACTS: dict[str, type | tuple[type, ...]] = {
    "config": dict, "data": str, "scaler": dict, "best_step": int, "best": dict, "rows": list, "seconds": (int, float),
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """One state.

    Parameters
    ----------
    step : int
        Steps done.
    tensors : dict of Tensor
        On the CPU.
    facts : dict
        JSON values.
    notes : tuple of str
        Which newer states were damaged.
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
        The run's folder.
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
        path = self.folder / f"{step:08d}.json"
        write_bytes(path.with_suffix(".safetensors"), data)
        write_json(
            path, {"format": FORMAT, "step": step, "sha256": hashlib.sha256(data).hexdigest()}
        )
        self.keep(KEPT)

    def newest(self) -> State:
        """Return the newest state that is whole.

        Raises
        ------
        CheckpointError
            There is none: never saved, or all damaged.
        """
        if not self.paths:
            raise CheckpointError(
                "holds no run to resume", path=self.folder.parent, hint="leave out --resume"
            )
        notes: list[str] = []
        for path in reversed(self.paths):
            try:
                return State(int(path.stem), *_read(path), tuple(notes))
            except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError):
                notes.append(f"states/{path.stem} is damaged: the one before is used")
        hint = "train again with --force, or restore states/ from a copy"
        raise CheckpointError(
            f"all {len(notes)} states of the run are damaged", path=self.folder, hint=hint
        )

    def keep(self, n: int) -> None:
        """Remove all but the newest n."""
        for path in self.paths[::-1][n:]:
            _remove(path)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    kept = json.loads(path.read_text("utf-8"))
    data = path.with_suffix(".safetensors").read_bytes()
    if kept["format"] != FORMAT or kept["sha256"] != hashlib.sha256(data).hexdigest():
        raise ValueError(path)
    header = json.loads(
        data[8 : 8 + int.from_bytes(data[:8], "little")]
    )  # the layout of safetensors
    facts = json.loads(header["__metadata__"]["facts"])
    if not all(isinstance(facts[name], kind) for name, kind in _FACTS.items()):
        raise TypeError(path)
    if not all(isinstance(row, dict) for row in facts["rows"]):
        raise TypeError(path)
    return load_tensors(data), facts


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(".safetensors").unlink(missing_ok=True)
