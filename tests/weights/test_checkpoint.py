from __future__ import annotations

import hashlib
import json
import shutil

import pytest
import torch

from gazetrack.errors import CheckpointError, OutputError
from gradtrack_model.training.loop import build_model
from gradtrack_model.weights import checkpoint
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint


@pytest.fixture
def run(run_folder, tmp_path):
    return shutil.copytree(run_folder / "runs" / "gradtrack", tmp_path / "run")


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_round_trip(config, tmp_path):
    model = build_model(config).eval()
    save_checkpoint(tmp_path, "best", model, config, step=3, metrics={"val_dice": 0.5})
    loaded = load_model(tmp_path)
    assert (loaded.step, loaded.metrics, loaded.config) == (3, {"val_dice": 0.5}, config)
    image = torch.randn(1, 3, 64, 64)
    assert torch.equal(loaded.model(image).logits, model(image).logits)
    assert (
        load_model(tmp_path / "best.safetensors", {"model.encoder": "basic", "seed": None}).step
        == 3
    )
    before = (tmp_path / "best.safetensors").read_bytes()
    save_checkpoint(tmp_path, "best", loaded.model, config, step=3, metrics={"val_dice": 0.5})
    assert (tmp_path / "best.safetensors").read_bytes() == before


def test_the_json_is_plain_and_complete(run):
    facts = json.loads((run / "best.json").read_text())
    assert facts["sha256"] == hashlib.sha256((run / "best.safetensors").read_bytes()).hexdigest()
    assert facts["config"]["model"]["widths"] == [8, 16, 32, 64, 64, 16]
    assert list(facts) == [
        "format",
        "version",
        "protocol",
        "step",
        "metrics",
        "computed",
        "weights",
        "sha256",
        "config",
    ]


def test_another_configuration_is_named(run):
    with pytest.raises(
        CheckpointError, match="encoder is 'basic', this run asks for 'lite'; image_size is 64"
    ):
        load_model(run, {"model.encoder": "lite", "image_size": 224})


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_weights(run, damage):
    data = bytearray((run / "best.safetensors").read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    (run / "best.safetensors").write_bytes({"cut": data[:-9], "flip": data, "empty": b""}[damage])
    with pytest.raises(
        CheckpointError, match=r"is damaged: its SHA-256.*another checkpoint.*\[CHECKPOINT\]"
    ):
        load_model(run)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": "gradtrack-checkpoint-1"}', "[" * 5000]
)
def test_damaged_json(run, text):
    (run / "best.json").write_text(text)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_model(run)


def test_swapped_weights_do_not_fit(run, config, tmp_path):
    facts = json.loads((run / "best.json").read_text())
    facts["config"]["model"]["widths"] = [16, 16, 32, 64, 64, 16]
    edit(run / "best.json", config=facts["config"])
    with pytest.raises(CheckpointError, match=r"does not fit its configuration: .* tensors differ"):
        load_model(run)


def test_what_is_no_safetensors(run):
    bomb = b"\xff" * 64
    (run / "best.safetensors").write_bytes(bomb)
    edit(run / "best.json", sha256=hashlib.sha256(bomb).hexdigest())
    with pytest.raises(CheckpointError, match="no safetensors"):
        load_model(run)


def test_other_ways_to_fail(run, tmp_path):
    with pytest.raises(CheckpointError, match=r"best\.json: no such file"):
        load_model(tmp_path)
    with pytest.raises(CheckpointError, match="no such run"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="is no checkpoint"):
        load_model(run / "log.txt")
    facts = json.loads((run / "best.json").read_text())
    edit(run / "best.json", config=facts["config"] | {"flux": 1})
    with pytest.raises(
        CheckpointError, match="configuration that cannot be used: unknown setting 'flux'"
    ):
        load_model(run)
    edit(run / "best.json", format="gradtrack-checkpoint-9")
    with pytest.raises(CheckpointError, match="format 'gradtrack-checkpoint-9'"):
        load_model(run)
    edit(run / "last.json", step=6)
    (run / "last.safetensors").unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(run / "last.safetensors")


def test_half_precision_is_half_the_size_and_loads_as_single(tmp_path, config):
    model = build_model(config).eval()
    whole, half = (
        save_checkpoint(tmp_path, name, model, config, step=3, metrics={}, half=name == "half")
        for name in ("whole", "half")
    )
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    loaded = load_model(half).model.state_dict()
    for key, value in model.state_dict().items():
        assert loaded[key].dtype == value.dtype
        torch.testing.assert_close(loaded[key], value, rtol=1e-3, atol=1e-6)


def test_released_networks_have_names(tmp_path, config, monkeypatch):
    save_checkpoint(tmp_path, "made-up", build_model(config), config, step=3, metrics={}, half=True)
    monkeypatch.setattr("gradtrack_model.weights.checkpoint._RELEASED", tmp_path)
    assert load_model("made-up").step == 3
    with pytest.raises(CheckpointError, match="or one of made-up"):
        load_model("nobody")


def test_a_checkpoint_says_in_a_line_what_it_is(run):
    shown = repr(load_model(run))
    step = json.loads((run / "best.json").read_text())["step"]
    assert shown.startswith("<Checkpoint 'best.safetensors': method gradtrack")
    assert shown.endswith(f", encoder basic, step {step}>")


@pytest.mark.parametrize(("n_writes", "whole"), [(1, 3), (2, 4)])
def test_a_save_that_is_cut_short_leaves_the_old_network_or_the_new_one(
    n_writes, whole, config, tmp_path, monkeypatch
):
    old = build_model(config).eval()
    new = build_model(config).eval()
    with torch.no_grad():
        for parameter in new.parameters():
            parameter.add_(1)
    save_checkpoint(tmp_path, "best", old, config, step=3, metrics={})
    done = []

    def counted(write):
        def write_or_fail(path, content):
            if len(done) == n_writes:
                raise OutputError("cannot be written: No space left on device", path=path)
            done.append(path.name)
            write(path, content)

        return write_or_fail

    # The writes are: the JSON with both digests, the weights, the JSON of the new ones alone.
    with monkeypatch.context() as patched:
        for name in ("write_json", "write_bytes"):
            patched.setattr(checkpoint, name, counted(getattr(checkpoint, name)))
        with pytest.raises(OutputError, match="No space left"):
            save_checkpoint(tmp_path, "best", new, config, step=4, metrics={})
    assert done == ["best.json", "best.safetensors"][:n_writes]

    found = load_model(tmp_path)
    assert found.step == whole
    for key, value in (old if whole == 3 else new).state_dict().items():
        assert torch.equal(found.model.state_dict()[key], value), key
    # The next save begins from what is whole, and leaves no trace of the one that failed.
    save_checkpoint(tmp_path, "best", new, config, step=5, metrics={})
    assert load_model(tmp_path).step == 5
    assert "next" not in json.loads((tmp_path / "best.json").read_text())


def test_a_damaged_checkpoint_is_replaced_as_if_it_were_not_there(run, config):
    (run / "best.json").write_text("{")
    save_checkpoint(run, "best", build_model(config), config, step=9, metrics={})
    assert load_model(run).step == 9
