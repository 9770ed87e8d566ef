"""Encoders of other packages, where these are installed: ``timm:NAME`` and ``smp:NAME``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import Tensor, nn

from gazetrack.errors import ConfigError, quote

PACKAGES = {"timm": "timm", "smp": "segmentation_models_pytorch"}
_STRIDES = (2, 4, 8, 16, 32)


def is_borrowed(name: str) -> bool:
    """Whether an encoder's name is that of one in another package."""
    return name.partition(":")[0] in PACKAGES and ":" in name


class BorrowedEncoder(nn.Module):
    """An encoder of another package with random weights: strides 2, 4, 8, 16, 32.

    Parameters
    ----------
    name : str
        ``timm:`` and one of ``timm.list_models()``, or ``smp:`` and one of
        ``smp.encoders.get_encoder_names()``, such as ``timm:resnet34``.

    Raises
    ------
    ConfigError
        The package is not installed, does not know it, or it has no five such feature maps.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.net = _network(name, pretrained=False)
        if self._of_timm:
            self.channels = tuple(self.net.feature_info.channels())
            strides = tuple(self.net.feature_info.reduction())
        # Smp counts the image as the first, and what a network does not have as one of no channels
        else:
            self.channels = tuple(self.net.out_channels[1:])
            strides = tuple(2**i for i, n in enumerate(self.channels, 1) if n)
        if strides != _STRIDES:
            what = f"{name} has features at strides {', '.join(map(str, strides))}"
            raise ConfigError(
                what, hint="use a network with strides 2, 4, 8, 16 and 32, such as timm:resnet34"
            )

    @property
    def _of_timm(self) -> bool:
        return self.name.startswith("timm:")

    def load_pretrained(self) -> None:
        """Take over the package's weights, which it may download: timm's default ones, smp's of ImageNet."""
        self.net.load_state_dict(_network(self.name, pretrained=True).state_dict())

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn [B, 3, H, W] into features [B, C_i, H/2^(i+1), W/2^(i+1)]."""
        features: list[Tensor] = list(self.net(image))
        return features if self._of_timm else features[1:]


def _network(encoder: str, *, pretrained: bool) -> Any:
    package, _, name = encoder.partition(":")
    try:
        module = import_module(PACKAGES[package])
    except ImportError as error:
        hint = f"pip install {PACKAGES[package]}, and the torchvision that fits this PyTorch; or use lite"
        raise ConfigError(
            f"encoder {encoder} needs {PACKAGES[package]}: {error}", hint=hint
        ) from error
    try:
        if package == "timm":
            return module.create_model(name, features_only=True, pretrained=pretrained)
        return module.encoders.get_encoder(name, weights="imagenet" if pretrained else None)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        what = f"{package} does not give {name}: {quote(error, 120)}"
        names = "timm.list_models()" if package == "timm" else "smp.encoders.get_encoder_names()"
        raise ConfigError(what, hint=f"see {names}; or --set model.pretrained=false") from error
