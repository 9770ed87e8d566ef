"""Many recordings on one worker and on two: cost and its growth, speed-up, a worker killed, bytes.

    python benchmarks/bench_cluster.py [--parts growth empty two-workers] [--json FILE]

Recordings are generated: tables of gaze that rests and jumps.

growth
    10, 100, 1,000 and 10,000 recordings of 2 s at 250 Hz are converted by two processes (`--jobs
    2`): the cost of a recording, the exponent of its growth with their number, and the
    memory of the process that hands them out.
empty
    100,000 tasks that do nothing, by processes and by Dask on this machine: the cost of a task.
two-workers
    500 recordings of 20 s at 500 Hz by this process, by processes (`--jobs`) and by Dask on this
    machine (`--cluster local`); in the last run a worker is killed in the middle. The time of an
    engine is taken with its start and end, as a user waits for it, and without.

A part that the file of `--json` already has is not measured again, so that a run that was stopped
goes on; `--again` measures all. No part begins what would take it beyond `--limit` seconds, and
says what it left out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _timing import save, where_and_when

from gazetrack.publish import sha256_of
from gazetrack.simulate.example import SCREEN
from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.engine.run import Engine, over

RATE_HZ = 500
SECONDS_EACH = 20
SMALL = {"rate_hz": 250, "seconds": 2}
GROWTH = (10, 100, 1_000, 10_000)
N_EMPTY = 100_000
ENGINES = {
    "one process": Engine(),
    "--jobs 2": Engine(jobs=2),
    "--cluster local --jobs 1": Engine(cluster="local", jobs=1),
    "--cluster local --jobs 2": Engine(cluster="local", jobs=2),
}


def main() -> None:
    parts = {"growth": growth, "empty": empty, "two-workers": two_workers}
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    options.add_argument("--recordings", type=int, default=500, help="of two-workers")
    options.add_argument("--limit", type=float, default=480.0, help="seconds for each part")
    options.add_argument("--json", help="write the figures to this file, and go on from it")
    options.add_argument("--again", action="store_true", help="also measure what the file has")
    chosen = options.parse_args()
    results: dict[str, Any] = {}
    if chosen.json and Path(chosen.json).exists():
        results = json.loads(Path(chosen.json).read_text("utf-8"))
    for name in chosen.parts:
        if name in results and not chosen.again:
            print(f"{name}: measured before")
            continue
        machine = where_and_when()
        with tempfile.TemporaryDirectory() as folder:
            results[name] = {**machine, **parts[name](Path(folder), chosen)}
        save(chosen.json, results)


def exports(folder: Path, n: int, **size: int) -> Path:
    """Write so many recordings into a folder of their own, and return it."""
    made = folder / f"exports-{n}"
    made.mkdir()
    for number in range(n):
        (made / f"{number:05}.csv").write_text(recording(number, **size))
    return made


def growth(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the cost of a recording among few and among many, and the exponent of its growth."""
    began = time.perf_counter()
    warm = exports(folder, 4, **SMALL)
    convert(warm, folder / "warm", ENGINES["--jobs 2"])  # kernels compiled, files in memory
    runs: dict[str, Any] = {}
    left_out = []
    start = cost = 0.0
    for n in GROWTH:
        spent = time.perf_counter() - began
        # To make a recording takes a tenth of what is measured.
        if spent + start + 1.1 * n * cost > chosen.limit:
            left_out.append(n)
            continue
        found = convert(exports(folder, n, **SMALL), folder / f"tables-{n}", ENGINES["--jobs 2"])
        cost = 1 / found["per_second"]
        start = found["seconds"] - n * cost
        each_ms = 1e3 * found["seconds"] / n
        runs[str(n)] = {
            "seconds": found["seconds"],
            "ms_each": each_ms,
            "ms_each_once_it_runs": 1e3 * cost,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "out_kb_each": found["out_bytes"] / 1024 / n,
            "failed": found["failed"],
        }
        print(f"  {n:6,} recordings {found['seconds']:8.1f} s, {each_ms:7.1f} ms each, ", end="")
        print(f"{1e3 * cost:.1f} ms once it runs", flush=True)
    # Over sizes that take long enough for the start of processes not to count.
    sizes = [n for n in GROWTH if str(n) in runs and n >= GROWTH[1]]
    exponent = None
    if len(sizes) > 1:
        logs = [(math.log(n), math.log(n * runs[str(n)]["ms_each_once_it_runs"])) for n in sizes]
        exponent = float(np.polyfit(*zip(*logs, strict=True), 1)[0])
        print(f"  the time grows with the number of recordings to the power of {exponent:.3f}")
    return {"recording": SMALL, "runs": runs, "exponent": exponent, "left_out": left_out}


