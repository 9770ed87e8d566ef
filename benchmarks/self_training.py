"""Self-training on gaze: the labels of a round are the gaze's maps, grown by what the network before it saw.

    python benchmarks/self_training.py DATA [--out DIR] [--rounds 2] [--steps 1600] [--seed 0]

DATA holds images/, masks/ (only ever to evaluate on the validation images), fit.txt, val.txt and a fixation CSV.
Round 1 trains a plain U-Net decoder on density maps refined by the CRF. Each later round trains anew on max(map,
probability of the last round's network with flips). No mask of a training image is opened. Every step is a command as a
user types it, and a step whose output is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _commands import change_maps, read_gray, run

if TYPE_CHECKING:
    from _commands import Levels


def grow(maps: Path, probabilities: Path, target: Path) -> None:
    """Write the maps with their last level grown to max(level, probability of the network), both 0..255."""

    def grown(image_id: str, levels: Levels) -> Levels:
        levels[-1] = np.maximum(levels[-1], read_gray(probabilities / f"{image_id}.png", levels.shape[1:]))
        return levels

    change_maps(maps, target, grown)


def main() -> None:
    """Do all rounds, and print the Dice of each on the validation images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("self-training"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    data, out = options.data, options.out
    ids = ["--train-ids", data / "fit.txt", "--val-ids", data / "val.txt"]
    if not all(path.exists() for path in ids[1::2]):
        parser.error(f"{data} has no fit.txt and val.txt")
    tables = sorted(out.glob("*.fixations.parquet")) or sorted(data.glob("*.fixations.parquet"))
    if not tables:
        run("main", "convert", *sorted(data.glob("*.csv")), "-o", out, "-q")
        tables = sorted(out.glob("*.fixations.parquet"))
    maps = out / "round-1" / "maps.parquet"
    if not maps.exists():
        density = ["--kind", "density", "--crf", "--crf-weight", 5, "--size", options.size]
        run("main", "render", *tables, "--images", data / "images", *density, "-o", maps.parent, "-q")
    results = []
    for number in range(1, options.rounds + 1):
        folder, start = out / f"round-{number}", time.perf_counter()
        if not (folder / "run" / "best.json").exists():
            plain = ["--set", "model.attention=false", "--set", "loss.track_weight=0", "--preset", options.preset]
            plain += ["--set", f"val_every={max(options.steps // 8, 1)}", "--image-size", options.size]
            where = ["--images", data / "images", "--masks", data / "masks", "--maps", folder / "maps.parquet", *ids]
            size = ["--steps", options.steps, "--seed", options.seed]
            run("train", *where, *plain, *size, "-o", folder / "run", "-q")
        seconds = time.perf_counter() - start
        for name, more in (("plain", []), ("tta", ["--tta", "--probabilities"])):
            if not (folder / name).exists():
                run("predict", data / "images", "--weights", folder / "run", "-o", folder / name, *more, "-q")
            where = [folder / name, data / "masks", "--ids", data / "val.txt", "-o", folder / f"evaluation-{name}"]
            run("evaluate", *where, "-q")
        dice = {
            name: json.loads((folder / f"evaluation-{name}" / "summary.json").read_text())["dice"]["mean"]
            for name in ("plain", "tta")
        }
        results.append({"round": number, "dice": dice["plain"], "dice_flips": dice["tta"], "train_seconds": seconds})
        print(f"round {number}: Dice {dice['plain']:.4f}, with flips {dice['tta']:.4f}", flush=True)
        if number < options.rounds:
            grow(maps, folder / "tta" / "probabilities", out / f"round-{number + 1}" / "maps.parquet")
    (out / "results.json").write_text(json.dumps(vars(options) | {"rounds": results}, default=str, indent=2) + "\n")


if __name__ == "__main__":
    main()
