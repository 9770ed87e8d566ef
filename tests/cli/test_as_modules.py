"""`python -m gazetrack` and `python -m gradtrack_model` are the programs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gazetrack_cli import model_commands
from gazetrack_cli.programs import PROGRAMS
from tests.places import GOLDEN


def python(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.slow
def test_the_toolkit_converts_in_two_processes(tmp_path):
    # These are fixations already: nothing has to be compiled.
    case = next((GOLDEN / "gazemedseg").glob("*/input.*"))
    exports = [f"{name}{case.suffix}" for name in "ab"]
    for name in exports:
        (tmp_path / name).write_bytes(case.read_bytes())
    done = python("gazetrack", "convert", *exports, "--jobs", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote") == 2  # no worker runs the program again
    assert len(list(tmp_path.glob("*.fixations.parquet"))) == 2


def test_errors_and_codes_are_the_programs(tmp_path):
    done = python("gazetrack", "convert", "missing.tsv", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("gazetrack: error: missing.tsv")


@pytest.mark.parametrize("module", ["gazetrack", "gradtrack_model"])
def test_no_module_of_the_working_directory_runs(module, tmp_path):
    for planted in ("click", "numpy", "signal", "torch"):
        (tmp_path / f"{planted}.py").write_text("import pathlib\npathlib.Path('ran').touch()\n")
    done = python(module, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Usage: " in done.stdout
    assert not (tmp_path / "ran").exists()


def called(arguments, monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["__main__.py", *arguments])
    with pytest.raises(SystemExit) as end:
        model_commands.module_main()
    return end.value.code, *capfd.readouterr()


def test_the_trainer_has_its_programs_as_commands(monkeypatch, capfd):
    names = [name.removeprefix("gradtrack-") for name in PROGRAMS if name != "gazetrack"]
    code, out, _ = called(["--help"], monkeypatch, capfd)
    assert code == 0
    listed = out.partition("Commands:")[2]
    for name in names:
        assert f"\n  {name} " in listed
        code, out, _ = called([name, "--help"], monkeypatch, capfd)
        assert code == 0
        assert f"python -m gradtrack_model {name}" in out


def test_an_unknown_program_is_refused(monkeypatch, capfd):
    code, _, err = called(["fly"], monkeypatch, capfd)
    assert code == 2
    assert "fly" in err


def test_without_torch_it_says_what_to_install(monkeypatch, capfd):
    monkeypatch.setattr(model_commands, "find_spec", lambda _name: None)
    code, _, err = called(["train"], monkeypatch, capfd)
    assert code == 2
    assert 'pip install "gazetrack[model]"' in err
    assert os.linesep in err
