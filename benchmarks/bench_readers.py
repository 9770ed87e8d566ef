"""Reading and converting large exports: this project, its peers, and a floor.

The floor is touching the bytes at all.

Usage: python benchmarks/bench_readers.py [--megabytes N] [--sizes 1 2] [--peers PYTHON] [--json
FILE]

Each entry runs in a process of its own: once on a small file, for what is loaded and compiled on
first use, then ``cold`` on the large one, while its memory is watched, and a few times ``warm``, of
which the best counts, as others may use the machine; ``cpu`` is the time of all threads. Memory is
the peak of the process, that which no file backs (``own``), and how much of that the large file
added. With several sizes, ``exponent`` is how the time of all threads grows.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _exports import TSV_COLUMNS, TSV_NUMBERS, TSV_TEXTS, write_asc, write_tsv
from _timing import save

import gazetrack

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES = 512 * 1024
SLOW_S = 3.0
BYTES_A_ROW = {"tsv": 349, "asc": 63}


def floor(path: Path) -> int:
    with path.open("rb") as file:
        return sum(len(block) for block in iter(lambda: file.read(BLOCK_BYTES), b""))


def floor_count(path: Path) -> int:
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(BLOCK_BYTES), b"")
        return sum(block.count(b"\n") + block.count(b"\t") for block in blocks)


def ours_columns(path: Path) -> int:
    from gazetrack.readers.base import read_head
    from gazetrack.readers.text.header import needed_header
    from gazetrack.readers.text.table import read_columns

    head = read_head(path)
    wanted = {f"n{i}": (i, "float64" if i == 0 else "float32") for i in TSV_NUMBERS}
    wanted |= {f"t{i}": (i, "text") for i in TSV_TEXTS}
    return read_columns(head, needed_header(head), wanted).n_rows


def ours_read(path: Path) -> int:

    recording = gazetrack.read(path)
    return recording.sample_table.num_rows if recording.sample_table is not None else 0


def ours_convert(path: Path, **options: Any) -> int:
    from gazetrack.workflows.convert import ConvertOptions, convert_files

    with tempfile.TemporaryDirectory(dir=path.parent) as out:
        (outcome,) = convert_files([path], ConvertOptions(out=Path(out), **options))
    if outcome.error is not None:
        raise outcome.error
    return outcome.rows_out


def ours_convert_samples(path: Path) -> int:
    return ours_convert(path, samples=True, events=True)


def polars_scan(path: Path) -> int:
    import polars as pl

    names = [TSV_COLUMNS[i] for i in (*TSV_NUMBERS, *TSV_TEXTS)]
    return pl.scan_csv(path, separator="\t", quote_char=None).select(names).collect().height


def polars_read(path: Path) -> int:
    import polars as pl

    names = [TSV_COLUMNS[i] for i in (*TSV_NUMBERS, *TSV_TEXTS)]
    return pl.read_csv(path, separator="\t", quote_char=None, columns=names).height


def pyarrow_read(path: Path) -> int:
    import pyarrow as pa
    from pyarrow import csv

    types = {TSV_COLUMNS[i]: pa.float64() if i == 0 else pa.float32() for i in TSV_NUMBERS}
    types |= {TSV_COLUMNS[i]: pa.dictionary(pa.int32(), pa.string()) for i in TSV_TEXTS}
    convert = csv.ConvertOptions(column_types=types, include_columns=list(types))
    return csv.read_csv(
        path, parse_options=csv.ParseOptions(delimiter="\t"), convert_options=convert
    ).num_rows


def pandas_read(path: Path) -> int:
    import pandas as pd

    return len(
        pd.read_csv(path, sep="\t", usecols=[TSV_COLUMNS[i] for i in (*TSV_NUMBERS, *TSV_TEXTS)])
    )


def pymovements_tsv(path: Path) -> int:
    import pymovements as pm

    pixels = ["Gaze point X", "Gaze point Y"]
    read = {
        "separator": "\t",
        "quote_char": None,
        "columns": [TSV_COLUMNS[i] for i in (*TSV_NUMBERS, *TSV_TEXTS)],
    }
    gaze = pm.gaze.from_csv(
        path,
        time_column="Recording timestamp",
        time_unit="ms",
        pixel_columns=pixels,
        read_csv_kwargs=read,
    )
    return gaze.samples.height


def pymovements_asc(path: Path) -> int:
    import pymovements as pm

    return pm.gaze.from_asc(path, events=True, messages=True).samples.height


def mne_asc(path: Path) -> int:
    import mne

    return mne.io.read_raw_eyelink(path, verbose="error").n_times


FLOORS = {"floor: read": floor, "floor: count tabs and newlines": floor_count}
OURS = {
    "gazetrack read": ours_read,
    "gazetrack convert": ours_convert,
    "+ samples, events": ours_convert_samples,
}
TSV_PEERS = {
    "polars scan": polars_scan,
    "polars read": polars_read,
    "pyarrow": pyarrow_read,
    "pandas": pandas_read,
    "pymovements": pymovements_tsv,
}
ENTRIES: dict[str, dict[str, Callable[[Path], int]]] = {
    "tsv": {**FLOORS, "gazetrack columns": ours_columns, **OURS, **TSV_PEERS},
    "asc": {**FLOORS, **OURS, "pymovements": pymovements_asc, "mne": mne_asc},
}
PEERS = {*TSV_PEERS, "mne"}  # run by the Python that has them


class Anonymous(threading.Thread):
    """Watches the memory of this process that no file backs.

    What a mapped file shows can be given back at once.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb, self.over = 0.0, threading.Event()

    def run(self) -> None:
        """Look again and again, until it is over."""
        while not self.over.wait(0.002):
            self.peak_mb = max(self.peak_mb, memory_mb("RssAnon"))


