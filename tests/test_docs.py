"""The documents say what the code does: pages are made from it, and what they show is run."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import tomllib
from importlib import import_module

import click
import numpy as np
import pandas as pd
import pytest

from gazetrack.simulate.example import write_example
from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.render import RenderOptions, render_tables
from gazetrack_cli.main import cli
from tests.notebooks import scripts
from tests.pages import PAGES
from tests.places import ROOT


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_page_is_current(page):
    written = (ROOT / "docs" / page).read_text("utf-8")
    assert written == PAGES[page](), "write it again: python -m tests.pages"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as the examples of the README and of docs/python.md assume it."""
    folder = tmp_path_factory.mktemp("readme")
    example = write_example(folder, n_images=4, size=(48, 64))
    example.exports[1].rename(folder / "raw.tsv")
    list(convert_files([folder / "raw.tsv"], ConvertOptions()))
    render_tables([folder / "raw.fixations.parquet"], RenderOptions(out=folder / "maps"))
    return folder


def snippets(*paths):
    for path in paths:
        for number, code in enumerate(
            re.findall(r"```python\n(.*?)```", (ROOT / path).read_text("utf-8"), re.DOTALL)
        ):
            takes_long = "gradtrack_model.train(" in code
            marks = [pytest.mark.slow] if takes_long else []
            yield pytest.param(code, id=f"{path}-{number}", marks=marks)


# The blocks of all other pages are run by tests/cli/test_documented_lines.py.
@pytest.mark.parametrize("code", list(snippets("README.md", "docs/python.md")))
def test_the_snippets_run(code, folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(compile(code, "documentation", "exec"), {})


def test_the_commands_of_the_comparison_exist():
    text = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    named = re.findall(r"`(gazetrack \w+|gradtrack-\w+)(?: (check|nnunet))?(?: (--[\w-]+))?`", text)
    assert len(named) > 10
    for program, action, option in named:
        if program.startswith("gazetrack"):
            known = import_module(f"gazetrack_cli.{program.split()[1].replace('-', '_')}").command
        else:
            name = program.removeprefix("gradtrack-").replace("compare", "compare_methods")
            known = import_module(f"gazetrack_cli.{name}").command
        assert known is not None, program
        options = {
            o
            for p in known.params
            for o in (*p.opts, *(p.type.choices if hasattr(p.type, "choices") else ()))
        }
        assert not option or option in options, (program, option)
        assert not action or action in options


def test_our_cells_beside_gaze_toolkits_lead_to_tests():
    text = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    section = text.partition("## Gaze toolkits")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    header, *rows = [line.split(" | ") for line in lines]
    assert header[1] == "gazetrack"
    assert len(rows) > 15
    for feature, ours, *theirs in rows:
        assert len(theirs) == len(header) - 2, feature
        found = re.findall(r"\]\(\.\./(tests/[^)]+)\)", ours)
        assert found, f"{feature}: our cell leads to no test"
        for path in found:
            assert "def test_" in (ROOT / path).read_text("utf-8"), path
    cited = set(re.findall(r"\[([a-z]\d?)\]", "".join("".join(row[2:]) for row in rows)))
    assert len(cited) > 20
    assert cited <= set(re.findall(r"\b([a-z]\d?):\s", section)), "a source is not named"


IN_CELLS = scripts()  # which tests/test_notebooks.py runs


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "examples").glob("*.py")) if path not in IN_CELLS],
    ids=lambda path: path.name,
)
def test_the_examples_run(path, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(path)])
    exec(compile(path.read_text("utf-8"), str(path), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out


@pytest.mark.parametrize("column", ["onset_ms", "duration_ms", "x_px", "y_px"])
def test_the_folder_study_notices_a_wrong_number(column):
    """The study is converted by `test_the_examples_run`; here, that what it compares can fail."""
    script = runpy.run_path(str(ROOT / "examples" / "folder_study.py"))
    known = script["a_person"](1)
    table = pd.DataFrame(known)
    script["check"](table, known)
    with pytest.raises(AssertionError, match=column):
        script["check"](
            table.assign(**{column: table[column] + np.eye(1, len(table), 3)[0]}), known
        )
    with pytest.raises(AssertionError, match="number of fixations"):
        script["check"](pd.concat([table, table]), known)


PAGES_AND_README = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])


