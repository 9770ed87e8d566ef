"""Networks for programs without this package: ONNX, or PyTorch's exported program.

They take any number of RGB images in [0, 1], of any size, and return probabilities: normalisation
and sigmoid are inside. Each is compared with the original on images of two sizes before anything is
written.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gazetrack.errors import CheckpointError, ConfigError
from gazetrack.publish import sha256_of, write_bytes
from gazetrack.version import __version__
from gradtrack_model.data.augment import IMAGENET_MEAN, IMAGENET_STD
from gradtrack_model.network.classes import probabilities
from gradtrack_model.network.model import Network, build_network, channels_seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from gradtrack_model.weights.checkpoint import Checkpoint

    Run = Callable[[Tensor], Sequence[Tensor]]

FORMATS = {".onnx": "onnx", ".pt2": "torch"}
# Pixels a side. At 32 the deepest features would be one pixel, which exported programs treat apart.
SMALLEST = 33
LARGEST = 1 << 14
MOST_IMAGES = 1 << 16
# By how much a probability may differ from the original's, for float32 and for float16 (True).
TOLERANCE = {False: 1e-4, True: 0.05}
# What an exporter traces. Its numbers differ from each other, and so from those left open.
_EXAMPLE_SIZE = (96, 128)
_EXAMPLE_IMAGES = 2
# How a pixel gets its class.
_OF_SOFTMAX = (
    "softmax with the background; foreground where their sum is above the threshold, "
    "of the most probable class"
)
_OF_INDEPENDENT = (
    "each by itself; foreground where the most probable class is above the threshold, of that class"
)
_NEEDED = ("onnx", "onnxruntime", "onnxscript")
# The sections of the configuration that say what the outputs are.
_TOLD_SECTIONS = {"model", "loss", "maps"}


@dataclass(frozen=True)
class Exported:
    """A network that was written.

    Parameters
    ----------
    path : pathlib.Path
        The file that was written.
    bytes : int
        The size of that file.
    outputs : tuple of str
        The names of its outputs, the segmentation's first.
    difference : float
        The largest difference of a probability from the original network's.
    """

    path: Path
    bytes: int
    outputs: tuple[str, ...]
    difference: float


class Segmenter(nn.Module):
    """The network from images in [0, 1] to probabilities.

    Parameters
    ----------
    model : Network
        The network, which is taken over and changes its precision.
    tracks : bool
        Also return the predicted track maps, deepest stage first.
    half : bool
        Compute in float16; inputs and outputs stay float32.
    exclusive : bool
        Whether several classes exclude each other, see
        `gradtrack_model.network.classes.probabilities`.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        model: Network,
        tracks: bool = False,
        half: bool = False,
        *,
        exclusive: bool = False,
    ) -> None:
        super().__init__()
        self.model = model.half() if half else model.float()
        self.tracks = tracks
        self.exclusive = exclusive
        self.kind = torch.float16 if half else torch.float32
        n_slices = 2 * model.context + 1
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN * n_slices)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD * n_slices)[:, None, None])

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Turn RGB images [B, 3 * n, H, W] in [0, 1], of n slices each, into probabilities.

        The first output is the segmentation [B, K, H, W], a channel for each class; track maps
        [B, K, h_k, w_k] follow.
        """
        normalised = (image - self.mean) / self.std
        output = self.model(normalised.to(self.kind))
        found = [probabilities(output.logits.float(), exclusive=self.exclusive)]
        if self.tracks:
            found += [torch.sigmoid(logits.float()) for logits in output.tracks]
        return tuple(found)


def export_model(
    checkpoint: Checkpoint, path: Path, *, half: bool = False, tracks: bool = False
) -> Exported:
    """Write a network as ONNX (``.onnx``) or as a PyTorch exported program (``.pt2``).

    Parameters
    ----------
    checkpoint : Checkpoint
        Of `gradtrack_model.weights.checkpoint.load_model`; its model is not changed.
    path : pathlib.Path
        The file to write; its ending chooses the format.
    half : bool
        Store and compute float16: half the size.
    tracks : bool
        Also give the predicted track maps as outputs.

    Returns
    -------
    Exported

    Raises
    ------
    ConfigError
        Another ending, or ONNX is not installed.
    CheckpointError
        The exported network does not give the same probabilities; nothing is written.
    OutputError
        The file cannot be written.
    """
    kind = _format_of(path)
    if tracks and checkpoint.config.loss.track_weight == 0:
        what = "the network was trained without track maps"
        raise ConfigError(what, hint="leave --tracks out")
    classes = checkpoint.config.classes
    exclusive = classes.exclusive and bool(classes.names)
    original = Segmenter(_copy(checkpoint), tracks, exclusive=exclusive).eval()
    segmenter = Segmenter(_copy(checkpoint), tracks, half, exclusive=exclusive).eval()
    n_tracks = checkpoint.model.n_tracks if tracks else 0
    channels = channels_seen(checkpoint.config.context)
    shapes = _shapes(checkpoint.config.predicting_size, channels)
    names = ("probability", *(f"track_{k}" for k in range(1, n_tracks + 1)))
    facts = _facts(checkpoint, names, half)
    with _quiet(), torch.no_grad():
        if kind == "onnx":
            data, run = _as_onnx(segmenter, names, facts)
        else:
            data, run = _as_program(segmenter, facts)
        difference = max(_difference(original, run, shape) for shape in shapes)
    if not difference <= TOLERANCE[half]:  # a NaN is no agreement either
        found = f"{difference:.2g} in probability, more than {TOLERANCE[half]:g}"
        what = f"the exported network differs by {found}"
        hint = "export it in the other format, or without --half"
        raise CheckpointError(what, path=checkpoint.path, hint=hint)
    write_bytes(path, data)
    return Exported(path, len(data), names, difference)


def _format_of(path: Path) -> str:
    """Return the format that a file's ending asks for, if it can be written here."""
    kind = FORMATS.get(path.suffix)
    if kind is None:
        what = f"the ending {path.suffix!r} is no format"
        raise ConfigError(what, hint="name the output .onnx or .pt2")
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if kind == "onnx" and missing:
        what = f"{', '.join(missing)} not installed"
        raise ConfigError(what, hint='pip install "gazetrack[export]"')
    return kind


