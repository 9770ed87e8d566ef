"""The memory that converting takes, format by format, as exports get longer.

Usage: python benchmarks/bench_memory.py [--megabytes 32 64 128 256] [--only NAME ...] [--json FILE]
       [--resume] [--minutes 25]

With ``--resume``, what the file has of the same commit and work is not measured again; with
``--minutes``, no export is begun after that long, and the command to go on with is printed.

Exports of each format are written by `_growing`, converted to tables of fixations, samples and
events in a process of their own, and removed. ``own`` is the peak of what no file backs (the
system can give the pages of a mapped file to others at once), less what a process that has
converted a megabyte of the same format holds: interpreter, libraries, compiled kernels.
``resident`` is the peak with pages of files, interpreter included. The slope is fitted through
all sizes: MB of own memory for each MB of the export. Met is a slope below .02 and, interpreter
included, less than 300 MB at 2 GB, by extrapolation where the longest export is shorter.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from _growing import FORMATS, XDF, write
from _timing import save, where_and_when

SMALL_BYTES = 1_000_000
MOST_SLOPE = 0.02
MOST_MB = 300.0
AT_MB = 2000.0
_OF_INTERPRETER = "interpreter_mb"


class Watch(threading.Thread):
    """Watches the memory of this process that no file backs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.over = threading.Event()

    def run(self) -> None:
        """Look again and again, until it is over."""
        while not self.over.wait(0.002):
            self.peak_mb = max(self.peak_mb, _memory_mb("RssAnon"))


def _memory_mb(key: str) -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def _convert(path: Path) -> int:
    from gazetrack.workflows.convert import ConvertOptions, convert_files

    with tempfile.TemporaryDirectory(dir=path.parent) as out:
        options = ConvertOptions(out=out, samples=True, events=True)
        (outcome,) = convert_files([path], options)
    if outcome.error is not None:
        raise outcome.error
    return outcome.rows_in


def _read(path: Path) -> int:
    import gazetrack

    return gazetrack.read(path).rows_in


WORK = {"convert": _convert, "read": _read}


def measure(work: str, small: Path, path: Path) -> dict[str, float]:
    """Return what one export takes; this process does nothing else.

    Parameters
    ----------
    work : str
        A name of `WORK`.
    small, path : pathlib.Path
        An export for what is loaded and compiled at the first call, and the one that is measured.
    """
    run = WORK[work]
    run(small)
    run(small)
    before = _memory_mb("RssAnon")
    watch = Watch()
    watch.start()
    start = time.perf_counter()
    rows = run(path)
    seconds = time.perf_counter() - start
    watch.over.set()
    watch.join()
    return {
        "rows": rows,
        "seconds": seconds,
        "own_mb": max(watch.peak_mb - before, 0.0),
        _OF_INTERPRETER: before,
        "resident_mb": _memory_mb("VmHWM"),
    }


class Late(Exception):
    """The time is over."""


def series(
    kind: str,
    megabytes: list[float],
    work: str,
    *,
    folder: Path,
    known: list[dict[str, float]],
    until: float,
) -> list[dict[str, float]]:
    """Measure a format at several sizes; those that are `known` are not measured again.

    Parameters
    ----------
    kind : str
        A name of `FORMATS`, or ``xdf``.
    megabytes : list of float
        The sizes of the exports, MB.
    work : str
        What to do with them, a name of `WORK`.
    folder : pathlib.Path
        Where to write them.
    known : list of dict
        What was measured before; more is put behind it.
    until : float
        When to begin no other export, s of `time.monotonic`.

    Raises
    ------
    Late
        It is later than `until`.
    """
    name = FORMATS[kind].name if kind in FORMATS else "raw.xdf"
    small = folder / "small" / name
    path = folder / "large" / name
    for file in (small, path):
        file.parent.mkdir(exist_ok=True)
    write(kind, small, SMALL_BYTES)
    points = known
    for size in megabytes:
        if any(abs(point["mb"] - size) < 0.05 * size for point in points):
            continue
        if time.monotonic() > until:
            raise Late
        write(kind, path, int(1e6 * size))
        command = [sys.executable, __file__, "--one", work, str(small), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        actual_mb = path.stat().st_size / 1e6
        path.unlink()
        if done.returncode:
            what = (done.stderr.strip().splitlines() or ["?"])[-1]
            raise RuntimeError(what[:300])
        points.append({"mb": actual_mb, **json.loads(done.stdout.splitlines()[-1])})
    return points


def _fitted(kind: str, points: list[dict[str, float]]) -> dict[str, Any]:
    """Return the points with the slope through them, and whether both aims are met."""
    sizes = np.array([point["mb"] for point in points])
    own = np.array([point["own_mb"] for point in points])
    slope = float(np.polyfit(sizes, own, 1)[0]) if len(points) > 1 else float("nan")
    last = points[-1]
    all_of_it = last["own_mb"] + last[_OF_INTERPRETER]
    at_the_end = all_of_it + slope * max(AT_MB - last["mb"], 0.0)
    met = slope < MOST_SLOPE and at_the_end < MOST_MB
    figures = " ".join(f"{value:5.0f}" for value in own)
    print(
        f"  {kind:40} {figures} MB own  slope {slope:6.3f}  {all_of_it:5.0f} MB all  "
        f"{last['mb'] / last['seconds']:5.0f} MB/s  {'met' if met else 'no'}",
        flush=True,
    )
    return {"points": points, "slope": slope, "mb_at_2_gb": at_the_end, "met": met}


def main() -> None:
    """Measure, print, and save."""
    kinds = [*FORMATS, XDF]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--only", nargs="+", help="formats whose name begins so")
    parser.add_argument("--work", choices=sorted(WORK), default="convert")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--one", nargs=3, metavar=("WORK", "SMALL", "PATH"), help=argparse.SUPPRESS)
    parser.add_argument("--resume", action="store_true", help="go on with the file of --json")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no more after")
    options = parser.parse_args()
    machine = where_and_when()
    if options.one:
        work, small, path = options.one
        print(json.dumps(measure(work, Path(small), Path(path))))
        return
    wanted = [kind for kind in kinds if not options.only or kind.startswith(tuple(options.only))]
    aims = {"slope": MOST_SLOPE, "mb_at_2_gb": MOST_MB}
    results = {**machine, "work": options.work, "reach": aims, "formats": {}}
    if options.resume and options.json and Path(options.json).exists():
        before = json.loads(Path(options.json).read_text("utf-8"))
        # The file itself, written before, makes the commit a changed one.
        pair = [facts["commit"].removesuffix("-dirty") for facts in (before, machine)]
        if pair[0] == pair[1] and before["work"] == options.work:
            results["formats"] = before["formats"]
    until = time.monotonic() + 60 * options.minutes
    for kind in wanted:
        points = list(results["formats"].get(kind, {}).get("points", []))
        with tempfile.TemporaryDirectory() as folder:
            own = {"folder": Path(folder), "known": points, "until": until}
            try:
                series(kind, options.megabytes, options.work, **own)
            except RuntimeError as error:
                print(f"  {kind}: not measured: {str(error)[:150]}", flush=True)
                results["formats"][kind] = {"error": str(error)}
                continue
            except Late:
                print("not all is measured: give the same command once more, with --resume")
                break
            finally:
                # After each format: a run of all of them takes long, and may be stopped.
                if points:
                    results["formats"][kind] = _fitted(kind, points)
                save(options.json, results)


if __name__ == "__main__":
    main()
