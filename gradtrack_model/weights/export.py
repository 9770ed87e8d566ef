"""Networks for programs without this package: ONNX, or PyTorch's exported program. Any number and size of images.

The exported network takes RGB images in [0, 1] and returns probabilities: normalisation and sigmoid
are inside. It is compared with the original on images of two sizes before anything is written.
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from gradtrack_model.weights.checkpoint import Checkpoint

    Run = Callable[[Tensor], Sequence[Tensor]]

FORMATS = {".onnx": "onnx", ".pt2": "torch"}
SMALLEST = (
    33  # pixels: at 32 the deepest features would be one pixel, which exported programs treat apart
)
TOLERANCE = {False: 1e-4, True: 0.05}  # of probabilities, for float32 and float16
_NEEDED = ("onnx", "onnxruntime", "onnxscript")
_DETERMINED_BY = {"model", "loss", "maps"}


@dataclass(frozen=True)
class Exported:
    """A network that was written.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    bytes : int
        Its size.
    outputs : tuple of str
        Names of its outputs.
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
    model : nn.Module
        A `TrackUNet`.
    tracks : bool
        Also return the predicted track maps, deepest stage first.
    half : bool
        Compute in float16; inputs and outputs stay float32.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, tracks: bool = False, half: bool = False) -> None:
        super().__init__()
        self.model = model.half() if half else model.float()
        self.tracks, self.kind = tracks, torch.float16 if half else torch.float32
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Turn RGB images [B, 3, H, W] in [0, 1] into probabilities [B, 1, H, W], and tracks [B, 1, h_k, w_k]."""
        output = self.model(((image - self.mean) / self.std).to(self.kind))
        wanted = [output.logits, *(output.tracks if self.tracks else ())]
        return tuple(torch.sigmoid(logits.float()) for logits in wanted)


def export_model(
    checkpoint: Checkpoint, path: Path, *, half: bool = False, tracks: bool = False
) -> Exported:
    """Write a network as ONNX (``.onnx``) or as a PyTorch exported program (``.pt2``).

    Parameters
    ----------
    checkpoint : Checkpoint
        Of `gradtrack_model.weights.checkpoint.load_model`; its model is not changed.
    path : pathlib.Path
        What to write; its ending chooses the format.
    half : bool
        Store and compute float16.
    tracks : bool
        Also give the predicted track maps.

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
    kind = FORMATS.get(path.suffix)
    if kind is None:
        raise ConfigError(
            f"the ending {path.suffix!r} is no format", hint="name the output .onnx or .pt2"
        )
    if kind == "onnx" and (missing := [name for name in _NEEDED if find_spec(name) is None]):
        raise ConfigError(
            f"{', '.join(missing)} not installed", hint='pip install "gazetrack[export]"'
        )
    original = Segmenter(_copy(checkpoint), tracks).eval()
    segmenter = Segmenter(_copy(checkpoint), tracks, half).eval()
    n_tracks = len(checkpoint.model.stages) if tracks else 0
    shapes = _shapes(checkpoint.config.predicting_size)
    names = ("probability", *(f"track_{k}" for k in range(1, n_tracks + 1)))
    facts = _facts(checkpoint, names, half)
    with _quiet(), torch.no_grad():
        data, run = (
            _as_onnx(segmenter, names, facts) if kind == "onnx" else _as_program(segmenter, facts)
        )
        difference = max(_difference(original, run, shape) for shape in shapes)
    if not difference <= TOLERANCE[half]:
        what = f"the exported network differs by {difference:.2g} in probability, more than {TOLERANCE[half]:g}"
        raise CheckpointError(
            what, path=checkpoint.path, hint="export it in the other format, or without --half"
        )
    write_bytes(path, data)
    return Exported(path, len(data), names, difference)


def _copy(checkpoint: Checkpoint) -> nn.Module:
    # Not in channels_last: how the strides of such a tensor look is a condition on its size.
    model = type(checkpoint.model)(checkpoint.config.model)
    model.load_state_dict(checkpoint.model.state_dict())
    return model


def _facts(checkpoint: Checkpoint, names: Sequence[str], half: bool) -> dict[str, str]:
    """Return what a user of the file must know, as texts."""
    size, threshold = checkpoint.config.predicting_size, checkpoint.config.predict_threshold
    config = {
        key: value for key, value in checkpoint.config.as_dict().items() if key in _DETERMINED_BY
    }
    return {
        "producer": f"gazetrack {__version__}",
        "input": f"image: RGB in [0, 1], float32, [batch, 3, height, width], at least {SMALLEST} pixels a side",
        "image_size": f"{size} x {size} pixels: resize images to it, and the probabilities back",
        "outputs": ", ".join(names) + f": in [0, 1]; foreground is probability > {threshold:g}",
        "precision": "float16" if half else "float32",
        "weights_sha256": sha256_of(checkpoint.path),
        "config": json.dumps(config, sort_keys=True),
    }


def _sizes() -> dict[int, torch.export.Dim]:
    side = {"min": SMALLEST, "max": 1 << 14}
    named = {
        0: torch.export.Dim("batch", min=1, max=1 << 16),
        2: torch.export.Dim("height", **side),
    }
    return {**named, 3: torch.export.Dim("width", **side)}


def _as_program(segmenter: Segmenter, facts: dict[str, str]) -> tuple[bytes, Run]:
    program = torch.export.export(
        segmenter, (_images((2, 3, 96, 128)),), dynamic_shapes=(_sizes(),)
    )
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
        (_images((2, 3, 96, 128)),),
        dynamo=True,
        dynamic_shapes=(_sizes(),),
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


def _shapes(size: int) -> tuple[tuple[int, ...], ...]:
    """Return that of training, and one that no halving leaves even."""
    return (1, 3, size, size), (3, 3, 67, 89)


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