@pytest.mark.parametrize("page", PAGES_AND_README, ids=lambda page: page.name)
def test_what_a_page_links_to_exists(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
        if target.startswith("https://"):
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors_of(there), f"{target}#{anchor}"


def anchors_of(page):
    """The anchors that GitHub and the site give the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_an_anchor_is_that_of_a_heading():
    page = ROOT / "docs" / "how-to.md"
    assert "my-images-are-not-where-the-gaze-is" in anchors_of(page)
    assert "my-images" not in anchors_of(page)
    assert "a-cluster-several-processes-or-a-gpu" in anchors_of(page)


def texts_that_name_modules():
    """Pages, and our own sources: their comments and docstrings name modules, too."""
    for package in ("gazetrack", "gradtrack_model", "cli", "benchmarks", "examples"):
        yield from sorted((ROOT / package).rglob("*.py"))
    yield from (page for page in PAGES_AND_README if page.name != "CHANGELOG.md")


def resolves(name):
    """Whether a dotted name is a module of ours, or something in one."""
    module, _, attribute = name.rpartition(".")
    try:
        import_module(name)
    except ImportError:
        if not module or not resolves(module):
            return False
        try:
            found = import_module(module)
        except ImportError:  # of something in a module, such as a class's method
            return True
        fields = getattr(found, "__dataclass_fields__", {})
        return hasattr(found, attribute) or attribute in fields
    return True


def test_modules_that_are_named_exist():
    named = {}
    for path in texts_that_name_modules():
        text = path.read_text("utf-8")
        for name in re.findall(r"(?<![\w./-])(?:gazetrack|gradtrack_model)(?:\.\w+)+", text):
            named.setdefault(name, path)
    files = r"\.(parquet|json|key|toml)$"
    unknown = {n: str(path) for n, path in named.items() if not re.search(files, n)}
    unknown = {name: path for name, path in unknown.items() if not resolves(name)}
    assert unknown == {}


@pytest.mark.parametrize("package", ["gazetrack", "gradtrack_model"])
def test_the_wings_are_those_of_the_contracts(package):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = contracts["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one.get("containers") == [package])
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    drawn = re.search(rf"^    {package}  +((?:.*\n)(?:     +.*\n)*)", text, re.MULTILINE).group(1)
    shown = [step.replace(",", " ").split() for step in drawn.split("→")]
    assert shown == [layer.split(" : ") for layer in layers]


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 700


def test_every_command_line_of_the_docs_is_one():
    """Commands and options exist; what they do is tested where they live."""
    lines = [line for page in PAGES_AND_README for line in lines_of(page)]
    assert len(lines) > 50
    for program, *words in lines:
        command, words = command_of(program, words)
        known = {option for one in command.params for option in one.opts}
        used = {word.partition("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word)}
        assert used <= known, f"{program} {words}: {used - known}"


PROGRAMS = ("gazetrack", "gradtrack-train", "gradtrack-predict", "gradtrack-evaluate")
PROGRAMS += ("gradtrack-calibrate", "gradtrack-export", "gradtrack-compare", "gradtrack-view")


def lines_of(page):
    """The words of each command of ours in a page's console blocks; lines that go on are one."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            program = line.removeprefix("$ ").partition(" ")[0]
            if program in PROGRAMS:
                yield shlex.split(line.removeprefix("$ "), comments=True)


def command_of(program, words):
    """The click command that a line calls, and the words behind it."""
    if program == "gazetrack":
        return cli.get_command(click.Context(cli), words[0]), words[1:]
    name = program.removeprefix("gradtrack-").replace("compare", "compare_methods")
    return import_module(f"gazetrack_cli.{name}").command, words
