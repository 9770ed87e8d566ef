"""Every reader and measure beside an independent implementation, where one exists.

Shown is the largest difference of each.

Usage: python benchmarks/differential.py [DATA] [--only WORDS] [--json FILE]

DATA is the folder of the research data; without it, golden files and simulated gaze serve, and rows
that need more are skipped and say so. So are those whose peer is not installed (pip install mne
pymovements eyelinkio ETDQualitizer pydensecrf2 duckdb polars scikit-learn; PyTorch for the
trainer's renderer and measures). Exit code 1 when a difference is above its tolerance or a check
fails, 0 otherwise. Shapes or missing values that differ are an infinite difference.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import platform
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _differential_maps
import _differential_measures
import _differential_readers

from gazetrack.version import __version__

if TYPE_CHECKING:
    from _differential import Check

CHECKS = [*_differential_maps.CHECKS, *_differential_measures.CHECKS, *_differential_readers.CHECKS]
PEERS = (
    *(
        "mne",
        "pymovements",
        "eyelinkio",
        "ETDQualitizer",
        "pydensecrf2",
        "duckdb",
        "polars",
        "scikit-learn",
    ),
    *("pandas", "scipy", "numpy", "torch"),
)


def run(check: Check, data: Path | None) -> dict[str, Any]:
    """Return the row of a check: its largest difference and where that was."""
    row = {"ours": check.ours, "peer": check.peer, "tolerance": check.tolerance, "unit": check.unit}
    if check.needs and not find_spec(check.needs):
        return row | {"status": "skipped", "why": f"{check.needs} is not installed"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the peers'
            cases = list(check.cases(data))
    except Exception as error:  # noqa: BLE001 - a peer may raise anything; the row says so and fails
        return row | {"status": "failed", "why": f"{type(error).__name__}: {error}"}
    found = [(case, difference) for case, difference in cases if difference is not None]
    row |= {"not_read_by_the_peer": [case for case, difference in cases if difference is None]}
    if not found:
        return row | {"status": "skipped", "why": "needs the research data"}
    case, difference = max(found, key=lambda one: math.inf if math.isnan(one[1]) else one[1])
    status = "ok" if difference <= check.tolerance else "failed"
    return row | {"status": status, "cases": len(found), "difference": difference, "at": case}


def versions() -> dict[str, str]:
    """Return the versions of the peers that are installed."""
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def show(row: dict[str, Any]) -> None:
    """Print one row."""
    name = f"  {row['ours']:44} {row['peer']:34}"
    if "difference" in row:
        size = f"{row['difference']:9.2g} of {row['tolerance']:<7.2g} {row['unit']:9}"
        figures = f"{size} {row['cases']:4} cases"
        print(
            f"{name} {figures}  {row['status']}{'' if row['status'] == 'ok' else ': ' + row['at']}",
            flush=True,
        )
    else:
        print(f"{name} {row['status']}: {row['why']}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, help="folder of the research data")
    parser.add_argument("--only", default="", help="rows that hold these words alone")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.data is not None and not options.data.is_dir():
        parser.error(f"no such folder: {options.data}")
    logging.disable(logging.WARNING)  # the peers'
    rows = []
    for check in CHECKS:
        if options.only.lower() in f"{check.ours} {check.peer}".lower():
            rows.append(run(check, options.data))
            show(rows[-1])
    counts = {
        status: sum(row["status"] == status for row in rows)
        for status in ("ok", "failed", "skipped")
    }
    print(", ".join(f"{n} {status}" for status, n in counts.items()))
    if options.json:
        facts = {"gazetrack": __version__, "python": platform.python_version(), "peers": versions()}
        plain = [{k: str(v) if v == math.inf else v for k, v in row.items()} for row in rows]
        options.json.write_text(
            json.dumps(facts | {"counts": counts, "rows": plain}, indent=2) + "\n", "utf-8"
        )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
