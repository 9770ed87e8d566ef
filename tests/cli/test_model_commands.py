"""The three commands, as a user types them."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys
from importlib import import_module

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack.errors import ConfigError
from gazetrack_cli import errors, model_commands
from tests.synthetic import write_data

SMALL = (
    "--preset tiny --steps 3 --image-size 64 --batch-size 2 "
    "--set val_every=2 --set tensorboard=false"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write_data(tmp_path / "data"))
    return tmp_path / "data"


def run(line):
    name, *arguments = shlex.split(line)
    return CliRunner().invoke(
        import_module(f"gazetrack_cli.{name}").command, arguments, catch_exceptions=False
    )


def code_and_error(line, monkeypatch, capsys):
    program, *arguments = shlex.split(line)
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    monkeypatch.setattr(errors, "_debug", False)
    with pytest.raises(SystemExit) as exit_:
        getattr(model_commands, f"{program.removeprefix('gradtrack-')}_main")()
    return exit_.value.code, capsys.readouterr().err


def test_train_predict_evaluate(folder):
    trained = run(f"train {SMALL}")
    assert trained.exit_code == 0, trained.output
    assert "5 training images with gaze, 1 validation images" in trained.stderr
    assert "step 2/3" in trained.stderr
    assert "runs/gradtrack/best.safetensors" in trained.stdout
    predicted = run("predict images --weights runs/gradtrack --overlay -o predictions")
    assert "segmented 6 of 6 images" in predicted.stdout
    assert np.array(Image.open(folder / "predictions" / "im0.png")).shape == (64, 80)
    assert (folder / "predictions" / "overlays" / "im5.png").exists()
    evaluated = run("evaluate predictions masks --ids val.txt -o evaluation")
    assert evaluated.exit_code == 0
    assert evaluated.stdout.startswith("1 of 1 images")
    whole = json.loads(run("evaluate predictions masks --json").stdout)
    assert whole["n"] == 6


def test_methods_are_compared(folder):
    compared = run(f"compare_methods {SMALL} --methods plain,heatmap --json")
    assert compared.exit_code == 0, compared.output
    lines = json.loads(compared.stdout)
    assert [line["method"] for line in lines] == ["plain", "heatmap"]
    assert [line["steps"] for line in lines] == [3, 3]
    assert (folder / "comparison" / "comparison.md").is_file()
    for option in ("--soft", "--nnunet-name", "--folds", "--resume"):
        assert f"{option} " not in run("compare_methods --help").stdout
        assert run(f"compare_methods {SMALL} {option}").exit_code == 2


def test_machine_output(folder):
    result = run(f"train {SMALL} --json -q --out elsewhere")
    facts = json.loads(result.stdout)
    assert facts["run"] == "elsewhere"
    assert facts["step"] == 3
    assert 0 <= facts["val_dice"] <= 1
    assert result.stderr == ""
    predicted = json.loads(run("predict images --weights elsewhere --json").stdout)
    assert len(predicted) == 6
    assert predicted[0]["outputs"] == ["predictions/im0.png"]


@pytest.mark.parametrize(
    ("line", "code", "match"),
    [
        (
            "gradtrack-train --data empty",
            2,
            "empty: holds no images (looked in images/ and the folder itself",
        ),
        ("gradtrack-train --set modell.encoder=basic", 2, "unknown setting 'modell'"),
        ("gradtrack-train --device cuda --preset tiny", 2, "device 'cuda' is not there"),
        ("gradtrack-train --val-ids nowhere.txt", 1, "nowhere.txt: no such file"),
        ("gradtrack-predict images", 5, "runs/gradtrack: no such run"),
        ("gradtrack-evaluate images nowhere", 1, "nowhere: no such folder"),
    ],
)
def test_errors_are_one_line(folder, monkeypatch, capsys, line, code, match):
    (folder / "empty").mkdir()
    if "cuda" in line and import_module("torch").cuda.is_available():
        pytest.skip("there is a GPU")
    found, err = code_and_error(line, monkeypatch, capsys)
    program = line.partition(" ")[0]
    assert found == code
    last = err.strip().splitlines()[-1]
    assert last.startswith(f"{program}: error: ")
    assert match in last
    assert "Traceback" not in err


def test_another_encoder_is_refused(run_folder, monkeypatch, capsys):
    monkeypatch.chdir(run_folder)
    code, err = code_and_error(
        "gradtrack-predict images --encoder lite -o nothing", monkeypatch, capsys
    )
    assert code == 5
    assert "encoder is 'basic', this run asks for 'lite'" in err
    assert not (run_folder / "nothing").exists()


def test_bad_neighbours_give_exit_code_1(run_folder, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (40, 40)).save(images / "good.png")
    (images / "bad.png").write_bytes(b"no image")
    result = CliRunner().invoke(
        import_module("gazetrack_cli.predict").command,
        [
            str(images),
            "--weights",
            str(run_folder / "runs" / "gradtrack"),
            "-o",
            str(tmp_path / "out"),
        ],
        standalone_mode=False,
    )
    assert result.return_value == 1
    assert "bad.png: cannot be read as an image" in result.stderr
    assert (tmp_path / "out" / "good.png").exists()


@pytest.mark.parametrize(
    "program", ["gradtrack-train", "gradtrack-predict", "gradtrack-evaluate", "gradtrack-compare"]
)
def test_without_torch_they_say_what_to_install(monkeypatch, capsys, program):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        model_commands, "find_spec", lambda name: None if name == "torch" else real(name)
    )
    code, err = code_and_error(program, monkeypatch, capsys)
    assert code == 2
    assert (
        err
        == f'{program}: error: PyTorch is not installed - pip install "gazetrack[model]" [CONFIG]\n'
    )


@pytest.mark.parametrize("name", ["train", "predict", "evaluate"])
def test_every_option_has_help(name):
    command = import_module(f"gazetrack_cli.{name}").command
    assert command.help
    for parameter in command.params:
        assert parameter.param_type_name == "argument" or parameter.help, parameter.name
    assert run(f"{name} --help").exit_code == 0


def test_reports_have_one_object_per_image(folder, monkeypatch, capsys):
    run(f"train {SMALL}")
    (folder / "images" / "bad.png").write_bytes(b"no image")
    assert (
        code_and_error("gradtrack-predict images --report report.jsonl", monkeypatch, capsys)[0]
        == 1
    )
    entries = [json.loads(line) for line in (folder / "report.jsonl").read_text().splitlines()]
    assert [entry["status"] for entry in entries] == ["failed"] + ["ok"] * 6
    assert entries[0]["code"] == "INPUT"
    assert entries[1]["outputs"][0]["path"] == "predictions/im0.png"
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "masks" / "im2.png")
    assert (
        code_and_error(
            "gradtrack-evaluate predictions masks --report report.jsonl", monkeypatch, capsys
        )[0]
        == 1
    )
    entries = [json.loads(line) for line in (folder / "report.jsonl").read_text().splitlines()]
    assert [entry["status"] for entry in entries] == ["ok", "ok", "failed", "ok", "ok", "ok"]


def test_predictions_never_replace_the_images(folder, monkeypatch, capsys):
    run(f"train {SMALL}")
    before = (folder / "images" / "im0.png").read_bytes()
    code, error = code_and_error("gradtrack-predict images -o images", monkeypatch, capsys)
    assert (code, error.count("\n")) == (3, 1)
    assert "would be written over the input" in error
    assert (folder / "images" / "im0.png").read_bytes() == before


def test_a_report_replaces_nothing_but_a_report(folder, monkeypatch, capsys):
    run(f"train {SMALL}")
    line = "gradtrack-predict images -q --report"
    for target, word in (("images/im0.png", "over the input"), ("val.txt", "is no earlier report")):
        before = (folder / target).read_bytes()
        code, error = code_and_error(f"{line} {target}", monkeypatch, capsys)
        assert (code, error.count("\n")) == (3, 1)
        assert word in error
        assert (folder / target).read_bytes() == before
        assert not (folder / "predictions").exists()
    for _ in range(2):
        assert code_and_error(f"{line} report.jsonl", monkeypatch, capsys)[0] == 0
    (folder / "predictions" / "im0.png").unlink()
    code, error = code_and_error(
        "gradtrack-evaluate predictions masks --report masks/im1.png", monkeypatch, capsys
    )
    assert (code, "over the input" in error) == (3, True)
    code, error = code_and_error(
        "gradtrack-evaluate predictions masks --report report.jsonl", monkeypatch, capsys
    )
    assert (code, "no prediction of 1 images" in error) == (1, True)


def test_folds_are_trained_and_predict_together(folder):
    trained = run(f"train {SMALL} --folds 2")
    assert trained.exit_code == 0, trained.output
    assert "fold 2/2" in trained.stderr
    assert "all together: gradtrack-predict --weights runs/folds" in trained.stdout
    summary = json.loads((folder / "runs" / "folds" / "folds.json").read_text())
    assert f"best val_dice  {summary['best']['val_dice']['mean']:.4f} ± " in trained.stdout
    assert "looks better than it is" in trained.stdout
    # As a shell writes out runs/folds/*.
    words = " ".join(f"runs/folds/{path.name}" for path in (folder / "runs/folds").iterdir())
    for weights in ("runs/folds", words, "'runs/folds/*'"):
        done = run(f"predict images --weights {weights} -o together")
        assert "segmented 6 of 6 images" in done.stdout
        assert json.loads((folder / "together" / "network.json").read_text())["networks"] == 2
    assert run("predict images other-images").exit_code == 2
    again = run(f"train {SMALL} --folds 2 --resume --json")
    assert json.loads(again.stdout) == summary


@pytest.mark.parametrize("with_", ["--dry-run", "check"])
def test_folds_are_of_training_alone(folder, with_):
    with pytest.raises(ConfigError, match=f"--folds with {with_}"):
        run(f"train {with_} {SMALL} --folds 2")
