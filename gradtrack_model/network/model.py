"""The network: a U-Net whose every decoder stage carries Track Attention.

Our reading of GradTrack (Wang et al., MICCAI 2025, arXiv 2505.22230). Gaze is a training signal
only: it is no input.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gazetrack.errors import ConfigError, quote
from gradtrack_model.limits import within
from gradtrack_model.network.attention import TrackAttention
from gradtrack_model.network.blocks import NORM_GROUPS, DecoderStage, resize
from gradtrack_model.network.classes import MOST_CLASSES
from gradtrack_model.network.dinov2 import DinoEncoder
from gradtrack_model.network.encoders import LITE_SCALES, BasicEncoder, Encoder, LiteEncoder
from gradtrack_model.network.external_encoders import ExternalEncoder, is_external

# Five encoder widths and the last decoder width, those of GazeMedSeg.
BASIC_WIDTHS = (64, 128, 256, 512, 1024, 128)
# Decoder widths at strides 16, 8, 4, 2.
LITE_WIDTHS = (128, 64, 48, 32)
DEFAULT_WIDTHS = {
    **dict.fromkeys(LITE_SCALES, LITE_WIDTHS),
    "dinov2": LITE_WIDTHS,
    "basic": BASIC_WIDTHS,
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What network to build.

    Parameters
    ----------
    encoder : {"lite", "lite1", "lite2", "dinov2", "basic", "timm:NAME", "smp:NAME"}
        ``lite``: EfficientNet-Lite0; ``lite1`` and ``lite2`` are larger. ``dinov2``: the vision
        transformer DINOv2 ViT-S/14, larger still. ``basic``: U-Net with GroupNorm from scratch.
        ``timm:resnet34``, ``smp:mobileone_s0``: any network of the package timm or
        segmentation_models_pytorch, where installed, with features at strides 2 to 32; images are
        normalised as for ImageNet.
    widths : tuple of int
        ``basic``: five encoder widths and the last decoder width. Others: four decoder widths,
        deepest first. Multiples of 8; empty for the default.
    attention : bool
        Off: a plain U-Net with deep supervision, as a control.
    gates : bool
        Attention gates on the skip connections, as a control.
    heads : int
        Segmentations of a network, whose mean is the prediction.
    networks : int
        Networks that learn side by side from the same initial weights and teach each other, as in
        GazeMedSeg; the prediction is the mean of all. The loss has one threshold for each head of
        each network.
    pretrained : bool
        Start the encoder from its ImageNet weights; ``basic`` has none.
    classes : int
        Number of classes that are told apart. `TrainConfig` takes it from ``classes.names``.

    Raises
    ------
    ConfigError
        An unknown encoder, or widths that do not fit it.
    """

    encoder: str = "lite"
    widths: tuple[int, ...] = ()
    attention: bool = True
    gates: bool = False
    heads: int = 1
    networks: int = 1
    pretrained: bool = True
    classes: int = 1

    def __post_init__(self) -> None:
        if self.encoder not in DEFAULT_WIDTHS and not is_external(self.encoder):
            known = ", ".join(DEFAULT_WIDTHS)
            what = f"encoder is {quote(self.encoder)!r}"
            raise ConfigError(what, hint=f"use one of {known}, timm:NAME, smp:NAME")
        within("heads", self.heads, 1, 8)
        within("networks", self.networks, 1, 8)
        within("classes", self.classes, 1, MOST_CLASSES)
        if self.classes > 1 and self.heads * self.networks > 1:
            what = f"{self.classes} classes and {self.heads * self.networks} segmentations of each"
            hint = "several heads or networks, as of gazemedseg, are for one class"
            raise ConfigError(what, hint=hint)
        default = DEFAULT_WIDTHS.get(self.encoder, LITE_WIDTHS)
        widths = tuple(self.widths) or default
        if len(widths) != len(default):
            what = f"widths are {widths}"
            raise ConfigError(what, hint=f"encoder {self.encoder} takes {len(default)}")
        # The track head halves the channels before it normalises them in groups.
        unit = 2 * NORM_GROUPS
        if any(width < unit or width % unit for width in widths):
            raise ConfigError(f"widths are {widths}", hint=f"use positive multiples of {unit}")
        object.__setattr__(self, "widths", widths)


class Output(NamedTuple):
    """What the network predicts.

    Parameters
    ----------
    logits : Tensor, shape (B, K, H, W)
        Logits of the segmentation, at the size of the image, a channel for each class.
    tracks : list of Tensor, shapes (B, K, h_k, w_k)
        Logits of the track maps, deepest stage first.
    heads : Tensor, shape (B, m, h, w)
        Logits of each segmentation, or of each class, at the last stage's size; what the loss
        compares.
    features : tuple of Tensor, shapes (B, C, h, w)
        The features of the last stage, of each network.
    empty : Tensor, shape (m,)
        Logits of each segmentation where all features are 0.
    """

    logits: Tensor
    tracks: list[Tensor]
    heads: Tensor
    features: tuple[Tensor, ...]
    empty: Tensor


