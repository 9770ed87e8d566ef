"""What the surroundings may do to a command: files planted in the working directory, streams that are closed or full,
signals. Every test runs the command in a process of its own, as a shell does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import gazetrack.kernels

GAZE = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))
PROGRAM = [sys.executable, "-P", "-c", "from gazetrack_cli.main import main; main()"]

# All that numba asks of PyYAML, so that the test needs no package: a text of "key: value" lines.
YAML = """
def safe_load(file):
    text = file.read()
    if "\\0" in text:
        raise ValueError("unacceptable character #x0000")
    return dict(line.split(": ", 1) for line in text.splitlines()) or None
"""
# An index file of numba's cache: reading it makes the folder "ran".
INDEX = """
import pathlib, pickle, sys
class Foreign:
    def __reduce__(self):
        return pathlib.Path.mkdir, (pathlib.Path(sys.argv[1]), 0o777, False, True)
sys.stdout.buffer.write(pickle.dumps(Foreign()))
"""


def shell(*arguments, cwd, **options):
    """Run `gazetrack` in a process of its own."""
    env = {**os.environ, **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 120} | options
    return subprocess.run([*PROGRAM, *arguments], cwd=cwd, text=True, env=env, check=False, **options)


def kernels():
    """(source file, qualified name, first line) of every compiled function."""
    folder = Path(gazetrack.kernels.__file__).parent
    for path in sorted(folder.glob("*.py")):
        module = import_module(f"gazetrack.kernels.{path.stem}" if path.stem != "__init__" else "gazetrack.kernels")
        for value in vars(module).values():
            function = getattr(value, "py_func", value if callable(value) else None)
            if getattr(function, "__module__", "") == module.__name__ and hasattr(function, "__code__"):
                yield path, function.__qualname__, function.__code__.co_firstlineno


@pytest.fixture
def yaml(tmp_path):
    """Where a PyYAML is installed: the environment that says so."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "yaml.py").write_text(YAML)
    return {"PYTHONPATH": os.pathsep.join([str(modules), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])}


def plant_cache(folder, ran):
    """Write foreign index files wherever numba could look for the kernels' below a folder."""
    index = subprocess.run([sys.executable, "-c", INDEX, str(ran)], capture_output=True, check=True).stdout
    from numba.core.caching import _CacheLocator

    version = f"py{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
    for path, name, line in kernels():
        below = folder / _CacheLocator.get_suitable_cache_subpath(str(path))
        below.mkdir(parents=True, exist_ok=True)
        plain = name.replace("<", "").replace(">", "")
        (below / f"{path.stem}.{plain}-{line}.{version}.nbi").write_bytes(index)


def test_a_cache_named_by_a_file_of_the_working_directory_is_never_read(tmp_path, yaml):
    study, ran = tmp_path / "study", tmp_path / "ran"
    study.mkdir()
    (study / "a.csv").write_text(GAZE)
    plant_cache(study / "planted", ran)
    (study / ".numba_config.yaml").write_text("cache_dir: planted\n")
    done = shell("convert", "a.csv", cwd=study, env=yaml)
    assert not ran.exists(), "code from the working directory has run"
    assert (done.returncode, done.stderr) == (0, "")
    assert (study / "a.fixations.parquet").exists()


@pytest.mark.parametrize(("command", "content"), [("convert", b"cache_dir: \0\n"), ("info", b"opt: nonsense\n")])
def test_a_damaged_settings_file_of_numba_stops_nothing(tmp_path, yaml, command, content):
    study = tmp_path / "study"
    study.mkdir()
    (study / "a.csv").write_text(GAZE)
    (study / ".numba_config.yaml").write_bytes(content)
    done = shell(command, "a.csv", cwd=study, env=yaml)
    assert (done.returncode, done.stderr) == (0, "")
    assert "200 samples" in done.stdout or "samples: 200" in done.stdout
