"""Timing for all benchmarks: compile first, then the median of interleaved rounds.

Ratios are what is reported.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def race(entries: Mapping[str, Callable[[], Any]], rounds: int = 5) -> dict[str, float]:
    """Return the median seconds of each entry.

    Entries take turns, so that a drifting machine hits all alike.
    """
    times: dict[str, list[float]] = {name: [] for name in entries}
    for entry in entries.values():
        entry()
    for _ in range(rounds):
        for name, entry in entries.items():
            start = time.perf_counter()
            entry()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, seconds: Mapping[str, float], ours: str) -> None:
    """Print a table of medians and ratios to ours."""
    print(f"\n{title}")
    width = max(map(len, seconds))
    for name, value in seconds.items():
        print(f"  {name:{width}}  {1e3 * value:10.3f} ms  {value / seconds[ours]:9.2f} x ours")


def save(path: str | None, results: Mapping[str, Any]) -> None:
    """Write the results as JSON when a path is given; killed meanwhile, the earlier ones stay."""
    if path:
        unfinished = Path(f"{path}.part")
        unfinished.write_text(json.dumps(results, indent=2) + "\n")
        unfinished.replace(path)


def where_and_when() -> dict[str, Any]:
    """Return the date, the processor, the system, Python, and the commit that is measured.

    ``others`` is how many processes of others waited for a core on average in the last minute,
    before anything was measured: where it is not near 0, ratios count more than times.
    """
    folder = Path(__file__).parent
    git = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude", "*"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "commit": commit or "unknown",
        "others": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    """Return the processor's name and how many of its cores there are."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
