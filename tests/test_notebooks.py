"""The notebooks are the examples, run: the same cells, and what these give today."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
import torch  # noqa: F401 - imported here, it is told to use one thread before an example does

from tests.notebooks import NOTEBOOKS, cells_of, lines, notebook, outputs, run, scripts

MOST_BYTES = 200_000
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
NAMES = [script.stem for script in scripts()]
# What a network learns differs between processors.
OF_A_NETWORK = ("gaze_to_masks",)


def stored(name):
    return json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))


def printed(cells):
    """All that cells print."""
    found = [out for cell in cells for out in cell.get("outputs", ())]
    return "".join("".join(out["text"]) for out in found if out["output_type"] == "stream")


def test_every_example_in_cells_has_a_notebook():
    assert len(NAMES) >= 5
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.stem)
def test_the_notebook_is_the_script_and_was_run(script, tmp_path, monkeypatch):
    whole = stored(script.stem)
    nbformat.validate(nbformat.from_dict(whole))
    assert (NOTEBOOKS / f"{script.stem}.ipynb").stat().st_size < MOST_BYTES
    cells = list(cells_of(script))
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in whole["cells"]]
    assert found == cells, "write it again: python -m tests.notebooks"
    assert (
        any(
            "image/png" in out.get("data", {})
            for cell in whole["cells"]
            for out in cell.get("outputs", ())
        )
        or script.stem == "exclude_bad_trials"
    )
    monkeypatch.chdir(tmp_path)
    again = json.loads(notebook(cells, list(run(cells))))
    before, now = printed(whole["cells"]), printed(again["cells"])
    # Columns are as wide as their numbers are long.
    assert NUMBER.sub("#", before).split() == NUMBER.sub("#", now).split()
    if script.stem not in OF_A_NETWORK:
        numbers = [float(number) for number in NUMBER.findall(before)]
        assert [float(number) for number in NUMBER.findall(now)] == pytest.approx(
            numbers, rel=0.05, abs=0.02
        )


def test_cells_are_told_apart(tmp_path):
    script = tmp_path / "a.py"
    script.write_text("# %% [markdown]\n# # Title\n#\n# text\n\n# %%\nx = 2\nx  # noqa: B018\n")
    cells = list(cells_of(script))
    assert cells == [("markdown", "# Title\n\ntext"), ("code", "x = 2\nx")]
    nothing, (shown,) = run(cells)
    assert nothing == []
    assert shown["data"] == {"text/plain": ["2"]}
    assert next(outputs("a\nb\n", None))["text"] == lines("a\nb\n")
    script.write_text("import sys\n# %%\n")
    with pytest.raises(AssertionError, match="before the first cell"):
        list(cells_of(script))
