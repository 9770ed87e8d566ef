"""Reading EyeLink ASC: this project, its peers where installed, and the floor of touching the bytes at all."""

import argparse
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from _timing import race, save, show

from gazetrack.kernels.text import parse_samples
from gazetrack.readers import eyelink_asc
from gazetrack.readers.base import BLOCK_BYTES, ReadOptions, read_head

HEADER = """** CONVERTED FROM bench.edf using edfapi 4.2.1 Linux
MSG\t900000 DISPLAY_COORDS 0 0 1919 1079
START\t1000000 \tLEFT\tRIGHT\tSAMPLES\tEVENTS
PRESCALER\t1
VPRESCALER\t1
PUPIL\tAREA
EVENTS\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2
SAMPLES\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2
"""


def write_recording(path, n_rows):
    generator = np.random.default_rng(7)
    values = generator.uniform(100.0, 1900.0, (n_rows, 6))
    with path.open("w", encoding="ascii") as file:
        file.write(HEADER)
        for i, (a, b, c, d, e, f) in enumerate(values.tolist()):
            t = 1_000_000 + i
            if i % 300 == 0:
                file.write(f"SFIX L   {t}\nSFIX R   {t}\n")
            file.write(f"{t}\t{a:7.1f}\t{b:7.1f}\t{c:7.1f}\t{d:7.1f}\t{e:7.1f}\t{f:7.1f}\t.....\n")
            if i % 300 == 250:
                for eye in "LR":
                    file.write(f"EFIX {eye}   {t - 250}\t{t}\t251\t  960.0\t  540.0\t   1200\n")
        file.write(f"END\t{1_000_000 + n_rows} \tSAMPLES\tEVENTS\tRES\t  47.75\t  45.92\n")


def floor(path):
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK_BYTES), b""))


def ours(path):
    return eyelink_asc.read(read_head(path), ReadOptions()).samples.num_rows


def kernel(path):
    data = np.frombuffer(path.read_bytes(), np.uint8)
    n = int(np.count_nonzero(data == 10)) + 1
    out = np.empty(n), np.empty((n, 6), np.float32), np.empty(n, np.uint8), np.empty(n, np.int64)
    return parse_samples(data, *out, np.empty((n, 4), np.int64))[0]


def peers():
    found = {}
    for name, load in {
        "pymovements": lambda module, path: module.gaze.from_asc(path).samples.height,
        "mne": lambda module, path: module.io.read_raw_eyelink(path, verbose="error").n_times,
    }.items():
        try:
            module = import_module(name)
        except ImportError:
            continue
        found[name] = lambda path, load=load, module=module: load(module, path)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.asc")
        write_recording(path, options.rows)
        size = path.stat().st_size
        entries = {"floor: count newlines": floor, "parse_samples": kernel, "gazetrack": ours, **peers()}
        seconds = race({name: partial(entry, path) for name, entry in entries.items()}, options.rounds)
    show(f"EyeLink ASC, {options.rows} binocular samples, {size / 1e6:.1f} MB", seconds, "gazetrack")
    save(options.json, {"rows": options.rows, "bytes": size, "seconds": seconds})


if __name__ == "__main__":
    main()
