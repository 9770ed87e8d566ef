"""How reliable this build is, goal by goal: the figure, the floor, and how it was measured.

Usage: python benchmarks/robustness.py [--seed 7] [--minutes 20] [--processes N] [--only NAME ...]
       [--data DIR] [--keep DIR] [--json FILE] [--add | --more]

Goals are in `_goals`; each ``_goals_NAME.py`` measures some of them, in a process of its own. Those
that time something or read gigabytes run alone, the others beside each other, as many as there are
cores. Who is not done when its time is over is ended, and the rows that it has count. The JSON file
is written again after every row. What was not measured in this call says so.

With ``--add``, rows that the JSON file has and that are not measured now stay, each with the commit
and the date that it was measured at. With ``--more``, counts of damaged exports and of kills
are added to those of the file, where these are of the same commit and other seeds. Exit code 1 when
a floor is missed, or a module fails; a floor of which too few cases were tried is neither.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

_FOLDER = Path(__file__).resolve().parent
ROOT = _FOLDER.parent
sys.path[:0] = [str(_FOLDER), str(ROOT)]

from _beside import PREFIX, Module, run_all  # noqa: E402
from _goals import GOALS, NOT_MEASURED, Settings, mark  # noqa: E402
from _timing import save, where_and_when  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSIONS = ("gazetrack", "numpy", "pyarrow", "numba", "pandas")


def modules() -> list[str]:
    """Return the names of the modules that measure goals, without their prefix."""
    return sorted(path.stem.removeprefix(PREFIX) for path in _FOLDER.glob(f"{PREFIX}*.py"))


class Table:
    """The rows that were measured, and those of an earlier file, written as they come.

    Parameters
    ----------
    stamp : dict
        What `where_and_when` says.
    seed : int
        Of this run.
    path : pathlib.Path or None
        The JSON file.
    others : sequence of dict
        Rows of an earlier file; one stays until its module has measured the same goal again.
    """

    def __init__(
        self, stamp: dict[str, Any], seed: int, path: Path | None, others: Sequence[dict[str, Any]]
    ) -> None:
        versions = {name: version(name) for name in _VERSIONS}
        self.about = {**stamp, "versions": versions, "seed": seed}
        self.measured: list[dict[str, Any]] = []
        self._path = path
        self._others = others

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows, those of this run first."""
        now = {_place(row) for row in self.measured}
        return [*self.measured, *(row for row in self._others if _place(row) not in now)]

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Take a row of a module, and write the file.

        Parameters
        ----------
        name : str
            Of the module.
        row : dict
            What `Row` has.
        """
        stamp = {"by": name, "commit": self.about["commit"], "date": self.about["date"]}
        self.measured.append(row | stamp)
        save(None if self._path is None else str(self._path), {**self.about, "rows": self.rows})


def _place(row: dict[str, Any]) -> tuple[str, str]:
    return row["by"], row["goal"]


def kept(path: Path | None) -> list[dict[str, Any]]:
    """Return the rows of an earlier JSON file whose modules are still there."""
    if path is None or not path.exists():
        return []
    there = modules()
    return [row for row in json.loads(path.read_text("utf-8"))["rows"] if row["by"] in there]


def counted_before(rows: Sequence[dict[str, Any]], commit: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a commit whose counts can be added to, by module and by goal."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["commit"] == commit and row.get("counts"):
            found.setdefault(row["by"], {})[row["goal"]] = row
    return found


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
    for row in table:
        stamp = f"  ({row['commit']}, {row['date']})" if "commit" in row else ""
        print(f"{row['goal']:4} {row['what']}")
        print(f"     floor {row['floor']}: {row['figure']}  {mark(row)}{stamp}")
        if row["how"]:
            print(f"     {row['how']}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=20.0, help="for all modules together")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="modules at the same time"
    )
    parser.add_argument("--only", nargs="+", choices=modules(), metavar="NAME")
    parser.add_argument("--data", type=Path, help="folder of real exports")
    parser.add_argument("--keep", type=Path, help="where inputs that failed are kept")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--add", action="store_true", help="keep the file's rows of other modules")
    parser.add_argument("--more", action="store_true", help="and sum counts of the same commit")
    options = parser.parse_args()
    if options.data is not None and not options.data.is_dir():
        parser.error(f"no such folder: {options.data}")
    if options.json is not None and not options.json.parent.is_dir():
        parser.error(f"no such folder: {options.json.parent}")
    if options.processes < 1:
        parser.error("--processes is at least 1")
    options.names = options.only or modules()
    options.stamp = where_and_when()
    try:
        options.others = kept(options.json) if options.add or options.more else []
    except (ValueError, KeyError, TypeError) as error:
        parser.error(f"{options.json} has no rows to add to: {error}")
    options.earlier = {}
    if options.more:
        if options.json is None or options.stamp["commit"].endswith("-dirty"):
            parser.error("--more needs --json, and a commit: what is not committed may change")
        options.earlier = counted_before(options.others, options.stamp["commit"])
        rows = [row for name in options.names for row in options.earlier.get(name, {}).values()]
        if any(options.seed in row["seeds"] for row in rows):
            parser.error(f"seed {options.seed} is counted already: give another --seed")
    return options


def main() -> int:
    """Measure, print the table, and write it."""
    options = _options()
    # As an interruption does: what was begun is ended, its folders are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    settings = Settings(seed=options.seed, data=options.data, keep=options.keep)
    table = Table(options.stamp, options.seed, options.json, options.others)
    chosen = [Module.of(name, options.earlier.get(name, {})) for name in options.names]
    end = time.monotonic() + 60.0 * options.minutes
    ended = run_all(chosen, settings, end=end, processes=options.processes, tell=table.add)
    stamp = options.stamp
    versions = table.about["versions"].items()
    print(f"{stamp['date']}, commit {stamp['commit']}, {stamp['system']}, {stamp['processor']}")
    print(", ".join(f"{name} {number}" for name, number in versions) + "\n")
    show(by_goal(table.rows))
    for one in ended:
        print(*one.found, sep="\n", end="\n" if one.found else "")
    missed = any(row["met"] is False for row in table.measured)
    return 1 if missed or any(one.error for one in ended) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted: what was measured by then is in the --json file", file=sys.stderr)
        sys.exit(130)
