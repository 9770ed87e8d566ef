"""Encoders of other packages, where these are installed: ``timm:NAME`` and ``smp:NAME``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from gazetrack.errors import ConfigError, quote
from gradtrack_model.network.encoders import Block, Encoder

PACKAGES = {"timm": "timm", "smp": "segmentation_models_pytorch"}
_STRIDES = (2, 4, 8, 16, 32)
_RGB = 3
# Pixels a side of the image by which blocks are told apart: a size that all networks of these
# packages take.
_TRACED_PX = 224


def is_external(name: str) -> bool:
    """Whether an encoder's name is that of one in another package."""
    package, colon, _ = name.partition(":")
    return bool(colon) and package in PACKAGES


class ExternalEncoder(Encoder):
    """An encoder of another package with random weights: strides 2, 4, 8, 16, 32.

    Parameters
    ----------
    name : str
        ``timm:`` and one of ``timm.list_models()``, or ``smp:`` and one of
        ``smp.encoders.get_encoder_names()``, such as ``timm:resnet34``.
    c_in : int
        Channels of the images, 3 for RGB. Both packages spread the weights of the first convolution
        over more of them as `gradtrack_model.network.pretrained.spread` does.

    Raises
    ------
    ConfigError
        The package is not installed, does not know it, or it has no five such feature maps.
    """

    def __init__(self, name: str, c_in: int = 3) -> None:
        super().__init__(name)
        self._c_in = c_in
        self.net = _network(name, c_in, pretrained=False)
        if self._of_timm:
            self.channels = tuple(self.net.feature_info.channels())
            strides = tuple(self.net.feature_info.reduction())
        else:
            # Smp counts the image as the first feature map, and what a network does not have as one
            # of no channels.
            self.channels = tuple(self.net.out_channels[1:])
            strides = tuple(2**i for i, channels in enumerate(self.channels, 1) if channels)
        if strides != _STRIDES:
            what = f"{name} has features at strides {', '.join(map(str, strides))}"
            hint = "use a network with strides 2, 4, 8, 16 and 32, such as timm:resnet34"
            raise ConfigError(what, hint=hint)

    @property
    def _of_timm(self) -> bool:
        return self.name.startswith("timm:")

    def load_pretrained(self) -> None:
        """Take over timm's default weights, or smp's of ImageNet; the package may download them."""
        self.net.load_state_dict(_network(self.name, self._c_in, pretrained=True).state_dict())
        self.pretrained = True

    def freezable_blocks(self) -> list[Block]:
        """Return five blocks: what makes the first feature map, and what each other one needs more.

        Networks of other packages are built in many ways, so the gradient says it: the parameters
        of a block are those that a feature map depends on, and the ones before it do not.
        """
        device = next(self.parameters()).device
        image = torch.zeros(1, self._c_in, _TRACED_PX, _TRACED_PX, device=device)
        was_training = self.training
        self.eval()  # running statistics stay as they are
        try:
            with torch.enable_grad():
                features = self(image)
                needed = [_parameters_behind(feature, self.net) for feature in features]
        finally:
            self.train(was_training)
        blocks = []
        known: set[nn.Parameter] = set()
        for parameters in needed:
            added = parameters - known
            blocks.append(Block(list(added), _modules_of(self.net, added)))
            known |= parameters
        return blocks

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn [B, 3, H, W] into features [B, C_i, H/2^(i+1), W/2^(i+1)]."""
        features: list[Tensor] = list(self.net(image))
        return features if self._of_timm else features[1:]


def _parameters_behind(feature: Tensor, net: nn.Module) -> set[nn.Parameter]:
    """Return the parameters that a feature map depends on."""
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(feature.sum(), parameters, retain_graph=True, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    return {parameter for parameter, gradient in pairs if gradient is not None}


def _modules_of(net: nn.Module, parameters: set[nn.Parameter]) -> list[nn.Module]:
    """Return the largest modules all of whose parameters are among these.

    The largest, so that dropout within a block, which has no parameters, is among them.
    """
    found = []
    for child in net.children():
        own = set(child.parameters())
        if own and own <= parameters:
            found.append(child)
        elif own & parameters:
            found += _modules_of(child, parameters)
    return found


def _network(encoder: str, c_in: int, *, pretrained: bool) -> Any:
    package, _, name = encoder.partition(":")
    try:
        module = import_module(PACKAGES[package])
    except (ImportError, RuntimeError) as error:
        # A torchvision that was built for another PyTorch fails as it registers its operators.
        needed = PACKAGES[package]
        hint = f"pip install {needed}, and the torchvision that fits this PyTorch; or use lite"
        raise ConfigError(f"encoder {encoder} needs {needed}: {error}", hint=hint) from error
    try:
        if package == "timm":
            more = {} if c_in == _RGB else {"in_chans": c_in}
            return module.create_model(name, features_only=True, pretrained=pretrained, **more)
        more = {} if c_in == _RGB else {"in_channels": c_in}
        weights = "imagenet" if pretrained else None
        return module.encoders.get_encoder(name, weights=weights, **more)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        what = f"{package} does not give {name}: {quote(error, 120)}"
        names = "timm.list_models()" if package == "timm" else "smp.encoders.get_encoder_names()"
        raise ConfigError(what, hint=f"see {names}; or --set model.pretrained=false") from error
