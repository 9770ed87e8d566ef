"""Where a run stands, so that it can go on bit for bit: ``state.json`` and the safetensors file it names. No pickle.

The tensors are written first, under a name with the step, and the JSON file is replaced as a whole: whenever a run is
killed, the JSON names a complete file.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from gazetrack.errors import CheckpointError
from gazetrack.publish import write_bytes, write_json
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor
    from torch.optim import Optimizer

    from gradtrack_model.model import TrackUNet

FORMAT = "gradtrack-state-1"
_AGAIN = "train again with --force"


def save_state(
    folder: Path, step: int, models: Mapping[str, TrackUNet], optimizer: Optimizer, facts: Mapping[str, Any]
) -> None:
    """Publish the state of a run after `step` steps, in place of the one before.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    step : int
        Steps done.
    models : mapping of str to TrackUNet
        Networks by name.
    optimizer : Optimizer
        With its moments.
    facts : mapping
        JSON values that `load_state` gives back.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    tensors = {f"{name}.{key}": value for name, model in models.items() for key, value in model.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in moments.items()}
    data = save_tensors({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    path = folder / f"state-{step}.safetensors"
    write_bytes(path, data)
    known = {"format": FORMAT, "version": __version__, "step": step, "tensors": path.name}
    write_json(folder / "state.json", {**facts, **known, "sha256": hashlib.sha256(data).hexdigest()})
    for old in folder.glob("state-*.safetensors"):
        if old != path:
            old.unlink()


def load_state(folder: Path, models: Mapping[str, TrackUNet], optimizer: Optimizer) -> dict[str, Any]:
    """Put networks and optimizer into the state of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    models, optimizer
        As given to `save_state`; changed in place.

    Returns
    -------
    dict
        The facts, with ``step``.

    Raises
    ------
    CheckpointError
        There is no state, or a damaged one.
    """
    facts = read_facts(folder)
    path = folder / facts["tensors"]
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != facts["sha256"]:
            raise CheckpointError("is damaged: its SHA-256 is not the one in state.json", path=path, hint=_AGAIN)
        tensors: dict[str, Tensor] = load_tensors(data)
        for name, model in models.items():
            model.load_state_dict(_under(tensors, name))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(tensors, "optimizer").items():
            index, _, what = key.partition(".")
            moments.setdefault(int(index), {})[what] = value
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError("is no state of this run", path=path, hint=_AGAIN) from error
    return facts


def read_facts(folder: Path) -> dict[str, Any]:
    """Read ``state.json``; errors as in `load_state`."""
    path = folder / "state.json"
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CheckpointError("holds no run to resume", path=folder, hint="leave out --resume") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("is damaged: no readable JSON", path=path, hint=_AGAIN) from error
    kinds = {"format": str, "tensors": str, "sha256": str, "step": int, "config": dict, "data": str}
    if not isinstance(facts, dict) or any(not isinstance(facts.get(key), kind) for key, kind in kinds.items()):
        raise CheckpointError("is damaged: not what gradtrack-train writes", path=path, hint=_AGAIN)
    if facts["format"] != FORMAT or "/" in facts["tensors"] or "\\" in facts["tensors"]:
        raise CheckpointError(f"is no state of format {FORMAT!r}", path=path, hint=_AGAIN)
    return facts


def _under(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
