"""NCI-ISBI 2013 with the gaze of GazeMedSeg, split by case, by the commands a user types.

The images are prostate MRI in DICOM, the labels NRRD.

    python benchmarks/nci_isbi.py --data DATA [--out DIR] [--rows 'A;B'] [--seeds 3] [--steps 1600]
    [--size 224] python benchmarks/nci_isbi.py --look-alike [--quick]

DATA holds, in any folders: the T2 series of Prostate-3T and PROSTATE-DIAGNOSIS as the Cancer
Imaging Archive gives them (*.dcm), the segmentations of ISBI-MR-Prostate-2013 (<case>.nrrd, also
<case>_correctedLabels.nrrd), nci-isbi_fixation.csv of GazeMedSeg (Zhong et al., MICCAI 2024), and
optionally its train.txt: then no other slice is used. A slice is called
<PatientID>_<InstanceNumber>, as the gaze calls it. A tenth of the cases is held out by the hash of
their names; the first run's splits.json is taken by all others. A step whose output is there is not
done again. Written are results.json and results.md: Dice per slice and per case (mean over its
slices), and how well the gaze's own maps agree with the masks.
--look-alike: made-up cases in the same formats, in place of DATA. --quick: 96 x 96, few steps, one
seed.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from pathlib import Path

import numpy as np
import pydicom
from _commands import add_study_options, run
from _look_alike import write_look_alike

from gazetrack.images.folder import find_images, image_size, read_mask
from gazetrack.maps.parameters import PRESETS
from gazetrack.maps.render import render_maps
from gazetrack.tables.stimulus import stem
from gazetrack.workflows.table_tracks import read_tracks
from gradtrack_model.evaluation.evaluate import read_scores
from gradtrack_model.evaluation.statistics import bootstrap

PROSTATE = (
    "--set",
    "maps.kind=hull",
    "--set",
    "maps.radius=0.024",
)  # `gazetrack render --preset prostate`
HEATMAP = ("--set", f"maps.blur={50 / 768}")
ROWS: dict[str, tuple[str, ...]] = {
    "full": ("--method", "full"),
    "heatmap": ("--method", "heatmap", *HEATMAP),
    "gazemedseg": ("--method", "gazemedseg", *HEATMAP, "--set", "loss.thresholds=[0.2, 0.4]"),
    "gradtrack": ("--method", "gradtrack", *PROSTATE),
    "plain": ("--method", "plain", *PROSTATE),
}
CASE = r"(.+)_\d+$"


def prepare(data: Path, folder: Path) -> None:
    """Lay a data set out as the commands want it.

    These are links to images and masks by their ids, and the fixation table.
    """
    if (folder / "done").exists():
        return
    listed = next(data.rglob("train.txt"), None)
    wanted = None if listed is None else {Path(line).stem for line in listed.read_text().split()}
    for path in sorted(data.rglob("*.dcm")):
        header = pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=["PatientID", "InstanceNumber"]
        )
        name = f"{header.PatientID}_{header.InstanceNumber}"
        if wanted is None or name in wanted:
            link(path, folder / "images" / f"{name}.dcm")
    for path in sorted(data.rglob("*.nrrd")):
        link(path, folder / "masks" / f"{path.stem.removesuffix('_correctedLabels')}.nrrd")
    gaze = next(data.rglob("nci-isbi_fixation.csv"))
    run("main", "convert", gaze, "-o", folder, "-q")
    (folder / "done").touch()


def link(path: Path, target: Path) -> None:
    """Link a file under another name; two of one name are not guessed between."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() and target.resolve() != path.resolve():
        raise SystemExit(
            f"{target.name}: both {path} and {target.resolve()}; leave the axial T2 series alone"
        )
    if not target.is_symlink():
        target.symlink_to(path.resolve())


def train_and_evaluate(
    row: str, seed: int, data: Path, folder: Path, options: argparse.Namespace
) -> None:
    """Train one network, segment the held-out slices, and compare with their masks."""
    manifest = options.out / "splits.json"
    if not (folder / "run" / "done").exists():
        splits = ["--split", manifest] if manifest.exists() else ["--case", CASE]
        size = [
            "--steps",
            options.steps,
            "--image-size",
            options.size,
            "--device",
            options.device,
            "-q",
        ]
        every = [
            "--set",
            f"val_every={max(options.steps // 8, 1)}",
            "--preset",
            options.preset,
            "--seed",
            seed,
        ]
        resume = ["--resume"] if (folder / "run" / "states").exists() else []
        run(
            "train",
            "--data",
            data,
            *splits,
            *size,
            *every,
            *ROWS[row],
            "-o",
            folder / "run",
            *resume,
        )
        if not manifest.exists():
            manifest.write_bytes((folder / "run" / "splits.json").read_bytes())
        (folder / "run" / "done").touch()
    images = json.loads(manifest.read_text())["images"]
    held_out = folder / "val.txt"
    held_out.write_text("".join(f"{i}\n" for i, facts in images.items() if facts["split"] == "val"))
    for way, more in (("plain", []), ("flips", ["--tta"])):
        if not (folder / way / "evaluation" / "summary.json").exists():
            ids = ["--ids", held_out, "-q"]
            run(
                "predict",
                data / "images",
                "--weights",
                folder / "run",
                "-o",
                folder / way,
                *more,
                *ids,
            )
            run("evaluate", folder / way, data / "masks", "-o", folder / way / "evaluation", *ids)


