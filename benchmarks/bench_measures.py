"""Scanpath measures beside other packages: how long two scanpaths take, and how that grows.

Usage: python benchmarks/bench_measures.py [--sizes 50 200 800] [--json FILE]

multimatch_gaze and EyeFeatures take part where they are installed, up to --most-peer fixations, in
one round: the former takes most of a minute for 800. The memory is that of a process of its own.
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _peers_measures as peers
import numpy as np
from _timing import race, save, show, where_and_when

from gazetrack.kernels.scanpaths import (
    alignment_score,
    frechet_distance,
    recurrence_counts,
    warping_path,
)
from gazetrack.kernels.simplify import simplified_saccades
from gazetrack.maps.track import Track
from gazetrack.measures import distances, saliency
from gazetrack.measures.regions import grid_word, substitutions
from gazetrack.measures.scanpaths import METHODS, ScanpathOptions, compare_tracks

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1280.0, 720.0
GROWTH_SIZES = (800, 1600, 3200)
MEMORY_SIZES = (800, 3200, 12800)

# The kernel is compiled before, and the peak is counted anew from then on (Linux).
_MEMORY = """
import sys
from pathlib import Path
import numpy as np
from bench_measures import simulated
def peak_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
who, n = sys.argv[1], int(sys.argv[2])
if who == "ours":
    from gazetrack.measures.multimatch import multimatch
    def compare(a, b): return multimatch(a, b)
else:
    import _peers_measures as peers
    def compare(a, b): return peers.multimatch_gaze(a, b, (0.0, 0.0, 0.0))
compare(simulated(10, 0), simulated(10, 1))
a, b = simulated(n, 0), simulated(n, 1)
Path("/proc/self/clear_refs").write_text("5")
before = peak_kb()
compare(a, b)
print(peak_kb() - before)
"""


def simulated(n: int, seed: int) -> Track:
    """Return random fixations on a screen of 1280 x 720 pixels."""
    random = np.random.default_rng([n, seed])
    x, y = random.uniform(0, 1, (2, n)) * [[WIDTH], [HEIGHT]]
    names = {"recording": str(seed), "trial": "", "stimulus": "s"}
    lasting = random.uniform(80, 500, n)
    return Track(**names, x=x, y=y, duration_ms=lasting, width=WIDTH, height=HEIGHT)


def ours(a: Track, b: Track) -> dict[str, Callable[[], Any]]:
    """Return every method, and the kernels alone."""
    options = ScanpathOptions()
    places = [np.column_stack([track.x, track.y]) for track in (a, b)]
    word_a, word_b = (grid_word(track, options.grid, options.bin_ms) for track in (a, b))
    alike = substitutions(options.grid, options.threshold_cells)
    x1, y1 = distances.columns(places[0])
    x2, y2 = distances.columns(places[1])
    return {
        **{name: functools.partial(compare_tracks, a, b, [name], options) for name in METHODS},
        "kernel warping_path": lambda: warping_path(x1, y1, x2, y2),
        "kernel frechet_distance": lambda: frechet_distance(x1, y1, x2, y2),
        "kernel alignment_score": lambda: alignment_score(word_a, word_b, alike, 0.0),
        "kernel recurrence_counts": lambda: recurrence_counts(x1, y1, x2, y2, 64.0, 2, False),
        "kernel simplified_saccades": lambda: simplified_saccades(
            x1, y1, a.duration_ms, 100.0, 45.0, 300.0
        ),
        "floor: all distances": lambda: np.hypot(x1[:, None] - x2, y1[:, None] - y2).sum(),
    }


def of_peers(a: Track, b: Track) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return what other packages do, and the method of ours that does the same."""
    found: dict[str, tuple[str, Callable[[], Any]]] = {}
    installed = peers.versions()
    if "multimatch_gaze" in installed:
        compare = functools.partial(peers.multimatch_gaze, a, b, (0.0, 0.0, 0.0))
        found["multimatch_gaze"] = "multimatch", compare
    if find_spec("Bio"):
        options = ScanpathOptions()
        words = [grid_word(track, options.grid, options.bin_ms) for track in (a, b)]
        align = functools.partial(peers.scanmatch, *words, options.grid)
        found["Biopython, words given"] = "kernel alignment_score", align
    if "eyefeatures" in installed:
        names = {"mm_features": "multimatch", "dtw": "dtw", "dfr": "frechet", "hau": "hausdorff"}
        names |= {"man": "mannan", "eye": "eyenalysis", "tde": "tde"}
        for name, method in names.items():
            compare = functools.partial(peers.eyefeatures, name, a, b)
            found[f"EyeFeatures {name}"] = method, compare
    return found


