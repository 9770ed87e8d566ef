"""All benchmarks at once, as one table: our time, the best peer's, the floor, and what to reach.

Usage: python benchmarks/run_all.py [--only NAME ...] [--limit 140] [--json FILE]

Each benchmark runs in a process of its own, for at most `--limit` seconds. Peers take part where
they are installed; those that are not are named, and what would have to be compared with them is
not judged. Times of shared machines drift: only ratios of one run count.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _timing import save, where_and_when

_FOLDER = Path(__file__).parent
# The packages that the benchmarks compare with, by the names that they are imported under.
PEERS = {
    "pymovements": "pymovements",
    "MNE": "mne",
    "polars": "polars",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "OpenCV": "cv2",
    "SciPy": "scipy",
    "pydensecrf2": "pydensecrf",
    "multimatch_gaze": "multimatch_gaze",
}
# By a name of their own: the script and what it is told.
BENCHES: dict[str, tuple[str, ...]] = {
    "aois": ("bench_aois.py",),
    "commands": ("bench_commands.py", "--rounds", "3"),
    "crf": ("bench_crf.py", "--rounds", "3"),
    "events": ("bench_events.py", "--samples", "1000000"),
    "short events": ("bench_events.py", "--samples", "100000"),
    "maps": ("bench_maps.py", "--rounds", "3"),
    "measures": ("bench_measures.py", "--sizes", "800", "--rounds", "3"),
    "memory": ("bench_memory.py", "--megabytes", "64", "256", "--work", "read"),
    "asc": ("bench_readers.py", "--kinds", "asc", "--sizes", "1"),
    "tsv": ("bench_readers.py", "--kinds", "tsv", "--sizes", "1"),
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """One line of the table.

    Parameters
    ----------
    name : str
        What is done.
    bench : str
        The benchmark that times it, a name of `BENCHES`.
    at : str
        Where its times are among those of the benchmark; see `_times`.
    ours : str
        The entry that is ours.
    peers : tuple of str
        What the entries of peers begin with.
    floor : str
        The entry that is the floor; empty where there is none.
    faster : float or None
        How many times faster than the best peer we are to be.
    over_floor : float or None
        How many times as slow as the floor we may be.
    most_s : float or None
        How many seconds it may take.
    """

    name: str
    bench: str
    at: str = ""
    ours: str
    peers: tuple[str, ...] = ()
    floor: str = ""
    faster: float | None = None
    over_floor: float | None = None
    most_s: float | None = None

    @property
    def reach(self) -> str:
        """What is to be reached, in words."""
        words = []
        if self.faster is not None:
            words.append(f">= {self.faster:g} x the best peer's speed")
        if self.over_floor is not None:
            words.append(f"<= {self.over_floor:g} x the floor")
        if self.most_s is not None:
            words.append(f"<= {self.most_s:g} s")
        return ", ".join(words)


_READ, _COUNT = "floor: read", "floor: count tabs and newlines"
_TEXT_PEERS = ("polars", "pyarrow", "pandas", "pymovements", "mne")
# Each kind of map beside those who compute the same: sums of Gaussians, or distances.
_SUMS = ("cv2 GaussianBlur", "scipy gaussian_filter", "GazeMedSeg")
_DISTANCES = ("cv2 distanceTransform", "scipy distance_transform_edt", "scipy cKDTree")
_WRITE = "floor: write float32"
_SUM = "floor: sum the samples"
_PYTHON = "floor: python -c pass"
_SMALL, _LARGE = "30 on 224x224", "30 on 576x720"

WORKS = (
    Work(
        name="read EyeLink ASC",
        bench="asc",
        at="asc",
        ours="gazetrack read",
        peers=_TEXT_PEERS,
        floor=_READ,
        faster=60,
    ),
    Work(
        name="read Tobii TSV",
        bench="tsv",
        at="tsv",
        ours="gazetrack read",
        peers=_TEXT_PEERS,
        floor=_COUNT,
        faster=2,
    ),
    Work(
        name="convert Tobii TSV",
        bench="tsv",
        at="tsv",
        ours="gazetrack convert",
        peers=_TEXT_PEERS,
        floor=_COUNT,
        faster=1,
    ),
    *(
        Work(
            name=f"4 levels of {kind}, {at.removeprefix('30 on ')}",
            bench="maps",
            at=at,
            ours=kind,
            peers=_SUMS if kind == "density" else _DISTANCES,
            floor=_WRITE,
            faster=40 if at == _SMALL else 100,
            over_floor=2,
        )
        for at in (_LARGE, _SMALL)
        for kind in ("density", "tube", "disc")
    ),
    Work(
        name="one heatmap, 1080x1920, 100,000 fixations",
        bench="maps",
        at="100000 on 1080x1920",
        ours="heatmap",
        peers=_SUMS,
        floor=_WRITE,
        faster=1,
    ),
    Work(
        name="one density map, 1080x1920, 100,000 fixations",
        bench="maps",
        at="100000 on 1080x1920",
        ours="density",
        peers=_SUMS,
        floor=_WRITE,
        faster=1,
    ),
    Work(
        name="I-VT from positions, 1 M samples",
        bench="events",
        ours="still_stretches: I-VT",
        peers=("pymovements ivt", "numpy, no window"),
        floor=_SUM,
        faster=10,
        over_floor=4,
    ),
    Work(
        name="I-DT, 100,000 samples",
        bench="short events",
        ours="detector idt",
        peers=("pymovements idt",),
        floor=_SUM,
        faster=1000,
    ),
    Work(
        name="Engbert-Kliegl, 1 M samples",
        bench="events",
        ours="detector engbert_kliegl",
        peers=("pymovements micro",),
        floor=_SUM,
        faster=5,
    ),
    Work(
        name="detector auto, 1 M samples",
        bench="events",
        ours="detector auto",
        floor=_SUM,
        most_s=0.1,
    ),
    *(
        Work(
            name=f"dense CRF, {at}",
            bench="crf",
            at=at,
            ours="refine",
            peers=("pydensecrf2",),
            faster=1,
        )
        for at in ("one level", "four levels")
    ),
    Work(
        name="MultiMatch, two scanpaths of 800 fixations",
        bench="measures",
        at="800",
        ours="multimatch",
        peers=("multimatch_gaze",),
        faster=100,
    ),
    Work(
        name="AOI measures, 10,000 fixations, 10 polygons",
        bench="aois",
        ours="gazetrack",
        peers=("loop over rows",),
        faster=10,
    ),
    Work(name="gazetrack --help", bench="commands", ours="gazetrack --help", floor=_PYTHON),
    Work(name="import gazetrack", bench="commands", ours="import gazetrack", floor=_PYTHON),
    Work(
        name="convert a CSV of 24,300 fixations",
        bench="commands",
        ours="convert a CSV",
        floor="import what convert needs",
        most_s=0.6,
    ),
    Work(
        name="render 900 images",
        bench="commands",
        ours="render",
        floor="maps of the tracks",
        most_s=1.5,
    ),
    Work(
        name="render 900 images, --jobs 2",
        bench="commands",
        ours="render --jobs 2",
        peers=("render",),
        floor="maps of the tracks",
        faster=1.6,
    ),
)


def run(name: str, limit: float, folder: Path) -> dict[str, Any]:
    """Run a benchmark, and return what it measured, or under ``error`` why it did not."""
    script, *arguments = BENCHES[name]
    path = folder / f"{name}.json"
    command = [sys.executable, str(_FOLDER / script), *arguments, "--json", str(path)]
    print(f"# {script} {' '.join(arguments)}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"more than {limit:g} s"}
    if done.returncode or not path.exists():
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"error": last[:300]}
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _times(found: dict[str, Any], work: Work) -> dict[str, float]:
    """Return the seconds of each entry, whatever the benchmark's own form is."""
    if work.bench in ("asc", "tsv"):
        entries = found[work.at]["sizes"][0]["entries"]
        return {name: figures["warm_s"] for name, figures in entries.items()}
    if work.bench in ("maps", "crf"):
        times: dict[str, float] = found[work.at]
        return times
    if work.bench == "measures":
        return {name: by_size[work.at] for name, by_size in found["seconds"].items()}
    return dict(found["seconds"])


