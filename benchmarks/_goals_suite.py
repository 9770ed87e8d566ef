"""G18 and G19: branches that the tests run, and the kernels with bounds checked and uncompiled."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _goals import Row, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _goals import Settings

ROOT = Path(__file__).resolve().parents[1]
_QUICK = ("-m", "not slow and not real_data")
# What is measured together, and the tests that are to run every branch of it; see `make coverage`.
PARTS = {
    "tables and publishing": (
        ("gazetrack.tables", "gazetrack.publish"),
        ("tests/tables", "tests/test_publish.py"),
    ),
    "checkpoints and resuming": (
        (
            "gradtrack_model.weights.checkpoint",
            "gradtrack_model.training.resume",
            "gradtrack_model.training.run_folder",
            "gradtrack_model.training.replaced",
        ),
        (
            "tests/weights/test_checkpoint.py",
            "tests/training/test_resume.py",
            "tests/training/test_run_folder.py",
            "tests/training/test_replaced.py",
        ),
    ),
    "readers": (("gazetrack.readers",), ("tests/readers",)),
}
# What damages or grows the exports of all readers takes minutes that the table does not have. That
# `make coverage` runs it, too, is more than is said here, not less.
WITHOUT = (
    "tests/readers/test_damaged.py::test_no_damage_is_taken_in_silence",
    "tests/readers/test_doubled.py",
    "tests/readers/test_flat_memory.py",
)
KERNELS = {
    "bounds checked": {"NUMBA_BOUNDSCHECK": "1"},
    "uncompiled": {"NUMBA_DISABLE_JIT": "1"},
}


def rows(settings: Settings) -> Iterator[Row]:
    """Yield a row of each goal whose tests end within the time."""
    end = time.monotonic() + settings.seconds
    with tempfile.TemporaryDirectory() as folder:
        ended_as: dict[str, str] = {}
        for name, environment in KERNELS.items():
            # Code that was compiled without checks must not be found in its place.
            own = environment | {"NUMBA_CACHE_DIR": str(Path(folder) / name)}
            line = _pytest(["-m", "kernel", "tests/kernels"], end, own)
            if line is not None:
                ended_as[name] = line
        if ended_as:
            yield of_kernels(ended_as)
        reports = {}
        ended = {}
        for name, (modules, tests) in PARTS.items():
            report = Path(folder) / f"{name}.json"
            covered = [f"--cov={module}" for module in modules]
            left_out = [f"--deselect={path}" for path in WITHOUT]
            told = ["--cov-branch", f"--cov-report=json:{report}"]
            # Beside `make coverage`, each has a file of its own.
            own = {"COVERAGE_FILE": str(Path(folder) / f"{name}.coverage")}
            ended[name] = _pytest([*_QUICK, *covered, *left_out, *told, *tests], end, own) or ""
            if report.exists():
                reports[name] = json.loads(report.read_text("utf-8"))["totals"]
        if reports:
            yield of_coverage(reports, ended)


def of_kernels(ended: Mapping[str, str]) -> Row:
    """Return the row of the last lines that pytest printed, by how the kernels were run."""
    green = {
        name: _counted(line, "passed") > _counted(line, "skipped") and _is_green(line)
        for name, line in ended.items()
    }
    figure = "; ".join(f"{name}: {line.strip('= ')}" for name, line in ended.items())
    how = "pytest -m kernel tests/kernels with NUMBA_BOUNDSCHECK=1, and with NUMBA_DISABLE_JIT=1"
    wrong = len(green) - sum(green.values())
    return Row(
        goal="G19",
        figure=figure,
        met=verdict(wrong, len(green), len(KERNELS)),
        how=how,
        cases=len(green),
        asked=len(KERNELS),
        failures=wrong,
    )


def _counted(line: str, what: str) -> int:
    """Return how many tests pytest's last line says have passed, or were skipped."""
    found = re.search(rf"(\d+) {what}", line)
    return int(found[1]) if found else 0


def _is_green(line: str) -> bool:
    return _counted(line, "passed") > 0 and not re.search("failed|error", line)


def of_coverage(reports: Mapping[str, Mapping[str, Any]], ended: Mapping[str, str]) -> Row:
    """Return the row of coverage.py's totals, and of pytest's last lines, by what they are of."""
    shares = []
    for name, total in reports.items():
        left = total["num_branches"] - total["covered_branches"]
        what = f"{left} of {total['num_branches']:,} branches and {total['missing_lines']} of "
        what += f"{total['num_statements']:,} statements are not run"
        # Never rounded up: 100 % is all of them.
        percent = math.floor(10 * total["percent_covered"]) / 10
        shares.append(f"{name} {percent:.1f} % ({what})")
    incomplete = {name for name, total in reports.items() if total["percent_covered"] < 100}
    # A line that a failing test has run is none that a test holds.
    failing = [name for name, line in ended.items() if name in reports and not _is_green(line)]
    shares += [f"tests of {name} fail: {ended[name].strip('= ')}" for name in failing]
    wrong = len(incomplete.union(failing))
    how = (
        "coverage.py with branches, each part by its own quick tests, readers without the sweeps "
        f"over all exports ({', '.join(path.rsplit('/', 1)[1] for path in WITHOUT)}); "
        "`make coverage`"
    )
    return Row(
        goal="G18",
        figure="; ".join(shares),
        met=verdict(wrong, len(reports), len(PARTS)),
        how=how,
        cases=len(reports),
        asked=len(PARTS),
        failures=wrong,
    )


def _pytest(
    arguments: list[str], end: float, environment: Mapping[str, str] | None = None
) -> str | None:
    """Return the last line of a run of tests, or None where the time did not suffice."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    left = max(end - time.monotonic(), 0.01)
    env = os.environ | dict(environment or {})
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=env, timeout=left, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.rstrip().splitlines()[-1]
