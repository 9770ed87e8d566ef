"""The study on Kvasir-SEG with real gaze: methods, their controls, and self-training.

    python benchmarks/kvasir.py --data DATA [--out DIR] [--rows 'A;B'] [--seeds 3] [--steps 1600]
    [--size 224] [--quick]

DATA holds images/, masks/, fit.txt, val.txt and the fixation CSV. No mask of a training image is
opened but by the row `full`; masks of the images in val.txt choose checkpoints and evaluate. A step
whose output is there is not done again, an interrupted training goes on: call it again until all is
done. Written are the runs, per-image CSV files, results.json, results.md (means over seeds,
bootstrap intervals over images, paired differences from `plain`) and results.png.
--quick: 96 x 96, few steps, one seed, the four methods, to see their order in minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _commands import add_study_options, change_maps, read_gray, run

from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.jobs import Job, Result
from gradtrack_model.study.runner import run_jobs
from gradtrack_model.study.table import draw, markdown, per_image, summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _commands import Levels

STORED = "density maps refined by the CRF"
GROWN = "those, grown by what the network of the row `plain` saw"
# Row: (labels, method, settings). Without labels, maps are rendered from the fixations in training.
ROWS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    **{method: ("", method, ()) for method in ("full", "heatmap", "gazemedseg", "gradtrack")},
    "gradtrack, stored": (STORED, "gradtrack", ()),
    "plain": (STORED, "plain", ()),
    "self-training": (GROWN, "plain", ()),
    **{
        f"gradtrack-{control}": ("", f"gradtrack-{control}", ())
        for control in (
            "none",
            "head",
            "random",
            "shuffled",
            "discs",
            "no-attention",
            "no-supervision",
            "gates",
        )
    },
}
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
        run(
            "main",
            "render",
            *tables_of(data, out),
            "--images",
            data / "images",
            *kind,
            "-o",
            maps.parent,
            "-q",
        )
    return maps


def grown_labels(before: Path, folder: Path, options: argparse.Namespace) -> Path:
    """Return the labels of self-training.

    They are the gaze's, grown by what the network trained on them saw in all images.
    """
    maps, seen = folder / "labels" / "maps.parquet", folder / "seen"
    if not maps.exists():
        where = ["--weights", before / "run", "-o", seen, "--tta", "--probabilities", "-q"]
        run("predict", options.data / "images", *where)

        def grown(image_id: str, levels: Levels) -> Levels:
            levels[-1] = np.maximum(
                levels[-1], read_gray(seen / "probabilities" / f"{image_id}.png", levels.shape[1:])
            )
            return levels

        change_maps(stored_labels(options.data, options.out, options.size), maps, grown)
    return maps


def jobs_of(rows: Sequence[str], study: Path, options: argparse.Namespace) -> Iterator[Job]:
    """Yield the trainings of the study, each when it is due.

    Labels may need the networks of rows before.
    """
    data, tables = options.data, tables_of(options.data, options.out)
    fixed = {"steps": options.steps, "image_size": options.size, "device": options.device}
    fixed["val_every"] = max(options.steps // 8, 1)
    for seed in range(options.seeds):
        for row in rows:
            labels, method, settings = ROWS[row]
            config = load_config(
                options.preset,
                None,
                (*settings, *options.settings),
                fixed | {"method": method, "seed": seed},
            )
            gaze: dict[str, Any] = {"fixations": tables}
            if labels == STORED:
                gaze = {"maps": stored_labels(data, options.out, options.size)}
            elif labels == GROWN:
                folder = Job(row, seed, config, discover(data, need_gaze=False)).folder(study)
                gaze = {"maps": grown_labels(study / "plain" / str(seed), folder, options)}
            split = {"train_ids": data / "fit.txt", "val_ids": data / "val.txt"}
            yield Job(
                row, seed, config, discover(data, need_gaze=method != "full", **gaze, **split)
            )


def write_results(options: argparse.Namespace, results: Sequence[Result]) -> str:
    """Write results.json, results.md and results.png, and return the table."""
    out = options.out
    lines = summarise(results, "plain", "flips")
    names = (
        "row",
        "seeds",
        "Dice",
        "with flips",
        "95 % over images",
        "from `plain` (95 %, Wilcoxon p)",
        "what was computed",
    )
    facts, rows = [], []
    for line in lines:
        runs = [
            result.scores["plain"]
            for result in results
            if result.job.name == line["method"] and result.scores
        ]
        fact = {
            "row": line["method"],
            "seeds": len(line["seeds"]),
            "dice": statistics.fmean(per_image(runs).values()),
            **{key: line[key] for key in ("computed", "what", "learned_from")},
        }
        fact |= {
            "dice_flips": line["dice"],
            **{key: line[key] for key in ("per_seed", "interval", "sd_seeds")},
        }
        spread = f" ± {line['sd_seeds']:.3f}" if line["sd_seeds"] is not None else ""
        beside = ""
        if found := line["from"]:
            fact["from_plain"] = {
                "mean": found["difference"],
                "interval": found["interval"],
                "p": found["p"],
            }
            beside = "{:+.3f} [{:+.3f}, {:+.3f}], p = {:.2g}".format(
                *[found["difference"], *found["interval"], found["p"]]
            )
        facts.append(fact)
        low, high = line["interval"]
        shown = [
            f"{fact['dice']:.3f}",
            f"{line['dice']:.3f}{spread}",
            f"{low:.3f} to {high:.3f}",
            beside,
            f"{line['computed']}: {line['what']}; learned from {line['learned_from']}",
        ]
        rows.append([fact["row"], str(fact["seeds"]), *shown])
    table = markdown(names, rows)
    images = len(results[0].scores["plain"]) if results[0].scores else 0
    settings = {
        "preset": options.preset,
        "size": options.size,
        "steps": options.steps,
        "validation_images": images,
    }
    (out / "results.json").write_text(json.dumps({**settings, "rows": facts}, indent=2) + "\n")
    (out / "results.md").write_text(table)
    (out / "results.png").write_bytes(draw(lines, "Dice on the validation images, flips averaged"))
    return table


def main() -> None:
    """Do what is left of the study, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    add_study_options(parser, "kvasir-study", ROWS)
    options = parser.parse_args()
    if options.quick:
        options.steps, options.size, options.seeds = 250, 96, 1
    chosen = options.rows or list(QUICK if options.quick else ROWS)
    study = options.out / f"{options.preset}-{options.size}-{options.steps}"
    results = []
    for result in run_jobs(jobs_of(chosen, study, options), study, ("plain", "flips")):
        results.append(result)
        dice = [row["dice"] for row in result.scores.get("flips", {}).values()]
        what = f"{statistics.fmean(dice):.4f}" if dice else str(result.error or "stopped")
        print(f"{result.job.name}, seed {result.job.seed}: {what}", flush=True)
    if any(result.scores for result in results):
        print(write_results(options, results), end="")
    sys.exit(0 if all(result.scores for result in results) else 1)


if __name__ == "__main__":
    main()