def memory_mb(key: str) -> float:
    """Return a figure of this process's status: VmHWM is the peak, VmRSS what it is now."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def measure(kind: str, entry: str, small: Path, path: Path, rounds: int) -> dict[str, float]:
    run = ENTRIES[kind][entry]
    run(small)
    run(small)
    before, times, work, watch = memory_mb("RssAnon"), [], [], Anonymous()
    watch.start()
    while len(times) <= rounds and not (times and times[0] > SLOW_S):
        start, work_before = time.perf_counter(), time.process_time()
        rows = int(run(path))
        times.append(time.perf_counter() - start)
        work.append(time.process_time() - work_before)
        watch.over.set()
    peak, own = memory_mb("VmHWM"), watch.peak_mb
    warm, cpu = min(times[1:] or times), min(work[1:] or work)
    return {
        "rows": rows,
        "cold_s": times[0],
        "warm_s": warm,
        "cpu_s": cpu,
        "peak_mb": peak,
        "own_mb": own,
        "added_mb": own - before,
    }


def measured(
    python: str, kind: str, entry: str, small: Path, path: Path, rounds: int
) -> dict[str, float] | None:
    command = [
        python,
        __file__,
        "--one",
        kind,
        entry,
        str(small),
        str(path),
        "--rounds",
        str(rounds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  {entry}: not measured: {(done.stderr.strip().splitlines() or ['?'])[-1][:150]}")
        return None
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(kind: str, rows: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    write = {"tsv": write_tsv, "asc": write_asc}[kind]
    small, path = folder / f"small.{kind}", folder / f"large.{kind}"
    write(small, 2000)
    write(path, rows)
    size = path.stat().st_size
    floor_count(path)  # into the cache of the system
    print(f"\n{kind}, {rows} rows, {size / 1e6:.0f} MB")
    wanted = [
        name
        for name in ENTRIES[kind]
        if not options.only or any(part in name for part in options.only)
    ]
    found = {}
    for name in wanted:
        python = options.peers if name in PEERS else sys.executable
        figures = measured(python, kind, name, small, path, options.rounds)
        if figures is not None:
            found[name] = figures
            print(
                f"  {name:32} {figures['cold_s']:8.3f} s cold {figures['warm_s']:8.3f} s warm "
                f"{figures['cpu_s']:8.3f} s of CPU "
                f"{figures['peak_mb']:6.0f} MB peak {figures['own_mb']:6.0f} MB own "
                f"{figures['added_mb']:6.0f} MB added"
            )
    ratios = {}
    for kind_of_time in ("warm_s", "cpu_s"):
        ours = found.get("gazetrack read", {}).get(kind_of_time)
        ratios[kind_of_time] = (
            {name: figures[kind_of_time] / ours for name, figures in found.items()} if ours else {}
        )
    for name, ratio in ratios["warm_s"].items():
        print(
            f"  {name:32} {ratio:8.2f} x the time of gazetrack read, "
            f"{ratios['cpu_s'][name]:8.2f} x its CPU"
        )
    return {"bytes": size, "rows": rows, "entries": found, "ratios_to_read": ratios}


def growth(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how time and memory of each entry grow from the first size to the last."""
    first, last = results[0], results[-1]
    step = math.log(last["bytes"] / first["bytes"])
    more_mb = (last["bytes"] - first["bytes"]) / 1e6
    found = {}
    for name in set(first["entries"]) & set(last["entries"]):
        a, b = first["entries"][name], last["entries"][name]
        exponent = math.log(b["cpu_s"] / a["cpu_s"]) / step
        found[name] = {"exponent": exponent, "mb_per_mb": (b["own_mb"] - a["own_mb"]) / more_mb}
    for name, figures in sorted(found.items()):
        print(
            f"  {name:32} CPU ~ size^{figures['exponent']:.2f}, "
            f"{figures['mb_per_mb']:.3f} MB of memory per MB"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=sorted(ENTRIES), default=sorted(ENTRIES))
    parser.add_argument(
        "--megabytes", type=float, default=None, help="of the first size; 349 of TSV, 95 of ASC"
    )
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=[1, 2], help="multiples of the first size"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="entries whose name holds one of these")
    parser.add_argument("--peers", default=sys.executable, help="the Python that has the peers")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument(
        "--one", nargs=4, metavar=("KIND", "ENTRY", "SMALL", "PATH"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.one:
        kind, entry, small, path = options.one
        print(json.dumps(measure(kind, entry, Path(small), Path(path), options.rounds)))
        return
    results: dict[str, Any] = {}
    for kind in options.kinds:
        megabytes = options.megabytes or {"tsv": 349, "asc": 95}[kind]
        rows = int(megabytes * 1e6 / BYTES_A_ROW[kind])
        with tempfile.TemporaryDirectory() as folder:
            sizes = [
                compare(kind, int(rows * factor), options, Path(folder)) for factor in options.sizes
            ]
        results[kind] = {"sizes": sizes, "growth": growth(sizes) if len(sizes) > 1 else {}}
    save(options.json, results)


if __name__ == "__main__":
    main()