def dice_of(folder: Path, way: str) -> dict[str, float]:
    """Read the Dice of each slice."""
    return {
        i: one["dice"]
        for i, one in read_scores(folder / way / "evaluation" / "evaluation.csv").items()
    }


def maps_agree(data: Path) -> float:
    """Return the mean Dice of the gaze's own maps with the masks of all slices.

    They are rendered by the preset for prostates.
    """
    images, masks = find_images(data / "images"), find_images(data / "masks")
    found = read_tracks(
        next(data.glob("*.fixations.parquet")), {i: image_size(path) for i, path in images.items()}
    )
    dice = []
    for track in found.tracks:
        seen = render_maps(track, PRESETS["prostate"]).values[-1] >= 0.5
        truth = read_mask(masks[stem(track.stimulus)])
        dice.append(2 * (seen & truth).sum() / max(seen.sum() + truth.sum(), 1))
    return float(np.mean(dice))


def summarise(done: dict[str, list[Path]], agreement: float, out: Path) -> str:
    """Write results.json and results.md, and return the table."""
    lines, table = (
        [],
        [
            "| row | seeds | Dice per slice | 95 % over slices | per case | with flips |",
            "|---" * 6 + "|",
        ],
    )
    for row, folders in done.items():
        runs = [dice_of(folder, "plain") for folder in folders]
        slices = {i: statistics.fmean(one[i] for one in runs) for i in runs[0]}
        cases: dict[str, list[float]] = {}
        for image_id, dice in slices.items():
            cases.setdefault(re.match(CASE, image_id)[1], []).append(dice)
        facts = {"row": row, "seeds": len(folders), "slices": len(slices), "cases": len(cases)}
        facts["dice"] = statistics.fmean(slices.values())
        facts["interval"] = bootstrap([*slices.values()])
        facts["dice_cases"] = statistics.fmean(map(statistics.fmean, cases.values()))
        facts["dice_flips"] = statistics.fmean(
            statistics.fmean(dice_of(f, "flips").values()) for f in folders
        )
        lines.append(facts)
        low, high = facts["interval"]
        dice = f"{facts['dice']:.3f} | {low:.3f} to {high:.3f}"
        cells = f"{dice} | {facts['dice_cases']:.3f} | {facts['dice_flips']:.3f}"
        table.append(f"| {row} | {len(folders)} | {cells} |")
    held_out = f"{lines[0]['slices']} slices of {lines[0]['cases']} cases"
    table.append(
        f"\nHeld out: {held_out}. "
        f"Dice of the gaze's own maps with the masks of all slices: {agreement:.3f}."
    )
    (out / "results.json").write_text(
        json.dumps({"rows": lines, "maps_dice": agreement}, indent=2) + "\n"
    )
    (out / "results.md").write_text("\n".join(table) + "\n")
    return "\n".join(table)


def main() -> None:
    """Do what is left of the study, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path)
    source.add_argument("--look-alike", action="store_true")
    add_study_options(parser, "nci-isbi-study", ROWS)
    options = parser.parse_args()
    if options.quick:
        options.steps, options.size, options.seeds, options.preset = 120, 96, 1, "tiny"
    chosen = options.rows or [row for row in ROWS if not options.quick or "," not in row]
    if options.look_alike:
        options.data = write_look_alike(options.out / "look-alike")
    data = options.out / "data"
    prepare(options.data, data)
    done: dict[str, list[Path]] = {}
    for seed in range(options.seeds):
        for row in chosen:
            study = f"{options.preset}-{options.size}-{options.steps}"
            folder = options.out / study / row.replace(", ", "-") / str(seed)
            train_and_evaluate(row, seed, data, folder, options)
            done.setdefault(row, []).append(folder)
            print(
                f"{row}, seed {seed}: {np.mean([*dice_of(folder, 'flips').values()]):.4f}",
                flush=True,
            )
    print(summarise(done, maps_agree(data), options.out))


if __name__ == "__main__":
    main()
