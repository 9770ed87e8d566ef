"""Labels from gaze and from networks that never saw the image.

They are the maps, refined by the CRF, mixed with predictions.

    python benchmarks/cross_fit.py DATA [--out DIR] [--folds 3] [--steps 800] [--size 224]

DATA holds images/, masks/ (only ever to choose checkpoints on the validation images), fit.txt,
val.txt and a fixation CSV. The training images fall into folds by a hash of their id. A plain U-Net
per fold learns the refined maps of the others and predicts its own; the validation images get the
mean of all networks. No mask of a training image is opened. Every step is a command as a user types
it, and a step whose output is there is not done again. The result is DIR/mixed/maps.parquet;
``python benchmarks/map_quality.py .. --only kvasir --labels`` measures it.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
from _commands import run
from PIL import Image

PLAIN = ("--method", "plain")


def fold_of(image_id: str, folds: int) -> int:
    return int(hashlib.sha256(image_id.encode()).hexdigest()[:8], 16) % folds


def write_ids(path: Path, ids: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(ids) + "\n")
    return path


def mean_of(pictures: list[Path], target: Path) -> None:
    values = [np.asarray(Image.open(picture), np.float64) for picture in pictures]
    Image.fromarray(np.rint(np.mean(values, axis=0)).astype(np.uint8)).save(target)


def main() -> None:
    """Do what is left of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("cross-fit"))
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--preset", default="default")
    options = parser.parse_args()
    data, out, images = options.data, options.out, options.data / "images"
    fit, val = ((data / name).read_text("utf-8").split() for name in ("fit.txt", "val.txt"))
    fit, val = ([Path(name).stem for name in ids] for ids in (fit, val))
    if not (out / "maps" / "maps.parquet").exists():
        run("main", "convert", *sorted(data.glob("*.csv")), "-o", out / "tables", "-q")
        kind = ["--preset", "polyp", "--size", options.size, "--images", images]
        run(
            "main",
            "render",
            *sorted((out / "tables").glob("*.fixations.parquet")),
            *kind,
            "-o",
            out / "maps",
            "-q",
        )
    if not (out / "refined" / "maps.parquet").exists():
        run(
            "main",
            "refine",
            out / "maps",
            "--preset",
            "polyp",
            "--images",
            images,
            "-o",
            out / "refined",
            "-q",
        )
    seen = out / "seen"
    for fold in range(options.folds):
        folder = out / f"fold-{fold}"
        own = [i for i in fit if fold_of(i, options.folds) == fold]
        ids = write_ids(folder / "train.txt", [i for i in fit if i not in own])
        if not (folder / "run" / "report.html").exists():
            where = [
                "--images",
                images,
                "--masks",
                data / "masks",
                "--maps",
                out / "refined" / "maps.parquet",
            ]
            size = [
                "--steps",
                options.steps,
                "--image-size",
                options.size,
                "--preset",
                options.preset,
            ]
            which = ["--train-ids", ids, "--val-ids", data / "val.txt", "--set", "ema=0.997"]
            resume = ["--resume"] if (folder / "run" / "states").exists() else []
            run("train", *where, *size, *which, *PLAIN, "-o", folder / "run", "-q", *resume)
        if not (folder / "seen" / "probabilities").exists():
            which = [
                "--ids",
                write_ids(folder / "predict.txt", own + val),
                "--tta",
                "--probabilities",
                "-q",
            ]
            run("predict", images, "--weights", folder / "run", "-o", folder / "seen", *which)
    seen.mkdir(exist_ok=True)
    for image_id in fit + val:
        folds = [fold_of(image_id, options.folds)] if image_id in fit else range(options.folds)
        pictures = [
            out / f"fold-{fold}" / "seen" / "probabilities" / f"{image_id}.png" for fold in folds
        ]
        mean_of(pictures, seen / f"{image_id}.png")
    mix = ["--preset", "polyp", "--images", images, "--probabilities", seen, "-o", out / "mixed"]
    run("main", "refine", out / "maps", *mix)


if __name__ == "__main__":
    main()