def judged(work: Work, found: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a work: times in seconds, ratios, and whether the reach is met.

    Parameters
    ----------
    work : Work
        What is judged.
    found : dict
        What its benchmark measured.

    Returns
    -------
    dict
        ``met`` is None where there is nothing to reach, or nothing to compare with.
    """
    line: dict[str, Any] = {"work": work.name, "bench": work.bench, "reach": work.reach}
    if "error" in found:
        return {**line, "error": found["error"], "met": None}
    times = _times(found, work)
    ours = times[work.ours]
    rivals = {
        name: seconds
        for name, seconds in times.items()
        if name.startswith(work.peers or ("\0",)) and name != work.ours
    }
    best = min(rivals, key=rivals.__getitem__, default="")
    floor = times.get(work.floor)
    answers: list[bool | None] = []
    if work.faster is not None:
        answers.append(rivals[best] / ours >= work.faster if best else None)
    if work.over_floor is not None:
        answers.append(None if floor is None else ours / floor <= work.over_floor)
    if work.most_s is not None:
        answers.append(ours <= work.most_s)
    return {
        **line,
        "ours_s": ours,
        "peer": best,
        "peer_s": rivals.get(best),
        "floor_s": floor,
        "peer_over_ours": rivals[best] / ours if best else None,
        "ours_over_floor": None if floor is None else ours / floor,
        "met": _all(answers),
    }


def _all(answers: list[bool | None]) -> bool | None:
    """Return whether all of it is met; None where nothing fails and something is not known."""
    if False in answers:
        return False
    return None if None in answers or not answers else True


def memory_lines(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a line for each format whose memory was measured."""
    if "error" in found:
        return [{"format": "all", "error": found["error"], "met": None}]
    lines = []
    for kind, series in found["formats"].items():
        line = {"format": kind, "met": series.get("met")}
        for key in ("slope", "mb_at_2_gb", "error"):
            if key in series:
                line[key] = series[key]
        lines.append(line)
    return lines


def _cell(value: float | None, digits: int = 3) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{digits}g}"


