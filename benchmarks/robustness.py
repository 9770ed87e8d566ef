"""How reliable this build is, goal by goal: the figure, the floor, and how it was measured.

Usage: python benchmarks/robustness.py [--seed 7] [--minutes 20] [--only NAME ...] [--data DIR]
       [--keep DIR] [--json FILE] [--add]

Goals are in `_goals`; each ``_goals_NAME.py`` measures some of them. What was not measured in this
call says so. With ``--add``, rows that the JSON file has of modules that are not run now stay, each
with the commit and the date that it was measured at. Exit code 1 when a floor is missed, or a
module could not measure.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

from _goals import GOALS, NOT_MEASURED, Row, Settings  # noqa: E402
from _timing import save, where_and_when  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PREFIX = "_goals_"
_VERSIONS = ("gazetrack", "numpy", "pyarrow", "numba", "pandas")


def modules() -> list[str]:
    """Return the names of the modules that measure goals, without their prefix."""
    return sorted(path.stem.removeprefix(_PREFIX) for path in _FOLDER.glob(f"{_PREFIX}*.py"))


def measure(names: Sequence[str], settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    """Let modules measure; return their rows, and the names of those that could not.

    Parameters
    ----------
    names : sequence of str
        Names of modules, see `modules`.
    settings : Settings
        How to measure.
    """
    found: list[dict[str, Any]] = []
    failed = []
    for name in names:
        stamp = where_and_when()
        try:
            measured: Iterable[Row] = importlib.import_module(_PREFIX + name).rows(settings)
            found += [asdict(row) | _stamped(name, stamp) for row in measured]
        except Exception:  # noqa: BLE001 - one group that fails must not take the others' figures
            traceback.print_exc()
            failed.append(name)
    return found, failed


def _stamped(name: str, stamp: dict[str, Any]) -> dict[str, str]:
    return {"by": name, "commit": stamp["commit"], "date": stamp["date"]}


def kept(path: Path, run_now: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of an earlier JSON file whose modules are not run now."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text("utf-8"))["rows"]
    return [row for row in rows if row["by"] not in run_now]


def by_goal(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in the order of the goals; goals without any say so."""
    table = []
    for name, goal in GOALS.items():
        about = {"goal": name, "what": goal.what, "floor": goal.floor}
        own = [row for row in rows if row["goal"] == name]
        table += [about | row for row in own]
        if not own:
            table.append(about | {"figure": NOT_MEASURED, "met": None, "how": ""})
    return table


def show(table: Sequence[dict[str, Any]]) -> None:
    """Print the table."""
    marks = {True: "met", False: "MISSED", None: ""}
    for row in table:
        stamp = f"  ({row['commit']}, {row['date']})" if "commit" in row else ""
        print(f"{row['goal']:4} {row['what']}")
        print(f"     floor {row['floor']}: {row['figure']}  {marks[row['met']]}{stamp}")
        if row["how"]:
            print(f"     {row['how']}")


def main() -> int:
    """Measure, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=20.0, help="for all modules together")
    parser.add_argument("--only", nargs="+", choices=modules(), metavar="NAME")
    parser.add_argument("--data", type=Path, help="folder of real exports")
    parser.add_argument("--keep", type=Path, help="where inputs that failed are kept")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--add", action="store_true", help="keep the file's rows of other modules")
    options = parser.parse_args()
    if options.data is not None and not options.data.is_dir():
        parser.error(f"no such folder: {options.data}")
    names = options.only or modules()
    seconds = 60.0 * options.minutes / max(len(names), 1)
    settings = Settings(
        seed=options.seed, seconds=seconds, data=options.data, keep=options.keep, found=[]
    )
    rows, failed = measure(names, settings)
    others = kept(options.json, names) if options.add and options.json else []
    stamp = where_and_when()
    versions = {name: version(name) for name in _VERSIONS}
    print(f"{stamp['date']}, commit {stamp['commit']}, {stamp['system']}, {stamp['processor']}")
    print(", ".join(f"{name} {number}" for name, number in versions.items()) + "\n")
    table = by_goal([*rows, *others])
    show(table)
    print(*settings.found, sep="\n")
    for name in failed:
        print(f"{name} could not measure", file=sys.stderr)
    save(
        None if options.json is None else str(options.json),
        {**stamp, "versions": versions, "seed": options.seed, "rows": [*rows, *others]},
    )
    return 1 if failed or any(not row["met"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
