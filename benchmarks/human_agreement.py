"""How well detectors agree with human coders: ours, and the peers that are installed beside us.

    python benchmarks/human_agreement.py DATA [--json FILE] [--tune 40]

DATA is the folder with lund2013_samples.parquet (Andersson et al. 2017, two coders),
hooge2018_*.parquet (Hooge et al. 2018, twelve coders) and lookatpoint_samples.parquet (Zemblys et
al. 2018). Every figure is the mean over the recordings of a group of the mean over its coders:
Cohen's kappa of fixation samples, and the F1 of fixations matched by maximal overlap (Startsev &
Zemblys 2022). The row "human" scores each coder against the others. A recording on which a detector
fails counts as one without fixations.

--tune N shows what choosing parameters on these data is worth: N random neighbours of the default
ones are scored on all recordings but one, and the best is applied to the one left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import random
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import peers_events

from gazetrack.events.agreement import Intervals, event_agreement, intervals_of, kappa
from gazetrack.events.auto import Auto
from gazetrack.events.base import Trial
from gazetrack.events.detectors import DETECTORS

# Screens as their authors describe them: Lund 380 mm and 1024 px at 670 mm; Hooge 509 mm and 1920
# px at 650 mm.
LUND_PX_PER_DEG = math.tan(math.radians(1)) * 670 * 1024 / 380
HOOGE_PX_PER_DEG = math.tan(math.radians(1)) * 650 * 1920 / 509
COLUMNS = (
    "image kappa",
    "image F1",
    "dots kappa",
    "video kappa",
    "adult F1",
    "infant F1",
    "points kappa",
)
HUMAN_TARGETS = {
    "image kappa": 0.83,
    "image F1": 0.96,
    "dots kappa": 0.45,
    "video kappa": 0.40,
    "adult F1": 0.94,
    "infant F1": 0.91,
}


class Labelled(NamedTuple):
    """A recording with what its coders say.

    They are labels of samples where they exist, and fixations in ms.
    """

    group: str
    name: str
    trial: Trial
    labels: list[np.ndarray]
    fixations: list[Intervals]


def load(data: Path) -> list[Labelled]:
    """Read all labelled recordings."""
    return [*lund(data), *hooge(data), *points(data)]


def lund(data: Path) -> list[Labelled]:
    frame = pd.read_parquet(data / "lund2013_samples.parquet")
    found = []
    for (group, name), rows in frame.groupby(["stimulus_type", "recording"]):
        coders = [part for _, part in rows.groupby("coder")]
        n = min(map(len, coders))
        first = coders[0].iloc[:n]
        missing = (first["x_px"] == 0) & (first["y_px"] == 0)
        t = first["time"].to_numpy(float)
        labels = [(part["label"] == "fixation").to_numpy()[:n] for part in coders]
        found.append(
            _labelled(
                group, name, t, first["x_px"], first["y_px"], missing, LUND_PX_PER_DEG, labels
            )
        )
    return found


def hooge(data: Path) -> list[Labelled]:
    samples = pd.read_parquet(data / "hooge2018_samples.parquet")
    fixations = pd.read_parquet(data / "hooge2018_fixations.parquet")
    found = []
    for name, rows in samples.groupby("recording"):
        coders = [
            Intervals(part["onset"].to_numpy(float), part["offset"].to_numpy(float) + 1000 / 300)
            for _, part in fixations[fixations["recording"] == name]
            .sort_values("onset")
            .groupby("coder")
        ]
        one = _labelled(
            name.split("_")[0],
            name,
            rows["time"].to_numpy(float),
            rows["x"],
            rows["y"],
            rows["x"].isna(),
            HOOGE_PX_PER_DEG,
            [],
        )
        found.append(one._replace(fixations=coders))
    return found


def points(data: Path) -> list[Labelled]:
    frame = pd.read_parquet(data / "lookatpoint_samples.parquet")
    scale = 30.0  # positions are degrees: any scale serves
    return [
        _labelled(
            "points",
            name,
            rows["t"].to_numpy(float) * 1000,
            rows["x"] * scale,
            rows["y"] * scale,
            ~rows["status"].astype(bool),
            scale,
            [(rows["label"] == "fixation").to_numpy()],
        )
        for name, rows in frame.groupby("recording")
    ]


def _labelled(group, name, t, x, y, missing, scale, labels):
    x, y = (np.where(missing, np.nan, v).astype(float) for v in (x, y))
    trial = Trial(t, x, y, scale)
    return Labelled(
        group, name, trial, labels, [in_ms(trial, intervals_of(part)) for part in labels]
    )


def in_ms(trial: Trial, runs: Intervals) -> Intervals:
    """Turn runs of samples into times; a sample lasts one step."""
    starts, ends = (side.astype(int) for side in runs)
    return Intervals(trial.t_ms[starts], trial.t_ms[ends - 1] + trial.step_ms)


def of_runs(trial: Trial, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return which samples the runs cover."""
    inside = np.zeros(trial.t_ms.size, bool)
    for a, b in zip(starts, ends, strict=True):
        inside[a:b] = True
    return inside