def _met(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "not judged"}[value]


def show(lines: list[dict[str, Any]], memory: list[dict[str, Any]], missing: list[str]) -> None:
    """Print the tables as Markdown."""
    print("| work | ours, s | best peer, s | floor, s | peer / ours | ours / floor | reach | met |")
    print("|---|---|---|---|---|---|---|---|")
    for line in lines:
        if "error" in line:
            print(f"| {line['work']} | {line['error']} | | | | | {line['reach']} | not judged |")
            continue
        peer = f"{line['peer']} {_cell(line['peer_s'])}".strip()
        cells = [line["work"], _cell(line["ours_s"]), peer, _cell(line["floor_s"])]
        cells += [_cell(line["peer_over_ours"]), _cell(line["ours_over_floor"])]
        print(f"| {' | '.join(cells)} | {line['reach']} | {_met(line['met'])} |")
    if memory:
        print("\n| reading | MB of memory a MB | MB at 2 GB | met |")
        print("|---|---|---|---|")
    for line in memory:
        figures = line.get("error") or _cell(line.get("slope"), 2)
        print(
            f"| {line['format']} | {figures} | {_cell(line.get('mb_at_2_gb'))} "
            f"| {_met(line['met'])} |"
        )
    print(f"\npeers that are not installed: {', '.join(missing) or 'none'}")


def main() -> None:
    """Run the benchmarks, print the table, and save it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(BENCHES), default=list(BENCHES))
    parser.add_argument("--limit", type=float, default=140.0, help="seconds for each benchmark")
    parser.add_argument("--json", help="write the table here")
    options = parser.parse_args()
    machine = where_and_when()
    with tempfile.TemporaryDirectory() as folder:
        found = {name: run(name, options.limit, Path(folder)) for name in options.only}
    lines = [judged(work, found[work.bench]) for work in WORKS if work.bench in found]
    memory = memory_lines(found["memory"]) if "memory" in found else []
    missing = [name for name, module in PEERS.items() if find_spec(module) is None]
    show(lines, memory, missing)
    benches = {name: [*BENCHES[name]] for name in options.only}
    save(
        options.json,
        {
            **machine,
            "benches": benches,
            "missing_peers": missing,
            "works": lines,
            "memory": memory,
        },
    )


if __name__ == "__main__":
    main()
