"""The report of a comparison: its table, its plot, and links to the reports of its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradtrack_model.study.pruning import RULE
from gradtrack_model.study.report.html import POLICY, REPORT, data_uri, write_page
from gradtrack_model.study.table import cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gradtrack_model.study.table import Line


def write_comparison_report(
    path: Path, lines: Sequence[Line], runs: Sequence[Mapping[str, Any]], plot: bytes, flips: bool
) -> Path:
    """Write the page of a comparison.

    Parameters
    ----------
    path : pathlib.Path
        The page, in the folder of the comparison.
    lines : sequence of dict
        The lines of the table, of `gradtrack_model.study.table.summarise`.
    runs : sequence of mapping
        What the comparison's JSON says of each run.
    plot : bytes
        The plot beside the table, a PNG.
    flips : bool
        Whether predictions were averaged over flips.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ConfigError
        Jinja2 is not installed.
    OutputError
        The page cannot be written.
    """
    header, rows = cells(lines)
    images = f"{lines[0]['images']} validation images"
    averaged = ", averaged over flips" if flips else ""
    policy = f"95 %: bootstrap over images; ±: standard deviation over seeds. {POLICY}"
    if any(line["ended_early"] for line in lines):
        policy += f" Ended early: {RULE}; such a run might have become better."
    page = {
        "title": "Comparison of methods",
        "lead": f"{images}, segmented from the image alone{averaged}.",
        "header": header,
        "rows": rows,
        "policy": policy,
        "plot": data_uri(plot, "image/png"),
        "runs": [_run(path.parent, run) for run in runs],
    }
    return write_page(path, "comparison.html", page)


def _run(folder: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's row: its name, its figures, and the link to its report where there is one."""
    name = f"{run['method']}, seed {run['seed']}"
    if "dice" not in run:
        return {"name": name, "link": "", "cells": [], "trouble": run.get("error", "stopped")}
    mean = sum(run["dice"].values()) / len(run["dice"])
    figures = [f"{mean:.4f}", str(run["best_step"]), str(run["steps"]), f"{run['seconds']:.0f}"]
    report = f"{run['folder']}/run/{REPORT}"
    link = report if (folder / report).exists() else ""
    return {"name": name, "cells": figures, "link": link}
