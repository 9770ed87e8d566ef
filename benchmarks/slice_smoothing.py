"""Do maps of slices gain from looks at the slices around them? On NCI-ISBI 2013, against masks.

    python benchmarks/slice_smoothing.py [--data DATA] [--json FILE]

One observer looked at 789 slices of 59 prostates (GazeMedSeg, Zhong et al., MICCAI 2024); a map's
label is where its last level (preset ``prostate``) reaches .5, at the size of its slice. Printed is
the mean Dice over slices for each sigma, its paired difference from no smoothing with a 95 %
bootstrap interval over prostates, and the same in three dimensions, a prostate at a time. All
prostates are used, and nothing is chosen here; the preset itself was chosen on some of them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np
from _timing import save, where_and_when

import gazetrack
from gazetrack.maps.neighbours import SliceSmoothing
from gazetrack.maps.parameters import map_params
from gazetrack.maps.store import read_maps

SIGMAS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0)
DATA = Path(os.environ.get("GAZETRACK_DATA", Path(__file__).parents[2] / "shared" / "data"))


def masks(folder: Path) -> dict[str, np.ndarray]:
    """Return the masks [N, H, W] of all prostates by the name of their case."""
    import nrrd

    found = {}
    for path in sorted(folder.glob("nrrd*/*.nrrd")):
        case = path.stem.removesuffix("_correctedLabels")
        found[case] = np.moveaxis(nrrd.read(str(path))[0], 2, 0).transpose(0, 2, 1) > 0
    return found


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return Dice of two masks, of which one is not empty."""
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def measure(table: Path, sigma: float, reference: dict[str, np.ndarray]) -> dict:
    """Return the Dice of each slice, and of each prostate's slices together, by case."""
    smoothing = SliceSmoothing(sigma=sigma) if sigma else None
    with tempfile.TemporaryDirectory() as out:
        gazetrack.render(
            table, out=out, params=map_params("prostate", levels=1), smoothing=smoothing
        )
        slices: dict[str, list[float]] = {}
        both: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for row in read_maps(out).rows():
            case, number = row.stimulus.removesuffix(".jpg").rsplit("_", 1)
            label = row.values[-1] >= 128
            mask = reference[case][int(number) - 1]
            slices.setdefault(case, []).append(dice(label, mask))
            both.setdefault(case, []).append((label, mask))
    volumes = {
        case: dice(*(np.stack([pair[side] for pair in pairs]) for side in (0, 1)))
        for case, pairs in both.items()
    }
    return {"slices": slices, "volumes": volumes}


def interval(differences: dict[str, list[float]]) -> list[float]:
    """Return the 95 % interval of the mean, by drawing prostates."""
    rng = np.random.default_rng(0)
    sums = np.array([sum(values) for values in differences.values()])
    counts = np.array([len(values) for values in differences.values()])
    drawn = rng.integers(0, len(sums), (10_000, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    return [round(float(end), 4) for end in np.percentile(means, (2.5, 97.5))]


def main() -> None:
    """Print a line of JSON for each sigma."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json")
    options = parser.parse_args()
    stamp = where_and_when()
    data = options.data / "nci-isbi-gaze"
    lines = []
    reference = masks(data / "masks")
    with tempfile.TemporaryDirectory() as folder:
        gazetrack.convert(data / "nci-isbi_fixation.csv", out=folder)
        (table,) = Path(folder).glob("*.fixations.parquet")
        before: dict[str, list[float]] = {}
        for sigma in SIGMAS:
            found = measure(table, sigma, reference)
            slices = found["slices"]
            before = before or slices
            every = np.concatenate(list(slices.values()))
            gain = {case: list(np.subtract(slices[case], before[case])) for case in slices}
            line = {
                "sigma_slices": sigma,
                "n_slices": len(every),
                "dice": round(float(every.mean()), 4),
                "difference": round(float(np.concatenate(list(gain.values())).mean()), 4),
                "interval": interval(gain),
                "dice_volumes": round(float(np.mean(list(found["volumes"].values()))), 4),
            }
            print(json.dumps(line), flush=True)
            lines.append(line)
    save(options.json, {**stamp, "sigmas": lines})


if __name__ == "__main__":
    main()