def score(recording: Labelled, starts: np.ndarray, ends: np.ndarray) -> dict[str, float]:
    """Score found runs against every coder of a recording."""
    found = in_ms(recording.trial, Intervals(np.asarray(starts), np.asarray(ends)))
    pairs = [
        (event_agreement(coder, found), event_agreement(coder, found, 0.5))
        for coder in recording.fixations
    ]
    inside = of_runs(recording.trial, starts, ends)
    row = {"F1": np.mean([a.f1 for a, _ in pairs]), "F1 IoU": np.mean([b.f1 for _, b in pairs])}
    row |= {
        name: _mean([getattr(a, name) for a, _ in pairs])
        for name in ("onset_error", "offset_error")
    }
    if recording.labels:
        row["kappa"] = np.mean([kappa(labels, inside) for labels in recording.labels])
    return {name: float(value) for name, value in row.items()}


def humans(recording: Labelled) -> dict[str, float]:
    """Score every coder against every other."""
    both = list(itertools.combinations(recording.fixations, 2))
    if not both:
        return {}
    row = {"F1": np.mean([event_agreement(*pair).f1 for pair in both])}
    row["F1 IoU"] = np.mean([event_agreement(*pair, 0.5).f1 for pair in both])
    if recording.labels:
        row["kappa"] = np.mean(
            [kappa(*pair) for pair in itertools.combinations(recording.labels, 2)]
        )
    return {name: float(value) for name, value in row.items()}


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan


def run(detector: Any, recordings: list[Labelled]) -> tuple[list[dict[str, float]], list[str]]:
    """Return the scores of a detector (a function of a trial) on each recording.

    Where it failed is said as well.
    """
    rows, failed = [], []
    nothing = np.zeros(0, np.int64)
    for recording in recordings:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                starts, ends = detector(recording.trial)
        except Exception as error:  # noqa: BLE001 - peers fail in many ways, and each counts
            failed.append(f"{recording.name}: {type(error).__name__}: {error}"[:120])
            starts, ends = nothing, nothing
        rows.append(score(recording, starts, ends))
    return rows, failed


def summary(rows: list[dict[str, float]], recordings: list[Labelled]) -> dict[str, float]:
    """Return the means per group, as in `COLUMNS`."""
    out = {}
    for group in dict.fromkeys(r.group for r in recordings):
        own = [row for row, r in zip(rows, recordings, strict=True) if r.group == group and row]
        for name in dict.fromkeys(key for row in own for key in row):
            out[f"{group} {name}"] = _mean([row[name] for row in own])
    return out


def pixels_only(trial: Trial) -> tuple[np.ndarray, np.ndarray]:
    """Detect as if the screen were unknown: 1920 px across 45 degrees."""
    return Auto().runs(dataclasses.replace(trial, px_per_deg=1920 / 45))


def neighbours(n: int, seed: int = 0) -> list[Auto]:
    """Return the default parameters and n settings around them.

    In each, three parameters are changed by a factor of 2/3 to 3/2.
    """
    rng, found = random.Random(seed), [Auto()]  # noqa: S311 - no secret
    names = [field.name for field in dataclasses.fields(Auto)]
    for _ in range(n):
        changed = {
            name: getattr(Auto(), name) * 1.5 ** rng.uniform(-1, 1) for name in rng.sample(names, 3)
        }
        found.append(
            Auto(
                **{
                    name: min(v, 1.0) if name in ("pursuit_straightness", "pursuit_share") else v
                    for name, v in changed.items()
                }
            )
        )
    return found


def left_out(recordings: list[Labelled], n: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return scores with parameters chosen on all recordings but the one scored.

    How the choices differ is said as well.
    """
    table = [run(auto.runs, recordings)[0] for auto in neighbours(n)]
    rows, chosen = [], []
    for i in range(len(recordings)):
        others = [j for j in range(len(recordings)) if j != i]
        goals = [
            _goal([rows_of[j] for j in others], [recordings[j] for j in others])
            for rows_of in table
        ]
        chosen.append(int(np.argmax(goals)))
        rows.append(table[chosen[-1]][i])
    spread = {
        name: float(np.std([summary(rows_of, recordings)[name] for rows_of in table]))
        for name in COLUMNS
    }
    return summary(rows, recordings), {"settings chosen": len(set(chosen)), **spread}


def _goal(rows: list[dict[str, float]], recordings: list[Labelled]) -> float:
    means = summary(rows, recordings)
    return sum(means[name] for name in HUMAN_TARGETS)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--tune", type=int, default=0, metavar="N")
    options = parser.parse_args()
    recordings = load(options.data)
    table, failures = {"human": summary([humans(r) for r in recordings], recordings)}, {}
    candidates = (
        {name: kind().runs for name, kind in DETECTORS.items()}
        | {"auto, pixels only": pixels_only}
        | peers_events.available()
    )
    for name, detector in candidates.items():
        rows, failures[name] = run(detector, recordings)
        table[name] = summary(rows, recordings)
    if options.tune:
        table["auto, left out"], spread = left_out(recordings, options.tune)
        print(
            f"{options.tune} settings around the default: standard deviation of each figure", spread
        )
    width = max(map(len, table))
    print(" " * width, *(f"{name:>12}" for name in COLUMNS), "failed")
    for name, row in table.items():
        values = (f"{row.get(column, math.nan):12.3f}" for column in COLUMNS)
        print(
            f"{name:{width}}",
            *values,
            f"{len(failures.get(name, []))}/{len(recordings)}" if name in failures else "",
        )
    for name, reasons in failures.items():
        for reason in reasons[:3]:
            print(f"{name} failed on {reason}")
    if options.json:
        result = {"recordings": len(recordings), "table": table, "failures": failures}
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
