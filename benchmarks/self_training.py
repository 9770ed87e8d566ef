"""Self-training on gaze: a round's labels are the gaze's maps and the last network's view.

The two are mixed.

    python benchmarks/self_training.py DATA [--out DIR] [--rounds 3] [--steps 2000] [--seed 0]
    [--precision bf16]

DATA holds images/, masks/ (only ever those of the validation images), fit.txt, val.txt and a
fixation CSV. Round 1 trains on density maps refined by the CRF, with gradtrack-train --preset polyp
--method plain. Each later round trains anew, on those maps mixed with the last network's
probabilities (gazetrack refine --probabilities) and without the images on which gaze and network
agree least. No mask of a training image is opened. Every step is a command as a user types it; one
whose output is there is not done again, an interrupted training goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from _commands import read_gray, run

from gazetrack.maps.store import read_maps


def agreement(maps: Path, probabilities: Path, ids: list[str]) -> dict[str, float]:
    """Return the soft Dice of each image's map and what the network saw."""
    stored, found = read_maps(maps), {}
    for image_id in ids:
        gaze = stored.load(image_id)[-1] / 255
        seen = read_gray(probabilities / f"{image_id}.png", gaze.shape) / 255
        found[image_id] = float(2 * (gaze * seen).sum() / max(gaze.sum() + seen.sum(), 1))
    return found


def next_labels(maps: Path, before: Path, folder: Path, options: argparse.Namespace) -> None:
    """Write maps.parquet and train.txt of a round from the network of the round before."""
    seen = before / "seen"
    if not seen.exists():
        every = ["--weights", before / "run", "--tta", "--probabilities", "-o", seen, "-q"]
        run("predict", options.data / "images", *every)
    if not (folder / "maps.parquet").exists():
        mix = [
            "--preset",
            "polyp",
            "--images",
            options.data / "images",
            "--probabilities",
            seen / "probabilities",
        ]
        run("main", "refine", maps, *mix, "-o", folder, "-q")
    ids = [Path(name).stem for name in (options.data / "fit.txt").read_text("utf-8").split()]
    agreed = agreement(maps, seen / "probabilities", ids)
    least = set(sorted(ids, key=lambda i: agreed[i])[: round(options.leave_out * len(ids))])
    (folder / "train.txt").write_text("".join(f"{i}\n" for i in ids if i not in least))


def dice_of(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Evaluate a round's network on the validation images, with and without flips."""
    dice = {}
    for name, more in (("plain", []), ("flips", ["--tta"])):
        what = ["--ids", options.data / "val.txt", "-q"]
        if not (folder / name).exists():
            run(
                "predict",
                options.data / "images",
                "--weights",
                folder / "run",
                *more,
                *what,
                "-o",
                folder / name,
            )
        run(
            "evaluate",
            folder / name,
            options.data / "masks",
            *what,
            "-o",
            folder / f"evaluation-{name}",
        )
        summary = json.loads((folder / f"evaluation-{name}" / "summary.json").read_text())
        dice[name] = summary["dice"]["mean"]
    return dice


def main() -> None:
    """Do all rounds, and print the Dice of each on the validation images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("self-training"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leave-out", type=float, default=0.05)
    parser.add_argument("--preset", default="polyp")
    parser.add_argument("--predict-threshold", type=float, default=0.35)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    data, out = options.data, options.out
    if not all((data / name).exists() for name in ("fit.txt", "val.txt")):
        parser.error(f"{data} has no fit.txt and val.txt")
    images = ["--images", data / "images"]
    maps, refined = out / "maps" / "maps.parquet", out / "round-1" / "maps.parquet"
    if not maps.exists():
        run("main", "convert", *sorted(data.glob("*.csv")), "-o", out / "tables", "-q")
        tables = sorted((out / "tables").glob("*.fixations.parquet"))
        run(
            "main",
            "render",
            *tables,
            "--preset",
            "polyp",
            "--size",
            224,
            *images,
            "-o",
            maps.parent,
            "-q",
        )
    if not refined.exists():
        run("main", "refine", maps, "--preset", "polyp", *images, "-o", refined.parent, "-q")
        (refined.parent / "train.txt").write_text((data / "fit.txt").read_text("utf-8"))
    results = []
    for number in range(1, options.rounds + 1):
        folder, start = out / f"round-{number}", time.perf_counter()
        if number > 1:
            next_labels(maps, out / f"round-{number - 1}", folder, options)
        if not (folder / "run" / "report.html").exists():
            where = [*images, "--masks", data / "masks", "--maps", folder / "maps.parquet"]
            where += ["--train-ids", folder / "train.txt", "--val-ids", data / "val.txt"]
            size = [
                "--preset",
                options.preset,
                "--method",
                "plain",
                "--set",
                f"predict_threshold={options.predict_threshold}",
                "--image-size",
                options.size,
                "--steps",
                options.steps,
            ]
            size += [
                "--set",
                f"val_every={max(options.steps // 8, 1)}",
                "--set",
                f"precision={options.precision}",
            ]
            resume = ["--resume"] if (folder / "run" / "states").exists() else []
            run("train", *where, *size, "--seed", options.seed, "-o", folder / "run", *resume, "-q")
        dice = dice_of(folder, options)
        results.append({"round": number, **dice, "seconds": round(time.perf_counter() - start)})
        print(
            f"round {number}: Dice {dice['plain']:.4f}, with flips {dice['flips']:.4f}", flush=True
        )
        facts = {key: value for key, value in vars(options).items() if key not in ("data", "out")}
        (out / "results.json").write_text(json.dumps(facts | {"rounds": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
