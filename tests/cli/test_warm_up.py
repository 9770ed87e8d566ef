"""`gazetrack warm-up` says what was compiled, how long it took, and where it is."""

import json

from click.testing import CliRunner

from gazetrack.workflows import warm_up as _warm_up
from gazetrack.workflows.warm_up import WarmedStep
from gazetrack_cli.main import cli

STEPS = [
    WarmedStep(name="read", seconds=1.25, compiled=("text.parse",), found=("cells.find",)),
    WarmedStep(name="render tube", seconds=0.5, compiled=(), found=("distance.line",)),
]


def run(monkeypatch, tmp_path, *arguments, folder=True):
    monkeypatch.setattr(_warm_up, "warm_up", lambda: iter(STEPS))
    monkeypatch.setattr(_warm_up, "kernel_cache", lambda: tmp_path if folder else None)
    return CliRunner().invoke(cli, ["warm-up", *arguments])


def test_steps_kernels_time_and_folder_are_named(monkeypatch, tmp_path):
    result = run(monkeypatch, tmp_path)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "  1.25 s  read: text.parse",
        "  0.50 s  render tube: nothing new",
        "compiled 1 kernels in 1.8 s",
        f"in {tmp_path}",
    ]


def test_without_a_private_folder_it_says_so(monkeypatch, tmp_path):
    assert "not kept" in run(monkeypatch, tmp_path, folder=False).output


def test_as_json(monkeypatch, tmp_path):
    told = json.loads(run(monkeypatch, tmp_path, "--json").output)
    assert told["folder"] == str(tmp_path)
    assert told["steps"][0] == {
        "name": "read",
        "seconds": 1.25,
        "compiled": ["text.parse"],
        "found": ["cells.find"],
    }
