"""Networks in folders of the Hugging Face hub come back as they were."""

from __future__ import annotations

import sys
import types

import pytest
import torch

from gazetrack.errors import CheckpointError, ConfigError, OutputError
from gradtrack_model.network.model import TrackUNet
from gradtrack_model.settings import load_config
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint
from gradtrack_model.weights.hub import from_pretrained, save_pretrained


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    overrides = {"image_size": 64, "model.widths": [8, 8, 8, 8, 8, 8]}
    config = load_config("tiny", overrides=overrides)
    torch.manual_seed(0)
    model = TrackUNet(config.model)
    return load_model(save_checkpoint(folder, "best", model, config, step=7, metrics={}))


def test_a_folder_of_the_hub_comes_back(network, tmp_path):
    folder = save_pretrained(network, tmp_path / "net", half=True)
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "README.md",
    }
    again = from_pretrained(str(folder))
    assert (again.step, again.config) == (network.step, network.config)
    for key, value in network.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[key], value.half().float())
    card = (folder / "README.md").read_text()
    assert "# A segmentation network, method gradtrack" in card
    assert "What was computed: Track Attention; 4 levels" in card
    (folder / "README.md").write_text("mine")
    save_pretrained(network, folder)
    assert (folder / "README.md").read_text() == "mine"
    (folder / "model.safetensors").write_bytes(b"x")
    with pytest.raises(
        CheckpointError, match=r"is damaged: its SHA-256 is not the one in config\.json"
    ):
        from_pretrained(str(folder))


def test_a_network_of_the_hub(network, tmp_path, monkeypatch):
    folder = save_pretrained(network, tmp_path / "net")
    monkeypatch.setattr("gradtrack_model.weights.hub.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="huggingface_hub is not installed"):
        from_pretrained("someone/polyps")

    def download(name, allow_patterns):
        if name != "someone/polyps":
            raise OSError("404")
        assert allow_patterns == ["config.json", "model.safetensors"]
        return str(folder)

    monkeypatch.setattr("gradtrack_model.weights.hub.find_spec", lambda name: object())
    monkeypatch.setitem(
        sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=download)
    )
    assert from_pretrained("someone/polyps").step == 7
    with pytest.raises(
        CheckpointError, match="the hub does not give 'someone/nothing': 404 - check the name"
    ):
        from_pretrained("someone/nothing")


def test_the_folder_of_a_run_is_not_written_over(network):
    run = network.path.parent
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(OutputError, match="is a folder of inputs"):
        save_pretrained(network, run)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_card_is_of_what_was_computed(tmp_path):
    save_pretrained(load_model("kvasir-lite"), tmp_path / "net")
    card = (tmp_path / "net" / "README.md").read_text()
    assert "method plain" in card
    assert "What was computed: plain decoder; the last level alone; " in card
    assert "Track Attention" not in card
