"""Exported networks give what the original gives, at any size, and say what they are."""

from __future__ import annotations

import json
import re
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.evaluation.in_memory import segment
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.network.model import TrackUNet
from gradtrack_model.settings import load_config
from gradtrack_model.weights import export
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint
from gradtrack_model.weights.export import Segmenter, export_model
from tests.places import ROOT

THRESHOLD = 0.45
SETTINGS = {"basic": {"model.widths": [8, 8, 8, 8, 8, 8]}, "lite": {"model.widths": [8, 8, 8, 8]}}
needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxruntime", "onnxscript")),
    reason="gazetrack[export]",
)


def checkpoint(folder, encoder="basic", size=64):
    torch.manual_seed(0)
    overrides = {
        "image_size": size,
        "predict_threshold": THRESHOLD,
        "model.encoder": encoder,
        "model.pretrained": False,
        **SETTINGS[encoder],
    }
    config = load_config("tiny", overrides=overrides)
    model = TrackUNet(config.model)
    # Some parameters begin at zero: their part of the network must count as well.
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    saved = save_checkpoint(folder, "best", model, config, step=7, metrics={"val_dice": 0.5})
    return load_model(saved)


@pytest.fixture(scope="module")
def basic(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("basic"))


def images(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


def onnx_session(path):
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def in_onnx(basic, tmp_path_factory):
    """The network in ONNX, with its tracks: what takes long is done once."""
    return export_model(
        basic, tmp_path_factory.mktemp("onnx") / "net.onnx", half=False, tracks=True
    )


@needs_onnx
def test_onnx_gives_the_same_at_any_size(basic, in_onnx):
    check_onnx(basic, in_onnx, atol=1e-5)


@needs_onnx
@pytest.mark.slow
def test_onnx_of_half_precision_gives_almost_the_same(basic, tmp_path):
    done = export_model(basic, tmp_path / "net.onnx", half=True, tracks=True)
    check_onnx(basic, done, atol=0.02)


def check_onnx(basic, done, atol):
    assert done.outputs == ("probability", "track_1", "track_2", "track_3", "track_4")
    assert done.bytes == done.path.stat().st_size
    session, original = onnx_session(done.path), Segmenter(basic.model, tracks=True)
    for shape in ((1, 3, 33, 33), (2, 3, 64, 64), (3, 3, 50, 91)):
        image = images(*shape)
        with torch.no_grad():
            want = original(image)
        for got, wanted in zip(session.run(None, {"image": image.numpy()}), want, strict=True):
            np.testing.assert_allclose(got, wanted.numpy(), atol=atol)


@needs_onnx
@pytest.mark.parametrize("size", [(90, 40), (37, 50), (150, 120)])
def test_the_example_of_the_docs_gives_the_mask_of_predict(
    basic, in_onnx, tmp_path, monkeypatch, size
):
    page = (ROOT / "docs" / "export.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "polyps.onnx").write_bytes(in_onnx.path.read_bytes())
    noise = np.random.default_rng(5).integers(0, 256, (5, 6, 3), np.uint8)
    (tmp_path / "images").mkdir()
    shown = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    shown.save(tmp_path / "images" / "image.png")
    shown.save(tmp_path / "image.png")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "export.md", "exec"), {})
    (done,) = predict_folder(tmp_path / "images", basic, tmp_path / "out", PredictOptions())
    assert 0.01 < done.share < 0.99
    wanted, got = (np.asarray(Image.open(path)) for path in (done.outputs[0], "mask.png"))
    assert np.array_equal(wanted, got)


@needs_onnx
def test_an_onnx_file_says_what_it_is(in_onnx):
    session = onnx_session(in_onnx.path)
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["image_size"].startswith("64 x 64 pixels")
    assert float(facts["threshold"]) == THRESHOLD
    assert json.loads(facts["config"])["model"]["encoder"] == "basic"
    assert re.fullmatch(r"[0-9a-f]{64}", facts["weights_sha256"])
    assert [i.name for i in session.get_inputs()] == ["image"]


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["basic", "lite"])
def test_an_exported_program_gives_the_same_at_any_size(tmp_path, encoder):
    network = checkpoint(tmp_path, encoder)
    done = export_model(network, tmp_path / "net.pt2", half=False)
    module = torch.export.load(done.path).module()
    for shape in ((1, 3, 47, 80), (3, 3, 64, 33)):
        image = images(*shape)
        with torch.no_grad():
            (want,) = Segmenter(network.model)(image)
            (got,) = module(image)
        assert torch.allclose(got, want, atol=1e-5)
    with zipfile.ZipFile(done.path) as archive:
        (facts,) = (name for name in archive.namelist() if name.endswith("gradtrack.json"))
        assert json.loads(archive.read(facts))["outputs"].startswith("probability: ")


def test_a_network_that_differs_is_not_written(basic, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", {False: -1.0})
    with pytest.raises(CheckpointError, match="the exported network differs by"):
        export_model(basic, tmp_path / "net.pt2")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_said(basic, tmp_path, monkeypatch):
    with pytest.raises(
        ConfigError, match=r"the ending '\.h5' is no format - name the output \.onnx or \.pt2"
    ):
        export_model(basic, tmp_path / "net.h5")
    monkeypatch.setattr(
        export, "find_spec", lambda name: None if name == "onnxscript" else object()
    )
    with pytest.raises(
        ConfigError, match=r'onnxscript not installed - pip install "gazetrack\[export\]"'
    ):
        export_model(basic, tmp_path / "net.onnx")


@pytest.mark.slow
@needs_onnx
def test_the_example_of_the_docs_makes_our_own_mask(tmp_path, monkeypatch):
    network = checkpoint(tmp_path / "run", size=224)
    export_model(network, tmp_path / "polyps.onnx")
    # Noise, which every filter shows in another way, at a size that is not the network's.
    noise = (images(260, 390, 3) * 255).to(torch.uint8).numpy()
    Image.fromarray(noise).save(tmp_path / "image.png")
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "export.md").read_text("utf-8"), re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "docs/export.md", "exec"), {})
    mask = np.array(Image.open("mask.png")) > 0
    (own,) = segment(network, noise, PredictOptions())
    assert 0.1 < own.share < 0.9
    assert mask.shape == (260, 390)
    # Resized by Pillow's default filter, one pixel of 16 is another.
    assert (mask != own.mask).mean() < 1e-3


def test_tracks_that_were_never_learned_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="trained without track maps - leave --tracks out"):
        export_model(load_model("kvasir-lite"), tmp_path / "net.onnx", tracks=True)
    assert not list(tmp_path.iterdir())