def empty(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:  # noqa: ARG001 - as all parts
    """Return what a task costs that does nothing."""
    names = ("--jobs 2", "--cluster local --jobs 2")
    return {"tasks": {name: task(name, chosen.limit / len(names)) for name in names}}


def two_workers(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the speed of each engine, and whether all of them write the same bytes."""
    n = chosen.recordings
    source = exports(folder, n)
    size = sum(path.stat().st_size for path in source.iterdir()) / 1e6
    print(f"{n} recordings, {size:.0f} MB, {os.cpu_count()} cores")
    results: dict[str, Any] = {"recordings": n, "megabytes": round(size, 1), "runs": {}}
    runs: dict[str, Any] = results["runs"]
    convert(source, folder / "warm", Engine())  # kernels compiled, files in memory
    whole: dict[str, str] = {}
    for name, engine in ENGINES.items():
        found = convert(source, folder / name.replace(" ", ""), engine)
        whole = whole or found["tables"]
        runs[name] = told(name, found, whole)
    last, killed = list(ENGINES)[-1], "the same, a worker killed"
    found = convert(source, folder / "killed", ENGINES[last], kill=n // 2)
    runs[killed] = told(killed, found, whole)
    alone = runs["one process"]["per_second"]
    results["speed_up"] = {name: run["per_second"] / alone for name, run in runs.items()}
    print("  " + ", ".join(f"{name} {of:.2f} x" for name, of in results["speed_up"].items()))
    return results


def recording(number: int, rate_hz: int = RATE_HZ, seconds: int = SECONDS_EACH) -> str:
    """Return a table of gaze that rests and jumps, another one for each number."""
    random = np.random.default_rng(number)
    n = rate_hz * seconds
    length = rate_hz // 4
    places = random.uniform((100, 100), (SCREEN.width_px - 100, SCREEN.height_px - 100), (n, 2))
    x, y = (places[np.arange(n) // length] + random.normal(0, 3, (n, 2))).T
    t = np.arange(n) * 1000 // rate_hz
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
        "out_bytes": sum(path.stat().st_size for path in out.iterdir()),
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


def task(name: str, limit: float) -> dict[str, Any]:
    """Return what a task costs that does nothing, and how many there were until the limit.

    Its cost is the time between two results, start and end of the engine left out; the tasks at the
    start, which warm up, are left out as well.
    """
    times: list[float] = []
    began = time.perf_counter()
    results = over(abs, range(N_EMPTY), ENGINES[name], total=N_EMPTY, lost=_lost)
    for _ in results:
        times.append(time.perf_counter())
        if times[-1] - began > limit:
            break
    results.close()
    first = len(times) // 10
    cost = 1e6 * (times[-1] - times[first]) / (len(times) - 1 - first)
    middle = len(times) // 2
    late = 1e6 * (times[-1] - times[middle]) / (len(times) - 1 - middle)
    print(
        f"  {name:28} {cost:7.0f} us an empty task, of {len(times):,}; {late:.0f} in the 2nd half"
    )
    return {"tasks": len(times), "us_each": cost, "us_each_second_half": late}


def _lost(_item: int, error: Exception) -> int:
    raise error


if __name__ == "__main__":
    main()
