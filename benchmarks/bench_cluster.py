"""Many recordings on one worker and on two: speed-up, cost of a task, a worker killed, same bytes.

    python benchmarks/bench_cluster.py [--recordings 500] [--json FILE]

Recordings are generated: a table of 20 s at 500 Hz each. They are converted by this process,
by processes (`--jobs`) and by Dask on this machine (`--cluster local`); the time of an engine is
taken with its start and end, as a user waits for it, and without. The cost of a task is that of an
empty one. In the last run a worker is killed in the middle.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from _timing import save

from gazetrack.publish import sha256_of
from gazetrack.simulate.example import SCREEN
from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.engine.run import Engine, over

RATE_HZ = 500
SECONDS_EACH = 20
N_EMPTY = 2000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recordings", type=int, default=500)
    options.add_argument("--json", help="also write the figures to this file")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        results = measured(Path(name), chosen.recordings)
    save(chosen.json, results)


def measured(folder: Path, n: int) -> dict[str, Any]:
    """Return all figures, and print them as they come."""
    exports = folder / "exports"
    exports.mkdir()
    for number in range(n):
        (exports / f"{number:05}.csv").write_text(recording(number))
    size = sum(path.stat().st_size for path in exports.iterdir()) / 1e6
    print(f"{n} recordings, {size:.0f} MB, {os.cpu_count()} cores")
    results: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "recordings": n,
        "megabytes": round(size, 1),
        "runs": {},
        "task_ms": {},
    }
    convert(exports, folder / "warm", Engine())  # kernels compiled, files in memory
    engines = {
        "one process": Engine(),
        "--jobs 2": Engine(jobs=2),
        "--cluster local --jobs 1": Engine(cluster="local", jobs=1),
        "--cluster local --jobs 2": Engine(cluster="local", jobs=2),
    }
    whole: dict[str, str] = {}
    for name, engine in engines.items():
        found = convert(exports, folder / name.replace(" ", ""), engine)
        whole = whole or found["tables"]
        results["runs"][name] = told(name, found, whole)
    found = convert(exports, folder / "killed", engines["--cluster local --jobs 2"], kill=n // 2)
    results["runs"]["the same, a worker killed"] = told("the same, a worker killed", found, whole)
    for name in ("--jobs 2", "--cluster local --jobs 2"):
        results["task_ms"][name] = task_ms(name, engines[name])
    return results


def recording(number: int) -> str:
    """Return a table of gaze that rests and jumps, another one for each number."""
    random = np.random.default_rng(number)
    n = RATE_HZ * SECONDS_EACH
    length = RATE_HZ // 4
    places = random.uniform((100, 100), (SCREEN.width_px - 100, SCREEN.height_px - 100), (n, 2))
    x, y = (places[np.arange(n) // length] + random.normal(0, 3, (n, 2))).T
    t = np.arange(n) * 1000 // RATE_HZ
    rows = (f"{a:.1f},{b:.1f},{c}" for a, b, c in zip(x, y, t, strict=True))
    return "x,y,t\n" + "\n".join(rows) + "\n"


def convert(exports: Path, out: Path, engine: Engine, kill: int = 0) -> dict[str, Any]:
    """Convert all exports; kill a worker when some are done, where a number of them is given."""
    chosen = ConvertOptions(out=out)
    first = last = 0.0
    done = 0
    victims: list[int] = []

    def progress(n_done: int, _total: int) -> None:
        nonlocal first, last, done
        now = time.perf_counter()
        first = now if n_done == 1 else first
        last, done = now, n_done
        if kill and n_done == kill and not victims:
            victims.append(a_worker())
            os.kill(victims[0], signal.SIGKILL)

    start = time.perf_counter()
    outcomes = list(convert_files([exports], chosen, engine, progress))
    seconds = time.perf_counter() - start
    failed = [outcome.file for outcome in outcomes if outcome.status != "ok"]
    tables = {path.name: sha256_of(path) for path in sorted(out.iterdir())}
    return {
        "seconds": seconds,
        "per_second": (done - 1) / (last - first),
        "failed": len(failed),
        "killed": len(victims),
        "tables": tables,
    }


def a_worker() -> int:
    """Return the number of a process that Dask has started for us and that works."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    for number in " ".join(path.read_text() for path in children).split():
        command = Path(f"/proc/{number}/cmdline").read_text()
        if "spawn_main" in command:
            return int(number)
    raise SystemExit("no worker to kill: this benchmark needs Linux")


def told(name: str, found: dict[str, Any], whole: dict[str, str]) -> dict[str, Any]:
    """Print a run, and return its figures."""
    figures = {key: value for key, value in found.items() if key != "tables"}
    figures["same_bytes"] = found["tables"] == whole
    print(
        f"  {name:28} {found['seconds']:7.1f} s, {found['per_second']:6.1f} recordings/s once it "
        f"runs, {found['failed']} failed, {found['killed']} workers killed, "
        f"bytes {'the same' if figures['same_bytes'] else 'DIFFERENT'}"
    )
    return figures


def task_ms(name: str, engine: Engine) -> float:
    """Return what a task costs that does nothing, in ms of one worker, start and end left out."""
    times: list[float] = []

    def progress(_done: int, _total: int) -> None:
        times.append(time.perf_counter())

    for _ in over(abs, range(N_EMPTY), engine, total=N_EMPTY, lost=_lost, progress=progress):
        pass
    # The first half warms up.
    half = N_EMPTY // 2
    cost = 1e3 * (times[-1] - times[-half]) / (half - 1)
    print(f"  {name:28} {cost:7.2f} ms an empty task, of {N_EMPTY}")
    return cost


def _lost(_item: int, error: Exception) -> int:
    raise error


if __name__ == "__main__":
    main()
