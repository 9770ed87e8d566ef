"""Notebooks of the examples: scripts in cells (`# %%`), run, with what they print and show.

`python -m tests.notebooks [NAME …]` runs the scripts of `examples/` that have cells in an empty
folder, and writes `docs/notebooks/NAME.ipynb`.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from gazetrack.figures.saving import figure_bytes
from tests.places import ROOT

NOTEBOOKS = ROOT / "docs" / "notebooks"
EXAMPLES = ROOT / "examples"
PICTURE_DPI = 60
_CELL = re.compile(r"^# %%(?P<markdown> \[markdown\])?\n", re.MULTILINE)
_SILENCED = re.compile(r"  # noqa: .*$", re.MULTILINE)


def cells_of(script):
    """(kind, source) of each cell of a script: `markdown` without its comment signs, or `code`."""
    text = script.read_text("utf-8")
    starts = list(_CELL.finditer(text))
    assert starts, f"{script.name} has no cells"
    assert not text[: starts[0].start()].strip(), "something stands before the first cell"
    ends = [*(start.start() for start in starts[1:]), len(text)]
    for start, end in zip(starts, ends, strict=True):
        body = text[start.end() : end].strip("\n")
        if start["markdown"]:
            lines = [re.sub(r"^# ?", "", line) for line in body.splitlines()]
            yield "markdown", "\n".join(lines)
        else:
            yield "code", _SILENCED.sub("", body)


def scripts():
    """The examples that are written in cells."""
    return [path for path in sorted(EXAMPLES.glob("*.py")) if _CELL.search(path.read_text("utf-8"))]


def run(cells):
    """The outputs of each cell, run in one namespace in the working folder."""
    namespace = {"__name__": "__main__"}
    for number, (kind, source) in enumerate(cells, 1):
        if kind == "markdown":
            yield []
            continue
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        printed = io.StringIO()
        value = None
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, f"cell {number}", "exec"), namespace)
            if last is not None:
                code = compile(ast.Expression(last.value), f"cell {number}", "eval")
                value = eval(code, namespace)  # noqa: S307 - our own examples
        yield list(outputs(printed.getvalue(), value))


def outputs(printed, value):
    """What a notebook keeps of a cell."""
    if printed:
        yield {"output_type": "stream", "name": "stdout", "text": lines(printed)}
    if value is None:
        return
    if isinstance(value, Figure):
        picture = figure_bytes(value, ".png", dpi=PICTURE_DPI)
        data = {
            "text/plain": ["<matplotlib figure>"],
            "image/png": base64.b64encode(picture).decode("ascii"),
        }
    else:
        data = {"text/plain": lines(repr(value))}
    yield {"output_type": "display_data", "metadata": {}, "data": data}


def lines(text):
    return text.splitlines(keepends=True)


def notebook(cells, results):
    """A notebook of format 4.5; the same cells and results give the same bytes."""
    made = []
    for number, ((kind, source), found) in enumerate(zip(cells, results, strict=True), 1):
        cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": lines(source)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": found}
        made.append(cell)
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": made,
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def write(names):
    """Run examples, all of those in cells when none is named, and write their notebooks."""
    NOTEBOOKS.mkdir(exist_ok=True)
    for script in scripts():
        if names and script.stem not in names:
            continue
        cells = list(cells_of(script))
        before = Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                results = list(run(cells))
            finally:
                os.chdir(before)
        (NOTEBOOKS / f"{script.stem}.ipynb").write_text(notebook(cells, results), "utf-8")


if __name__ == "__main__":
    write(sys.argv[1:])
