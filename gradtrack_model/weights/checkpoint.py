"""Checkpoints: weights as safetensors beside a JSON file that carries their SHA-256. No pickle.

``<name>.safetensors`` and ``<name>.json`` belong together; loading checks the hash, the
configuration, and the name and shape of every tensor before anything is used. Released networks lie
in ``weights/`` beside this file, as float16.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from gazetrack.errors import CheckpointError, ConfigError, quote
from gazetrack.publish import sha256_of, write_bytes, write_json
from gazetrack.version import __version__
from gradtrack_model.computed import Computed
from gradtrack_model.network.model import Network, build_network
from gradtrack_model.settings import config_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gradtrack_model.config import TrainConfig

FORMAT = "gradtrack-checkpoint-1"
# The names that the Hugging Face hub knows.
CARD_WEIGHTS = "model.safetensors"
CARD_CONFIG = "config.json"
_RELEASED = Path(__file__).parent
MAX_JSON_BYTES = 1_000_000
# In the folder of a run: the one before, until the new one has saved something.
REPLACED = "replaced"
# Within it, and written last: what the run there consists of. A folder without is not ours.
REPLACED_FILE = "replaced.json"
REPLACED_FORMAT = "gradtrack-replaced-1"
_NEXT = "next"  # in the JSON of a checkpoint, the facts of the one that takes its place
_RETRAIN = "use another checkpoint of the run, or train again"


@dataclass(frozen=True)
class Checkpoint:
    """A network with what is known about it.

    Parameters
    ----------
    model : Network
        The network in evaluation mode, on the CPU.
    config : TrainConfig
        The configuration that it was trained with.
    step : int
        After how many steps it was saved.
    metrics : dict
        What its validation gave, such as ``val_dice``.
    path : pathlib.Path
        The weights file that it was read from.
    """

    model: Network
    config: TrainConfig
    step: int
    metrics: dict[str, Any]
    path: Path

    def __repr__(self) -> str:
        network = f"method {Computed(self.config).name}, encoder {self.config.model.encoder}"
        return f"<Checkpoint {self.path.name!r}: {network}, step {self.step}>"


def save_checkpoint(
    folder: Path,
    name: str,
    model: Network,
    config: TrainConfig,
    *,
    step: int,
    metrics: Mapping[str, Any],
    half: bool = False,
) -> Path:
    """Publish ``<folder>/<name>.safetensors`` and its JSON.

    Parameters
    ----------
    folder : pathlib.Path
        The folder that receives both files, such as the run's.
    name : str
        The stem of both files, such as ``best`` or ``last``.
    model : Network
        The network, on any device; its weights are copied.
    config : TrainConfig
        The configuration that it is trained with.
    step : int
        How many steps it was trained for.
    metrics : mapping
        What its validation gave, as plain JSON values.
    half : bool
        Store float16: half the size, loaded as float32 again.

    Returns
    -------
    pathlib.Path
        The weights file.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    stored = {}
    for key, value in model.state_dict().items():
        plain = value.detach().cpu().contiguous()
        stored[key] = plain.half() if half and plain.is_floating_point() else plain
    data = save_tensors(stored)
    path = folder / f"{name}.safetensors"
    computed = Computed(config)
    facts = {
        "format": FORMAT,
        "version": __version__,
        "protocol": "clean",
        "step": step,
        "metrics": dict(metrics),
        "computed": {"method": computed.name, **computed.parts},
        "weights": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "config": config.as_dict(),
    }
    # Two files cannot change at once. While the weights do, the JSON knows the digests of both, so
    # that there is a whole checkpoint at any moment: the old one, or the new one.
    older = _facts_of_older(path)
    if older is not None:
        write_json(_facts_beside(path), {**older, _NEXT: facts})
    write_bytes(path, data)
    write_json(_facts_beside(path), facts)
    return path


def _facts_of_older(path: Path) -> dict[str, Any] | None:
    """Return the facts of the checkpoint that is about to be replaced; None where none is whole."""
    if not path.is_file():
        return None
    try:
        facts = _read_facts(path)
    except CheckpointError:
        return None
    facts.pop(_NEXT, None)
    return facts


def load_model(path: str | Path, expect: Mapping[str, Any] | None = None) -> Checkpoint:
    """Load a network.

    Parameters
    ----------
    path : path-like
        A run's folder, for its best checkpoint, a folder of
        `gradtrack_model.weights.hub.save_pretrained`, a ``.safetensors`` file with its JSON beside
        it, or the name of a released network, see `released`.
    expect : mapping, optional
        Settings it must have been trained with, by dotted key such as ``model.encoder``; None means
        any.

    Returns
    -------
    Checkpoint
        The network in evaluation mode on the CPU, with its configuration.

    Raises
    ------
    CheckpointError
        Missing, damaged, or made with another configuration.

    Examples
    --------
    >>> network = gradtrack_model.load_model("kvasir-lite")  # doctest: +SKIP
    >>> network.config.image_size  # doctest: +SKIP
    224
    """
    path = Path(path)
    if not path.exists() and str(path) in (known := released()):
        path = known[str(path)]
    if not path.exists() and path.suffix != ".safetensors":
        names = ", ".join(released())
        hint = f"give a run folder of gradtrack-train{names and f', or one of {names}'}"
        raise CheckpointError("no such run", path=path, hint=hint)
    path = standing(path)
    if path.is_dir():
        path = path / (CARD_WEIGHTS if (path / CARD_WEIGHTS).exists() else "best.safetensors")
    if path.suffix != ".safetensors":
        raise CheckpointError(
            "is no checkpoint", path=path, hint="give a run folder or a .safetensors file"
        )
    facts = _read_facts(path)
    config = _config_of(facts, _facts_beside(path))
    _compare(asdict(config), expect or {}, path)
    weights = _read_weights(path, facts["sha256"])
    with torch.device("meta"):
        model = build_network(config.model, config.context)
    _check_shapes(model.state_dict(), weights, path)
    model.load_state_dict(weights, assign=True)
    model = model.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload] # torch's stub lacks it
    return Checkpoint(model, config, facts["step"], facts["metrics"], path)