class Network(nn.Module):
    """What trainer, prediction and export know of a network: images go in, an `Output` comes out.

    Attributes
    ----------
    config : ModelConfig
        What it was built of.
    context : int
        Slices before, and slices after the one to be segmented that it sees.
    """

    config: ModelConfig
    context: int

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoder of each network inside."""
        raise NotImplementedError

    @property
    def n_tracks(self) -> int:
        """How many track maps it predicts, one for each decoder stage."""
        raise NotImplementedError


class TrackUNet(Network):
    """The U-Net with Track Attention.

    Parameters
    ----------
    config : ModelConfig
        What to build. Weights are random; ``encoder.load_pretrained`` takes over those of ImageNet.
    context : int
        Slices before, and slices after the one to be segmented that it sees, see `channels_seen`.
    """

    def __init__(self, config: ModelConfig, context: int = 0) -> None:
        super().__init__()
        self.config = config
        self.context = context
        self.encoder, widths = _encoder_and_decoder_widths(config, channels_seen(context))
        self.stages = nn.ModuleList()
        self.attention = nn.ModuleList()
        *skips, channels = self.encoder.channels
        for k, (c_skip, width) in enumerate(zip(reversed(skips), widths, strict=True)):
            self.stages.append(DecoderStage(channels, c_skip, width, config.gates))
            attention = TrackAttention(
                width, deepest=k == 0, attend=config.attention, classes=config.classes
            )
            self.attention.append(attention)
            channels = width
        # One class may have several segmentations; several classes have one each.
        self.head = nn.Conv2d(channels, config.heads * config.classes, 1)

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The one encoder."""
        return (self.encoder,)

    @property
    def n_tracks(self) -> int:
        """One of each decoder stage."""
        return len(self.stages)

    def forward(self, image: Tensor) -> Output:
        """Segment images.

        Parameters
        ----------
        image : Tensor, shape (B, channels_seen(context), H, W)
            Normalised images of any size from 32 x 32.

        Returns
        -------
        Output
        """
        *skips, x = self.encoder(image)  # finest first; x [B, C_0, h_0, w_0] is the bottleneck
        track = None
        tracks = []
        stages = zip(self.stages, self.attention, reversed(skips), strict=True)
        for stage, attention, skip in stages:
            x = stage(x, skip)  # F_k  [B, C_k, h_k, w_k]
            x, track = attention(x, track)  # F'_k [B, C_k, h_k, w_k], a_k [B, K, h_k, w_k]
            tracks.append(track)
        heads = self.head(x)  # [B, m, h_K, w_K]
        of_class = heads.mean(1, keepdim=True) if self.config.classes == 1 else heads
        logits = resize(of_class, image)  # [B, K, H, W]
        assert self.head.bias is not None  # noqa: S101 - it is built with one
        return Output(logits, tracks, heads, (x,), self.head.bias)


class PeerUNets(Network):
    """Several U-Nets side by side, as in GazeMedSeg: one learns from each level of the labels.

    They begin with the same weights, as those of the release do, and part by their labels.

    Parameters
    ----------
    config : ModelConfig
        What to build; `networks` says how many.
    context : int
        Slices before, and slices after the one to be segmented that each network sees.
    """

    def __init__(self, config: ModelConfig, context: int = 0) -> None:
        super().__init__()
        self.config = config
        self.context = context
        first = TrackUNet(dataclasses.replace(config, networks=1), context)
        others = [copy.deepcopy(first) for _ in range(1, config.networks)]
        self.networks = nn.ModuleList([first, *others])

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoder of each network."""
        return tuple(peer.encoder for peer in self._peers())

    @property
    def n_tracks(self) -> int:
        """Return 0, for it could not be said which network's track maps they are."""
        return 0

    def _peers(self) -> list[TrackUNet]:
        return [peer for peer in self.networks if isinstance(peer, TrackUNet)]

    def forward(self, image: Tensor) -> Output:
        """Segment images by the mean of all networks; parameters as of `TrackUNet.forward`."""
        outputs: list[Output] = [network(image) for network in self.networks]
        return Output(
            logits=torch.stack([output.logits for output in outputs]).mean(0),
            tracks=[],
            heads=torch.cat([output.heads for output in outputs], dim=1),
            features=tuple(features for output in outputs for features in output.features),
            empty=torch.cat([output.empty for output in outputs]),
        )


def build_network(config: ModelConfig, context: int = 0) -> Network:
    """Return one network, or several side by side, with random weights.

    Parameters
    ----------
    config : ModelConfig
        What to build: encoder, decoder, heads, and how many networks.
    context : int
        Slices before, and slices after the one to be segmented that it sees.
    """
    return TrackUNet(config, context) if config.networks == 1 else PeerUNets(config, context)


def channels_seen(context: int) -> int:
    """Return the channels of what a network sees: three of each slice, in the slices' order."""
    return 3 * (2 * context + 1)


def foreground(logits: Tensor, threshold: float) -> Tensor:
    """Return where the probability is above `threshold`, as bool of the shape of `logits`."""
    return logits > math.log(threshold / (1 - threshold))


def _encoder_and_decoder_widths(config: ModelConfig, c_in: int) -> tuple[Encoder, tuple[int, ...]]:
    """Build the encoder, and return it with the channels of the four decoder stages."""
    if is_external(config.encoder):
        return ExternalEncoder(config.encoder, c_in), config.widths
    if config.encoder == "dinov2":
        return DinoEncoder(c_in), config.widths
    if config.encoder in LITE_SCALES:
        return LiteEncoder(config.encoder, c_in), config.widths
    *encoder, last = config.widths
    inner = encoder[1:-1]
    return BasicEncoder(encoder, c_in), (*reversed(inner), last)
