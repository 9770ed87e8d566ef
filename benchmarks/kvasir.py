"""The study on Kvasir-SEG with real gaze: methods, their controls, and self-training, by the commands a user types.

    python benchmarks/kvasir.py --data DATA [--out DIR] [--rows A,B] [--seeds 3] [--steps 1600] [--size 224] [--quick]

DATA holds images/, masks/, fit.txt, val.txt and the fixation CSV. No mask of a training image is opened but by the row
`full`; masks of the images in val.txt choose checkpoints and evaluate. A step whose output is there is not done again, an
interrupted training goes on: call it again until all is done. Written are a JSON file a run, per-image CSV files,
results.json, results.md (means over seeds, bootstrap intervals over images, paired differences from `plain`) and
results.png. --quick: 96 x 96, few steps, one seed, four rows, to see the order in minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from _commands import labels_of_masks, run
from scipy.stats import wilcoxon
from self_training import cross_fitted

mpl.use("agg")
from matplotlib import pyplot as plt

PLAIN = ("model.attention=false", "loss.track_weight=0")
# Row: (labels, settings). Labels are stored maps made once per kind; `full` is the masks.
ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "full": ("masks", PLAIN),
    "plain": ("density-crf", PLAIN),
    "gradtrack": ("density-crf", ()),
    "heatmap": ("heatmap", PLAIN),
    "plain, tube": ("tube", PLAIN),
    "gradtrack, tube": ("tube", ()),
    "levels without attention": ("density-crf", ("model.attention=false",)),
    "attention without levels": ("density-crf", ("loss.track_weight=0",)),
    "full track at every level": ("density-crf-none", ()),
    "first fixations": ("density-crf-head", ()),
    "random fixations": ("density-crf-random", ()),
    "shuffled order": ("tube-shuffled", ()),
    "discs": ("disc", ()),
}
SELF_TRAINING = "self-training"
LABELS = {
    "density-crf": ("--kind", "density", "--crf", "--crf-weight", "5"),
    "heatmap": ("--kind", "heatmap"),
    "tube": ("--kind", "tube"),
    "disc": ("--kind", "disc"),
    **{f"density-crf-{t}": ("--kind", "density", "--crf", "--crf-weight", "5", "--truncation", t)
       for t in ("none", "head", "random")},
    "tube-shuffled": ("--kind", "tube", "--truncation", "shuffled"),
}  # fmt: skip
QUICK = ("full", "plain", "gradtrack", "heatmap")


def labels(name: str, data: Path, out: Path, size: int) -> Path:
    """Return the stored maps that a row learns from, rendered where they are not there yet."""
    maps = out / "labels" / f"{name}-{size}" / "maps.parquet"
    if not maps.exists():
        tables = sorted((out / "tables").glob("*.fixations.parquet"))
        if not tables:
            run("main", "convert", *sorted(data.glob("*.csv")), "-o", out / "tables", "-q")
            tables = sorted((out / "tables").glob("*.fixations.parquet"))
        if name == "masks":
            labels_of_masks(labels("tube", data, out, size), data / "masks", maps)
        else:
            where = ["--images", data / "images", "--size", size, "-o", maps.parent, "-q"]
            run("main", "render", *tables, *LABELS[name], *where)
    return maps


def train_and_evaluate(folder: Path, data: Path, maps: Path, settings: list[str], options: argparse.Namespace) -> None:
    """Train one network and evaluate it on the validation images, with and without flips."""
    if not (folder / "run" / "done").exists():
        resume = ["--resume"] if (folder / "run" / "state.json").exists() else []
        where = ["--data", data, "--maps", maps, "--train-ids", data / "fit.txt", "--val-ids", data / "val.txt"]
        size = ["--steps", options.steps, "--image-size", options.size, "--device", options.device]
        every = ["--set", f"val_every={max(options.steps // 8, 1)}", "--preset", options.preset]
        start = time.perf_counter()
        chosen = [part for setting in settings for part in ("--set", setting)]
        run("train", *where, *size, *every, *chosen, "-o", folder / "run", "-q", *resume)
        (folder / "run" / "done").write_text(f"{time.perf_counter() - start:.1f}\n")
    evaluate(folder, folder / "run", data)


def evaluate(folder: Path, weights: Path, data: Path) -> None:
    """Segment the validation images and compare with their masks."""
    for name, more in (("plain", []), ("flips", ["--tta"])):
        if not (folder / name / "evaluation" / "summary.json").exists():
            ids = ["--ids", data / "val.txt", "-q"]
            run("predict", data / "images", "--weights", weights, "-o", folder / name, *more, *ids)
            run("evaluate", folder / name, data / "masks", "-o", folder / name / "evaluation", *ids)


def dice_of(folder: Path, name: str) -> dict[str, float]:
    """Read the Dice of each image."""
    with (folder / name / "evaluation" / "evaluation.csv").open() as file:
        return {row["image_id"]: float(row["dice"]) for row in csv.DictReader(file)}


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (10_000, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def summarise(out: Path, rows: dict[str, list[Path]]) -> list[dict[str, Any]]:
    """Return a line per row: mean over seeds and images, spread over seeds, interval over images, paired difference."""
    per_image = {}
    lines = []
    for row, folders in rows.items():
        ways = {}
        for way in ("plain", "flips"):
            runs = [dice_of(folder, way) for folder in folders]
            ids = sorted(runs[0])
            ways[way] = np.array([[one[i] for i in ids] for one in runs])  # [seeds, images]
        per_image[row] = ways["flips"].mean(0)
        means = [float(v) for v in ways["flips"].mean(1)]
        line: dict[str, Any] = {"row": row, "seeds": len(folders), "dice": float(ways["plain"].mean())}
        line |= {"dice_flips": statistics.fmean(means), "per_seed": means, "interval": interval(per_image[row])}
        line["sd_seeds"] = statistics.stdev(means) if len(means) > 1 else None
        lines.append(line)
    for line in lines:
        if "plain" in per_image and line["row"] != "plain":
            difference = per_image[line["row"]] - per_image["plain"]
            line["from_plain"] = {"mean": float(difference.mean()), "interval": interval(difference)}
            line["from_plain"]["p"] = float(wilcoxon(difference).pvalue) if difference.any() else 1.0
    (out / "results.json").write_text(json.dumps(lines, indent=2) + "\n")
    return lines


def write_table(out: Path, lines: list[dict[str, Any]]) -> str:
    """Write results.md and results.png, and return the table."""
    table = [
        "| row | seeds | Dice | with flips | 95 % over images | from `plain` (95 %, Wilcoxon p) |",
        "|---" * 6 + "|",
    ]
    for line in lines:
        spread = f" ± {line['sd_seeds']:.3f}" if line["sd_seeds"] is not None else ""
        low, high = line["interval"]
        paired = ""
        if found := line.get("from_plain"):
            paired = "{:+.3f} [{:+.3f}, {:+.3f}], p = {:.2g}".format(found["mean"], *found["interval"], found["p"])
        cells = [line["row"], line["seeds"], f"{line['dice']:.3f}", f"{line['dice_flips']:.3f}{spread}"]
        table.append(f"| {' | '.join(map(str, [*cells, f'{low:.3f} to {high:.3f}', paired]))} |")
    (out / "results.md").write_text("\n".join(table) + "\n")
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(lines) + 1.2), layout="constrained")
    for at, line in enumerate(reversed(lines)):
        axes.plot(line["interval"], [at, at], color="0.6")
        axes.plot(line["per_seed"], [at] * len(line["per_seed"]), "o", color="C0")
    axes.set_yticks(range(len(lines)), [line["row"] for line in reversed(lines)])
    axes.set_xlabel("Dice on the validation images, flips averaged; points: seeds, lines: 95 % over images")
    figure.savefig(out / "results.png", dpi=120)
    return "\n".join(table)


def main() -> None:
    """Do what is left of the study, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("kvasir-study"))
    parser.add_argument("--rows", help=f"comma-separated; of {', '.join((*ROWS, SELF_TRAINING))}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument(
        "--preset", default="default", help="of gradtrack-train; gazemedseg for the network from scratch"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.steps, options.size, options.seeds = 250, 96, 1
    chosen = options.rows.split(",") if options.rows else list(QUICK if options.quick else (*ROWS, SELF_TRAINING))
    if unknown := [row for row in chosen if row not in (*ROWS, SELF_TRAINING)]:
        parser.error(f"no rows called {', '.join(unknown)}")
    done: dict[str, list[Path]] = {}
    for seed in range(options.seeds):
        for row in chosen:
            folder = (
                options.out / f"{options.preset}-{options.size}-{options.steps}" / row.replace(" ", "-") / str(seed)
            )
            if row == SELF_TRAINING:
                maps = labels("density-crf", options.data, options.out, options.size)
                evaluate(
                    folder, cross_fitted(options.data, maps, folder, options.steps, options.size, seed), options.data
                )
            else:
                maps = labels(ROWS[row][0], options.data, options.out, options.size)
                train_and_evaluate(folder, options.data, maps, [*ROWS[row][1], f"seed={seed}"], options)
            done.setdefault(row, []).append(folder)
            print(f"{row}, seed {seed}: {np.mean([*dice_of(folder, 'flips').values()]):.4f}", flush=True)
    print(write_table(options.out, summarise(options.out, done)))


if __name__ == "__main__":
    main()
