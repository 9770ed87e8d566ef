"""The kernels that parse text, beside the floor of touching the bytes at all.

`bench_readers.py` has the peers.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from _exports import TSV_NUMBERS, TSV_TEXTS, write_asc, write_tsv
from _timing import race, save, show

from gazetrack.kernels.cells import find_cells, parse_cells, pick_cells, recode
from gazetrack.kernels.event_lines import parse_events
from gazetrack.kernels.text import parse_samples, place_samples, settle_samples


def cells(path, wanted):
    """Return the calls of the kernels on a block of a table."""
    data = np.frombuffer(path.read_bytes().partition(b"\n")[2], np.uint8)
    ends = np.empty(data.size // 4, np.int32)
    found, rows = find_cells(data, 9, ends)
    values = np.empty((1, rows)), np.empty((len(TSV_NUMBERS) - 1, rows), np.float32)
    codes = np.empty((len(TSV_TEXTS), rows), np.int32)
    texts, counts = (
        np.empty((len(TSV_TEXTS), rows, 2), np.int32),
        np.empty(len(TSV_TEXTS) + 1, np.int64),
    )
    table = ends[:found].reshape(rows, -1)
    lookup = np.zeros(rows, np.int32)
    columns, width, facts = np.sort(wanted), len(ends[:found]) // rows, np.empty(12, np.int64)
    out = np.empty(data.size + (len(columns) + 2) * rows, np.uint8)
    return {
        "floor: count tabs": lambda: int(np.count_nonzero(data == 9)),
        "find_cells": lambda: find_cells(data, 9, ends),
        "parse_cells": lambda: parse_cells(
            data, table, wanted, 46, (*values, codes), 0, texts, counts
        ),
        "pick_cells": lambda: pick_cells(
            data, (9, 0), columns, (width, width, width, 0, 0), out, facts
        ),
        "recode": lambda: [recode(row, lookup) for row in codes],
    }


def lines(path):
    """Return the calls of the kernels on EyeLink's lines."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    n = int(np.count_nonzero(data == 10)) + 1
    out = (
        np.empty(n),
        np.empty((n, 6), np.float32),
        np.empty(n, np.uint8),
        np.empty(n, np.uint8),
        np.empty(n, np.int64),
        np.empty((n, 4), int),
    )
    n_samples, n_others, _ = parse_samples(data, *out)
    samples, placed = [array[:n_samples] for array in out[:3]], np.empty((8, n_samples), np.float32)
    kinds, fields = np.empty(n_others, np.uint8), np.empty((n_others, 10))
    return {
        "floor: count lines": lambda: int(np.count_nonzero(data == 10)),
        "parse_samples": lambda: parse_samples(data, *out),
        "settle_samples": lambda: settle_samples(samples[1], 6, False),
        "place_samples": lambda: place_samples(*samples, 6, 0, 0.0, placed),
        "parse_events": lambda: parse_events(data, out[-1][:n_others], kinds, fields),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, write in (("tsv", write_tsv), ("asc", write_asc)):
            path = Path(folder, f"bench.{kind}")
            write(path, options.rows)
            wanted = np.array([*TSV_NUMBERS, *TSV_TEXTS])
            seconds = race(cells(path, wanted) if kind == "tsv" else lines(path), options.rounds)
            first = next(iter(seconds))
            show(
                f"{kind}, {options.rows} rows, {path.stat().st_size / 1e6:.1f} MB "
                "(ratios to the floor)",
                seconds,
                first,
            )
            results[kind] = {"bytes": path.stat().st_size, "seconds": seconds}
    save(options.json, results)


if __name__ == "__main__":
    main()
