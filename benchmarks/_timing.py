"""Timing for all benchmarks: compile first, then the median of interleaved rounds.

Ratios are what is reported.
"""

from __future__ import annotations

import json
import statistics
import time
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
    """Write the results as JSON when a path is given."""
    if path:
        Path(path).write_text(json.dumps(results, indent=2) + "\n")
