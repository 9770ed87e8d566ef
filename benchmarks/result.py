"""The result: labels from gaze, SAM and networks that never saw the image, and what they teach.

    python benchmarks/result.py --data DATA --prompt-model NAME|DIR [--out DIR] [--seeds 3]
    [--processes 1] [--device auto] [--set A.B=C] [--quick]

DATA holds images/, masks/, fit.txt, val.txt and the fixation CSV. One command does all of it, and a
step whose output is there is not done again: call it again until it prints its table.

1. Labels of all images: density maps of the gaze, refined by a dense CRF (``--preset polyp``), then
   by a promptable segmenter (SAM), prompted with map and fixations.
2. Three folds of the training images. A network (encoder `dinov2`) per fold learns the labels of
   the other two, and segments its own, which it never saw.
3. The labels and those predictions are mixed in logits (.65 and .35). The 4 % of training images on
   which they agree least are left out.
4. Networks, three seeds each: on the mixed labels, on those of the CRF alone, and on the true
   masks. Same network, same steps, no checkpoint chosen: the last averaged weights. With the
   encoder `lite2`, whose weights take 10 MB, and with the large one.
5. The validation images by each network alone, and refined by SAM prompted with its prediction.

No mask is opened for a label or to choose anything but for the row ``masks``; masks of training
images measure the labels, those of the validation images the networks. SAM has seen masks of
natural images.

--quick: 160 pixels, the encoder `lite`, 150 training images, 150 steps, one seed, no folds; and the
row `gazemedseg`. It says whether the order is
masks > SAM labels > CRF labels > gazemedseg.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from _commands import command_of, read_gray, run
from PIL import Image

from gazetrack.maps.store import read_maps
from gradtrack_model.evaluation.evaluate import read_scores
from gradtrack_model.evaluation.statistics import bootstrap, paired
from gradtrack_model.study.table import markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    # A name, and what makes the commands to run one after the other.
    Task = tuple[str, Callable[[], list[list[object]]]]

FOLDS = 3
UNSEEN_SHARE = 0.35  # of the networks that never saw the image, in the label's logits
LEFT_OUT = 0.04
MAP_SIZE = 224
# Not the best one: of a run that was stopped and went on, the best is chosen from two.
LAST = "last.safetensors"

# Of all networks here but those of `gazemedseg`: a plain decoder on one label, nothing chosen.
COMMON = ("predict_threshold=0.5", "loss.ignore_band=0.15", "ema=0.998")
NETWORKS: dict[str, tuple[int, tuple[str, ...]]] = {
    # Encoder: pixels a side in training, and settings. Five and twenty-one million weights.
    "lite2": (288, ("model.widths=[96,64,48,32]",)),
    "dinov2": (336, ("model.widths=[128,96,64,32]", "predict_scale=1.0")),
    "lite": (160, ("ema=0.98",)),
}
TEACHER = "dinov2"
WAYS = {
    "alone": "image only",
    "flips": "image only, four flips averaged",
    "sam": "image only, SAM prompted by it: half of each",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    labels : {"mixed", "sam", "crf", "masks", "fixations"}
        What its networks learn.
    method : str
        Method of gradtrack-train.
    encoder : str
        One of `NETWORKS`.
    """

    labels: str
    method: str = "plain"
    encoder: str = "lite2"


ABOUT = {
    "masks": "true masks",
    "mixed": "gaze, CRF, SAM, unseen networks (no polyp masks)",
    "sam": "gaze, CRF, SAM (no polyp masks)",
    "crf": "gaze, CRF (no masks)",
    "fixations": "gaze (no masks)",
}
ROWS = {
    "masks": Row(labels="masks", method="full"),
    "mixed": Row(labels="mixed"),
    "sam": Row(labels="sam"),
    "crf": Row(labels="crf"),
    "gazemedseg": Row(labels="fixations", method="gazemedseg"),
    "masks-dinov2": Row(labels="masks", method="full", encoder="dinov2"),
    "mixed-dinov2": Row(labels="mixed", encoder="dinov2"),
}
FULL = ("masks", "mixed", "crf", "masks-dinov2", "mixed-dinov2")
QUICK = ("masks", "sam", "crf", "gazemedseg")


