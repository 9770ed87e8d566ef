"""The study on Kvasir-SEG with real gaze: methods, their controls, and self-training, by the commands a user types.

    python benchmarks/kvasir.py --data DATA [--out DIR] [--rows 'A;B'] [--seeds 3] [--steps 1600] [--size 224] [--quick]

DATA holds images/, masks/, fit.txt, val.txt and the fixation CSV. No mask of a training image is opened but by the row
`full`; masks of the images in val.txt choose checkpoints and evaluate. A step whose output is there is not done again,
an interrupted training goes on: call it again until all is done. Written are the runs, per-image CSV files,
results.json, results.md (means over seeds, bootstrap intervals over images, paired differences from `plain`) and
results.png.
--quick: 96 x 96, few steps, one seed, the four methods, to see their order in minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from _commands import run
from scipy.stats import wilcoxon
from self_training import grow

mpl.use("agg")
from matplotlib import pyplot as plt

STORED = "density maps refined by the CRF"
GROWN = "those, grown by what the network of the row `plain` saw"
PLAIN = ("--set", "model.attention=false", "--set", "loss.track_weight=0")
# Row: (labels, what else gradtrack-train is told). Without labels, maps are rendered from the fixations in training.
ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "full": ("", ("--method", "full")),
    "heatmap": ("", ("--method", "heatmap")),
    "gazemedseg": ("", ("--method", "gazemedseg")),
    "gradtrack": ("", ("--method", "gradtrack")),
    "gradtrack, stored": (STORED, ()),
    "plain": (STORED, PLAIN),
    "self-training": (GROWN, PLAIN),
    **{f"gradtrack-{control}": ("", ("--method", f"gradtrack-{control}"))
       for control in ("none", "head", "random", "shuffled", "discs", "no-attention", "no-supervision", "gates")},
}  # fmt: skip
QUICK = ("full", "heatmap", "gazemedseg", "gradtrack")


def tables_of(data: Path, out: Path) -> list[Path]:
    """Return the fixation tables, converted where they are not there yet."""
    if not (tables := sorted((out / "tables").glob("*.fixations.parquet"))):
        run("main", "convert", *sorted(data.glob("*.csv")), "-o", out / "tables", "-q")
        tables = sorted((out / "tables").glob("*.fixations.parquet"))
    return tables


def stored_labels(data: Path, out: Path, size: int) -> Path:
    """Return the density maps, rendered and refined where they are not there yet."""
    maps = out / f"density-crf-{size}" / "maps.parquet"
    if not maps.exists():
        kind = ["--kind", "density", "--crf", "--crf-weight", 5, "--size", size]
        run("main", "render", *tables_of(data, out), "--images", data / "images", *kind, "-o", maps.parent, "-q")
    return maps


def grown_labels(before: Path, folder: Path, options: argparse.Namespace) -> Path:
    """Return the labels of self-training: the gaze's, grown by what the network trained on them saw in all images."""
    maps, seen = folder / "labels" / "maps.parquet", folder / "seen"
    if not maps.exists():
        where = ["--weights", before / "run", "-o", seen, "--tta", "--probabilities", "-q"]
        run("predict", options.data / "images", *where)
        grow(stored_labels(options.data, options.out, options.size), seen / "probabilities", maps)
    return maps


def train_and_evaluate(
    folder: Path, gaze: list[object], settings: tuple[str, ...], options: argparse.Namespace
) -> None:
    """Train one network and evaluate it on the validation images, with and without flips."""
    data = options.data
    if not (folder / "run" / "done").exists():
        resume = ["--resume"] if (folder / "run" / "states").exists() else []
        where = ["--data", data, *gaze, "--train-ids", data / "fit.txt", "--val-ids", data / "val.txt"]
        size = ["--steps", options.steps, "--image-size", options.size, "--device", options.device, "-q"]
        every = ["--set", f"val_every={max(options.steps // 8, 1)}", "--preset", options.preset]
        run("train", *where, *size, *every, *settings, "-o", folder / "run", *resume)
        (folder / "run" / "done").touch()
    evaluate(folder, folder / "run", data)


def evaluate(folder: Path, weights: Path, data: Path) -> None:
    """Segment the validation images and compare with their masks."""
    for name, more in (("plain", []), ("flips", ["--tta"])):
        if not (folder / name / "evaluation" / "summary.json").exists():
            ids = ["--ids", data / "val.txt", "-q"]
            run("predict", data / "images", "--weights", weights, "-o", folder / name, *more, *ids)
            run("evaluate", folder / name, data / "masks", "-o", folder / name / "evaluation", *ids)


def slug(row: str) -> str:
    """Return a row's name as a folder's."""
    return row.replace(", ", "-").replace(" ", "-")


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
    names = ("row", "seeds", "Dice", "with flips", "95 % over images", "from `plain` (95 %, Wilcoxon p)")
    table = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
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
    parser.add_argument("--rows", help=f"separated by semicolons; of {'; '.join(ROWS)}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--preset", default="default", help="of gradtrack-train; gazemedseg: the network from scratch")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.steps, options.size, options.seeds = 250, 96, 1
    chosen = options.rows.split(";") if options.rows else list(QUICK if options.quick else ROWS)
    if unknown := [row for row in chosen if row not in ROWS]:
        parser.error(f"no rows called {', '.join(unknown)}")
    done: dict[str, list[Path]] = {}
    study = options.out / f"{options.preset}-{options.size}-{options.steps}"
    for seed in range(options.seeds):
        for row in chosen:
            kind, settings = ROWS[row]
            folder = study / slug(row) / str(seed)
            tables = tables_of(options.data, options.out)
            gaze: list[object] = [part for table in tables for part in ("--fixations", table)]
            if kind == STORED:
                gaze = ["--maps", stored_labels(options.data, options.out, options.size)]
            elif kind == GROWN:
                gaze = ["--maps", grown_labels(study / "plain" / str(seed), folder, options)]
            train_and_evaluate(folder, gaze, (*settings, "--seed", str(seed)), options)
            done.setdefault(row, []).append(folder)
            print(f"{row}, seed {seed}: {np.mean([*dice_of(folder, 'flips').values()]):.4f}", flush=True)
    print(write_table(options.out, summarise(options.out, done)))


if __name__ == "__main__":
    main()
