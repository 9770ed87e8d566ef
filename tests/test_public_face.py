"""The public names: they are typed, quick to import, documented, and no twins of rooms."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gazetrack
import gradtrack_model
from tests.places import ROOT

FACES = [gazetrack, gradtrack_model]
HEAVY = ("numba", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "PIL", "torch")
MOST_EXTRA_MS = 30.0


def names_of(face):
    return [name for name in face.__all__ if name != "__version__"]


ALL = [
    pytest.param(face, name, id=f"{face.__name__}.{name}")
    for face in FACES
    for name in names_of(face)
]


WRONG = """
import gazetrack
gazetrack.convert("raw.tsv", smaples=True)
gazetrack.read("raw.tsv").no_such_method()
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What mypy says of a file that reveals all public names, and of one that uses them wrongly."""
    folder = tmp_path_factory.mktemp("names")
    lines = [f"import {face.__name__}" for face in FACES]
    lines += [f"reveal_type({face.__name__}.{name})" for face in FACES for name in face.__all__]
    (folder / "names.py").write_text("\n".join(lines), "utf-8")
    (folder / "wrong.py").write_text(WRONG, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, (folder / "names.py", folder / "wrong.py"))],
        cwd=ROOT,  # its settings are strict, and what it found out before is kept there
        capture_output=True,
        text=True,
        check=False,
    )
    return lines, done.stdout


@pytest.mark.slow
def test_a_type_checker_knows_every_public_name(checked):
    lines, said = checked
    revealed = re.findall(r'names\.py:(\d+): note: Revealed type is "(.*)"', said)
    assert len(revealed) == len(lines) - len(FACES), said
    assert "names.py" not in "".join(line for line in said.splitlines() if ": error:" in line)
    assert not [lines[int(number) - 1] for number, found in revealed if found == "Any"]


@pytest.mark.slow
def test_a_type_checker_refuses_what_is_wrong(checked):
    _, said = checked
    assert '"smaples"' in said
    assert '"no_such_method"' in said


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_no_public_name_is_that_of_a_room(face):
    folder = Path(face.__file__).parent
    rooms = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    # A room that is public as a whole is no twin of anything.
    whole = {name for name in face.__all__ if inspect.ismodule(getattr(face, name))}
    assert whole == ({"datasets"} if face is gazetrack else set())
    assert not rooms & (set(face.__all__) - whole)


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_every_public_name_can_be_had_and_no_other(face):
    for name in face.__all__:
        assert getattr(face, name) is not None
    assert set(face.__all__) <= set(dir(face))
    with pytest.raises(AttributeError, match="nonsense"):
        face.nonsense  # noqa: B018


@pytest.mark.parametrize(("face", "name"), ALL)
def test_every_public_name_is_documented(face, name):
    found = getattr(face, name)
    text = inspect.getdoc(found) or ""
    assert text
    if inspect.isfunction(found):
        parameters = list(inspect.signature(found).parameters.values())
        documented = re.findall(
            r"^\*{0,2}([\w, ]+?)(?: :.*)?$", text.partition("Parameters\n---")[2], re.MULTILINE
        )
        named = {one.strip() for line in documented for one in line.split(",")}
        assert {p.name for p in parameters} <= named
        assert "Examples\n--------" in text
        assert sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) <= 5


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_the_import_loads_nothing_heavy(face):
    code = f"import {face.__name__}, sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_the_import_is_quick(face):
    # Of the processor, and the least of several: a busy machine makes some slow, never one quick.
    code = (
        f"import time; t = time.process_time(); import {face.__name__}; "
        "print(time.process_time() - t)"
    )
    times = []
    for _ in range(7):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        times.append(1000 * float(done.stdout))
    assert min(times) <= MOST_EXTRA_MS, times


def test_the_data_sets_are_there_at_once():
    code = "import gazetrack; print(*gazetrack.datasets.names()[:1], gazetrack.datasets.get)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "gazebase <function get" in done.stdout


def test_the_choices_are_the_fields_of_the_options():
    pairs = (
        ("gazetrack.workflows.read", "InputChoices", "InputOptions", set()),
        ("gazetrack.workflows.convert_options", "ConvertChoices", "ConvertOptions", set()),
        ("gazetrack.workflows.render", "RenderChoices", "RenderOptions", {"images", "out"}),
    )
    for module, choices, options, apart in pairs:
        room = importlib.import_module(module)
        fields = getattr(room, options).__dataclass_fields__
        asked = {
            name: hint.__forward_arg__
            for name, hint in getattr(room, choices).__annotations__.items()
        }
        assert asked == {name: field.type for name, field in fields.items() if name not in apart}


def test_the_stubs_are_shipped():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for face in FACES:
        line = re.search(rf"^{face.__name__} = \[(.*)\]$", text, re.MULTILINE)
        assert line is not None
        assert '"*.pyi"' in line[1]
        assert Path(face.__file__).with_suffix(".pyi").exists()