@dataclass
class Study:
    """Where everything lies, and how networks are trained.

    Parameters
    ----------
    options : argparse.Namespace
        The options of the command.
    fit, val : list of str
        Ids of the images that train, and of those that measure.
    """

    options: argparse.Namespace
    fit: list[str] = field(default_factory=list)
    val: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """Folder of the data set."""
        return self.options.data

    @property
    def out(self) -> Path:
        """Folder of all that is written."""
        return self.options.out

    @property
    def images(self) -> Path:
        """Folder of the images."""
        return self.data / "images"

    @property
    def table(self) -> Path:
        """The fixations of all images of the study."""
        return self.out / "fixations.parquet"

    def maps(self, name: str) -> Path:
        """Return the file of maps with this name."""
        return self.out / name / "maps.parquet"

    def folds(self) -> list[Path]:
        """Return a folder for each fold."""
        return [self.out / f"fold-{fold}" for fold in range(FOLDS)]

    def settings(self, encoder: str) -> list[str]:
        """Return the settings of every training with this encoder."""
        steps, (size, own) = self.options.steps, NETWORKS[encoder]
        run = [f"steps={steps}", f"val_every={steps}", f"log_every={max(steps // 20, 1)}"]
        network = [f"model.encoder={encoder}", f"image_size={size}", *own]
        return [*COMMON, *network, *run, *self.options.settings]


def ids_of(path: Path) -> list[str]:
    return [Path(name).stem for name in path.read_text("utf-8").split()]