def _copy(checkpoint: Checkpoint) -> Network:
    # Not in channels_last: how the strides of such a tensor look is a condition on its size.
    model = build_network(checkpoint.config.model, checkpoint.config.context)
    model.load_state_dict(checkpoint.model.state_dict())
    return model


def _facts(checkpoint: Checkpoint, names: Sequence[str], half: bool) -> dict[str, str]:
    """Return what a user of the file must know, as texts."""
    size = checkpoint.config.predicting_size
    threshold = checkpoint.config.predict_threshold
    settings = checkpoint.config.as_dict()
    told = {key: value for key, value in settings.items() if key in _TOLD_SECTIONS}
    classes = checkpoint.config.classes
    of_classes: dict[str, str] = {}
    if classes.names:
        what = _OF_SOFTMAX if classes.exclusive else _OF_INDEPENDENT
        of_classes["classes"] = f"channels are {', '.join(classes.names)}: {what}"
    context = checkpoint.config.context
    channels = channels_seen(context)
    images = f"RGB in [0, 1], float32, [batch, {channels}, height, width]"
    if context:
        images += f" ({context} slices before, the slice itself, and {context} after it)"
    return {
        "producer": f"gazetrack {__version__}",
        "input": f"image: {images}, at least {SMALLEST} pixels a side",
        "image_size": f"{size} x {size} pixels: resize images to it, and the logits back",
        "outputs": ", ".join(names) + f": in [0, 1]; foreground is probability > {threshold:g}",
        "threshold": str(threshold),
        "precision": "float16" if half else "float32",
        **of_classes,
        "weights_sha256": sha256_of(checkpoint.path),
        "config": json.dumps(told, sort_keys=True),
    }


def _open_sizes() -> dict[int, torch.export.Dim]:
    """Return the axes of the input whose length is left open: batch, height and width."""
    return {
        0: torch.export.Dim("batch", min=1, max=MOST_IMAGES),
        2: torch.export.Dim("height", min=SMALLEST, max=LARGEST),
        3: torch.export.Dim("width", min=SMALLEST, max=LARGEST),
    }


def _as_program(segmenter: Segmenter, facts: dict[str, str]) -> tuple[bytes, Run]:
    example = _example(segmenter)
    program = torch.export.export(segmenter, (example,), dynamic_shapes=(_open_sizes(),))
    program.example_inputs = None  # no use to anybody who loads it
    data = io.BytesIO()
    torch.export.save(program, data, extra_files={"gradtrack.json": json.dumps(facts, indent=2)})
    module = torch.export.load(io.BytesIO(data.getvalue())).module()
    return data.getvalue(), module


def _as_onnx(
    segmenter: Segmenter, names: Sequence[str], facts: dict[str, str]
) -> tuple[bytes, Run]:
    import onnxruntime

    program: Any = torch.onnx.export(
        segmenter,
        (_example(segmenter),),
        dynamo=True,
        dynamic_shapes=(_open_sizes(),),
        input_names=["image"],
        output_names=list(names),
        verbose=False,
    )
    model = program.model_proto
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    data: bytes = model.SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])

    def run(image: Tensor) -> list[Tensor]:
        return [torch.from_numpy(found) for found in session.run(None, {"image": image.numpy()})]

    return data, run


def _shapes(size: int, channels: int) -> tuple[tuple[int, ...], ...]:
    """Return shapes to compare at: that of training, and one that no halving leaves even."""
    return (1, channels, size, size), (3, channels, 67, 89)


def _example(segmenter: Segmenter) -> Tensor:
    """Return what an exporter traces."""
    return _images((_EXAMPLE_IMAGES, len(segmenter.mean), *_EXAMPLE_SIZE))


def _images(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def _difference(original: Segmenter, run: Run, shape: tuple[int, ...]) -> float:
    image = _images(shape)
    pairs = list(zip(original(image), run(image), strict=True))
    if any(a.shape != b.shape for a, b in pairs):
        return float("inf")
    return max(float((a - b).abs().max()) for a, b in pairs)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporters from telling users about their own insides."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