def standing(path: Path) -> Path:
    """Return where the run that counts is: one that is being replaced stands in ``replaced/``.

    Parameters
    ----------
    path : pathlib.Path
        The folder of a run, or a weights file in it.
    """
    folder, name = (path, "") if path.is_dir() else (path.parent, path.name)
    older = folder / REPLACED
    # The new run has not saved anything yet that could be gone on from.
    return older / name if is_replaced(older) and (older / name).exists() else path


def replaced_files(older: Path) -> list[str]:
    """Return the files of the run that a folder says to hold; none where it is not ours.

    Parameters
    ----------
    older : pathlib.Path
        The folder ``replaced/`` of a run, which may be missing or somebody else's.
    """
    try:
        said = json.loads((older / REPLACED_FILE).read_bytes()[:MAX_JSON_BYTES])
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(said, dict) or said.get("format") != REPLACED_FORMAT:
        return []
    files = said.get("files")
    return [str(name) for name in files] if isinstance(files, list) else []


def is_replaced(older: Path) -> bool:
    """Whether a folder is the ``replaced/`` that we made, and every file of the run is there.

    Parameters
    ----------
    older : pathlib.Path
        The folder, which may be missing or somebody else's.
    """
    files = replaced_files(older)
    return bool(files) and all((older / name).is_file() for name in files)


def _facts_beside(path: Path) -> Path:
    return path.with_name(CARD_CONFIG) if path.name == CARD_WEIGHTS else path.with_suffix(".json")


def released() -> dict[str, Path]:
    """Return the weights files of the networks that come with this package, by name."""
    return {path.stem: path for path in sorted(_RELEASED.glob("*.safetensors"))}


def _read_facts(weights: Path) -> dict[str, Any]:
    """Return the facts of a weights file; of two, as a save was cut short, those that fit it."""
    path = _facts_beside(weights)
    facts = _checked_facts(_parsed(path), path)
    if _NEXT not in facts:
        return facts
    newer = _checked_facts(facts[_NEXT], path)
    is_replaced = weights.is_file() and sha256_of(weights) == newer["sha256"]
    return newer if is_replaced else facts


def _parsed(path: Path) -> object:
    try:
        with path.open("rb") as file:
            return json.loads(file.read(MAX_JSON_BYTES))
    except FileNotFoundError:
        raise CheckpointError(
            "no such file", path=path, hint="give a run folder of gradtrack-train"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("is damaged: no readable JSON", path=path, hint=_RETRAIN) from error


def _checked_facts(facts: object, path: Path) -> dict[str, Any]:
    if not _complete(facts):
        raise CheckpointError(
            "is damaged: not what gradtrack-train writes", path=path, hint=_RETRAIN
        )
    if facts["format"] != FORMAT:
        what = f"has format {quote(facts['format'])!r}, this version reads {FORMAT!r}"
        raise CheckpointError(what, path=path, hint="use the version of gazetrack that wrote it")
    return facts


def _complete(facts: object) -> TypeGuard[dict[str, Any]]:
    """Whether everything that loading needs is there, of the kind that it should be."""
    kinds = {"format": str, "sha256": str, "step": int, "metrics": dict, "config": dict}
    if not isinstance(facts, dict):
        return False
    return all(isinstance(facts.get(key), kind) for key, kind in kinds.items())


def _config_of(facts: dict[str, Any], path: Path) -> TrainConfig:
    try:
        return config_from(facts["config"])
    except ConfigError as error:
        raise CheckpointError(
            f"holds a configuration that cannot be used: {error.what}", path=path
        ) from error


def _compare(settings: Mapping[str, Any], expect: Mapping[str, Any], path: Path) -> None:
    differing = []
    for key, wanted in expect.items():
        value: Any = settings
        for part in key.split("."):
            value = value[part]
        if wanted is not None and value != wanted:
            name = key.removeprefix("model.")
            differing.append(f"{name} is {value!r}, this run asks for {wanted!r}")
    if differing:
        hint = "change the options to the checkpoint's, or give another one"
        raise CheckpointError(
            "was made with another configuration: " + "; ".join(differing), path=path, hint=hint
        )


def _read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            "cannot be read", path=path, hint="check the name and its permissions"
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        what = f"is damaged: its SHA-256 is not the one in {_facts_beside(path).name}"
        raise CheckpointError(what, path=path, hint=_RETRAIN)
    try:
        weights: dict[str, Tensor] = load_tensors(data)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(
            "is damaged: no safetensors file", path=path, hint=_RETRAIN
        ) from error
    return {
        key: value.float() if value.dtype == torch.float16 else value
        for key, value in weights.items()
    }


def _check_shapes(model: Mapping[str, Tensor], weights: Mapping[str, Tensor], path: Path) -> None:
    def fits(key: str) -> bool:
        return key in model and key in weights and _kind(model[key]) == _kind(weights[key])

    wrong = sorted(key for key in {*model, *weights} if not fits(key))
    if wrong:
        differing = f"{len(wrong)} tensors differ, first {quote(wrong[0])}"
        what = f"does not fit its configuration: {differing}"
        raise CheckpointError(what, path=path, hint="it belongs to another run")


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype]:
    return tensor.shape, tensor.dtype