def write_ids(path: Path, ids: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{image_id}\n" for image_id in ids))
    return path


def fold_of(image_id: str) -> int:
    """Return the fold of an image, by the hash of its id."""
    return int(hashlib.sha256(image_id.encode()).hexdigest()[:8], 16) % FOLDS


def side_by_side(tasks: Sequence[Task], study: Study) -> None:
    """Run the commands of each task in order, several tasks at once, each with a log of its own."""
    processes = study.options.processes
    environment = dict(os.environ)
    if processes > 1:
        threads = max((os.cpu_count() or 1) // processes, 1)
        environment |= {"OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}

    def do(task: Task) -> None:
        name, commands = task
        start = time.perf_counter()
        log = study.out / "logs" / f"{name}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            for module, *arguments in commands():
                words = command_of(str(module), *arguments)
                done = subprocess.run(words, env=environment, stdout=file, stderr=file, check=False)
                if done.returncode:
                    raise SystemExit(f"{name} failed: see {log}\n{log.read_text()[-2000:]}")
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)

    with ThreadPoolExecutor(processes) as pool:
        for _ in pool.map(do, tasks):
            pass


def check_same(study: Study) -> None:
    """Refuse to go on in a folder with other settings than those it was begun with."""
    path = study.out / "settings.json"
    now = {name: study.settings(name) for name in NETWORKS} | {"quick": [str(study.options.quick)]}
    if not path.exists():
        path.write_text(json.dumps(now, indent=2) + "\n")
    elif json.loads(path.read_text()) != now:
        raise SystemExit(f"{path}: begun with other settings: give another --out")


def make_labels(study: Study) -> None:
    """Write the maps ``density``, ``crf`` and ``sam``."""
    out, images = study.out, study.images
    if not study.table.exists():
        run("main", "convert", *sorted(study.data.glob("*.csv")), "-o", out / "tables", "-q")
        converted = pq.read_table(next((out / "tables").glob("*.fixations.parquet")))
        wanted = {*study.fit, *study.val}
        keep = [Path(name).stem in wanted for name in converted["stimulus"].to_pylist()]
        pq.write_table(converted.filter(keep), study.table)
    if not study.maps("density").exists() and not study.maps("crf").exists():
        kind = ["--preset", "polyp", "--size", MAP_SIZE, "--images", images]
        run("main", "render", study.table, *kind, "-o", out / "density", "-q")
    if not study.maps("crf").exists():
        kind = ["--preset", "polyp", "--images", images]
        run("main", "refine", out / "density", *kind, "-o", out / "crf", "-q")
    if not study.maps("sam").exists():
        if study.options.prompt_model is None:
            raise SystemExit("give --prompt-model: see `gazetrack models`")
        prompts = ["--prompt-model", study.options.prompt_model, "--fixations", study.table]
        run("main", "refine", out / "crf", *prompts, "--images", images, "-o", out / "sam")


def train_command(study: Study, row: Row, seed: int, ids: Path, run_folder: Path) -> list[object]:
    """Return the command of one training, which goes on where an earlier one stopped."""
    words: list[object] = ["train", "--images", study.images, "--train-ids", ids]
    words += ["--val-ids", study.data / "val.txt", "--preset", "polyp", "--method", row.method]
    words += ["--seed", seed, "--device", study.options.device, "-o", run_folder, "-q"]
    for setting in study.settings("lite" if study.options.quick else row.encoder):
        words += ["--set", setting]
    if row.method == "gazemedseg":
        words += ["--set", "loss.ignore_band=0"]  # the rival's own loss
    if row.labels == "masks":
        words += ["--masks", study.data / "masks"]
    elif row.labels == "fixations":
        words += ["--fixations", study.table]
    else:
        words += ["--maps", study.maps(row.labels)]
    if run_folder.exists():
        words.append("--resume")  # or from the start, where nothing was saved yet
    return words


def finished(run_folder: Path, steps: int) -> bool:
    """Say whether a run is at its end; one that was stopped has its last network, too."""
    path = run_folder / "last.json"
    return path.exists() and json.loads(path.read_text())["step"] == steps


def fold_tasks(study: Study) -> list[Task]:
    """Return what trains a network per fold, which then segments the images that it never saw."""
    teacher = Row(labels="sam", encoder=TEACHER)

    def commands(fold: int, folder: Path) -> list[list[object]]:
        own = [i for i in study.fit if fold_of(i) == fold]
        ids = write_ids(folder / "train.txt", [i for i in study.fit if i not in own])
        todo = []
        if not finished(folder / "run", study.options.steps):
            todo.append(train_command(study, teacher, fold, ids, folder / "run"))
        which = ["--ids", write_ids(folder / "predict.txt", own + study.val)]
        words = ["predict", study.images, "--weights", folder / "run" / LAST, *which, "--tta", "-q"]
        where = ["--probabilities", "-o", folder / "seen", "--device", study.options.device]
        return [*todo, [*words, *where]]

    if (study.out / "unseen").exists():
        return []
    return [
        (folder.name, lambda fold=fold, folder=folder: commands(fold, folder))
        for fold, folder in enumerate(study.folds())
    ]


def gather_unseen(study: Study) -> Path:
    """Return the folder of what networks saw in the images that they were not trained on."""
    seen = study.out / "unseen"
    if seen.exists():
        return seen
    part = study.out / "unseen.part"
    part.mkdir(exist_ok=True)
    of_fit = set(study.fit)
    for image_id in study.fit + study.val:
        which = [fold_of(image_id)] if image_id in of_fit else range(FOLDS)
        folders = [study.folds()[fold] / "seen" / "probabilities" for fold in which]
        shape = (MAP_SIZE, MAP_SIZE)
        values = [read_gray(folder / f"{image_id}.png", shape).astype(float) for folder in folders]
        mean = np.rint(np.mean(values, axis=0)).astype(np.uint8)
        Image.fromarray(mean).save(part / f"{image_id}.png")
    part.rename(seen)
    return seen


def mix_labels(study: Study, seen: Path) -> None:
    """Write the maps ``mixed``, and which training images are left out."""
    if not study.maps("mixed").exists():
        share = ["--probabilities", seen, "--share", UNSEEN_SHARE, "--images", study.images]
        run("main", "refine", study.out / "sam", *share, "-o", study.out / "mixed", "-q")
    if not (study.out / "train.txt").exists():
        agreed = agreement(study.maps("sam"), seen, set(study.fit))
        ranked = sorted(study.fit, key=lambda image_id: agreed[image_id])
        left_out = set(ranked[: round(LEFT_OUT * len(ranked))])
        write_ids(study.out / "train.txt", [i for i in study.fit if i not in left_out])


def agreement(maps: Path, seen: Path, wanted: set[str]) -> dict[str, float]:
    """Return the soft Dice of each wanted image's label and what the network saw."""
    found = {}
    for row in read_maps(maps).rows():
        image_id = Path(row.stimulus).stem
        if image_id not in wanted:
            continue
        label = row.as_float32()[-1]
        unseen = read_gray(seen / f"{image_id}.png", label.shape) / 255
        found[image_id] = float(2 * (label * unseen).sum() / max(label.sum() + unseen.sum(), 1))
    return found


def label_dice(study: Study, name: str) -> dict[str, dict[str, object]]:
    """Measure labels, or what unseen networks saw, against masks at the masks' own size."""
    dice = {}
    if name == "unseen":
        paths = sorted((study.out / "unseen").glob("*.png"))
        pictures = ((path.stem, read_gray(path, (MAP_SIZE, MAP_SIZE)) / 255) for path in paths)
    else:
        rows = read_maps(study.maps(name)).rows()
        pictures = ((Path(row.stimulus).stem, row.as_float32()[-1]) for row in rows)
    wanted = {*study.fit, *study.val}
    for image_id, picture in pictures:
        if image_id not in wanted:
            continue
        with Image.open(next((study.data / "masks").glob(f"{image_id}.*"))) as found:
            mask = np.asarray(found.convert("L")) > 127
        label = Image.fromarray(picture.astype(np.float32))
        size = (mask.shape[1], mask.shape[0])
        own = np.asarray(label.resize(size, Image.Resampling.BILINEAR)) >= 0.5
        dice[image_id] = 2 * float((own & mask).sum()) / max(float(own.sum() + mask.sum()), 1.0)
    measured = {}
    for part, ids in (("fit", study.fit), ("val", study.val)):
        values = [dice[image_id] for image_id in ids]
        below = sum(value < 0.7 for value in values)
        fact = {"dice": statistics.fmean(values), "interval": bootstrap(values), "below_.7": below}
        measured[part] = fact
    return measured


def row_tasks(study: Study, rows: Sequence[str]) -> list[Task]:
    """Return what trains every row and seed, and segments the validation images with it."""

    def commands(row: str, seed: int, folder: Path) -> list[list[object]]:
        ids = study.out / ("train.txt" if ROWS[row].labels == "mixed" else "fit.txt")
        todo = []
        if not finished(folder / "run", study.options.steps):
            todo.append(train_command(study, ROWS[row], seed, ids, folder / "run"))
        which = ["--ids", study.data / "val.txt", "--device", study.options.device, "-q"]
        where = ["--weights", folder / "run" / LAST, "--probabilities", "-o", folder / "alone"]
        alone = ["predict", study.images, *where, *which]
        todo += [alone, evaluation(study, folder / "alone")]
        flips = ["--weights", folder / "run" / LAST, "--tta", "-o", folder / "flips"]
        todo.append(["predict", study.images, *flips, *which])
        return [*todo, evaluation(study, folder / "flips")]

    tasks: list[Task] = []
    for row in rows:
        for seed in range(study.options.seeds):
            folder = study.out / row / str(seed)
            if not (folder / "flips" / "evaluation" / "summary.json").exists():
                name = f"{row}-{seed}"
                tasks.append((name, lambda r=row, s=seed, f=folder: commands(r, s, f)))
    return tasks


def evaluation(study: Study, predictions: Path) -> list[object]:
    words = ["evaluate", predictions, study.data / "masks", "--ids", study.data / "val.txt"]
    return [*words, "-o", predictions / "evaluation", "-q"]


def refine_rows(study: Study, rows: Sequence[str]) -> None:
    """Refine the predictions of each network by SAM, prompted with them."""
    for row in rows:
        for seed in range(study.options.seeds):
            folder = study.out / row / str(seed)
            target = folder / "sam"
            if (target / "evaluation" / "summary.json").exists():
                continue
            which = ["--ids", study.data / "val.txt", "--device", study.options.device, "-q"]
            with_sam = ["--refine-with", study.options.prompt_model, "-o", target]
            run("predict", study.images, "--weights", folder / "run" / LAST, *which, *with_sam)
            module, *arguments = evaluation(study, target)
            run(str(module), *arguments)


def scores(study: Study, row: str, way: str) -> list[dict[str, float]]:
    """Return the Dice of each image, by seed; empty where it was not measured."""
    found = []
    for seed in range(study.options.seeds):
        path = study.out / row / str(seed) / way / "evaluation" / "evaluation.csv"
        if path.exists():
            found.append({i: one["dice"] for i, one in read_scores(path).items()})
    return found


def table(study: Study, rows: Sequence[str]) -> str:
    """Write results.json, scores.csv and results.md, and return the table."""
    lines, facts = [], []
    dice: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        for way, said in WAYS.items():
            runs = scores(study, row, way)
            if not runs:
                continue
            mean = {i: statistics.fmean(one[i] for one in runs) for i in sorted(runs[0])}
            dice[row, way] = mean
            values = list(mean.values())
            seeds = [statistics.fmean(one.values()) for one in runs]
            fact = {
                "row": row,
                "way": way,
                "at_test": said,
                "labels": ABOUT[ROWS[row].labels],
                "per_seed": seeds,
            }
            fact |= {"dice": statistics.fmean(values), "interval": bootstrap(values)}
            fact["below_.7"] = sum(value < 0.7 for value in values)
            facts.append(fact)
    for fact in facts:
        way = str(fact["way"])
        # The same network, and the same refinement, on the true masks.
        own = "masks-dinov2" if ROWS[str(fact["row"])].encoder == "dinov2" else "masks"
        reference = dice.get((own, way))
        beside = ""
        if reference is not None and fact["row"] != own:
            mine = dice[str(fact["row"]), way]
            fact["from_masks"] = paired([mine[i] - reference[i] for i in mine])
            # None where that network has found nothing at all, as after a few steps.
            best = statistics.fmean(reference.values())
            fact["share_of_masks"] = float(fact["dice"]) / best if best else None
            difference, (low, high) = (fact["from_masks"][k] for k in ("difference", "interval"))
            beside = f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]"
        low, high = fact["interval"]
        seeds = ", ".join(f"{one:.3f}" for one in fact["per_seed"])
        cells = [fact["labels"], fact["at_test"], f"{fact['dice']:.3f}", f"{low:.3f} to {high:.3f}"]
        lines.append([fact["row"], *cells, seeds, str(fact["below_.7"]), beside])
    names = ("row", "labels", "at test", "Dice", "95 % over images", "seeds", "images below .7")
    text = markdown((*names, "from the same on masks (95 %)"), lines)
    labels = {}
    for name in ("density", "crf", "sam", "unseen", "mixed"):
        if study.maps(name).exists() or (name == "unseen" and (study.out / name).exists()):
            labels[name] = label_dice(study, name)
            of = "  ".join(f"{part} {fact['dice']:.4f}" for part, fact in labels[name].items())
            print(f"labels {name}: Dice {of}", flush=True)
    options = study.options
    encoders = {ROWS[row].encoder for row in rows}
    about = {"settings": {one: study.settings(one) for one in sorted(encoders)}}
    about |= {"train_images": len(study.fit), "val_images": len(study.val), "quick": options.quick}
    result = {**about, "label_dice": labels, "rows": facts}
    (study.out / "results.json").write_text(json.dumps(result, indent=2) + "\n")
    (study.out / "results.md").write_text(text)
    with (study.out / "scores.csv").open("w") as file:
        file.write("row,at_test,seed,image,dice\n")
        for row in rows:
            for way in WAYS:
                for seed, one in enumerate(scores(study, row, way)):
                    file.writelines(f"{row},{way},{seed},{i},{v:.6f}\n" for i, v in one.items())
    return text


def say_order(study: Study) -> None:
    """Say whether the rows of --quick are in the order that is expected of them."""
    means = {row: statistics.fmean(scores(study, row, "alone")[0].values()) for row in QUICK}
    expected = " > ".join(QUICK)
    found = " > ".join(sorted(QUICK, key=lambda row: -means[row]))
    said = "as expected" if found == expected else f"not as expected, {expected}"
    print(f"order: {found}: {said}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--prompt-model", help="a name of `gazetrack models`, or a folder")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--rows", nargs="+", choices=sorted(ROWS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--processes", type=int, default=1, help="trainings at once")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.steps, options.seeds = 150, 1
    options.out = options.out or Path("result-quick" if options.quick else "result")
    options.rows = options.rows or list(QUICK if options.quick else FULL)
    return options


def main() -> None:
    """Do what is left of it, and print the table."""
    options = parsed()
    study = Study(options, ids_of(options.data / "fit.txt"), ids_of(options.data / "val.txt"))
    if options.quick:
        study.fit = sorted(study.fit, key=lambda i: hashlib.sha256(i.encode()).digest())[:150]
    write_ids(options.out / "fit.txt", study.fit)
    check_same(study)
    make_labels(study)
    on_mixed = [row for row in options.rows if ROWS[row].labels == "mixed"]
    others = [row for row in options.rows if row not in on_mixed]
    folds = fold_tasks(study) if on_mixed else []
    side_by_side([*folds, *row_tasks(study, others)], study)
    if on_mixed:
        mix_labels(study, gather_unseen(study))
        side_by_side(row_tasks(study, on_mixed), study)
    if options.prompt_model is not None:
        refine_rows(study, options.rows)
    print(table(study, options.rows))
    if options.quick:
        say_order(study)


if __name__ == "__main__":
    main()
