"""GPUs as PyTorch sees them: here, those of a PyTorch that says what the test wants."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from gradtrack_model.verbs import devices
from gradtrack_model.verbs.devices import check_devices


@pytest.fixture
def drivers(monkeypatch, tmp_path):
    """Where the driver tells of its GPUs; none at first."""
    monkeypatch.setattr(devices, "_DRIVERS", tmp_path / "gpus")
    return tmp_path / "gpus"


def by_name(name):
    return next(one for one in check_devices() if one.name == name)


def test_pytorch_and_its_threads(drivers):
    found = by_name("PyTorch")
    assert found.state == "ok"
    assert found.facts["version"] == torch.__version__
    assert found.facts["threads"] == torch.get_num_threads()


def test_without_pytorch_nothing_is_imported(drivers, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda _name: None)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would raise
    (found,) = check_devices()
    assert found.state == "note"
    assert found.do == 'pip install "gazetrack[model]"'


def test_a_broken_pytorch_is_a_problem(drivers, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda _name: object())
    monkeypatch.setitem(sys.modules, "torch", None)
    (found,) = check_devices()
    assert found.state == "problem"
    assert "ModuleNotFoundError" in found.what or "ImportError" in found.what


def test_each_gpu_has_its_memory(drivers, monkeypatch):
    about = SimpleNamespace(name="NVIDIA H100")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _number: about)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (2**30, (number + 4) * 2**30))
    assert by_name("GPU 0").what == "NVIDIA H100, 1.0 GiB of 4.0 GiB free"
    assert by_name("GPU 1").facts["bytes"] == 5 * 2**30


def test_no_gpu_is_no_problem(drivers, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = by_name("GPU")
    assert (found.state, found.facts["installed"]) == ("ok", 0)


@pytest.mark.parametrize(
    ("built_for", "said"),
    [(None, "built for CPUs alone"), ("13.0", "PyTorch for CUDA 13.0 can use none of them")],
)
def test_a_gpu_that_pytorch_does_not_see_is_a_problem(drivers, monkeypatch, built_for, said):
    (drivers / "0000:01:00.0").mkdir(parents=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", built_for)
    found = by_name("GPU")
    assert found.state == "problem"
    assert said in found.what
    assert found.do
