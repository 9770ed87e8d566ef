"""Bundles run in MONAI itself, without this package, and give what the network gives."""

from __future__ import annotations

import dataclasses
import json
import runpy
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import CheckpointError, ConfigError, OutputError
from gazetrack.publish import sha256_of
from gradtrack_model.evaluation.in_memory import segment
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.weights import monai_bundle
from gradtrack_model.weights.monai_bundle import save_bundle
from tests.places import ROOT
from tests.weights.test_export import checkpoint

# What the specification asks of metadata.json, in our words; MONAI itself downloads its schema.
TENSOR = {
    "type": "object",
    "required": [
        "type", "format", "num_channels", "spatial_shape", "dtype", "value_range",
        "is_patch_data", "channel_def",
    ],
    "properties": {
        "type": {"type": "string"},
        "format": {"type": "string"},
        "modality": {"type": "string"},
        "num_channels": {"type": "integer", "minimum": 1},
        "spatial_shape": {"type": "array", "items": {"type": ["integer", "string"]}},
        "dtype": {"type": "string"},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "is_patch_data": {"type": "boolean"},
        "channel_def": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}  # fmt: skip
TEXTS = ["version", "monai_version", "pytorch_version", "numpy_version", "task", "description"]
TEXTS += ["authors", "copyright"]
METADATA = {
    "type": "object",
    "required": [*TEXTS, "required_packages_version", "network_data_format"],
    "properties": {
        **{name: {"type": "string", "minLength": 1} for name in TEXTS},
        "required_packages_version": {
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": {
                part: {"type": "object", "additionalProperties": TENSOR, "minProperties": 1}
                for part in ("inputs", "outputs")
            },
        },
    },
}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def bundle(network, tmp_path_factory):
    return save_bundle(network, tmp_path_factory.mktemp("bundle") / "polyps")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Noise, which every filter shows in another way, at sizes that are not the network's."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / "own.png")
    Image.fromarray(rng.integers(0, 256, (90, 130, 3), np.uint8)).save(folder / "wide.png")
    Image.fromarray(rng.integers(0, 256, (40, 33), np.uint8)).save(folder / "gray.bmp")
    return folder