def maps_of_saliency(rounds: int) -> dict[str, float]:
    """Return how long the scores of one map of 640 x 480 pixels take, ours and pysaliency's."""
    random = np.random.default_rng(0)
    given = random.random((480, 640))
    x, y = random.uniform(0, 640, 300), random.uniform(0, 480, 300)
    looks = saliency.Looks.on((480, 640), x, y, (x[::-1], y[::-1]))
    entries = {
        "all scores of ours": lambda: saliency.scores(given, looks),
        "auc_judd": lambda: saliency.auc_judd(given, x, y),
        "kl": lambda: saliency.kl(given, looks.empirical),
        "cc": lambda: saliency.cc(given, looks.empirical),
        "floor: sort the map": lambda: np.sort(given, axis=None),
    }
    if "pysaliency" in peers.versions():
        other = peers.pysaliency()
        roc = other.roc.general_rocs_per_positive
        values = saliency.at(given, x, y)
        entries |= {
            "pysaliency AUC": lambda: roc(values, given.ravel()).mean(),
            "pysaliency KL": lambda: other.metrics.MIT_KLDiv(given, looks.empirical),
            "pysaliency CC": lambda: other.metrics.CC(given, looks.empirical),
        }
    return race(entries, rounds)


def timed(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def growth(sizes: list[int], values: list[float]) -> float:
    """Return the exponent of a power of the size, fitted to the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-12)), 1)[0])


def memory_mb(n: int, who: str = "ours") -> float:
    """Return by how much a process of its own grows while MultiMatch compares n fixations."""
    command = [sys.executable, "-c", _MEMORY, who, str(n)]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent)))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=where)
    return int(done.stdout) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--most-peer", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    facts = where_and_when()
    seconds: dict[str, dict[int, float]] = {}
    ratios: dict[str, dict[int, float]] = {}
    for n in options.sizes:
        a, b = simulated(n, 0), simulated(n, 1)
        found = race(ours(a, b), options.rounds)
        others = of_peers(a, b) if n <= options.most_peer else {}
        with_peers = found | {name: timed(peer) for name, (_, peer) in others.items()}
        show(f"Two scanpaths of {n:,} fixations", with_peers, "multimatch")
        for name, value in with_peers.items():
            seconds.setdefault(name, {})[n] = value
        for name, (method, _) in others.items():
            ratios.setdefault(f"{name} / {method}", {})[n] = with_peers[name] / found[method]
    of_maps = maps_of_saliency(options.rounds)
    show("A saliency map of 640 x 480 pixels and 300 fixations", of_maps, "auc_judd")
    grown: dict[str, list[float]] = {}
    for n in GROWTH_SIZES:
        for name, value in race(ours(simulated(n, 0), simulated(n, 1)), options.rounds).items():
            grown.setdefault(name, []).append(value)
    exponents = {name: growth(list(GROWTH_SIZES), values) for name, values in grown.items()}
    memory = {n: memory_mb(n) for n in MEMORY_SIZES}
    exponent = growth(list(memory), list(memory.values()))
    print(f"\nGrowth of time over {GROWTH_SIZES} fixations: seconds ~ n ** exponent")
    for name, value in exponents.items():
        print(f"  {name:32} {value:5.2f}")
    print("\nA peer's time by ours")
    for name, of in ratios.items():
        print(f"  {name:34} " + "  ".join(f"{n}: {value:,.0f} x" for n, value in of.items()))
    print("\nMemory of MultiMatch, MB: " + "  ".join(f"{n}: {v:.1f}" for n, v in memory.items()))
    print(
        f"  grows with n ** {exponent:.2f}; all costs at once would be {8 * 12800**2 / 2**20:.0f}"
    )
    measured = {"saliency_seconds": of_maps, "seconds": seconds, "peer_by_ours": ratios}
    measured |= {"growth_sizes": GROWTH_SIZES, "growth_seconds": grown, "exponents": exponents}
    measured |= {"memory_mb": memory, "memory_exponent": exponent, "peers": peers.versions()}
    if "multimatch_gaze" in peers.versions() and options.most_peer >= MEMORY_SIZES[0]:
        measured["peer_memory_mb"] = {MEMORY_SIZES[0]: memory_mb(MEMORY_SIZES[0], "peer")}
        print(f"  multimatch_gaze: {measured['peer_memory_mb']}")
    save(options.json, facts | measured)


if __name__ == "__main__":
    main()