@pytest.fixture(scope="module")
def monai():
    """Import what is slow to import once; it warns of what it does itself."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("monai.bundle")


def test_a_bundle_has_the_files_of_the_specification(bundle):
    files = sorted(str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file())
    configs = ["configs/inference.json", "configs/metadata.json"]
    assert files == [*configs, "docs/README.md", "docs/license.txt", "models/model.ts"]


@pytest.mark.filterwarnings("ignore")
def test_monai_finds_its_metadata_and_network_in_order(bundle, monai, tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps(METADATA))
    metadata = bundle / "configs" / "metadata.json"
    monai.verify_metadata(meta_file=str(metadata), filepath=str(tmp_path / "schema.json"))
    monai.verify_net_in_out(
        "network_def",
        meta_file=str(metadata),
        config_file=str(bundle / "configs" / "inference.json"),
        device="cpu",
        bundle_root=str(bundle),
    )
    told = json.loads(metadata.read_text("utf-8"))
    del told["network_data_format"]["outputs"]["pred"]["dtype"]
    (tmp_path / "less.json").write_text(json.dumps(told))
    with pytest.raises(ValueError, match="Failed validating"):
        monai.verify_metadata(
            meta_file=str(tmp_path / "less.json"), filepath=str(tmp_path / "schema.json")
        )


@pytest.mark.filterwarnings("ignore")
def test_monai_gives_our_probabilities(bundle, network, pictures, monai, tmp_path):
    parser = monai.ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser.read_meta(str(bundle / "configs" / "metadata.json"))
    given = {"bundle_root": str(bundle), "dataset_dir": str(pictures), "device": "cpu"}
    for key, value in {**given, "output_dir": str(tmp_path)}.items():
        parser[key] = value
    evaluator = parser.get_parsed_content("evaluator")
    postprocessing = parser.get_parsed_content("postprocessing")
    for data, ours in zip(
        evaluator.data_loader, segment(network, pictures, PredictOptions()), strict=True
    ):
        with torch.no_grad():
            pred = evaluator.network(data["image"])
        found = postprocessing({"pred": pred[0], "source": data["source"][0]})
        probability = np.asarray(found["probability"])[0]
        assert 0.1 < ours.share < 0.9
        np.testing.assert_allclose(probability, ours.probability, atol=1e-5)
        assert np.array_equal(np.asarray(found["pred"])[0].T > 0, ours.mask)


@pytest.mark.filterwarnings("ignore")
def test_the_command_of_the_readme_writes_our_masks(
    bundle, network, pictures, monai, tmp_path, monkeypatch
):
    pytest.importorskip("fire")
    # `python -m monai.bundle run`, within this process: MONAI takes seconds to import.
    words = ["run", "--config_file", "configs/inference.json"]
    words += ["--dataset_dir", str(pictures), "--output_dir", str(tmp_path / "out")]
    monkeypatch.chdir(bundle)
    monkeypatch.setattr(sys, "argv", ["monai.bundle", *words])
    runpy.run_module("monai.bundle", run_name="__main__")
    for ours in segment(network, pictures, PredictOptions()):
        mask = np.array(Image.open(tmp_path / "out" / f"{ours.name}_mask.png"))
        assert np.array_equal(mask, ours.mask.astype(np.uint8) * 255)
    readme = (bundle / "docs" / "README.md").read_text("utf-8")
    assert f"python -m monai.bundle {' '.join(words[:3])}" in readme


def test_the_file_of_the_network_carries_the_configuration(bundle):
    with zipfile.ZipFile(bundle / "models" / "model.ts") as archive:
        for name in ("metadata.json", "inference.json"):
            inside = archive.read(f"archive/extra/{name}")
            assert inside == (bundle / "configs" / name).read_bytes()


def test_nothing_says_where_it_was_made(bundle):
    with zipfile.ZipFile(bundle / "models" / "model.ts") as archive:
        for name in archive.namelist():
            assert str(ROOT).encode() not in archive.read(name), name


def test_it_says_what_it_was_made_of(bundle, network):
    told = json.loads((bundle / "configs" / "metadata.json").read_text("utf-8"))
    assert told["weights_sha256"] == sha256_of(network.path)
    assert told["network_data_format"]["inputs"]["image"]["spatial_shape"] == [64, 64]
    # The versions that the tests run with, so that the bundle names none that was never tried.
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    assert told["monai_version"] == pinned["monai"]
    assert told["required_packages_version"]["pytorch-ignite"] == pinned["pytorch-ignite"]


def test_half_is_half_the_size(bundle, network, tmp_path):
    half = save_bundle(network, tmp_path / "half", half=True)
    sizes = []
    for folder in (half, bundle):
        with zipfile.ZipFile(folder / "models" / "model.ts") as archive:
            data = [one for one in archive.infolist() if one.filename.startswith("archive/data/")]
            sizes.append(sum(one.file_size for one in data))
    assert 0.45 < sizes[0] / sizes[1] < 0.55


def test_a_network_that_differs_is_not_written(network, tmp_path, monkeypatch):
    monkeypatch.setattr(monai_bundle, "TOLERANCE", {False: -1.0})
    with pytest.raises(CheckpointError, match="TorchScript differs by"):
        save_bundle(network, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_not_touched(network, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(OutputError, match="is a folder that is not empty"):
        save_bundle(network, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_several_classes_are_refused(network, tmp_path):
    classes = ClassConfig(names=("polyp", "ulcer"))
    config = dataclasses.replace(network.config, classes=classes)
    several = dataclasses.replace(network, config=config)
    with pytest.raises(ConfigError, match="a bundle"):
        save_bundle(several, tmp_path / "out")
    assert not list(tmp_path.iterdir())
